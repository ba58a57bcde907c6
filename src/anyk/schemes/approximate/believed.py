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
from anyk.schemes.base import AbstractRecovery

__all__ = ["recover_from_believed"]

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]

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
        The value by the answers believed, and whose were not, at most A.

    Raises:
        TooManyErrors: if it would be more than A, beyond doubt.
    """
    flat = answers.reshape(len(workers), -1)
    wrong, exceeded = _disbelieved(flat, adversaries, bound, source, examine)
    if exceeded:
        raise TooManyErrors(answered=workers, adversaries=adversaries)
    if not wrong.any():
        return decode(answers)
    who = np.array(workers)
    recovered = among(tuple(who[~wrong].tolist())).recover(answers[~wrong])
    return replace(recovered, suspects=tuple(sorted(who[wrong].tolist())))


def _disbelieved(
    values: Floats,
    adversaries: int,
    bound: float | None,
    source: AbstractSource,
    examine: Callable[[Rows, Floats, int], Located],
) -> tuple[NDArray[np.bool_], bool]:
    """Who is disbelieved, ndarray (n,), and whether there are too many."""
    if not adversaries:
        return np.zeros(len(values), dtype=np.bool_), False
    peaks = np.abs(values).max(axis=1)
    wrong: NDArray[np.bool_] = peaks > (math.inf if bound is None else bound * _ROUNDED)
    left = adversaries - int(wrong.sum())
    if left < 0:
        return wrong, True
    kept = np.flatnonzero(~wrong)
    scale = _honest_peak(peaks[kept], left) or float(peaks.max()) or 1.0
    with np.errstate(over="ignore"):  # by a subnormal scale; it is cut at once
        cut = np.clip(values[kept] / scale, -_LARGEST, _LARGEST)
    found = examine(kept, sketch(cut, source=source), left)
    wrong[kept[list(found.removed)]] = True
    return wrong, found.exceeded


def _honest_peak(peaks: Floats, most: int) -> float:
    """A size that the largest honest answer reaches, whatever so many liars answer."""
    return float(np.sort(peaks)[max(peaks.size - 1 - most, 0)])
