"""Which answers along a line lie on one curve: a filter that follows many hypotheses at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["follow"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_BEAM = 24  # hypotheses kept
_MEMORY = 4  # hypotheses that agree in the last 4 answers that they believe are one from then on
_TAIL = 4.0  # heaviness: a row's cost grows as its square below 4 of its size, as a log above
_DOUBTED = (1.0 + _TAIL) * float(np.log1p(1.0 / _TAIL))  # what a believed row costs as a rule
_KEYS = np.array([1, 1_000_003, 998_244_353, 1_234_567_891_011], dtype=np.int64)
_LEAST = 1e-9  # of a rate: the variance of an answer without noise, so that none is divided by 0
_LINE = 2  # answers believed without a prediction: a line passes through any two


@final
@dataclass(kw_only=True, eq=False, slots=True)
class _Beam:
    """Hypotheses about G stretches of answers: each believes some of the answers so far.

    Args:
        means: height and slope of the curve, ndarray (G, W, 2, C).
        spread: variance of the height, covariance, variance of the slope, ndarray (3, G, W).
        scores: ndarray (G, W), smaller is better; infinite where there is no hypothesis.
        recent: the last answers believed, ndarray (G, W, 4).
        believed: how many, ndarray (G, W).
    """

    means: Floats
    spread: Floats
    scores: Floats
    recent: Ints
    believed: Ints


def follow(
    places: Floats,
    values: Floats,
    *,
    rates: Floats,
    noise: float,
    price: float,
) -> NDArray[np.bool_]:
    """The rows to disbelieve, so that the rest are most plausibly points of one smooth curve.

    The curve is an integrated Wiener process, whose posterior mean is the natural cubic spline. A
    Kalman filter goes along the rows; at each, every hypothesis splits in two: the row is
    believed, at a cost of log s + 5 log(1 + u / 4), or not, at a fixed price. u is the squared
    distance from the prediction over its variance s: that is Gaussian for what is plausible, and
    heavy-tailed beyond, so that a kink of an honest function is no reason to disbelieve many. Of
    hypotheses that agree in the last four rows they believe only the best lives on, and of all
    only the best 24. Time is linear in the number of rows, and G stretches go side by side.

    Args:
        places: of the rows on G curves, ndarray (G, n), increasing; a step is about 1.
        values: ndarray (G, n, C).
        rates: variance of the slope's change over a step, summed over the C columns, about each
            row, ndarray (G, n), positive.
        noise: variance of one row about the curve, relative to the rates.
        price: what it costs to disbelieve a row, beyond what a plausible row costs.

    Returns:
        True where a row is disbelieved, ndarray (G, n).

    References:
        Wahba, Improper priors, spline smoothing and the problem of guarding against model errors
        in regression, 1978 (the spline as a posterior mean); Reid, An algorithm for tracking
        multiple targets, 1979 (hypotheses that split and are pruned).

    Example:
        >>> from anyk.codes.locators.tracking import follow
        >>> places = np.arange(12.0)[None]
        >>> line = places[:, :, None].copy()
        >>> line[0, 5] += 20.0
        >>> np.argwhere(follow(places, line, rates=np.ones((1, 12)), noise=0.0, price=8.0))
        array([[0, 5]])
    """
    curves, count, columns = values.shape
    beam = _Beam(
        means=np.zeros((curves, _BEAM, 2, columns)),
        spread=np.zeros((3, curves, _BEAM)),
        scores=np.where(np.arange(_BEAM) == 0, 0.0, np.inf) + np.zeros((curves, 1)),
        recent=np.full((curves, _BEAM, _MEMORY), -1, dtype=np.int64),
        believed=np.zeros((curves, _BEAM), dtype=np.int64),
    )
    doubt = price + _DOUBTED + float(np.log1p(noise))  # the variance of a row is near 1 + noise
    gaps = np.diff(places, axis=1, prepend=places[:, :1])
    parents = np.empty((count, curves, _BEAM), dtype=np.int64)
    doubts = np.empty((count, curves, _BEAM), dtype=np.bool_)
    for row in range(count):
        rate = rates[:, row, None]
        if row:
            _advance(beam, gaps[:, row, None], rate)
        own = (noise + _LEAST) * rate
        variance = beam.spread[0] + own
        missed = values[:, row, None] - beam.means[:, :, 0]
        off = np.einsum("gwc,gwc->gw", missed, missed) / variance
        cost = np.log(variance / rate) + (1.0 + _TAIL) * np.log1p(off / _TAIL)
        parents[row], doubts[row] = _branch(beam, row, cost, doubt)
        _update(beam, parents[row], doubts[row], variance, missed)
        _start(beam, places, values, ~doubts[row], own=own, rate=rate)
    liars = np.zeros((curves, count), dtype=np.bool_)
    every, best = np.arange(curves), np.zeros(curves, dtype=np.int64)
    for row in range(count - 1, -1, -1):
        liars[:, row] = doubts[row, every, best]
        best = parents[row, every, best]
    return liars


def _advance(beam: _Beam, gap: Floats, rate: Floats) -> None:
    """The prediction of every hypothesis, one gap further."""
    beam.means[:, :, 0] += gap[:, :, None] * beam.means[:, :, 1]
    height, mixed, slope = beam.spread
    beam.spread = np.stack(
        [
            height + gap * (2.0 * mixed + gap * slope) + rate * gap**3 / 3.0,
            mixed + gap * slope + rate * gap**2 / 2.0,
            slope + rate * gap,
        ]
    )


def _branch(beam: _Beam, row: int, cost: Floats, doubt: float) -> tuple[Ints, NDArray[np.bool_]]:
    """Believe and disbelieve this row, and keep the best: from which hypothesis, and which."""
    cost[beam.believed < _LINE] = 0.0
    scores = np.concatenate([beam.scores + cost, beam.scores + doubt], axis=1)
    recent = np.concatenate([np.roll(beam.recent, -1, axis=2), beam.recent], axis=1)
    recent[:, :_BEAM, -1] = row
    best = np.argsort(scores, axis=1, kind="stable")
    keys = np.take_along_axis(recent @ _KEYS, best, axis=1)
    alike = np.argsort(keys, axis=1, kind="stable")
    ordered = np.take_along_axis(keys, alike, axis=1)
    again = np.zeros_like(ordered, dtype=np.bool_)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    known = np.empty_like(again)
    np.put_along_axis(known, alike, again, axis=1)
    scores = np.take_along_axis(scores, best, axis=1)
    scores[known] = np.inf
    kept = np.argsort(scores, axis=1, kind="stable")[:, :_BEAM]
    best = np.take_along_axis(best, kept, axis=1)
    beam.scores = np.take_along_axis(scores, kept, axis=1)
    beam.recent = np.take_along_axis(recent, best[:, :, None], axis=1)
    parent, doubted = best % _BEAM, best >= _BEAM
    beam.believed = np.take_along_axis(beam.believed, parent, axis=1) + ~doubted
    return parent, doubted


def _update(
    beam: _Beam, parent: Ints, doubted: NDArray[np.bool_], variance: Floats, missed: Floats
) -> None:
    """The Kalman update of those that believe the row."""
    every = np.arange(parent.shape[0])[:, None]
    variance, missed = variance[every, parent], missed[every, parent]
    height, mixed, slope = beam.spread[:, every, parent]
    gain = np.where(doubted, 0.0, height / variance)
    turn = np.where(doubted, 0.0, mixed / variance)
    beam.means = beam.means[every, parent]
    beam.means[:, :, 0] += gain[:, :, None] * missed
    beam.means[:, :, 1] += turn[:, :, None] * missed
    error = variance - height
    beam.spread = np.stack(
        [
            np.where(doubted, height, gain * error),
            np.where(doubted, mixed, turn * error),
            slope - turn * mixed,
        ]
    )


def _start(
    beam: _Beam,
    places: Floats,
    values: Floats,
    believing: NDArray[np.bool_],
    *,
    own: Floats,
    rate: Floats,
) -> None:
    """After the first and the second row believed: a curve of unknown height and slope."""
    curve, first = np.nonzero(believing & (beam.believed == 1))
    if curve.size:
        beam.means[curve, first, 0] = values[curve, beam.recent[curve, first, -1]]
        beam.means[curve, first, 1] = 0.0
        beam.spread[:, curve, first] = 0.0
        beam.spread[0, curve, first] = own[curve, 0]
    curve, second = np.nonzero(believing & (beam.believed == _LINE))
    if curve.size:
        last, now = beam.recent[curve, second, -2:].T
        gap = places[curve, now] - places[curve, last]
        rise = values[curve, now] - values[curve, last]
        beam.means[curve, second, 0] = values[curve, now]
        beam.means[curve, second, 1] = rise / gap[:, None]
        beam.spread[0, curve, second] = own[curve, 0]
        beam.spread[1, curve, second] = own[curve, 0] / gap
        slope = rate[curve, 0] * gap / 3.0 + 2.0 * own[curve, 0] / gap**2
        beam.spread[2, curve, second] = slope
