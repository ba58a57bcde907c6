"""Which answers at noisy copies contradict the rest: the most plausible sets to disbelieve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.curves.kriging import ROUGHNESS
from anyk.codes.locators.located import Located

__all__ = ["locate_among_copies"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.intp]

_BEAM = 16  # sets of each size that are followed
_PRICE = 2.0  # of disbelieving an answer, beyond what a plausible one costs; measured
_TAIL = 4.0  # degrees of freedom: a kink of an honest function is no reason to disbelieve
_BEYOND_DOUBT = 12.0  # what one more must gain, to say that more than A contradict the rest
_ROUNDS = 5
_FIRST, _THEN = (0.3, 3.0), (0.5, 1.5)  # a quantile of the residuals, and a factor: their size
_ROUNDING = 1e-5  # of the largest number: quadratic forms of what agrees to here are rounding
_TINY = float(np.finfo(np.float64).tiny)
_ALIKE = 1.0 / 3.0  # of an answer's variance: a contrast of at least that is as hard to predict
_CONTRAST, _LONELY = 2.0, 3.0  # how much an answer stands out from those, see _clear
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


def locate_among_copies(
    covariances: Sequence[Floats], rows: Sequence[Ints], values: Floats, most: int
) -> Located:
    """The answers that are best explained as lies.

    Each part is a Gaussian process of unknown mean, with Student's tails: believed answers y cost
    (4 + m) log(1 + y^T P y / 4 s^2) + log det, for m contrasts of them; a disbelieved one costs
    what a number costs of which nothing is known, and 2 more. In each part, the sets to
    disbelieve grow by one answer at a time, and the best 16 of each size are kept; what is left
    out of A goes where it gains most. Variance s^2 and roughness come from the believed answers'
    leave-one-out residuals, by quantiles, in turns with the sets. In the end an answer is named
    only if it errs by more than contrasts of believed answers that are as hard to predict.

    Args:
        covariances: of the answers of each part, in units of the target's variance, (n_p, n_p).
        rows: the places of each part's answers in `values`.
        values: the answers or a sketch of them, ndarray (n, C).
        most: A.

    Returns:
        The answers that contradict the rest, removed and named alike; exceeded, if more than A do,
        beyond doubt.

    References:
        Shah, Wilson and Ghahramani, Student-t processes as alternatives to Gaussian processes,
        2014; Patterson and Thompson 1971 (the unknown mean).

    Example:
        >>> from anyk.codes.locators.noisy_copies import locate_among_copies
        >>> from anyk.codes.curves.kriging import kriging
        >>> noise = np.array([1.0, -1.0, 1.2, -1.2, 1.4, -1.4, 1.6, -1.6])
        >>> values = noise[:, None] + 3.0
        >>> values[2] = 9.0
        >>> part = kriging(np.outer(noise, noise))
        >>> locate_among_copies([part.covariance], [np.arange(8)], values, 1).named
        (2,)
    """
    believed = np.ones(len(values), dtype=np.bool_)
    least = max((_ROUNDING * float(np.abs(values).max(initial=0.0))) ** 2, _TINY)
    exceeded = False
    for turn in range(_ROUNDS):
        fits = [_residuals(covariances, rows, values, believed, each) for each in ROUGHNESS]
        scales = [max(_scale(fit, *(_THEN if turn else _FIRST)), least) for fit in fits]
        best = min(range(len(fits)), key=lambda at: _implausible(fits[at], scales[at]))
        tables = [
            _sets(covariance, values[part], most + 1, ROUGHNESS[best], scales[best])
            for covariance, part in zip(covariances, rows, strict=True)
        ]
        now, exceeded = _allot(tables, rows, len(values), most)
        same = bool(np.array_equal(now, believed))
        believed = now
        if same and turn:
            break
    clear = _clear(covariances, rows, values, believed, ROUGHNESS[best])
    exceeded = exceeded and bool(np.array_equal(clear, ~believed))
    named = tuple(np.flatnonzero(clear).tolist())
    return Located(removed=named, named=named, exceeded=exceeded)


def _clear(
    covariances: Sequence[Floats],
    rows: Sequence[Ints],
    values: Floats,
    believed: NDArray[np.bool_],
    roughness: float,
) -> NDArray[np.bool_]:
    """Those disbelieved that err by more than what is as hard to predict as they are.

    That is 2 + 3/C times their median, for C columns: of one number, all may err little by chance.
    Without it, an answer whose noise no other answer shares was named in most honest runs.
    """
    clear = ~believed
    needed = (_CONTRAST + _LONELY / values.shape[1]) ** 2
    if believed.all():
        return clear
    peers = [
        _contrasts(covariance, values[part], believed[part], roughness)
        for covariance, part in zip(covariances, rows, strict=True)
    ]
    variances = np.concatenate([each for each, _ in peers])
    ratios = np.concatenate([each for _, each in peers])
    for covariance, part in zip(covariances, rows, strict=True):
        for place in np.flatnonzero(~believed[part]):
            seen = np.append(np.flatnonzero(believed[part]), place)
            if seen.size < _FEWEST:
                continue
            projected = _projected(covariance[np.ix_(seen, seen)], roughness)
            variance = 1.0 / projected[-1, -1]
            error = np.mean((projected[-1] @ values[part[seen]]) ** 2) * variance
            alike = ratios[variances >= variance * _ALIKE]
            clear[part[place]] = not alike.size or error > needed * np.median(alike)
    return clear


def _contrasts(
    covariance: Floats, values: Floats, believed: NDArray[np.bool_], roughness: float
) -> tuple[Floats, Floats]:
    """Variances of uncorrelated contrasts of the believed answers; and squares by variance."""
    count = np.count_nonzero(believed)
    if count < _FEWEST:
        return np.zeros(0), np.zeros(0)
    basis = np.linalg.qr(np.ones((count, 1)), mode="complete")[0][:, 1:]
    inner = basis.T @ covariance[np.ix_(believed, believed)] @ basis
    spectrum, axes = np.linalg.eigh(inner)
    variances = np.maximum(spectrum, 0.0) + roughness
    return variances, np.mean(((basis @ axes).T @ values[believed]) ** 2, axis=1) / variances


def _projected(covariance: Floats, roughness: float) -> Floats:
    """P = A^-1 - A^-1 1 1^T A^-1 / 1^T A^-1 1 of A = C + nu."""
    inverse = np.linalg.inv(covariance + roughness * np.eye(len(covariance)))
    total = inverse.sum(axis=1)
    projected: Floats = inverse - np.outer(total, total) / total.sum()
    return projected


def _residuals(
    covariances: Sequence[Floats],
    rows: Sequence[Ints],
    values: Floats,
    believed: NDArray[np.bool_],
    roughness: float,
) -> tuple[Floats, Floats]:
    """Of the believed answers: leave-one-out residuals, squared, by their variance; and that."""
    squares, variances = [np.zeros(0)], [np.zeros(0)]
    for covariance, part in zip(covariances, rows, strict=True):
        kept = believed[part]
        if np.count_nonzero(kept) >= _FEWEST:
            projected = _projected(covariance[np.ix_(kept, kept)], roughness)
            precisions = np.diagonal(projected)
            squares.append(np.mean((projected @ values[part[kept]]) ** 2, axis=1) / precisions)
            variances.append(1.0 / precisions)
    return np.concatenate(squares), np.concatenate(variances)


def _scale(fit: tuple[Floats, Floats], quantile: float, factor: float) -> float:
    squares, _ = fit
    return factor * float(np.quantile(squares, quantile)) if squares.size else 0.0


def _implausible(fit: tuple[Floats, Floats], scale: float) -> float:
    """Minus twice the log of a pseudo-likelihood with Student's tails."""
    squares, variances = fit
    tails = (1.0 + _TAIL) * np.log1p(squares / scale / _TAIL)
    return float(np.sum(math.log(scale) + np.log(variances) + tails))


