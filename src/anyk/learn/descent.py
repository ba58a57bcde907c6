"""Gradient descent in a set, with momentum that restarts where it leads uphill."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["descend", "projected", "top_curvature"]

_ROWS = 2048  # are enough to know the largest singular value to a few per cent
_PASSES = 16
_MARGIN = 1.1


def descend(
    gradient: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    start: NDArray[np.float64],
    *,
    step: float,
    iterations: int,
    project: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    momentum: bool,
    note: Callable[[NDArray[np.float64]], None],
) -> NDArray[np.float64]:
    """Minimise a smooth function over a set of weights.

    Args:
        gradient: of the function.
        start: float64 ndarray (columns, outputs).
        step: 1 / L, where L is the Lipschitz constant of the gradient.
        iterations: how many gradients.
        project: puts weights back into the set.
        momentum: Nesterov's; without it, the plain descent of CodedPrivateML.
        note: called with each point whose gradient was computed.

    Returns:
        The last weights.

    References:
        Beck, Teboulle: A fast iterative shrinkage-thresholding algorithm (SIAM J. Imaging Sciences
        2009), section 4; O'Donoghue, Candes: Adaptive restart for accelerated gradient schemes
        (Foundations of Computational Mathematics 2015), section 3.2.

    Example:
        >>> from anyk.learn.descent import descend
        >>> descend(lambda w: w - 3.0, np.zeros((1, 1)), step=1.0, iterations=2,
        ...         project=np.asarray, momentum=True, note=print)
        [[0.]]
        [[3.]]
        array([[3.]])
    """
    weights, point, pace = start, start, 1.0
    for _ in range(iterations):
        slope = gradient(point)
        note(point)
        moved = project(point - step * slope)
        if not momentum or float(np.sum(slope * (moved - weights))) > 0:
            weights, point, pace = moved, moved, 1.0
        else:
            faster = (1 + math.sqrt(1 + 4 * pace * pace)) / 2
            point = project(moved + (pace - 1) / faster * (moved - weights))
            weights, pace = moved, faster
    return weights


def projected(weights: NDArray[np.float64], norm: float) -> NDArray[np.float64]:
    """The nearest weights whose columns have at most this Euclidean norm.

    Example:
        >>> from anyk.learn.descent import projected
        >>> projected(np.array([[3.0, 1.0], [4.0, 0.0]]), 1.0)
        array([[0.6, 1. ],
               [0.8, 0. ]])
    """
    lengths = np.linalg.norm(weights, axis=0)
    return np.asarray(weights * np.minimum(1.0, norm / np.maximum(lengths, norm)))


def top_curvature(design: NDArray[np.float64]) -> float:
    """The largest eigenvalue of X^T X / rows, a tenth more: by power iteration on up to 2,048 rows.

    Args:
        design: float64 ndarray (rows, columns).

    Returns:
        A number that is at least tiny and positive.

    Example:
        >>> from anyk.learn.descent import top_curvature
        >>> round(top_curvature(np.eye(4)), 6)  # a tenth more than 1/4
        0.275
    """
    sample = design[:: -(-len(design) // _ROWS)]
    vector = np.abs(sample).sum(axis=0) + np.linspace(0.5, 1.0, sample.shape[1])
    value = 0.0
    for _ in range(_PASSES):
        vector /= np.linalg.norm(vector)
        vector = sample.T @ (sample @ vector)
        value = float(np.linalg.norm(vector))
        if value == 0.0:
            break
    return max(_MARGIN * value / len(sample), float(np.finfo(float).tiny))
