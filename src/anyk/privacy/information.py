"""What colluders learn from the shares they put together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.codes.exact.linear import rank
from anyk.domains.prime import PrimeField

__all__ = ["bits_learned", "symbols_learned"]

_UNMASKED = 1e-12  # of a share's size: noise below this is rounding, and hides nothing


def symbols_learned(field: PrimeField, data: NDArray[np.int64], masks: NDArray[np.int64]) -> int:
    """Field symbols, a coordinate, that a coalition learns about uniform data.

    The coalition sees D·blocks + M·masks: rank [D | M] - rank M combinations of blocks are free
    of masks, and the rest is uniform noise.

    Args:
        field: the field.
        data: D, int64 ndarray (coalition, K).
        masks: M, int64 ndarray (coalition, T).

    Returns:
        A number from 0 (nothing at all) to min(coalition, K).

    Example:
        >>> from anyk.privacy.information import symbols_learned
        >>> symbols_learned(anyk.PrimeField(7), np.array([[1], [1]]), np.array([[1], [2]]))
        1
    """
    return rank(field, np.concatenate([data, masks], axis=1)) - rank(field, masks)


def bits_learned(data: NDArray[Any], masks: NDArray[Any], *, variance: float) -> float:
    """Bits, a coordinate, that a coalition's shares tell about the blocks: mutual information.

    The coalition sees D·x + M·z. For z standard normal and x of covariance v·1, the Gaussian x has
    the most to tell: c log2 det(1 + v (M M^H)^-1 D D^H), with c = 1/2 over the reals and 1 over the
    complex numbers. Whatever the correlation of the blocks, K v in the place of v is a bound.

    Args:
        data: D, ndarray (coalition, K), real or complex.
        masks: M, ndarray (coalition, masks); its columns multiply noise of variance 1.
        variance: v, of each coordinate of each block.

    Returns:
        Bits; infinite where a combination of the shares is free of noise but not of data.

    References:
        Cover and Thomas, Elements of Information Theory, 2006, theorem 8.6.5 and section 9.4;
        Soleymani, Mahdavifar and Avestimehr, Analog Lagrange Coded Computing, 2021, section IV.

    Example:
        >>> from anyk.privacy.information import bits_learned
        >>> bits_learned(np.array([[1.0]]), np.array([[2.0]]), variance=12.0)
        1.0
    """
    whitened = _whitened(data, masks)
    if whitened is None:
        return math.inf
    strengths = np.linalg.svd(whitened, compute_uv=False)
    half = 1.0 if np.iscomplexobj(whitened) else 0.5
    return float(half * np.sum(np.log1p(variance * strengths**2)) / math.log(2.0))


def _whitened(data: NDArray[Any], masks: NDArray[Any]) -> NDArray[Any] | None:
    """(M M^H)^(-1/2) D, ndarray (rank of M, K); None where noise is missing.

    Each share is first divided by its size, which changes nothing for who sees it.
    """
    sizes = np.sqrt(np.sum(np.abs(data) ** 2, axis=1) + np.sum(np.abs(masks) ** 2, axis=1))
    sizes = np.where(sizes > 0.0, sizes, 1.0)[:, None]
    noise = masks[:, masks.any(axis=0)] / sizes  # without that of others
    turned, strengths, _ = np.linalg.svd(noise, full_matrices=len(noise) > noise.shape[1])
    noisy = int(np.count_nonzero(strengths > _UNMASKED))
    seen = turned.conj().T @ (data / sizes)
    if np.abs(seen[noisy:]).max(initial=0.0) > _UNMASKED:
        return None
    whitened: NDArray[Any] = seen[:noisy] / strengths[:noisy, None]
    return whitened
