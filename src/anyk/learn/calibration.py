"""Log-odds that a polynomial sigmoid gave, brought to the scale of probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.losses import LogLoss

__all__ = ["calibrate"]

_NEWTON = 100
_SMALLEST = 1e-12


def calibrate(
    z: NDArray[np.float64],
    y: NDArray[np.float64],
    weights: NDArray[np.float64] | float = 1.0,
    *,
    intercept: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The a and b of each output for which sigmoid(a z + b) is most likely (Platt scaling).

    The master has z and y, so that this takes no worker and tells nobody anything. The targets are
    those of Platt, a little inside 0 and 1, so that a is finite where the classes are separate.

    Args:
        z: float64 ndarray (rows, outputs).
        y: float64 ndarray (rows, outputs), 0 or 1.
        weights: how much each row counts, float64 ndarray (rows, 1) of mean 1; or 1.0.
        intercept: whether there is b.

    Returns:
        float64 ndarrays (outputs,): a, and b, which is 0 where there is none.

    References:
        Platt: Probabilistic outputs for support vector machines (Advances in Large Margin
        Classifiers 1999), section 2; Lin, Lin, Weng: A note on Platt's probabilistic outputs
        (Machine Learning 2007), algorithm 1.

    Example:
        >>> from anyk.learn.calibration import calibrate
        >>> z, y = np.array([[1.0], [-1.0]] * 10), np.array([[1.0], [0.0], [1.0], [1.0]] * 5)
        >>> a, b = calibrate(z, y, intercept=True)
        >>> p = 1 / (1 + np.exp(-(a * z + b)))
        >>> p[:2].round(2).ravel()  # 10 of 10, and 5 of 10: of Platt's targets
        array([0.94, 0.54])
    """
    positives = (weights * y).sum(axis=0)
    high, low = (positives + 1) / (positives + 2), 1 / (len(y) - positives + 2)
    targets = np.where(y > 0, high, low)
    pairs = [
        _fit(z[:, each], targets[:, each], weights, intercept=intercept)
        for each in range(z.shape[1])
    ]
    return np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])


def _fit(
    z: NDArray[np.float64],
    targets: NDArray[np.float64],
    weights: NDArray[np.float64] | float,
    *,
    intercept: bool,
) -> tuple[float, float]:
    size = float(np.sqrt(np.mean(np.ravel(weights) * z**2))) or 1.0
    basis = np.stack([z / size, np.ones_like(z)] if intercept else [z / size])
    loss, where = LogLoss(targets[:, None], weights), np.zeros(len(basis))
    images = basis[:, :, None]
    for _ in range(_NEWTON):
        here = (where @ basis)[:, None]
        gradient = basis @ loss.slope(here)[:, 0]
        curvature = loss.curvature(here, images)
        curvature[np.diag_indices(len(basis))] += _SMALLEST * len(z)
        step = np.linalg.solve(curvature, -gradient)
        promised, part = -float(gradient @ step), 1.0
        if promised <= _SMALLEST * len(z):
            break
        while part > _SMALLEST and loss.value(((where + part * step) @ basis)[:, None]) > (
            loss.value(here) - 1e-4 * part * promised
        ):
            part /= 2
        where = where + part * step
    return float(where[0]) / size, float(where[1]) if intercept else 0.0
