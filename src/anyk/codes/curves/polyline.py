"""Straight lines from knot to knot: the interpolant for functions too rough for a cubic spline."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

__all__ = ["polyline_leave_one_out", "polyline_weights"]

Floats: TypeAlias = NDArray[np.float64]


def polyline_weights(knots: Floats, targets: Floats) -> scipy.sparse.csr_array:
    """The operator from values at the knots to the polyline at the targets; constant outside.

    No value lies outside the range of the values next to it, so that a jump between two knots
    stays between them; a cubic spline swings around it on both sides.

    Args:
        knots: ndarray (n,), n >= 1, increasing.
        targets: ndarray (m,).

    Returns:
        Sparse array (m, n) of at most two entries a row; they sum to 1.

    Example:
        >>> from anyk.codes.curves.polyline import polyline_weights
        >>> polyline_weights(np.array([0.0, 2.0]), np.array([-1.0, 0.5, 2.0])).toarray()
        array([[1.  , 0.  ],
               [0.75, 0.25],
               [0.  , 1.  ]])
    """
    last = knots.size - 1
    high = np.clip(np.searchsorted(knots, targets), min(1, last), last)
    low = np.maximum(high - 1, 0)
    gap = np.where(high > low, knots[high] - knots[low], 1.0)
    up = np.clip((targets - knots[low]) / gap, 0.0, 1.0)
    weights = np.stack([1.0 - up, up], axis=1).ravel()
    columns = np.stack([low, high], axis=1).ravel()
    starts = np.arange(0, columns.size + 1, 2)
    return scipy.sparse.csr_array((weights, columns, starts), shape=(targets.size, knots.size))


def polyline_leave_one_out(knots: Floats, values: Floats) -> Floats:
    """Each value less the polyline through all the others.

    Args:
        knots: ndarray (n,), increasing.
        values: ndarray (n, L).

    Returns:
        ndarray (n, L); infinite where there is one knot.

    Example:
        >>> from anyk.codes.curves.polyline import polyline_leave_one_out
        >>> polyline_leave_one_out(np.arange(3.0), np.array([[0.0], [5.0], [2.0]])).ravel()
        array([-5.,  4., -3.])
    """
    if knots.size == 1:
        return np.full_like(values, np.inf)
    missed = np.empty_like(values)
    missed[0] = values[0] - values[1]
    missed[-1] = values[-1] - values[-2]
    up = ((knots[1:-1] - knots[:-2]) / (knots[2:] - knots[:-2]))[:, None]
    missed[1:-1] = values[1:-1] - (1.0 - up) * values[:-2] - up * values[2:]
    return missed
