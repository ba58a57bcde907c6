"""Linear codes over the reals or complex numbers: which of many rounded answers are lies.

Honest answers are combinations V·Y of unknown numbers Y, one column for each number of an answer,
and each is rounded. A liar spoils all rows that are its own, so liars are located once for all
numbers, in a few random combinations of the columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.search import Search, Start
from anyk.codes.analog.sets import every, exchanged, grown, places_of_largest
from anyk.codes.analog.spans import Rows, complement
from anyk.codes.locators.located import Located

__all__ = ["LinearCode"]

_STARTS = 3  # of the search for the groups that can hide most
_TINY = 1e-15  # of the largest column, or of the length of each


@final
@dataclass(frozen=True, eq=False)
class LinearCode:
    """Combinations of the columns of V, known by rounded values of some rows.

    Args:
        basis: V, float64 or complex128 ndarray (n, k).
        groups: for each row, whose it is, ndarray (n,) of integers: rows of one group are wrong
            together. None where each row is a group of its own.

    Guarantee:
        `locate` finds the fewest groups without which the rest is consistent, up to the noise
        given, where there are such and at most 3,000 sets of so many groups; beyond, several
        heuristics and exchanges look for them, and what they do not find is exceeded. Where a lie
        is so small that other groups explain the values as well, nobody is named for it; beyond
        30,000 sets, 3,000 of groups of several rows, those others are looked for by exchanges, too.

    References:
        Candes and Tao: Decoding by linear programming (IEEE TIT 2005), for lies in real codes as
        what is left unexplained; Schmidt: Multiple emitter location and signal parameter
        estimation (IEEE TAP 1986), for columns in the span of the syndromes.

    Example:
        >>> from anyk.codes.analog.linear import LinearCode
        >>> code = LinearCode(np.vander([-1.0, -0.5, 0.0, 0.5, 1.0], 2))
        >>> values = code.basis @ np.array([[3.0, 1.0], [1.0, 2.0]])
        >>> values[2] = 7.0
        >>> code.locate(values, 1, noise=1e-12)
        Located(removed=(2,), named=(2,), exceeded=False)
    """

    basis: NDArray[Any]
    groups: NDArray[np.intp] | None = None

    @cached_property
    def members(self) -> tuple[NDArray[np.intp], ...]:
        """The rows of each group, the groups in increasing order."""
        if self.groups is None:
            return tuple(np.arange(len(self.basis))[:, None])
        return tuple(np.flatnonzero(self.groups == group) for group in np.unique(self.groups))

    @cached_property
    def _turned(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Q and U of V."""
        basis, triangle = np.linalg.qr(self.basis)
        lost = np.flatnonzero(np.diag(triangle) == 0.0)  # rows too alike for double precision
        triangle[lost, lost] = np.finfo(np.float64).tiny
        return basis, triangle

    def recovery(self, wanted: NDArray[Any]) -> NDArray[Any]:
        """R, ndarray (m, n): what is wanted of Y, least squares.

        Args:
            wanted: its combinations, ndarray (m, k).
        """
        basis, triangle = self._turned
        matrix: NDArray[Any] = np.linalg.solve(triangle.T, wanted.T).T @ basis.conj().T
        return matrix

    def gains(self, wanted: NDArray[Any]) -> NDArray[np.float64]:
        """The norm of each row of R, of which there may be many: R itself is not made.

        Args:
            wanted: as `recovery` takes it.

        Returns:
            ndarray (m,).
        """
        _, triangle = self._turned
        norms: NDArray[np.float64] = np.linalg.norm(np.linalg.solve(triangle.T, wanted.T), axis=0)
        return norms

    @cached_property
    def parity_check(self) -> NDArray[Any]:
        """H, ndarray (n - k, n) with orthonormal rows: H·values is free of values."""
        return complement(self.basis)

    def residual(self, values: NDArray[Any]) -> float:
        """What no Y explains, root mean square for each number and spare row.

        Args:
            values: ndarray (n, L).

        Returns:
            The standard deviation of independent noise that would leave as much; 0 where n <= k.
        """
        rows, dimension = self.basis.shape
        if rows <= dimension:
            return 0.0
        basis, _ = self._turned
        left = values - basis @ (basis.conj().T @ values)
        return float(np.linalg.norm(left)) / math.sqrt((rows - dimension) * values.shape[1])

    def without(self, groups: tuple[int, ...]) -> LinearCode:
        """The code of the other groups.

        Args:
            groups: places of groups.
        """
        rows = self.kept(groups)
        return LinearCode(self.basis[rows], None if self.groups is None else self.groups[rows])

    def kept(self, groups: tuple[int, ...]) -> NDArray[np.intp]:
        """The rows of the other groups, increasing.

        Args:
            groups: places of groups.
        """
        left = np.ones(len(self.basis), dtype=np.bool_)
        for group in groups:
            left[self.members[group]] = False
        return np.flatnonzero(left)

    def exposure(self, matrix: NDArray[Any], most: int) -> float:
        """How far wrong groups that leave little unexplained can move what is recovered.

        Errors e of the rows F leave a syndrome s = H_F e, and move R·values by
        R_F e = R_F (H_F)^+ s.

        Args:
            matrix: R, ndarray (m, n), of any recovery from all rows.
            most: how many groups may be wrong.

        Returns:
            The largest Frobenius norm of R_F (H_F)^+ over sets of so many groups, as exchanges find
            it where there are more than 3,000 sets. Infinite, where lies can't be seen.
        """
        count = len(self.members)
        most = min(most, count)
        if not most:
            return 0.0
        lengths = np.linalg.norm(self.parity_check, axis=0)
        lengths = np.maximum(lengths, _TINY * lengths.max(initial=1.0))
        check, spare, rows = self.parity_check / lengths, len(self.parity_check), Rows(self.members)
        few: Any = np.linalg.qr(matrix / lengths, mode="r")  # of the same norm, in fewer rows

        def loss(sets: NDArray[np.intp]) -> NDArray[np.float64]:
            exposed = np.full(len(sets), math.inf)
            for some, each in rows.of(sets):
                if each.shape[1] <= spare:
                    _, seen, turned = np.linalg.svd(
                        np.moveaxis(check[:, each], 0, 1), full_matrices=False
                    )
                    moved = np.moveaxis(few[:, each], 0, 1) @ turned.conj().swapaxes(1, 2)
                    seen = np.maximum(seen, _TINY)[:, None, :]
                    exposed[some] = np.linalg.norm(moved / seen, axis=(1, 2))
            return -exposed

        sets = every(count, most)
        if sets is not None:
            return -float(loss(sets).min())
        allowed = np.arange(count)
        alone = places_of_largest(-loss(allowed[:, None]), _STARTS)
        return max(-exchanged(grown([one], allowed, most, loss), allowed, loss)[1] for one in alone)

    def unexplained(
        self,
        values: NDArray[Any],
        most: int,
        *,
        noise: float | NDArray[np.float64] = 1.0,
        start: Start | None = None,
    ) -> float:
        """What is left without those of so many groups that explain most, root mean square.

        Args:
            values: ndarray (n, L).
            most: how many groups are left out.
            noise: as `locate` takes it.
            start: as `locate` takes it.

        Returns:
            The standard deviation of noise that would leave as much, of the row that has most.
        """
        search = Search(self.basis, self.members, values, most, _each(noise, values), start=start)
        return search.best(most)[1] if most else search.nothing()

    def locate(
        self,
        values: NDArray[Any],
        most: int,
        *,
        noise: float | NDArray[np.float64],
        own: float | NDArray[np.float64] = 0.0,
        beyond: float | NDArray[np.float64] = math.inf,
        learned: bool = False,
        rows: int | None = None,
        start: Start | None = None,
        unsure: float = 1.0,
    ) -> Located:
        """Which groups are wrong.

        Args:
            values: ndarray (n, L), row j for row j of V.
            most: A, how many groups may be wrong.
            noise: standard deviation of honest rounding, at most: of a row that is as large for its
                row of V as those of the (A+1)-th largest group; of each row, ndarray (n,), or of
                all of them. Positive.
            own: what an honest group may be off by alone, in the same way.
            beyond: what no rounding is, in the same way.
            learned: whether the noise is only known from these values.
            rows: how many rows may be left out at most; by default any number.
            start: which groups to try first, where there are too many sets for all to be tried.
            unsure: by how much lies must be clearer where that are more than 30,000 sets, or 3,000
                of groups of several rows: others may explain them that were not tried.

        Returns:
            The places of the fewest groups without which the rest is consistent; named are those
            that no A other groups could explain in their place, and that are off by what no
            rounding explains, or by more than the noise of the rest leaves to chance. Exceeded, if
            no set of at most A explains the values.
        """
        search = Search(
            self.basis,
            self.members,
            values,
            most,
            _each(noise, values),
            start=start,
            rows=rows,
        )
        if search.nothing() <= search.unit:
            return Located()
        for errors in range(1, most + 1):
            found, left = search.best(errors)
            if left <= search.unit:
                found = search.least(found)
                named = search.named(
                    found,
                    left,
                    beyond=_each(beyond, values),
                    own=_each(own, values),
                    learned=learned,
                    unsure=unsure,
                )
                return Located(removed=found, named=named)
        return Located(exceeded=True)


def _each(noise: float | NDArray[np.float64], values: NDArray[Any]) -> NDArray[np.float64]:
    """Of each row."""
    return np.broadcast_to(np.asarray(noise, np.float64), (len(values),))
