"""How unlikely what was counted is, if the masks are honest: bounds that hold for any number.

Each function returns the natural logarithm of a bound of the chance to see as much or more; no
approximation is in it, so that an honest scheme is not accused, however often it is checked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.testing.expect import require

__all__ = ["correlation", "judge", "mean", "multinomial", "spectrum", "tally", "variance"]

Floats: TypeAlias = NDArray[np.float64]

_FAMILY = 1e-10
"""Chance of a false alarm of one call of `judge`; `check_scheme` makes at most 9."""


def judge(tests: Sequence[tuple[str, Any]]) -> None:
    """Raise AssertionError if one of a family of tests saw what honest masks show too seldom.

    Args:
        tests: what is wrong where one fails, and logarithms of chances, of any shape.

    Raises:
        AssertionError: if the least is below 1e-10, divided by the number of all tests.
    """
    logs = [np.atleast_1d(each) for _, each in tests]
    least = [float(each.min(initial=0.0)) for each in logs]
    if not least:
        return
    worst = int(np.argmin(least))
    rare = least[worst] < math.log(_FAMILY / max(sum(each.size for each in logs), 1))
    exponent = least[worst] / math.log(10.0)
    require(not rare, f"{tests[worst][0]}: the chance of that is below 1e{exponent:.0f}")


def tally(classes: NDArray[Any], count: int) -> NDArray[np.int64]:
    """How often each class comes, test by test.

    Args:
        classes: ndarray (tests, samples) of integers in [0, count).
        count: k.

    Returns:
        ndarray (tests, k).
    """
    tests = len(classes)
    offset = np.arange(tests, dtype=np.int64)[:, None] * count
    counts = np.bincount((classes + offset).ravel(), minlength=tests * count)
    return counts.reshape(tests, count)


def multinomial(counts: NDArray[Any], probabilities: Floats) -> Floats:
    """For counts of k classes: the chi-square test, as a likelihood ratio.

    With n samples and x = n KL(counts / n, probabilities), which is half of the statistic that has
    a chi-square distribution in the limit, P(x or more) <= e^-x (e x / (k - 1))^(k - 1).

    Args:
        counts: ndarray (*tests, k).
        probabilities: ndarray (*tests, k) or what spreads to it, none of them 0.

    References:
        Agrawal, Finite-sample concentration of the multinomial in relative entropy, 2020,
        theorem 1.2.
    """
    free = probabilities.shape[-1] - 1
    expected = counts.sum(axis=-1, keepdims=True) * probabilities
    parts = counts * np.log(np.where(counts > 0, counts, 1.0) / np.where(counts > 0, expected, 1.0))
    x = np.maximum(parts.sum(axis=-1), free)
    return np.asarray(free * (1.0 + np.log(x / free)) - x if free else 0.0 * x)


def mean(values: Floats) -> Floats:
    """For the mean of n standard normal numbers along the last axis."""
    return np.asarray(math.log(2.0) - 0.5 * values.shape[-1] * values.mean(axis=-1) ** 2)


def variance(values: Floats) -> Floats:
    """For the mean square of n standard normal numbers along the last axis (Chernoff)."""
    size = np.maximum(np.mean(values**2, axis=-1), np.finfo(float).tiny)
    return np.asarray(math.log(2.0) - 0.5 * values.shape[-1] * (size - 1.0 - np.log(size)))


def correlation(first: Floats, second: Floats) -> Floats:
    """For the mean product of n pairs of independent standard normal numbers (Chernoff)."""
    size = np.maximum(np.abs(np.mean(first * second, axis=-1)), np.finfo(float).tiny)
    slope = (np.sqrt(1.0 + 4.0 * size**2) - 1.0) / (2.0 * size)
    exponent = slope * size + 0.5 * np.log1p(-(slope**2))
    return np.asarray(math.log(2.0) - first.shape[-1] * exponent)


def spectrum(values: Floats) -> float:
    """For the singular values of n samples of r independent standard normal numbers, (n, r).

    A combination of some of them that is always small, or too large, makes one stand out.

    References:
        Davidson and Szarek, Local operator theory, random matrices and Banach spaces, 2001,
        theorem II.13.
    """
    samples, numbers = values.shape
    if samples < numbers:
        return 0.0
    squares = np.linalg.eigvalsh(values.T @ values)
    low, high = np.sqrt(np.maximum(squares[[0, -1]], 0.0))
    middle, spread = math.sqrt(samples), math.sqrt(numbers)
    beyond = max(high - middle - spread, middle - spread - low, 0.0)
    return float(math.log(2.0) - 0.5 * beyond**2)
