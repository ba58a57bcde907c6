"""Interleaved codes over the complex numbers: which of many rounded answers are lies.

The answers of n workers are n values of polynomials of degree below m, one polynomial for each
number of an answer, and each value is rounded. A liar spoils its whole row, so liars are located
once for all numbers, in a few random combinations of the columns.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.codes.locators.located import Located

__all__ = ["InterleavedCode", "alike"]

_ALL = 3000  # sets of rows up to which all are tried
_ROUNDS = 20  # of exchanging one row
_ALARM = 1e-4  # the chance that noise alone makes one of the rows look like a lie


@final
@dataclass(frozen=True, eq=False)
class InterleavedCode:
    """Polynomials of degree below `dimension`, known by rounded values at distinct points.

    Args:
        points: complex128 ndarray (n,), distinct, best on the unit circle.
        dimension: m <= n; any m values determine the polynomial.

    Guarantee:
        `locate` with n >= m + 2A finds a set of at most A rows without which the rest are values
        of one polynomial, up to the noise given, where there is one and C(n, A) <= 3,000; beyond,
        a rational locator and exchanges look for it. Where a lie is so small that another row
        explains the values as well, nobody is named for it.

    References:
        Bleichenbacher, Kiayias, Yung (ICALP 2003) for locating the errors of interleaved codes
        once; Welch and Berlekamp (US patent 4,633,470, 1986) for the locator, here in the sense
        of least squares.

    Example:
        >>> from anyk.codes.analog.interleaved import InterleavedCode
        >>> code = InterleavedCode(np.exp(2j * np.pi * np.arange(5) / 5), 2)
        >>> values = 3 + code.points[:, None]
        >>> values[2] = 7
        >>> code.locate(values, 1, noise=1e-12)
        Located(removed=(2,), named=(2,), exceeded=False)
    """

    points: NDArray[np.complex128]
    dimension: int

    @cached_property
    def _turned(self) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """Q and U of the Vandermonde matrix of the points."""
        basis, triangle = np.linalg.qr(_powers(self.points, self.dimension))
        lost = np.flatnonzero(np.diag(triangle) == 0.0)  # points too near for double precision
        triangle[lost, lost] = np.finfo(np.float64).tiny
        return basis, triangle

    def recovery(self, targets: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """R, complex128 ndarray (len(targets), n): the polynomial at the targets, least squares."""
        basis, triangle = self._turned
        wanted = _powers(targets, self.dimension)
        matrix: NDArray[np.complex128] = np.linalg.solve(triangle.T, wanted.T).T @ basis.conj().T
        return matrix

    def parity_check(self) -> NDArray[np.complex128]:
        """H, complex128 ndarray (n - m, n) with orthonormal rows: H·values is free of values."""
        return _complement(_powers(self.points, self.dimension))

    def residual(self, values: NDArray[np.complex128]) -> float:
        """What no polynomial explains, root mean square for each number and spare row.

        Args:
            values: complex128 ndarray (n, L).

        Returns:
            The standard deviation of independent noise that would leave as much; 0 where n = m.
        """
        spare = len(self.points) - self.dimension
        if spare == 0:
            return 0.0
        basis, _ = self._turned
        left = values - basis @ (basis.conj().T @ values)
        return float(np.linalg.norm(left)) / math.sqrt(spare * values.shape[1])

    def exposure(self, targets: NDArray[np.complex128], rows: int) -> float:
        """How far wrong rows that leave little unexplained can move the targets.

        Without the rows F, the recovery of the others is R - R_F (H_F)^+ H, so that errors which
        leave a syndrome s moved the targets by R_F (H_F)^+ s. The worst F are neighbours on the
        circle: leaving them out widens the largest gap.

        Args:
            targets: complex128 ndarray (k,).
            rows: how many may be wrong; 0 <= rows <= n - m.

        Returns:
            The largest Frobenius norm of R_F (H_F)^+ over runs of this many neighbours.
        """
        if not rows:
            return 0.0
        matrix, check = self.recovery(targets), self.parity_check()
        around = np.argsort(np.angle(self.points))
        count = len(around)
        return max(
            float(np.linalg.norm(np.linalg.lstsq(check[:, run].T, matrix[:, run].T)[0]))
            for run in (around[np.arange(first, first + rows) % count] for first in range(count))
        )

    def misfit(self, targets: NDArray[np.complex128], degree: int, radius: float) -> float:
        """How far off polynomials of too high a degree are, by what they leave unexplained.

        Args:
            targets: complex128 ndarray (k,).
            degree: of these polynomials.
            radius: of the circle on which all their terms are about as large.

        Returns:
            Root mean square error at the targets, divided by that of the spare rows, for random
            coefficients of the terms above the code's; 0 where n = m.
        """
        check = self.parity_check()
        if not len(check):
            return 0.0
        above = np.arange(self.dimension, degree + 1)
        weights = radius ** -above.astype(np.float64)
        here = np.vander(self.points, degree + 1, increasing=True)[:, above] * weights
        there = np.vander(targets, degree + 1, increasing=True)[:, above] * weights
        missed = float(np.linalg.norm(there - self.recovery(targets) @ here))
        left = float(np.linalg.norm(check @ here)) or 1.0
        return missed / math.sqrt(len(targets)) / (left / math.sqrt(len(check)))

    def unexplained(self, values: NDArray[np.complex128], rows: int) -> float:
        """The residual without those of so many rows that explain most.

        Args:
            values: complex128 ndarray (n, L).
            rows: how many are left out; fewer than n - m, unless it is none.
        """
        if not rows:
            return self.residual(values)
        kept = np.delete(np.arange(len(self.points)), _Search(self, values, rows).best(rows))
        return InterleavedCode(self.points[kept], self.dimension).residual(values[kept])

    def locate(
        self,
        values: NDArray[np.complex128],
        most: int,
        *,
        noise: float,
        beyond: float = math.inf,
        learned: bool = False,
    ) -> Located:
        """Which rows are wrong.

        Args:
            values: complex128 ndarray (n, L), row j at point j.
            most: A, how many rows may be wrong; 2A <= n - m.
            noise: standard deviation of honest rounding, at most, in a row as large as the
                (A+1)-th largest.
            beyond: standard deviation that no rounding has.
            learned: whether the noise is only known from these values.

        Returns:
            The fewest rows without which the rest are values of one polynomial; named are those
            that no A other rows could explain in their place, and that are off by what no rounding
            explains, or by more than the noise of the rest leaves to chance. Exceeded, if no set of
            at most A explains the values.
        """
        if self.residual(values) <= noise:
            return Located()
        search = _Search(self, values, most)
        for errors in range(1, most + 1):
            rows = search.best(errors)
            kept = np.delete(np.arange(len(self.points)), rows)
            rest = InterleavedCode(self.points[kept], self.dimension)
            left = rest.residual(values[kept])
            if left <= noise:
                doubt = search.doubt(rows, left, beyond, learned=learned)
                return Located(removed=rows, named=search.named(rows, most, noise, doubt))
        return Located(exceeded=True)


@final
class _Search:
    """Sets of rows, by what is left unexplained without them.

    Rows larger than the (A+1)-th largest are scaled down to it: a lie stays a lie, and a huge one
    does not drown a small one in its rounding.
    """

    def __init__(self, code: InterleavedCode, values: NDArray[np.complex128], most: int) -> None:
        sizes = np.linalg.norm(values, axis=1)
        typical = np.sort(sizes)[-most - 1] or sizes[sizes > 0.0].min()
        self._code = code
        self._weights = typical / np.maximum(sizes, typical)
        self._values = values * self._weights[:, None]
        basis = _powers(code.points, code.dimension) * self._weights[:, None]
        self._check = _complement(basis)
        self._syndromes = self._check @ self._values

    def best(self, errors: int) -> tuple[int, ...]:
        """The set of this many rows that explains most."""
        count = len(self._weights)
        if math.comb(count, errors) <= _ALL:
            sets = np.array(list(itertools.combinations(range(count), errors)))
            rows = sets[np.argmin(self._left(sets))]
        else:
            rows = self._start(errors)
            for _ in range(_ROUNDS):
                sets = _exchanges(rows, count)
                better = sets[np.argmin(self._left(sets))]
                if np.array_equal(better, rows):
                    break
                rows = better
        return tuple(rows.tolist())

    def doubt(
        self, rows: tuple[int, ...], left: float, beyond: float, *, learned: bool
    ) -> NDArray[np.float64]:
        """How large errors of these rows may be by chance, where the rest leaves so much.

        Noise is taken to grow with the row, and to be independent in columns as far as these are
        alike in size; not at all, where it is learned. The ratio of two mean squares of it is
        distributed as Fisher's F.
        """
        count, width = self._values.shape
        kept = np.delete(np.arange(count), rows)
        columns = 1.0 if learned else alike(self._values[kept])
        spare = max(len(self._check) - len(rows), 1)
        ratio = scipy.special.fdtri(columns, columns * spare, 1.0 - _ALARM / count)
        sizes = np.linalg.norm(self._values, axis=1)
        usual = float(np.sqrt(np.mean(sizes[kept] ** 2))) or 1.0
        chance = math.sqrt(ratio) * left * np.maximum(sizes[[*rows]] / usual, 1.0)
        unseen: NDArray[np.float64] = np.minimum(chance, beyond) * math.sqrt(width)
        return unseen

    def named(
        self,
        rows: tuple[int, ...],
        most: int,
        noise: float,
        doubt: NDArray[np.float64],
    ) -> tuple[int, ...]:
        """Those rows whose error no A others explain in their place, up to noise and doubt.

        Others that explain row i with error e leave |e| times the distance of h_i from the
        columns of H that are theirs. Its neighbours on the circle come nearest to it.
        """
        spare, width = self._syndromes.shape
        unseen = noise * math.sqrt(spare * width)
        errors = np.linalg.lstsq(self._check[:, rows], self._syndromes)[0]
        around = np.argsort(np.angle(self._code.points))
        clear = []
        sizes = np.linalg.norm(errors, axis=1)
        for row, error, chance in zip(rows, sizes, doubt, strict=True):
            others = [each for each in rows if each != row]
            circle = around[~np.isin(around, others)]
            beside = np.roll(circle, most - int(np.flatnonzero(circle == row)[0]))[: 2 * most + 1]
            apart = min(
                _distance(self._check[:, row], self._check[:, [*others, *near[near != row]]])
                for near in (beside[first : first + most + 1] for first in range(most + 1))
            )
            if error * apart > max(unseen, chance):
                clear.append(row)
        return tuple(clear)

    def _left(self, sets: NDArray[np.intp]) -> NDArray[np.float64]:
        """What is left of the syndromes without each set of rows, ndarray (sets,)."""
        spare, width = self._syndromes.shape
        columns = np.moveaxis(self._check[:, sets], 0, 1)  # sets, spare rows, rows left out
        basis = np.linalg.qr(columns)[0]
        left = self._syndromes - basis @ (basis.conj().swapaxes(1, 2) @ self._syndromes)
        norms: NDArray[np.float64] = np.linalg.norm(left, axis=(1, 2))
        return norms / math.sqrt(max(spare - sets.shape[1], 1) * width)

    def _start(self, errors: int) -> NDArray[np.intp]:
        """Where Q is smallest, of the Q of degree `errors` for which y Q is nearest to some P."""
        code = self._code
        basis = _powers(code.points, code.dimension + errors) * self._weights[:, None]
        check = _complement(basis)
        locators = np.linalg.qr(_powers(code.points, errors + 1))[0]
        equations = np.einsum("hn,nc,nq->chq", check, self._values, locators)
        null = np.linalg.svd(equations.reshape(-1, errors + 1))[2][-1].conj()
        return np.sort(np.argsort(np.abs(locators @ null))[:errors])


def alike(values: NDArray[np.complex128]) -> float:
    """How many columns count, by their size: all where they are alike, one where one is largest.

    Args:
        values: complex128 ndarray (n, L), L at least 1.

    Returns:
        (sum e)^2 / sum e^2 for the columns' mean squares e.

    Example:
        >>> from anyk.codes.analog.interleaved import alike
        >>> alike(np.ones((2, 3)) + 0j), alike(np.array([[1e9 + 0j, 1.0]]))
        (3.0, 1.0)
    """
    energies = np.sum(np.abs(values) ** 2, axis=0)
    energies /= energies.max() or 1.0
    return float(np.sum(energies) ** 2 / np.sum(energies**2)) if energies.any() else 1.0


def _powers(points: NDArray[np.complex128], count: int) -> NDArray[np.complex128]:
    """Vandermonde's matrix, complex128 ndarray (n, count)."""
    return np.vander(points, count, increasing=True)


def _complement(basis: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Orthonormal rows that vanish on the columns of a matrix (n, m), ndarray (n - m, n)."""
    turned: NDArray[Any] = np.linalg.qr(basis, mode="complete")[0]
    return turned[:, basis.shape[1] :].conj().T


def _distance(vector: NDArray[np.complex128], columns: NDArray[np.complex128]) -> float:
    """How far a vector is from the span of columns."""
    basis = np.linalg.qr(columns)[0]
    return float(np.linalg.norm(vector - basis @ (basis.conj().T @ vector)))


def _exchanges(rows: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """The set itself, and all that differ from it in one row, sorted, ndarray (sets, errors)."""
    others = np.setdiff1d(np.arange(count), rows)
    sets = np.repeat(rows[None], 1 + rows.size * others.size, axis=0)
    if others.size:
        places = np.repeat(np.arange(rows.size), others.size)
        sets[np.arange(1, len(sets)), places] = np.tile(others, rows.size)
    return np.sort(sets, axis=1)
