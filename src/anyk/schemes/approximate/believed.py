"""Values by the answers that are believed, where some may lie: on curves, and at veiled copies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.locators.curve import Located
from anyk.codes.locators.noisy_copies import Doubt
from anyk.errors import TooManyErrors
from anyk.randomness.sketch import disguise

__all__ = ["recover_from_believed"]

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.intp]

_ROUNDED = 1.0 + 1e-9  # what rounding may add to a number at the bound


def recover_from_believed(
    answers: Floats,
    workers: tuple[int, ...],
    *,
    adversaries: int,
    bound: float | None,
    examine: Callable[[Rows, Floats, int], Doubt | Located],
    decode: Callable[[tuple[int, ...], Floats], Recovered],
) -> Recovered:
    """The value by the answers that neither exceed the bound nor contradict the rest.

    Args:
        answers: ndarray (n, *out).
        workers: they came from.
        adversaries: A.
        bound: the largest absolute value of an honest answer's numbers; None where none is known.
        examine: takes the rows within the bound, their disguised columns, ndarray (len(rows), C),
            and how many liars are left; says which contradict the rest.
        decode: takes the workers believed and their answers.

    Returns:
        What `decode` returns, and whom it was not given, at most A.

    Raises:
        TooManyErrors: if it would be more than A, beyond doubt.
    """
    wrong, exceeded = _disbelieved(answers.reshape(len(workers), -1), adversaries, bound, examine)
    if exceeded:
        raise TooManyErrors(answered=workers, adversaries=adversaries)
    if not wrong.any():
        return decode(workers, answers)
    who = np.array(workers)
    recovered = decode(tuple(who[~wrong].tolist()), answers[~wrong])
    return replace(recovered, suspects=tuple(sorted(who[wrong].tolist())))


def _disbelieved(
    values: Floats,
    adversaries: int,
    bound: float | None,
    examine: Callable[[Rows, Floats, int], Doubt | Located],
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
    found = examine(kept, disguise(values[kept], scale=scale), left)
    wrong[kept[found.wrong]] = True
    return wrong, found.exceeded


def _honest_peak(peaks: Floats, most: int) -> float:
    """A size that the largest honest answer reaches, whatever so many liars answer."""
    return float(np.sort(peaks)[max(peaks.size - 1 - most, 0)])
