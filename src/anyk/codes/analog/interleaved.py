"""Interleaved codes over the complex numbers: which of many rounded answers are lies.

The answers of n workers are n values of polynomials of degree below m, one polynomial for each
number of an answer, and each value is rounded. A liar spoils its whole row, so liars are located
once for all numbers, in a few random combinations of the columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.linear import LinearCode
from anyk.codes.analog.sets import places_of_largest
from anyk.codes.analog.spans import complement
from anyk.codes.locators.located import Located

__all__ = ["InterleavedCode"]


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
    def linear(self) -> LinearCode:
        """The code without its points: any Vandermonde matrix."""
        return LinearCode(_powers(self.points, self.dimension))

    def recovery(self, targets: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """R, complex128 ndarray (len(targets), n): the polynomial at the targets, least squares."""
        return self.linear.recovery(_powers(targets, self.dimension))

    def gains(self, targets: NDArray[np.complex128]) -> NDArray[np.float64]:
        """The norm of each row of R, of which there may be many: R itself is not made."""
        return self.linear.gains(_powers(targets, self.dimension))

    def parity_check(self) -> NDArray[np.complex128]:
        """H, complex128 ndarray (n - m, n) with orthonormal rows: H·values is free of values."""
        return self.linear.parity_check

    def residual(self, values: NDArray[np.complex128]) -> float:
        """What no polynomial explains, root mean square for each number and spare row.

        Args:
            values: complex128 ndarray (n, L).

        Returns:
            The standard deviation of independent noise that would leave as much; 0 where n = m.
        """
        return self.linear.residual(values)

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
        return self.linear.unexplained(values, rows, start=self._start)

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
        return self.linear.locate(
            values,
            most,
            noise=noise,
            beyond=beyond,
            learned=learned,
            start=self._start,
        )

    def _start(
        self, values: NDArray[np.complex128], weights: NDArray[np.float64], errors: int
    ) -> NDArray[np.intp]:
        """Where Q is smallest, of the Q of degree `errors` for which y Q is nearest to some P."""
        check = complement(_powers(self.points, self.dimension + errors) * weights[:, None])
        locators = np.linalg.qr(_powers(self.points, errors + 1))[0]
        equations = np.einsum("hn,nc,nq->chq", check, values, locators)
        null = np.linalg.svd(equations.reshape(-1, errors + 1))[2][-1].conj()
        return places_of_largest(-np.abs(locators @ null), errors)


def _powers(points: NDArray[np.complex128], count: int) -> NDArray[np.complex128]:
    """Vandermonde's matrix, complex128 ndarray (n, count)."""
    return np.vander(points, count, increasing=True)
