"""What noisy copies of a point tell of a function there: the best linear guess, without noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["ROUGHNESS", "Kriging", "kriging", "network_kernel", "restricted_likelihood"]

Floats: TypeAlias = NDArray[np.float64]

ROUGHNESS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Shares of variance that f may have at a scale too fine to follow, from smooth to erratic."""

_LAYERS = 2


def network_kernel(gram: Floats) -> Floats:
    """How alike a random network answers at points with these inner products.

    The covariance of a wide network of two hidden layers of rectifiers with random weights, each
    neuron with a bias of variance 1: with products g_ij, a layer makes of g + 1

        |i| |j| (sin t + (pi - t) cos t) / pi,    t the angle of i and j.

    Its sample paths bend everywhere and jump nowhere, and two points on one ray from the origin
    predict what is further in: a fair picture of networks, and of many other functions.

    Args:
        gram: inner products, ndarray (n, n), in units of the data's variance.

    Returns:
        Covariances, ndarray (n, n).

    References:
        Cho and Saul, Kernel methods for deep learning, 2009, equations 3 to 6 and section 2.3.

    Example:
        >>> from anyk.codes.curves.kriging import network_kernel
        >>> network_kernel(np.zeros((1, 1)))
        array([[2.]])
    """
    for _ in range(_LAYERS):
        biased = gram + 1.0
        lengths = np.sqrt(np.diagonal(biased))
        both = np.outer(lengths, lengths)
        cosine = np.clip(biased / both, -1.0, 1.0)
        angle = np.arccos(cosine)
        gram = both * (np.sin(angle) + (np.pi - angle) * cosine) / np.pi
    return gram


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Kriging:
    """The best linear unbiased predictor at one point, for any roughness. Made by `kriging`.

    With C the covariances of the answers, c those with the target, all in units of the target's
    variance, and nu the roughness, the weights are those w of sum 1 that make
    1 - 2 w^T c + w^T (C + nu) w + nu smallest. In a basis of the contrasts (columns of sum 0) in
    which C is diagonal, they are a division.

    Args:
        contrasts: ndarray (n, n-1), orthonormal.
        spectrum: variances of the contrasts, ndarray (n-1,).
        pull: what the target says of each contrast, ndarray (n-1,).
        covariance: C, ndarray (n, n).
        target: c, ndarray (n,).

    References:
        Cressie, Statistics for Spatial Data, 1993, section 3.2 (ordinary kriging).
    """

    contrasts: Floats
    spectrum: Floats
    pull: Floats
    covariance: Floats
    target: Floats

    def weights(self, roughness: float) -> Floats:
        """w, ndarray (n,), of sum 1.

        Args:
            roughness: nu, above 0.
        """
        count = self.target.size
        inner = self.contrasts @ (self.pull / (self.spectrum + roughness))
        weights: Floats = 1.0 / count + inner
        return weights

    def variance(self, roughness: float) -> float:
        """Of the prediction's error, in units of the target's variance.

        Args:
            roughness: nu, above 0.
        """
        weights = self.weights(roughness)
        told = 1.0 - 2.0 * (weights @ self.target) + weights @ self.covariance @ weights
        missed = roughness * (1.0 + weights @ weights)
        return max(float(told), 0.0) + float(missed)

    def energies(self, rows: Floats) -> Floats:
        """The mean square of each contrast of these answers, ndarray (n-1,).

        Args:
            rows: ndarray (n, L).
        """
        energies: Floats = np.mean((self.contrasts.T @ rows) ** 2, axis=1)
        return energies


def kriging(gram: Floats) -> Kriging:
    """Prepare the prediction at a point from answers at noisy copies of it.

    Args:
        gram: inner products of the copies' noise, ndarray (n, n), in units of the data's variance.

    Returns:
        The predictor; O(n^3).

    Example:
        >>> from anyk.codes.curves.kriging import kriging
        >>> offsets = np.array([[-2.0], [-1.0], [1.0], [2.0]])
        >>> kriging(offsets @ offsets.T).weights(1e-4).round(2)
        array([-0.24,  0.74,  0.74, -0.24])
    """
    count = len(gram)
    whole = np.zeros((count + 1, count + 1))
    whole[:count, :count] = gram
    kernel = network_kernel(whole + 1.0)
    kernel /= kernel[count, count]
    covariance, target = kernel[:count, :count], kernel[:count, count]
    full, _ = np.linalg.qr(np.ones((count, 1)), mode="complete")
    basis = full[:, 1:]
    spectrum, turned = np.linalg.eigh(basis.T @ covariance @ basis)
    contrasts = basis @ turned
    return Kriging(
        contrasts=contrasts,
        spectrum=np.maximum(spectrum, 0.0),
        pull=contrasts.T @ (target - covariance.mean(axis=1)),
        covariance=covariance,
        target=target,
    )


def restricted_likelihood(
    parts: Sequence[Kriging], energies: Sequence[Floats], roughness: float
) -> tuple[float, float]:
    """How badly a roughness explains the answers, and the variance of f that goes with it.

    Minus twice the logarithm of the likelihood of the contrasts, up to a constant: the unknown
    mean of f is in none of them.

    Args:
        parts: the predictors.
        energies: of their answers.
        roughness: nu.

    Returns:
        The score, smaller is better, and the variance.

    References:
        Patterson and Thompson, Recovery of inter-block information when block sizes are unequal,
        1971.

    Example:
        >>> from anyk.codes.curves.kriging import kriging, restricted_likelihood
        >>> part = kriging(np.eye(3))
        >>> score, variance = restricted_likelihood([part], [np.ones(2)], 1.0)
        >>> variance < 1.0
        True
    """
    spread = np.concatenate([part.spectrum for part in parts]) + roughness
    if not spread.size:
        return 0.0, np.inf
    variance = float(np.mean(np.concatenate(energies) / spread))
    floor = np.finfo(np.float64).tiny
    score = spread.size * np.log(max(variance, floor)) + float(np.log(spread).sum())
    return float(score), variance
