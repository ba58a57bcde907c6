"""What copies tell of each group: what D + 1 workers agree on, and who says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.agreement import SINGLE, Agreement, Majority, same
from anyk.domains.values import together
from anyk.errors import TooManyErrors
from anyk.schemes.recovery import Copies

__all__ = ["Told", "Voting", "chosen"]

_ADVICE = "If nobody lies, hosts round differently by more than rtol= allows: raise it."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What is believed of each group.

    Args:
        rows: where the answers are that are believed, one a group, intp ndarray (G,).
        known: whether most who agree with it agree to the bit, bool ndarray (G,).
        spread: how far the farthest of them is from it, norm by norm, ndarray (G,).
        suspects: workers who told something else, sorted.
    """

    rows: NDArray[np.intp]
    known: NDArray[np.bool_]
    spread: NDArray[np.float64]
    suspects: tuple[int, ...]


@final
@dataclass(frozen=True, kw_only=True)
class Voting:
    """What copies of groups tell: by default worker n holds a copy of group n mod G.

    An answer is right that D + 1 workers agree on, as no more than D lie. So is one with u < D + 1
    workers behind it, if the other groups show at least D + 1 - u liars: as honest answers agree,
    all of a group's own workers lie but at most those of its largest camp.

    Args:
        groups: G.
        adversaries: A, how many workers may lie and are named.
        noticed: D >= A, how many may lie and are noticed.
        rtol: how far answers that agree may be from each other, as `Agreement` has it.
        exact: whether the domain is, where all must be equal.
        again: whether others are asked where answers contradict each other; share g is of group g.
        apart: whether workers are of one group each, n mod G, though they may answer on others too.
            Where they are not, no group shows anything of another.

    Guarantee:
        If at most D workers lie, nothing wrong is believed. If at most A do, no honest worker is a
        suspect. (To what the agreement allows.)

    Example:
        >>> from anyk.schemes.voting import Voting
        >>> answers = np.array([[7], [5], [7], [5], [9]])  # of workers 0 to 4
        >>> told = Voting(groups=2, adversaries=1, noticed=1).told(
        ...     answers, np.arange(5) % 2, range(5)
        ... )
        >>> told.rows, told.suspects
        (array([0, 1]), (4,))
    """

    groups: int
    adversaries: int
    noticed: int
    rtol: float | None = None
    exact: bool = False
    again: bool = False
    apart: bool = True

    def told(self, rows: Copies, held: NDArray[np.int64], workers: Sequence[int]) -> Told:
        """What is believed of each group; each has one answer or more.

        Args:
            rows: the answers, ndarray (m, *out) or a list of ndarrays.
            held: on which group each is, intp ndarray (m,).
            workers: who gave each.

        Raises:
            TooManyErrors: if nothing is certain of a group, or more than A workers tell something
                else than what is.
        """
        alike = self._all_alike(rows, held, workers)
        if alike is not None:
            zeros = np.zeros(self.groups)
            return Told(rows=alike, known=zeros == 0.0, spread=zeros, suspects=())
        places = np.split(np.argsort(held, kind="stable"), np.cumsum(np.bincount(held))[:-1])
        voices = [_one_each(each, workers) for each in places]
        agreement = Agreement(0.0 if self.exact else self.rtol)
        try:
            return self._judged(rows, voices, workers, agreement)
        except TooManyErrors as error:
            if error.more or agreement.rtol is not None:
                raise
            return self._judged(rows, voices, workers, Agreement(floor=SINGLE))

    def _all_alike(
        self, rows: Copies, held: NDArray[np.int64], workers: Sequence[int]
    ) -> NDArray[np.intp] | None:
        """The first answer on each group, where all are equal to the bit, and enough; else None."""
        says = np.unique(held * (max(workers) + 1) + np.asarray(workers))
        if len(says) < len(held) or np.bincount(held, minlength=self.groups).min() <= self.noticed:
            return None  # some have a say twice, or the liars elsewhere count
        _, first = np.unique(held, return_index=True)
        if isinstance(rows, np.ndarray):
            alike = len(first) == len(rows) or same(rows[first][held], rows)
        else:
            alike = all(same(rows[first[of]], row) for of, row in zip(held, rows, strict=True))
        return first if alike else None

    def _judged(
        self,
        rows: Copies,
        voices: list[NDArray[np.intp]],
        workers: Sequence[int],
        agreement: Agreement,
    ) -> Told:
        """The same, by one measure of what agrees."""
        majorities = [_majority(rows, each, agreement) for each in voices]
        behind = [
            [workers[each[place]] for place in of.agreeing]
            for each, of in zip(voices, majorities, strict=True)
        ]
        open_ones = [group for group, those in enumerate(behind) if len(those) <= self.noticed]
        shown = self._shown(rows, voices, workers) if open_ones and self.apart else []
        if shown:
            open_ones = [
                group
                for group in open_ones
                if len(behind[group]) + _elsewhere(group, behind[group], shown) <= self.noticed
            ]
        suspects = {
            workers[place]
            for group, (each, of) in enumerate(zip(voices, majorities, strict=True))
            if group not in open_ones and len(of.agreeing) < each.size
            for place in np.delete(each, of.agreeing).tolist()
        }
        excess = len(suspects) > self.adversaries or sum(shown) > self.noticed
        if open_ones or excess:
            enough = self.adversaries + self.noticed + 1
            missing = sum(max(enough - voices[group].size, 0) for group in open_ones)
            lacking = [group for group in open_ones for _ in range(self._lacks(behind[group]))]
            raise TooManyErrors(
                answered=_contradicting(voices, majorities, workers) or set(workers),
                adversaries=self.adversaries,
                detects=self.noticed,
                more=0 if excess else missing,
                unless="" if self.exact else _ADVICE,
                again=lacking if self.again and missing and not excess else (),
            )
        return Told(
            rows=np.array([each[of.chosen] for each, of in zip(voices, majorities, strict=True)]),
            known=np.array(
                [of.known(min(self.noticed + 1, len(of.agreeing))) for of in majorities]
            ),
            spread=np.array([of.spread for of in majorities]),
            suspects=tuple(sorted(suspects)),
        )

    def _lacks(self, behind: list[int]) -> int:
        """How many more must agree with those who do, if nobody else shows that others lie."""
        return max(self.noticed + 1 - len(behind), 0)

    def _shown(
        self, rows: Copies, voices: list[NDArray[np.intp]], workers: Sequence[int]
    ) -> list[int]:
        """How many of each group's own workers lie, at least: no worker is of two groups.

        Answers that may be apart by rounding in single precision show nothing.
        """
        agreement = Agreement(0.0) if self.exact else Agreement(self.rtol, floor=SINGLE)
        shown = []
        for group, each in enumerate(voices):
            own = np.array([place for place in each if workers[place] % self.groups == group])
            camp = len(_majority(rows, own, agreement).agreeing) if own.size else 0
            shown.append(own.size - camp)
        return shown


