"""Weights that guess values at points of any dimension from values at others, by distance alone."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

__all__ = [
    "inverse_distance_weights",
    "kriging_weights",
    "left_out_by_kriging",
    "nearest_weights",
]

Floats: TypeAlias = NDArray[np.float64]

_NEAREST = 8  # points that share the weight
_NUGGET = 1e-6  # share of variance left to each point alone: keeps 1e10 between the eigenvalues
_SAME = 1e-12  # of the largest distance: points nearer than this are one


def inverse_distance_weights(towards: Floats, *, power: float) -> Floats:
    """Weights in proportion to d^-power over the 8 nearest points: the sharper, the higher.

    Args:
        towards: distances from each target to each point, ndarray (m, n), n >= 1; infinite to
            leave a point out, as long as one is left in.
        power: above 0; 1 is blunt, and 16 nearly takes the nearest point alone.

    Returns:
        ndarray (m, n); rows sum to 1.

    References:
        Shepard, A two-dimensional interpolation function for irregularly-spaced data, 1968.

    Example:
        >>> from anyk.codes.curves.scattered import inverse_distance_weights
        >>> inverse_distance_weights(np.array([[1.0, 2.0, np.inf]]), power=2.0)
        array([[0.8, 0.2, 0. ]])
    """
    count = min(_NEAREST, towards.shape[1])
    nearest = np.argpartition(towards, count - 1, axis=1)[:, :count]
    distances = np.take_along_axis(towards, nearest, axis=1)
    finite = np.isfinite(distances)
    floor = _SAME * float(np.max(distances, where=finite, initial=0.0)) or 1.0
    distances = np.maximum(distances, floor)
    shares = (distances / distances.min(axis=1, keepdims=True)) ** -power
    shares /= shares.sum(axis=1, keepdims=True)
    weights = np.zeros(towards.shape)
    np.put_along_axis(weights, nearest, shares, axis=1)
    return weights


def nearest_weights(towards: Floats) -> Floats:
    """All weight to the nearest point, in equal parts where several are equally near.

    Args:
        towards: distances from each target to each point, ndarray (m, n), n >= 1; infinite to
            leave a point out, as long as one is left in.

    Returns:
        ndarray (m, n); rows sum to 1.

    References:
        Cover and Hart, Nearest neighbor pattern classification, 1967.

    Example:
        >>> from anyk.codes.curves.scattered import nearest_weights
        >>> nearest_weights(np.array([[1.0, 2.0, 1.0], [3.0, 2.0, np.inf]]))
        array([[0.5, 0. , 0.5],
               [0. , 1. , 0. ]])
    """
    finite = np.isfinite(towards)
    same = _SAME * float(np.max(towards, where=finite, initial=0.0))
    weights: Floats = (towards <= towards.min(axis=1, keepdims=True) + same).astype(np.float64)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def kriging_weights(between: Floats, towards: Floats, *, reach: float) -> Floats:
    """Weights of the best linear unbiased guess, for covariance exp(-d^2 / (2 reach^2)).

    Ordinary kriging: of all weights that sum to 1, those with the least mean square error for a
    random function of unknown mean and that covariance.

    Args:
        between: distances between the points, ndarray (n, n).
        towards: distances from each target to each point, ndarray (m, n).
        reach: above 0, in units of the distances.

    Returns:
        ndarray (m, n); rows sum to 1.

    References:
        Cressie, Statistics for Spatial Data, 1993, section 3.2.

    Example:
        >>> from anyk.codes.curves.scattered import kriging_weights
        >>> x = np.arange(5.0)
        >>> weights = kriging_weights(abs(x[:, None] - x), abs(np.array([[1.5]]) - x), reach=2.0)
        >>> (weights @ x**2).round(3)
        array([2.286])
    """
    inverse = _inverse_covariance(between, reach)
    pull = inverse.sum(axis=0)
    covariance = _covariance(towards, reach)
    weights: Floats = covariance @ inverse
    weights += np.outer(1.0 - covariance @ pull, pull / pull.sum())
    return weights


def left_out_by_kriging(between: Floats, *, reach: float) -> Floats:
    """The operator from values to each value less its guess from all the others.

    With C the covariance and Q = C^-1 - C^-1 1 1^T C^-1 / (1^T C^-1 1), it is diag(Q)^-1 Q: no
    system is solved again.

    Args:
        between: distances between the points, ndarray (n, n), n >= 2.
        reach: as above.

    Returns:
        ndarray (n, n).

    References:
        Dubrule, Cross validation of kriging in a unique neighborhood, 1983.

    Example:
        >>> from anyk.codes.curves.scattered import left_out_by_kriging
        >>> left_out_by_kriging(np.array([[0.0, 1.0], [1.0, 0.0]]), reach=1.0)
        array([[ 1., -1.],
               [-1.,  1.]])
    """
    inverse = _inverse_covariance(between, reach)
    pull = inverse.sum(axis=0)
    contrast = inverse - np.outer(pull, pull / pull.sum())
    operator: Floats = contrast / np.diag(contrast)[:, None]
    return operator


def _covariance(distances: Floats, reach: float) -> Floats:
    covariance: Floats = np.exp(-0.5 * (distances / reach) ** 2)
    return covariance


def _inverse_covariance(between: Floats, reach: float) -> Floats:
    covariance = _covariance(between, reach)
    covariance[np.diag_indices_from(covariance)] += _NUGGET
    factor = scipy.linalg.cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
    half, _ = scipy.linalg.lapack.dpotri(factor, lower=True, overwrite_c=True)
    inverse: Floats = np.tril(half) + np.tril(half, -1).T
    return inverse
