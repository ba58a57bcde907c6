"""Which answers on one share are right, where several workers answer each and at most A lie."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.agreement import Agreement, Majority

__all__ = ["Believed", "Verdict", "judge", "proven_liars"]


@final
@dataclass(frozen=True, kw_only=True)
class Believed:
    """An answer that is believed.

    Args:
        share: on which it is.
        row: where it is.
        supporters: the rows that agree with it, its own among them, increasing.
        certain: whether it is proven right.
        spread: how far the farthest supporter is from it, norm by norm.
    """

    share: int
    row: int
    supporters: tuple[int, ...]
    certain: bool
    spread: float


@final
@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is believed of the answers on many shares, and who lied beyond doubt.

    Args:
        believed: at most one answer a share, by increasing share.
        liars: rows that are proven wrong, increasing.
        disputed: rows on shares whose answers differ, and of which none is believed, increasing.
        least: how many of the workers who answered lie, at least.
    """

    believed: tuple[Believed, ...]
    liars: tuple[int, ...]
    disputed: tuple[int, ...]
    least: int


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Votes:
    """The answers on one share: their rows, and the answer that most agree with."""

    share: int
    rows: tuple[int, ...]
    majority: Majority

    @property
    def supporters(self) -> tuple[int, ...]:
        return tuple(self.rows[place] for place in self.majority.agreeing)

    @property
    def least(self) -> int:
        """How many of these workers lie, at least: honest answers all agree with each other."""
        return len(self.rows) - len(self.majority.agreeing)


def judge(
    shares: NDArray[np.intp],
    answers: NDArray[Any] | list[NDArray[Any]],
    agreement: Agreement,
    *,
    adversaries: int,
    agree: int,
    pieces: int = 1,
) -> Verdict:
    """What to believe of answers of which several are on one share, from different workers.

    Honest answers on one share agree. So of the answers on a share of which at most m agree with
    any one, at least (how many there are) - m are lies; l_g is the most of these numbers over the
    shares of one group of workers, and groups have no worker in common. An answer with u supporters
    in group g that is wrong has u liars behind it, and every other group h has at least l_h. Where

        u + (sum of l_h over all groups h but g) > A

    it is therefore right: it is certain, and whoever agrees with none of its supporters has lied.
    Any other answer is believed if it is one of at least `agree` that all agree, on a share that
    nobody answered otherwise. That is no proof: so many liars who hold one share can lie alike.

    Args:
        shares: on which each answer is, intp ndarray (m,).
        answers: ndarray (m, *out), or a list of ndarrays.
        agreement: when two answers on one share agree.
        adversaries: A, how many workers may lie. Where `least` comes out above it, more do, and
            nothing else of the verdict holds.
        agree: how many answers that agree are believed.
        pieces: r, how many shares a group of workers has: share i is of group i // r.

    Guarantee:
        If at most A workers lie, what is called certain is right, to what the agreement allows, and
        no honest answer is among the liars.

    Example:
        >>> from anyk.codes.agreement import Agreement
        >>> from anyk.codes.locators.votes import judge
        >>> shares, answers = np.array([0, 0, 1, 1, 2, 2]), np.array([7, 7, 5, 6, 8, 8])
        >>> verdict = judge(shares, answers, Agreement(), adversaries=2, agree=2)
        >>> [(each.row, each.certain) for each in verdict.believed]  # one of 5 and 6 is a lie
        [(0, True), (4, True)]
        >>> verdict.disputed, verdict.liars, verdict.least
        ((2, 3), (), 1)
    """
    votes = list(_votes(shares, answers, agreement))
    lies: dict[int, int] = {}
    for each in votes:
        group = each.share // pieces
        lies[group] = max(lies.get(group, 0), each.least)
    total = sum(lies.values())
    believed: list[Believed] = []
    liars: list[int] = []
    disputed: list[int] = []
    for each in votes:
        supporters = each.supporters
        certain = len(supporters) + total - lies[each.share // pieces] > adversaries
        unanimous = len(supporters) == len(each.rows)
        if certain or (unanimous and len(supporters) >= agree):
            believed.append(
                Believed(
                    share=each.share,
                    row=each.rows[each.majority.chosen],
                    supporters=supporters,
                    certain=certain,
                    spread=each.majority.spread,
                )
            )
            liars += _contradict(set(each.rows) - {*supporters}, supporters, answers, agreement)
        elif not unanimous:
            disputed += each.rows
    return Verdict(
        believed=tuple(believed),
        liars=tuple(sorted(liars)),
        disputed=tuple(sorted(disputed)),
        least=total,
    )


def _votes(
    shares: NDArray[np.intp], answers: NDArray[Any] | list[NDArray[Any]], agreement: Agreement
) -> Iterator[_Votes]:
    """The answers, share by share."""
    order = np.argsort(shares, kind="stable")
    held, starts = np.unique(shares[order], return_index=True)
    for share, rows in zip(held.tolist(), np.split(order, starts[1:]), strict=True):
        majority = agreement.majority([answers[row] for row in rows], 1)
        if majority is None:  # any answer agrees with itself
            raise AssertionError("an answer that does not agree with itself")
        yield _Votes(share=share, rows=tuple(rows.tolist()), majority=majority)


def _contradict(
    others: set[int],
    supporters: tuple[int, ...],
    answers: NDArray[Any] | list[NDArray[Any]],
    agreement: Agreement,
) -> list[int]:
    """The others that agree with none of the supporters, of whom one or more are honest."""
    return [
        row
        for row in others
        if not any(agreement.agree(answers[row], answers[each]) for each in supporters)
    ]


def proven_liars(
    disputed: Collection[Collection[int]], named: Collection[int], adversaries: int
) -> set[int] | None:
    """Who must have lied, by who contradicted whom in many calls, if the same A workers may lie.

    Each tuple has a liar. If a worker w were honest, all tuples with w would have one among the
    others. If these and the tuples without w hold more than A sets that are disjoint, more than A
    workers would lie: so w lied.

    Args:
        disputed: workers who contradict each other, tuple by tuple.
        named: liars of whom there is a proof already.
        adversaries: A.

    Returns:
        The liars, those already named among them; None if there are more than A.

    Example:
        >>> from anyk.codes.locators.votes import proven_liars
        >>> proven_liars([(3, 8), (3, 5)], (), adversaries=1)  # else 8 and 5 both lied
        {3}
        >>> proven_liars([(3, 8), (4, 5)], (), adversaries=2)
        set()
        >>> proven_liars([(3, 8), (4, 5)], (), adversaries=1) is None
        True
    """
    liars, open_ones = {*named}, [frozenset(each) for each in {*map(tuple, disputed)}]
    while True:
        open_ones = [each for each in open_ones if not each & liars]
        left = adversaries - len(liars)
        if left < 0 or _disjoint(open_ones) > left:
            return None
        suspected = {worker for each in open_ones for worker in each}
        new = {who for who in suspected if _disjoint([each - {who} for each in open_ones]) > left}
        if not new:
            return liars
        liars |= new


def _disjoint(sets: list[frozenset[int]]) -> int:
    """How many of these sets are disjoint at least: taken one by one, the smallest first."""
    taken: set[int] = set()
    found = 0
    for each in sorted(sets, key=lambda one: (len(one), sorted(one))):
        if not each & taken:
            taken |= each
            found += 1
    return found
