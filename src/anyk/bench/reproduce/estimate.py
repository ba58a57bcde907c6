"""A measured number and its interval: means, ratios and slopes, by bootstrap over trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.errors import InvalidArgument

__all__ = ["Estimate", "bootstrap", "geometric_mean_ratio", "mean", "ratio", "slope"]

Floats = NDArray[np.float64]

_RESAMPLES = 2000
_TAILS = (0.025, 0.975)
_TINY = 1e-100  # instead of a mean of 0


@final
@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number with its 95 % interval.

    Args:
        value: the estimate.
        low: lower end.
        high: upper end.

    Example:
        >>> from anyk.bench.reproduce.estimate import Estimate
        >>> print(Estimate(value=1.5, low=1.25, high=2.0))
        1.5 (1.25 to 2)
        >>> print(f"{Estimate(value=1.5, low=1.25, high=2.0):.2f}")
        1.50 (1.25 to 2.00)
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return format(self, ".3g")

    def __format__(self, numbers: str) -> str:
        numbers = numbers or ".3g"
        return f"{self.value:{numbers}} ({self.low:{numbers}} to {self.high:{numbers}})"


def bootstrap(statistic: Callable[[list[Floats]], Floats], samples: Sequence[Any]) -> Estimate:
    """A function of the means of several samples, and its 95 % percentile interval.

    Every sample is resampled along its first axis, by itself: what belongs together (both sides of
    one trial) stands in one row.

    Args:
        statistic: of the samples' means, ndarrays (m, columns), one row a resample; returns (m,).
        samples: ndarrays (trials, columns); those of one trial give an interval of no width.

    Returns:
        The statistic of the samples, and of 2,000 resamples its 2.5 % and 97.5 % points.

    Raises:
        InvalidArgument: if a sample is empty.

    References:
        Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    Example:
        >>> from anyk.bench.reproduce.estimate import bootstrap
        >>> print(bootstrap(lambda means: means[0][:, 0], [np.array([[2.0], [2.0]])]))
        2 (2 to 2)
    """
    arrays = [np.asarray(sample, dtype=float) for sample in samples]
    if not arrays or not all(len(array) for array in arrays):
        raise InvalidArgument(
            "samples", given="an empty one", needed="at least one trial", change="Measure first."
        )
    generator = np.random.default_rng(0)  # the interval is a function of the samples
    counts = (
        generator.multinomial(len(each), np.full(len(each), 1.0 / len(each)), size=_RESAMPLES)
        for each in arrays
    )
    means = [count @ each / len(each) for count, each in zip(counts, arrays, strict=True)]
    low, high = np.quantile(statistic(means), _TAILS)
    (value,) = statistic([each.mean(axis=0, keepdims=True) for each in arrays])
    return Estimate(value=float(value), low=float(low), high=float(high))


def mean(sample: Any) -> Estimate:
    """The mean over trials.

    Args:
        sample: ndarray (trials,).

    Example:
        >>> from anyk.bench.reproduce.estimate import mean
        >>> mean([1.0, 3.0]).value
        2.0
    """
    return bootstrap(lambda means: means[0][:, 0], [_column(sample)])


def ratio(numerator: Any, denominator: Any) -> Estimate:
    """Mean of one side divided by the mean of the other, trials paired.

    Args:
        numerator: ndarray (trials,).
        denominator: ndarray (trials,), of the same trials.

    Example:
        >>> from anyk.bench.reproduce.estimate import ratio
        >>> print(ratio([2.0, 4.0], [1.0, 2.0]))
        2 (2 to 2)
    """

    def statistic(means: list[Floats]) -> Floats:
        divided: Floats = means[0][:, 0] / np.maximum(means[0][:, 1], _TINY)
        return divided

    return bootstrap(statistic, [np.column_stack([numerator, denominator])])


def geometric_mean_ratio(pairs: Sequence[tuple[Any, Any]], *, most: float = 1e12) -> Estimate:
    """The geometric mean over several settings of the ratio of two means.

    Args:
        pairs: of each setting both sides, ndarrays (trials,) of the same trials.
        most: what a larger ratio counts as, so that no mean of 0 decides it all; a ratio below
            1 / most counts as that.

    Example:
        >>> from anyk.bench.reproduce.estimate import geometric_mean_ratio
        >>> geometric_mean_ratio([([4.0], [1.0]), ([1.0], [1.0])]).value
        2.0
    """

    def statistic(means: list[Floats]) -> Floats:
        kept = [np.maximum(each, _TINY) for each in means]
        ratios = [np.clip(each[:, 0] / each[:, 1], 1.0 / most, most) for each in kept]
        averaged: Floats = np.exp(np.mean(np.log(ratios), axis=0))
        return averaged

    return bootstrap(statistic, [np.column_stack([top, bottom]) for top, bottom in pairs])


def slope(sizes: Sequence[float], errors: Sequence[Any]) -> Estimate:
    """How fast a mean error falls with a size: the least squares slope on log-log axes.

    Args:
        sizes: of each setting; at least two.
        errors: of each setting the errors of its trials, ndarray (trials,), above 0.

    Example:
        >>> from anyk.bench.reproduce.estimate import slope
        >>> print(slope([10, 100], [[1.0, 1.0], [0.01, 0.01]]))
        -2 (-2 to -2)
    """
    logs = np.log(np.asarray(sizes, dtype=float))
    centred = logs - logs.mean()

    def statistic(means: list[Floats]) -> Floats:
        heights = np.log(np.concatenate(means, axis=1))
        fitted: Floats = heights @ centred / (centred @ centred)
        return fitted

    return bootstrap(statistic, [_column(each) for each in errors])


def _column(sample: Any) -> Floats:
    return np.asarray(sample, dtype=float).reshape(-1, 1)