def _sets(
    covariance: Floats, values: Floats, most: int, roughness: float, scale: float
) -> list[tuple[float, tuple[int, ...]]]:
    """For 0, 1, .., the cost of the best set that disbelieves so many, and whom it believes."""
    unknown = 1.0 + np.log(np.diagonal(covariance) + roughness) + _PRICE
    count = len(values)
    whole = covariance + roughness * np.eye(count)
    projected = _projected(covariance, roughness)
    _, size = np.linalg.slogdet(whole)
    sums = float(np.linalg.solve(whole, np.ones(count)).sum())
    first = _Set(
        rows=tuple(range(count)),
        projected=projected,
        pulled=projected @ values,
        square=float(np.mean(np.sum(values * (projected @ values), axis=0))),
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
    tails: Floats = (_TAIL + contrasts) * np.log1p(squares / scale / _TAIL)
    return tails


def _allot(
    tables: Sequence[Sequence[tuple[float, tuple[int, ...]]]],
    rows: Sequence[Ints],
    count: int,
    most: int,
) -> tuple[NDArray[np.bool_], bool]:
    """Whom to believe, of all parts together, and whether A + 1 lies explain much more."""
    costs = np.full(most + 2, math.inf)
    costs[0] = 0.0
    taken: list[tuple[int, ...]] = [()] * (most + 2)
    for table in tables:
        sums = np.full(most + 2, math.inf)
        choices: list[tuple[int, ...]] = [()] * (most + 2)
        for total in range(most + 2):
            for here in range(min(len(table) - 1, total) + 1):
                cost = costs[total - here] + table[here][0]
                if cost < sums[total]:
                    sums[total], choices[total] = cost, (*taken[total - here], here)
        costs, taken = sums, choices
    best = int(np.argmin(costs[:-1]))
    believed = np.zeros(count, dtype=np.bool_)
    for table, part, here in zip(tables, rows, taken[best], strict=True):
        believed[part[list(table[here][1])]] = True
    return believed, bool(costs[-1] + _BEYOND_DOUBT < costs[best])
