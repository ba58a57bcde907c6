"""Who lied beyond doubt: an error that the tail of the others' own errors does not explain."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["beyond_doubt", "directions"]

Floats: TypeAlias = NDArray[np.float64]

_EVIDENCE = 15.0  # minus a log of a chance, about: calibrated, see beyond_doubt
_TOP, _FEWEST = 0.2, 4  # the share of the errors that is their tail; and how many at least
_DEEP = 1e-3  # of the largest: a tail reaches no deeper
_LIGHTEST, _ALONE = 0.25, 0.15  # of a tail's index: few errors can't show that it is lighter
_QUIET = 0.5  # of the largest: columns in which others err less are held to that
_ROUNDING = 1e-9  # of an error: others that err less show nothing of their tail
_TINY = float(np.finfo(np.float64).tiny)


def beyond_doubt(
    errors: Floats,
    usual: Floats,
    *,
    larger: float = 2.0,
    demands: Floats | float = 1.0,
    heaviest: float = math.inf,
) -> NDArray[np.bool_]:
    """Which answers err by more than the tail of what the others err explains.

    The others are taken to be a sample of what honest answers err, in every column of its own
    size, with a tail that falls as a power: the n others that are as hard to predict reach m in a
    column, and an honest answer exceeds that with a chance of 1 / (n + 1), and r with one of
    (m / r)^(1/h) of that; h is Hill's estimate from the fifth of them that err most. Minus the
    logs of these chances are added up over the columns where the answer exceeds m, and divided by
    how many columns go together: C over the directions that honest errors take. Or it is that of
    one column, less half of log C for the choice (one number of many shows in four columns of a
    sketch). That must be 15, and the answer must err some times as much as any other. An honest
    answer that flips from one class to another exceeds in two columns; a large one of a
    heavy-tailed function has others that are nearly as large, or a tail that is as heavy.

    The bounds were chosen on some functions, so that nobody honest is named there, and checked on
    others (docs/measured.md). A function with poles, such as the inverse of a matrix, is beyond
    them: near a pole all numbers of an answer are large at once, as in a lie.

    Args:
        errors: of the answers in question, each predicted from the others and divided by the
            standard deviation of that prediction, ndarray (m, C).
        usual: of the others, each predicted from the rest of them, ndarray (n, C).
        larger: how many times as much as any other an answer must err.
        demands: how many times the evidence, and that, are needed, ndarray (m,).
        heaviest: the most that h may be.

    Returns:
        ndarray (m,). Nobody, where the others err by rounding alone: there is no tail.

    References:
        Hill, A simple general approach to inference about the tail of a distribution, 1975.

    Example:
        >>> from anyk.codes.locators.doubt import beyond_doubt
        >>> usual = np.random.default_rng(0).normal(size=(40, 8))
        >>> beyond_doubt(np.array([usual[0], 9.0 * usual[1]]), usual)
        array([False,  True])
    """
    sizes, largest = np.linalg.norm(usual, axis=1), np.abs(usual).max(axis=0, initial=0.0)
    count, columns = usual.shape
    loud = np.linalg.norm(errors, axis=1) > larger * demands * sizes.max(initial=0.0)
    if count <= _FEWEST or not largest.any():
        return np.zeros(len(errors), dtype=np.bool_)
    loud &= np.abs(errors).max(axis=1) * _ROUNDING < float(largest.max())
    ways = directions(usual)
    lightest = max(_LIGHTEST + _ALONE / ways, float(_tails(sizes[:, None])[0]))
    tails = np.minimum(np.maximum(_tails(np.abs(usual)), lightest), heaviest)
    reached = np.maximum(largest, _QUIET * float(largest.max()))
    excess = np.log(np.maximum(np.abs(errors), _TINY) / reached)
    logs = np.where(excess > 0.0, np.log(count + 1.0) + excess / tails, 0.0)
    one = logs.max(axis=1) - 0.5 * np.log(columns)
    evidence = np.maximum(logs.sum(axis=1) * ways / columns, one)
    named: NDArray[np.bool_] = loud & (evidence > _EVIDENCE * demands)
    return named


def directions(errors: Floats) -> float:
    """How many directions errors take, about: 1 where all are on one line, C where on none.

    Args:
        errors: ndarray (n, C).
    """
    sizes = np.linalg.norm(errors, axis=1, keepdims=True)
    rows = errors / np.maximum(sizes, _TINY)
    return max(1.0, float(np.sum(rows**2) ** 2 / max(np.sum((rows.T @ rows) ** 2), _TINY)))


def _tails(sizes: Floats) -> Floats:
    """Hill's index of each column, ndarray (C,)."""
    count = len(sizes)
    top = min(max(_FEWEST, int(_TOP * count)), count - 1)
    order = np.sort(sizes, axis=0)[::-1]
    least = np.maximum(np.maximum(order[top], _DEEP * order[0]), _TINY)
    tails: Floats = np.mean(np.log(np.maximum(order[:top], least) / least), axis=0)
    return tails