def chosen(rows: Copies, places: NDArray[np.intp]) -> NDArray[Any]:
    """The answers that are believed, as one array.

    Args:
        rows: all answers.
        places: where those are.
    """
    if isinstance(rows, np.ndarray):
        return rows[places]
    return together([rows[place] for place in places], "values")


def _one_each(places: NDArray[np.intp], workers: Sequence[int]) -> NDArray[np.intp]:
    """The first answer of each worker: nobody has a say twice."""
    firsts = {workers[place]: place for place in places[::-1]}
    return np.array(sorted(firsts.values()), dtype=np.intp)


def _majority(rows: Copies, places: NDArray[np.intp], agreement: Agreement) -> Majority:
    """The largest camp of these answers, of which there are some."""
    majority = agreement.majority([rows[place] for place in places], 1)
    if majority is None:
        raise AssertionError("an answer that does not agree with itself")
    return majority


def _elsewhere(group: int, behind: list[int], shown: list[int]) -> int:
    """How many liars other groups show, none of them among those behind an answer of this one."""
    groups = len(shown)
    foreign = [worker % groups for worker in behind]
    return sum(
        max(number - foreign.count(other), 0)
        for other, number in enumerate(shown)
        if other != group
    )


def _contradicting(
    voices: list[NDArray[np.intp]], majorities: list[Majority], workers: Sequence[int]
) -> set[int]:
    """The workers of the groups whose answers do not all agree."""
    return {
        workers[place]
        for each, of in zip(voices, majorities, strict=True)
        if len(of.agreeing) < each.size
        for place in each
    }
