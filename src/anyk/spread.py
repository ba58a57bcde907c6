"""Whether data are larger than a leakage is stated for, and what to say then."""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np

__all__ = ["Spread", "larger", "spread_of"]

_LOOKED_AT = 1 << 20  # numbers by which a standard deviation is told
_SAME = 1.25  # times data_std: what a few blocks may have by chance


def larger(spread: float | None, data_std: float | None, *, things: str) -> str:
    """That data are not what a leakage is stated for; "" where they are, or nobody knows.

    Args:
        spread: their standard deviation.
        data_std: that for which it is stated.
        things: what they are called.

    Example:
        >>> from anyk.spread import larger
        >>> larger(92.6, 1.0, things="data"), larger(1.1, 1.0, things="data")
        ('the standard deviation of these data is 92.6, not data_std = 1: more is learned', '')
    """
    if spread is None or data_std is None or not spread > _SAME * data_std:
        return ""
    return (
        f"the standard deviation of these {things} is {spread:.3g}, not data_std = "
        f"{data_std:.3g}: more is learned"
    )


def spread_of(X: Any) -> float:
    """The standard deviation of data about one mean, or about that of each number of a block.

    Args:
        X: array-like (K, *shape); of large blocks every so many numbers are looked at.

    Returns:
        The smaller of both: a user may mean either by data_std.

    Example:
        >>> from anyk.spread import spread_of
        >>> spread_of([[0.0, 9.0], [2.0, 11.0]])
        1.4142135623730951
    """
    array = np.asarray(X)
    array = array.reshape(len(array), -1)
    array = array[:, :: max(1, array.size // _LOOKED_AT)]
    with np.errstate(over="ignore", invalid="ignore"):
        variance = float(np.var(array))
        if len(array) > 1:
            variance = min(variance, float(np.mean(np.var(array, axis=0, ddof=1))))
    return math.sqrt(variance)


@final
class Spread:
    """`spread_of` of data that come in slabs of columns.

    Example:
        >>> from anyk.spread import Spread
        >>> spread = Spread()
        >>> spread.add([[0.0], [2.0]])
        >>> spread.add([[9.0], [11.0]])
        >>> spread.value
        1.4142135623730951
    """

    def __init__(self) -> None:
        self._numbers = 0
        self._mean: complex = 0.0
        self._squares = 0.0  # of the distances from it, in all
        self._within: list[tuple[int, float]] = []  # by slab: columns, and their mean variance

    def add(self, slab: Any) -> None:
        """The next columns, array-like (K, w, *rest)."""
        array = np.asarray(slab)
        array = array.reshape(len(array), -1)
        size, columns = array.size, array.shape[1]
        array = array[:, :: max(1, size // _LOOKED_AT)]
        with np.errstate(over="ignore", invalid="ignore"):
            mean = complex(array.mean())
            away = abs(mean - self._mean) ** 2 * self._numbers * size
            self._squares += float(np.var(array)) * size
            total = self._numbers + size
            self._squares += away / total
            self._mean += (mean - self._mean) * size / total
            if len(array) > 1:
                self._within.append((columns, float(np.mean(np.var(array, axis=0, ddof=1)))))
        self._numbers = total

    @property
    def value(self) -> float:
        """The standard deviation of all that came."""
        variance = self._squares / max(1, self._numbers)
        columns = sum(number for number, _ in self._within)
        if columns:
            within = sum(number * each for number, each in self._within) / columns
            variance = min(variance, within)
        return math.sqrt(variance)
