"""Gradient descent in a set, with momentum that restarts where it leads uphill."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["descend", "top_curvature"]

_PASSES = 40
_SETTLED = 1e-3  # relative, from one pass to the next
_MARGIN = 1.05


def descend(
    gradient: Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]],
    start: NDArray[np.float64],
    *,
    step: float,
    iterations: int,
    project: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    momentum: bool,
    note: Callable[[float], None],
) -> NDArray[np.float64]:
    """Minimise a smooth function over a set of weights.

    Args:
        gradient: the value of the function, and its gradient.
        start: float64 ndarray (columns, outputs).
        step: 1 / L, where L is the Lipschitz constant of the gradient.
        iterations: how many gradients.
        project: puts weights back into the set.
        momentum: Nesterov's; without it, the plain descent of CodedPrivateML.
        note: called with each value that was computed.

    Returns:
        The last weights.

    References:
        Beck, Teboulle: A fast iterative shrinkage-thresholding algorithm (SIAM J. Imaging Sciences
        2009), section 4; O'Donoghue, Candes: Adaptive restart for accelerated gradient schemes
        (Foundations of Computational Mathematics 2015), section 3.2.

    Example:
        >>> from anyk.learn.descent import descend
        >>> descend(lambda w: (float(np.sum((w - 3) ** 2)) / 2, w - 3.0), np.zeros((1, 1)),
        ...         step=1.0, iterations=2, project=np.asarray, momentum=True, note=print)
        4.5
        0.0
        array([[3.]])
    """
    weights, point, pace = start, start, 1.0
    for _ in range(iterations):
        value, slope = gradient(point)
        note(value)
        moved = project(point - step * slope)
        if not momentum or float(np.sum(slope * (moved - weights))) > 0:
            weights, point, pace = moved, moved, 1.0
        else:
            faster = (1 + math.sqrt(1 + 4 * pace * pace)) / 2
            point = project(moved + (pace - 1) / faster * (moved - weights))
            weights, pace = moved, faster
    return weights


def top_curvature(design: NDArray[np.float64]) -> float:
    """The largest eigenvalue of X^T X / rows, a little more: by power iteration on all rows.

    Args:
        design: float64 ndarray (rows, columns).

    Returns:
        A number that is at least tiny and positive.

    Example:
        >>> from anyk.learn.descent import top_curvature
        >>> round(top_curvature(np.eye(4)), 6)  # a twentieth more than 1/4
        0.2625
    """
    vector, value = np.random.default_rng(0).standard_normal((design.shape[1],)), 0.0
    for _ in range(_PASSES):
        vector = design.T @ (design @ (vector / np.linalg.norm(vector)))
        before, value = value, float(np.linalg.norm(vector))
        if value - before <= _SETTLED * value:
            break
    return max(_MARGIN * value / len(design), float(np.finfo(float).tiny))
