"""A few columns for many rounded ones, and what their sizes say of noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.sketch import COLUMNS, sketch

__all__ = ["alike", "sample_of", "unlucky"]

_COLUMNS = 16  # of a sketch
_EXTREME = 1e50  # times the other rows: a square of what is larger may overflow
_CHANCE = 0.02  # that spare rows show even less noise, where it is not that of rounding


def sample_of(
    values: NDArray[Any], wrong: int, *, source: AbstractSource = SystemSource()
) -> tuple[NDArray[Any], float]:
    """A few combinations of the columns, and the number by which they were divided.

    It is the largest number of the row in which that is the largest but for as many rows as may be
    wrong, so that no liars raise it above all the others'. Rows so much larger that their squares
    would overflow are cut, and stay far above the others.

    Args:
        values: float64 or complex128 ndarray (n, L).
        wrong: how many rows may be wrong, below n.
        source: of random numbers that no worker may foresee.

    Returns:
        ndarray (n, few), and the divisor.

    Example:
        >>> from anyk.codes.analog.sample import sample_of
        >>> sample_of(np.array([[1.0], [8.0], [2.0]]), 1)[1]
        2.0
    """
    parts = values.view(np.float64)  # complex numbers can't be divided by subnormal ones
    largest = np.maximum(parts.max(axis=1), -parts.min(axis=1))
    unit = float(np.sort(largest)[-1 - wrong])
    if unit == 0.0:
        unit = float(largest.max()) or 1.0
    extreme = largest / _EXTREME > unit
    if extreme.any():
        parts = parts.copy()
        parts[extreme] *= (_EXTREME / largest[extreme])[:, None]
        parts[extreme] *= unit
    if not 1.0 / _EXTREME < unit < _EXTREME:
        return _few((parts / unit).view(values.dtype), source), unit
    return _few(parts.view(values.dtype), source) / unit, unit


def _few(values: NDArray[Any], source: AbstractSource) -> NDArray[Any]:
    """Sixteen combinations of many columns, as sets of liars are tried in each; few as they are."""
    return values if values.shape[1] <= COLUMNS else sketch(values, columns=_COLUMNS, source=source)


def alike(values: NDArray[Any]) -> float:
    """How many columns count, by their size: all where they are alike, one where one is largest.

    Args:
        values: ndarray (n, L), L at least 1.

    Returns:
        (sum e)^2 / sum e^2 for the columns' mean squares e.

    Example:
        >>> from anyk.codes.analog.sample import alike
        >>> alike(np.ones((2, 3))), alike(np.array([[1e9, 1.0]]))
        (3.0, 1.0)
    """
    energies = np.sum(np.abs(values) ** 2, axis=0)
    energies /= energies.max() or 1.0
    return float(np.sum(energies) ** 2 / np.sum(energies**2)) if energies.any() else 1.0


def unlucky(values: NDArray[Any], spare: int) -> float:
    """By how many times the noise may be more than the spare rows show, by chance.

    Args:
        values: ndarray (n, L): the more alike their columns are in size, the more these show.
        spare: how many rows are spare.

    Example:
        >>> from anyk.codes.analog.sample import unlucky
        >>> unlucky(np.ones((3, 1)), 1) > 10 > 2 > unlucky(np.ones((3, 9)), 2)
        True
    """
    freedom = spare * alike(values)
    return math.sqrt(freedom / float(scipy.special.chdtri(freedom, 1.0 - _CHANCE)))
