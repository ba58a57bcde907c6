"""Sets of answers at noisy copies that are plausible together, and whom they disbelieve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["TAIL", "allot", "believable_sets", "projected"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.intp]
Bools: TypeAlias = NDArray[np.bool_]

TAIL = 4.0
"""Degrees of freedom: a kink of an honest function is no reason to disbelieve."""

_BEAM = 16  # sets of each size that are followed
_PRICE = 2.0  # of disbelieving an answer, beyond what a plausible one costs; measured
_BEYOND_DOUBT = 12.0  # what one more must gain, for more than A to be looked at
_FEWEST = 2  # answers, for one to be predicted


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Set:
    """Answers believed, and what they and the others cost."""

    rows: tuple[int, ...]
    projected: Floats  # P
    pulled: Floats  # P y
    square: float  # y^T P y, mean over columns
    spread: float  # log det of the contrasts' covariance
    doubted: float  # cost of those disbelieved


def projected(covariance: Floats, roughness: float) -> Floats:
    """P = A^-1 - A^-1 1 1^T A^-1 / 1^T A^-1 1 of A = C + nu.

    Args:
        covariance: C, ndarray (n, n).
        roughness: nu.
    """
    inverse = np.linalg.inv(covariance + roughness * np.eye(len(covariance)))
    total = inverse.sum(axis=1)
    projected: Floats = inverse - np.outer(total, total) / total.sum()
    return projected


def believable_sets(
    covariance: Floats, values: Floats, most: int, roughness: float, scale: float
) -> list[tuple[float, tuple[int, ...]]]:
    """For 0, 1, .., the cost of the best set that disbelieves so many, and whom it believes.

    Args:
        covariance: of the answers, ndarray (n, n).
        values: the answers, ndarray (n, C).
        most: how many to disbelieve at most.
        roughness: nu.
        scale: s^2, of a square.
    """
    unknown = 1.0 + np.log(np.diagonal(covariance) + roughness) + _PRICE
    count = len(values)
    whole = covariance + roughness * np.eye(count)
    inverse = projected(covariance, roughness)
    _, size = np.linalg.slogdet(whole)
    sums = float(np.linalg.solve(whole, np.ones(count)).sum())
    first = _Set(
        rows=tuple(range(count)),
        projected=inverse,
        pulled=inverse @ values,
        square=float(np.mean(np.sum(values * (inverse @ values), axis=0))),
        spread=float(size) + math.log(sums),
        doubted=0.0,
    )
    sets, table = [first], [(_cost(first, scale), first.rows)]
    for _ in range(min(most, count - _FEWEST)):
        sets = _smaller(sets, unknown, scale)
        table.append((_cost(sets[0], scale), sets[0].rows))
    return table


def _smaller(sets: Sequence[_Set], unknown: Floats, scale: float) -> list[_Set]:
    """The best sets that believe one answer less, by downdates of P and P y: O(n (n + C)) each."""
    tried: dict[tuple[int, ...], tuple[float, _Set, int]] = {}
    for each in sets:
        precisions = np.diagonal(each.projected)
        squares = np.maximum(each.square - np.mean(each.pulled**2, axis=1) / precisions, 0.0)
        spreads = each.spread + np.log(precisions)
        doubted = each.doubted + unknown[list(each.rows)]
        costs = _tails(squares, len(each.rows) - 2, scale) + spreads + doubted
        for place, cost in enumerate(costs):
            rest = (*each.rows[:place], *each.rows[place + 1 :])
            tried.setdefault(rest, (float(cost), each, place))
    best = sorted(tried.items(), key=lambda item: item[1][0])[:_BEAM]
    return [_without(each, place, rest, unknown) for rest, (_, each, place) in best]


def _without(each: _Set, place: int, rest: tuple[int, ...], unknown: Floats) -> _Set:
    """The set without the answer at this place."""
    kept = np.arange(len(each.rows)) != place
    row, precision = each.projected[place, kept], float(each.projected[place, place])
    pulled = each.pulled[place]
    return _Set(
        rows=rest,
        projected=each.projected[np.ix_(kept, kept)] - np.outer(row, row / precision),
        pulled=each.pulled[kept] - np.outer(row, pulled / precision),
        square=max(each.square - float(np.mean(pulled**2)) / precision, 0.0),
        spread=each.spread + math.log(precision),
        doubted=each.doubted + float(unknown[each.rows[place]]),
    )


def _cost(each: _Set, scale: float) -> float:
    tails = _tails(np.array(each.square), len(each.rows) - 1, scale)
    return float(tails) + each.spread + each.doubted


def _tails(squares: Floats, contrasts: int, scale: float) -> Floats:
    """Minus twice the log density of Student's process, but for the determinant."""
    tails: Floats = (TAIL + contrasts) * np.log1p(squares / scale / TAIL)
    return tails


def allot(
    tables: Sequence[Sequence[tuple[float, tuple[int, ...]]]],
    rows: Sequence[Ints],
    count: int,
    most: int,
) -> tuple[Bools, Bools | None]:
    """Whom to believe, of all parts together, and whom if A + 1 lie, where that explains much more.

    Args:
        tables: of each part, from `believable_sets` with A + 1.
        rows: the places of each part's answers.
        count: of all answers.
        most: A.
    """
    costs = np.full(most + 2, math.inf)
    costs[0] = 0.0
    taken: list[list[int]] = []  # of each part, by how many are disbelieved up to it
    for table in tables:
        sums, choices = np.full(most + 2, math.inf), [0] * (most + 2)
        for total in range(most + 2):
            for here in range(min(len(table) - 1, total) + 1):
                cost = costs[total - here] + table[here][0]
                if cost < sums[total]:
                    sums[total], choices[total] = cost, here
        costs = sums
        taken.append(choices)

    def believed(total: int) -> Bools:
        who = np.zeros(count, dtype=np.bool_)
        for table, part, choices in zip(*map(reversed, (tables, rows, taken)), strict=True):
            here = choices[total]
            who[part[list(table[here][1])]] = True
            total -= here
        return who

    best = int(np.argmin(costs[:-1]))
    more = bool(costs[-1] + _BEYOND_DOUBT < costs[best])
    return believed(best), believed(most + 1) if more else None
