"""What a coalition sees of one block under Gaussian noise: it, and noise of known variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spread", "View", "spread_over", "view_of"]

Floats: TypeAlias = NDArray[np.float64]

_ROUNDING = 1e-9  # of a share: noise below that is taken as that


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """How records vary, along the axes in which they do so independently.

    Args:
        mean: of the records, ndarray (Z,).
        axes: orthonormal columns, ndarray (Z, r).
        variances: along these, ndarray (r,).
    """

    mean: Floats
    axes: Floats
    variances: Floats


def spread_over(records: Floats) -> Spread:
    """Of records, ndarray (m, Z)."""
    mean = records.mean(axis=0)
    _, sizes, axes = np.linalg.svd(records - mean, full_matrices=False)
    kept = sizes > sizes[0] * _ROUNDING if sizes[0] else sizes == 0.0
    return Spread(mean=mean, axes=axes[kept].T, variances=sizes[kept] ** 2 / len(records))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """The best that a coalition can make of its shares for one block of independent records.

    The shares are D·x + M·z, z normal, and the coordinates of x depend on each other; along the
    axes in which records vary independently, and after noise is made white, the other blocks are
    more noise. What is left is one number t for each axis: the block's own, and noise of the
    variance 1 / g. No linear estimate of the block is better than that by t.

    Args:
        spread: of the records.
        means: by how much the mean is in each share, ndarray (n,).
        weights: of the shares in t, ndarray (n, r).
        precisions: g, ndarray (r,).
        signal: |w|^2 of the block in the view, if the coalition knew all other blocks.
    """

    spread: Spread
    means: Floats
    weights: Floats
    precisions: Floats
    signal: float

    def seen(self, shares: NDArray[Any]) -> Floats:
        """T of each of b encodings, ndarray (b, r).

        Args:
            shares: the coalition's, ndarray (n, b, Z), complex or real.
        """
        parts = _in_parts(shares)
        centred = parts - self.means[:, None, None] * self.spread.mean
        seen: Floats = np.einsum("nbr,nr->br", centred @ self.spread.axes, self.weights)
        return seen

    def explained(self) -> float:
        """The share of the records' variance that the best linear guess explains."""
        told = self.spread.variances * self.precisions
        all_of_it = float(np.sum(self.spread.variances)) or 1.0
        return float(np.sum(self.spread.variances * told / (1.0 + told))) / all_of_it

    def guess(self, seen: Floats) -> Floats:
        """The best linear guess by t, along the axes, from the mean; ndarray (b, r)."""
        told = self.spread.variances * self.precisions
        return seen * (told / (1.0 + told))

    def bits(self) -> float:
        """What the view tells of the block at most, whatever the records are of this covariance."""
        return float(0.5 * np.sum(np.log2(1.0 + self.signal * self.spread.variances)))


def view_of(data: NDArray[Any], masks: NDArray[Any], block: int, spread: Spread) -> View:
    """What these shares show of one block.

    Args:
        data: D of the coalition, ndarray (n, K), real or complex.
        masks: M of the coalition, ndarray (n, masks).
        block: which one.
        spread: of the records from which all blocks are drawn independently.

    References:
        Kay, Fundamentals of Statistical Signal Processing: Estimation Theory, 1993, section 12.5.
    """
    if np.iscomplexobj(data) or np.iscomplexobj(masks):
        turned = np.concatenate([masks, 1j * masks], axis=1) * np.sqrt(0.5)
        data, masks = _in_parts(data + 0j), _in_parts(turned + 0j)
    sizes = np.sqrt(np.sum(data**2, axis=1) + np.sum(masks**2, axis=1))
    sizes = np.where(sizes > 0.0, sizes, 1.0)[:, None]
    wide = len(masks) <= masks.shape[1]
    sides, strengths, _ = np.linalg.svd(masks / sizes, full_matrices=not wide)
    noise = np.full(len(data), _ROUNDING)
    noise[: len(strengths)] = np.maximum(strengths, _ROUNDING)
    whitening = (sides / noise).T / sizes.T
    shown = whitening @ data
    others = np.delete(shown, block, axis=1)
    louder, turns = np.linalg.eigh(others @ others.T)
    along = turns.T @ shown[:, block]
    divided = along[:, None] / (np.maximum(louder, 0.0)[:, None] * spread.variances + 1.0)
    precisions = along @ divided
    weights = whitening.T @ turns @ divided / np.where(precisions > 0.0, precisions, 1.0)
    return View(
        spread=spread,
        means=data.sum(axis=1),
        weights=weights,
        precisions=precisions,
        signal=float(np.sum(shown[:, block] ** 2)),
    )


def _in_parts(array: NDArray[Any]) -> Floats:
    """Real parts and then imaginary parts, along the first axis."""
    if not np.iscomplexobj(array):
        return np.asarray(array, dtype=np.float64)
    return np.concatenate([array.real, array.imag])
