"""Values by the answers that are believed, where some may lie: on curves, and at veiled copies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.locators.located import Located
from anyk.errors import TooManyErrors
from anyk.randomness.entropy import AbstractSource
from anyk.randomness.sketch import sketch
from anyk.schemes.approximate.common import largest, with_evidence
from anyk.schemes.base import AbstractRecovery

__all__ = ["recover_from_believed"]

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]
Bools: TypeAlias = NDArray[np.bool_]

_ROUNDED = 1.0 + 1e-9  # what rounding may add to a number at the bound
_LARGEST = 1e3  # times the size of honest values: what is larger is cut to that, and stands out
# all the same, but leaves the smaller lies above what locators take for rounding (1e-5 of it)


def recover_from_believed(
    answers: Floats,
    workers: tuple[int, ...],
    *,
    adversaries: int,
    bound: float | None,
    source: AbstractSource,
    examine: Callable[[Rows, Floats, int], Located],
    decode: Callable[[Floats], Recovered],
    among: Callable[[tuple[int, ...]], AbstractRecovery],
) -> Recovered:
    """The value by the answers that neither exceed the bound nor contradict the rest.

    Who contradicts the rest, but not beyond doubt, is left out and not named. Then the estimate
    is at least that with these answers and that without, and as much more as they would move the
    value: it covers both, that they lie and that they are right.

    Args:
        answers: ndarray (n, *out).
        workers: they came from.
        adversaries: A.
        bound: the largest absolute value of an honest answer's numbers; None where none is known.
        source: of the sketch in which lies are looked for.
        examine: takes the rows within the bound, a sketch of them, ndarray (len(rows), C), and how
            many liars are left; says which contradict the rest.
        decode: takes the answers, where all are believed.
        among: the recovery from the workers believed, where not all are.

    Returns:
        The value by the answers believed, and who lied beyond doubt, at most A.

    Raises:
        TooManyErrors: if more than A lied beyond doubt.
    """
    flat = answers.reshape(len(workers), -1)
    doubted, named, exceeded = _disbelieved(flat, adversaries, bound, source, examine)
    if exceeded:
        raise TooManyErrors(answered=workers, adversaries=adversaries)
    if not doubted.any():
        return decode(answers)
    who = np.array(workers)

    def without(rows: Bools) -> Recovered:
        return among(tuple(who[~rows].tolist())).recover(answers[~rows])

    recovered = without(doubted)
    if not np.array_equal(doubted, named):
        recovered = _either(recovered, without(named) if named.any() else decode(answers))
    return replace(recovered, suspects=tuple(sorted(who[named].tolist())))


def _either(believed: Recovered, other: Recovered) -> Recovered:
    """The value believed, with an estimate that covers it if the other is the right one."""
    value, second = (np.asarray(each.value) for each in (believed, other))
    scale = largest(value)
    sizes = [_size(each / scale) for each in (value, second)]
    errors = [np.asarray(each.block_errors) for each in (believed, other)]
    axes = tuple(range(1, value.ndim))
    with np.errstate(over="ignore", invalid="ignore"):  # by a lie of any size: then it is infinite
        moved = np.sqrt(np.mean((second / scale - value / scale) ** 2, axis=axes))
        worst = np.maximum(*(each * size for each, size in zip(errors, sizes, strict=True)))
        either = with_evidence(value / scale, np.nan_to_num(worst + moved, nan=math.inf))
    return replace(believed, error_estimate=either.error_estimate, block_errors=either.block_errors)


def _size(value: Floats) -> float:
    """The root mean square: what error estimates are relative to."""
    peak = largest(value)
    return peak * float(np.sqrt(np.mean((value / peak) ** 2)))


def _disbelieved(
    values: Floats,
    adversaries: int,
    bound: float | None,
    source: AbstractSource,
    examine: Callable[[Rows, Floats, int], Located],
) -> tuple[Bools, Bools, bool]:
    """Who is disbelieved, and who beyond doubt, ndarrays (n,), and whether these are too many."""
    named = np.zeros(len(values), dtype=np.bool_)
    if not adversaries:
        return named, named, False
    peaks = np.abs(values).max(axis=1)
    named = peaks > (math.inf if bound is None else bound * _ROUNDED)
    left = adversaries - int(named.sum())
    if left < 0:
        return named, named, True
    kept = np.flatnonzero(~named)
    scale = _honest_peak(peaks[kept], left) or float(peaks.max()) or 1.0
    with np.errstate(over="ignore"):  # by a subnormal scale; it is cut at once
        cut = np.clip(values[kept] / scale, -_LARGEST, _LARGEST)
    found = examine(kept, sketch(cut, source=source), left)
    doubted = named.copy()
    doubted[kept[list(found.removed)]] = True
    named[kept[list(found.named)]] = True
    return doubted, named, found.exceeded


def _honest_peak(peaks: Floats, most: int) -> float:
    """A size that the largest honest answer reaches, whatever so many liars answer."""
    return float(np.sort(peaks)[max(peaks.size - 1 - most, 0)])
