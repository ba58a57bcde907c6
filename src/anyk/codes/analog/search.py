"""Sets of rows that may be wrong, by what is left unexplained without them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeAlias, final

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.codes.analog.sample import alike
from anyk.codes.analog.sets import ALL, every, exchanged, grown, places_of_largest
from anyk.codes.analog.spans import Rows, complement, span_of

__all__ = ["Search", "Start"]

Start: TypeAlias = Callable[[NDArray[Any], NDArray[np.float64], int], NDArray[np.intp]]
"""Which groups are likely to be wrong, by weighted values, weights, and how many they are."""

_ROBUST = 30  # of reweighting
_MOST = 30_000  # sets that are weighed, before no further start is tried
_AT_ONCE = 1000  # of them
_PAIRS = 4  # of the best sets, two of whose groups are exchanged at once
_NEAR = 1e5  # times the noise
_ALARM = 1e-4  # the chance that noise alone makes one of the groups look like a lie


@final
class Search:
    """Sets of groups of rows, by what is left of the values without them.

    Rows are scaled to the noise of the one that has most, the `unit`. The noise of a row grows with
    it, where it is larger than those of all but A groups: a lie stays a lie, and a huge one does
    not drown a small one in its rounding.

    Args:
        basis: ndarray (n, k): honest rows are combinations of its columns.
        groups: the rows of each group.
        values: ndarray (n, L).
        most: A.
        noise: standard deviation of honest rounding, ndarray (n,), in a row that is as large, for
            its row of the basis, as those of the (A+1)-th largest group.
        start: where to look first, if not all sets are tried.
        rows: how many rows are left out at most.
    """

    def __init__(
        self,
        basis: NDArray[Any],
        groups: tuple[NDArray[np.intp], ...],
        values: NDArray[Any],
        most: int,
        noise: NDArray[np.float64],
        *,
        start: Start | None = None,
        rows: int | None = None,
    ) -> None:
        self._groups, self._start, self._most = groups, start, most
        lengths = np.linalg.norm(basis, axis=1)
        sizes = np.linalg.norm(values, axis=1) / np.where(lengths > 0.0, lengths, 1.0)
        largest = np.array([sizes[each].max() for each in groups])
        typical = np.sort(largest)[-most - 1] or sizes.min(where=sizes > 0.0, initial=math.inf)
        self.unit = float(noise.max())
        self._weights = self.unit / noise / np.maximum(sizes / typical, 1.0)
        self._typical = self.unit / noise
        self._values = values * self._weights[:, None]
        self._basis = basis * self._weights[:, None]
        self._check = complement(self._basis)
        self._width = values.shape[1]
        span, sizes, _ = np.linalg.svd(self._check @ self._values, full_matrices=False)
        self._syndromes = span * sizes  # as many columns as there are rows, at most
        self._sizes = sizes  # of these columns, the largest first
        self._columns = np.ascontiguousarray(self._check.T)
        self._weighed = 0
        self._rows = Rows(groups)
        self._counts = self._rows.counts
        self._most_rows = len(basis) if rows is None else rows

    def nothing(self) -> float:
        """What is left where no row is left out."""
        return float(self._left(np.zeros((1, 0), np.intp))[0])

    def best(self, errors: int) -> tuple[tuple[int, ...], float]:
        """The set of this many groups that explains most, and what it leaves.

        Args:
            errors: at least 1. Infinite is left, where each set has too many rows.
        """
        sets = self._every(errors)
        if sets is None:
            found, least = self._likely(errors)
            if least > self.unit and errors == self._most:
                sets = every(len(self._groups), errors, _MOST)
        if sets is not None:
            left = self._bounded(sets)
            found, least = sets[np.argmin(left)], float(left.min())
        return tuple(found.tolist()), self._rest(found) if least < math.inf else math.inf

    def least(self, found: tuple[int, ...]) -> tuple[int, ...]:
        """The set without groups that need not be in it, as where not all sets were tried.

        Args:
            found: groups without which no more than noise is left.
        """
        for group in found:
            fewer = tuple(each for each in found if each != group)
            if fewer and self._rest(np.array(fewer)) <= self.unit:
                return self.least(fewer)
        return found

    def _likely(self, errors: int) -> tuple[NDArray[np.intp], float]:
        """A set of this many groups that explains most, by exchanges from several starts."""
        allowed = np.arange(len(self._groups))
        tried: list[tuple[float, tuple[int, ...]]] = []
        for start in self._starts(errors):
            groups, left = exchanged(start, allowed, self._bounded, enough=self.unit)
            tried.append((left, tuple(groups.tolist())))
            if left <= self.unit or self._weighed > _MOST:
                break
        least, found = min(tried)
        others = len(self._groups) - errors
        pairs = math.comb(errors, 2) * math.comb(others, 2)
        if self.unit < least < math.inf and errors == self._most and pairs <= _MOST:
            after = [
                exchanged(np.array(each), allowed, self._bounded, pairs=True, enough=self.unit)
                for _, each in sorted({*tried})[:_PAIRS]
            ]
            least, found = min((lost, tuple(groups.tolist())) for groups, lost in after)
        return np.array(found), least

    def named(
        self,
        found: tuple[int, ...],
        left: float,
        *,
        beyond: NDArray[np.float64],
        own: NDArray[np.float64],
        learned: bool,
        unsure: float = 1.0,
    ) -> tuple[int, ...]:
        """Those of the groups found that A others do not explain as well, up to noise and chance.

        Args:
            found: the groups.
            left: what is left without them.
            beyond: what no rounding of each row is, whatever the noise of the rest, ndarray (n,).
            own: what each honest row may be off by alone, ndarray (n,).
            learned: whether the noise is only known from these values.
            unsure: how much less others may leave than those that are found, where not all are
                weighed.
        """
        rows = np.concatenate([self._groups[each] for each in found])
        errors = np.linalg.lstsq(self._check[:, rows], self._syndromes)[0]
        chances = self._chance(rows, left, beyond * self._typical, learned=learned)
        alone = (own * self._typical)[rows]
        unseen = self.unit * math.sqrt(len(self._check) * self._width)
        clear, first = [], 0
        for group in found:
            here = slice(first, first + int(self._counts[group]))
            first = here.stop
            if np.linalg.norm(errors[here]) <= math.sqrt(self._width) * np.linalg.norm(alone[here]):
                continue
            chance = float(np.linalg.norm(chances[here])) * math.sqrt(self._width)
            enough = max(unseen, chance) * (unsure if self._all is None else 1.0)
            if self._rival(group, found, enough) > enough:
                clear.append(group)
        return tuple(clear)

    def _chance(
        self, rows: NDArray[np.intp], left: float, beyond: NDArray[np.float64], *, learned: bool
    ) -> NDArray[np.float64]:
        """How large errors of these rows may be by chance, where the rest leaves so much.

        Noise is taken to grow with the row, and to be independent in columns as far as these are
        alike in size; not at all, where it is learned. The ratio of two mean squares of it is
        distributed as Fisher's F.
        """
        kept = np.delete(np.arange(len(self._values)), rows)
        columns = 1.0 if learned else alike(self._values[kept])
        spare = max(len(self._check) - len(rows), 1)
        alarm = _ALARM / len(self._groups)
        ratio = scipy.special.fdtri(columns, columns * spare, 1.0 - alarm)
        sizes = np.linalg.norm(self._values, axis=1)
        usual = float(np.sqrt(np.mean(sizes[kept] ** 2))) or 1.0
        chance = math.sqrt(ratio) * left * np.maximum(sizes[rows] / usual, 1.0)
        unseen: NDArray[np.float64] = np.minimum(chance, beyond[rows])
        return unseen

    def _rival(self, group: int, found: tuple[int, ...], enough: float) -> float:
        """The norm of what the A others leave that explain most without this group.

        Args:
            group: that is found.
            found: all that are.
            enough: a norm that makes it no clear one.
        """
        if self._all is not None:
            sets, norms = self._all
            return float(norms.min(initial=math.inf, where=(sets != group).all(axis=1)))
        least, allowed = math.inf, np.delete(np.arange(len(self._groups)), group)
        most = self._weighed + _MOST // (4 * len(found) * int(self._counts.max()))
        rest = [each for each in found if each != group]
        for first in (rest, *([int(each)] for each in allowed)):
            start = grown(first, allowed, self._most, self._left)
            others = exchanged(start, allowed, self._left)[0][None]
            least = min(least, float(self._norms(others)[0]))
            if least <= enough or self._weighed > most:
                break
        return least

    @cached_property
    def _all(self) -> tuple[NDArray[np.intp], NDArray[np.float64]] | None:
        """All sets of A groups, and the norms of what each leaves, where they can be weighed."""
        most = _MOST if self._counts.max() == 1 else ALL  # sets of many rows take long
        sets = every(len(self._groups), self._most, most)
        return None if sets is None else (sets, self._norms(sets))

    def _norms(self, sets: NDArray[np.intp]) -> NDArray[np.float64]:
        """Of what sets of groups leave, ndarray (sets,)."""
        freedom = np.maximum(len(self._check) - self._counts[sets].sum(axis=1), 1)
        norms: NDArray[np.float64] = self._left(sets) * np.sqrt(freedom * self._width)
        return norms

    def _every(self, errors: int) -> NDArray[np.intp] | None:
        """All sets of this many groups, where these are few enough."""
        return every(len(self._groups), errors)

    def _bounded(self, sets: NDArray[np.intp]) -> NDArray[np.float64]:
        """As `_left`, and infinite where a set has too many rows."""
        left = np.full(len(sets), math.inf)
        few = self._counts[sets].sum(axis=1) <= self._most_rows
        left[few] = self._left(sets[few])
        return left

    def _rest(self, groups: NDArray[np.intp]) -> float:
        """As `_left`, of one set, by the other rows: without the rounding of those in it."""
        rows = next(rows for _, rows in self._rows.of(groups[None]))[0]
        basis, values = (np.delete(each, rows, axis=0) for each in (self._basis, self._values))
        spare = len(self._check) - rows.size
        if spare <= 0:
            return 0.0
        turned = np.linalg.qr(basis)[0]
        rest = values - turned @ (turned.conj().T @ values)
        return float(np.linalg.norm(rest)) / math.sqrt(spare * values.shape[1])

    def _left(self, sets: NDArray[np.intp]) -> NDArray[np.float64]:
        """What is left of the syndromes without each set of groups, ndarray (sets,)."""
        spare, left = len(self._check), np.zeros(len(sets))
        self._weighed += len(sets)
        for some, rows in self._rows.of(sets):
            count = rows.shape[1]
            if count >= spare:
                continue  # they explain anything
            for first in range(0, len(some), _AT_ONCE):
                these = slice(first, first + _AT_ONCE)
                span = span_of(self._columns[rows[these]].swapaxes(1, 2))
                left[some[these]] = self._outside(span)
            left[some] /= math.sqrt((spare - count) * self._width)
        return left

    def _outside(self, span: NDArray[Any]) -> NDArray[np.float64]:
        """The norm of the syndromes outside of what each matrix spans, ndarray (sets,).

        Of columns that are near to noise the squares of what is inside are subtracted, which leaves
        10**-5 of the noise's at most; lies may be 10**12 times as large.
        """
        inside = span.conj().swapaxes(1, 2) @ self._syndromes
        large = int(np.sum(self._sizes > _NEAR * self.unit))
        rest = self._syndromes[:, :large] - span @ inside[..., :large]
        near = np.sum(self._sizes[large:] ** 2)
        near = near - np.sum(np.abs(inside[..., large:]) ** 2, axis=(1, 2))
        norms: NDArray[np.float64] = np.sqrt(
            np.linalg.norm(rest, axis=(1, 2)) ** 2 + np.maximum(near, 0.0)
        )
        return norms

    def _starts(self, errors: int) -> Iterator[NDArray[np.intp]]:
        """Sets of groups that are likely to be wrong, each by another sign of it."""
        if self._start is not None:
            yield self._start(self._values, self._weights, errors)
        yield self._nearest(errors)
        yield self._farthest(errors)
        allowed = np.arange(len(self._groups))
        yield grown([], allowed, errors, self._bounded)
        if errors == self._most:
            for first in range(len(allowed)):
                yield grown([first], allowed, errors, self._bounded)

    def _nearest(self, errors: int) -> NDArray[np.intp]:
        """Those whose columns of H are nearest to what the syndromes span: of independent lies."""
        sizes = np.linalg.norm(self._syndromes, axis=0)
        clear = int(np.sum(sizes > self.unit * math.sqrt(max(len(self._check), self._width))))
        span = span_of(self._syndromes[:, : min(clear, len(self._check) - 1)])
        rest = self._check - span @ (span.conj().T @ self._check)
        apart = np.linalg.norm(rest, axis=0) / np.maximum(np.linalg.norm(self._check, axis=0), 1e-9)
        return places_of_largest(-np.array([apart[each].max() for each in self._groups]), errors)

    def _farthest(self, errors: int) -> NDArray[np.intp]:
        """Those that are farthest off where the sum of distances is least."""
        weights = np.ones(len(self._values))
        for _ in range(_ROBUST):
            root = np.sqrt(weights)[:, None]
            span = np.linalg.qr(root * self._basis)[0]
            word = span @ (span.conj().T @ (root * self._values)) / root
            off = np.linalg.norm(self._values - word, axis=1)
            groups = np.array([np.linalg.norm(off[each]) for each in self._groups])
            for each, size in zip(self._groups, groups, strict=True):
                weights[each] = 1.0 / max(size / self.unit, 1.0)
        return places_of_largest(groups, errors)
