"""What workers see by the matrices behind their shares, and who sees one block best."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.privacy.coalitions import most_bits_learned
from anyk.schemes.encoded import Encoded
from anyk.spec import MatMul

__all__ = ["clearest", "seen"]


def seen(encoded: Encoded, operand: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """D and M of what workers can see: combinations of outputs take the blocks themselves.

    Args:
        encoded: the shares.
        operand: which factor's, for a product.
    """
    problem = encoded.scheme.problem
    if isinstance(problem, MatMul) and problem.gram:
        return _turned(encoded, problem)
    encoder = encoded.scheme.encoder(encoded.layout, operand) if operand else encoded.encoder
    if not encoder.of_outputs:
        return encoder.data, encoder.masks
    if encoder.slices is not None:
        weights = encoder.data.reshape(len(encoder.data), -1, encoder.slices)
        encoder = replace(encoder, data=np.abs(weights).sum(axis=-1), slices=None)
    held = encoder.data != 0 if encoder.data.ndim == 2 else (encoder.data != 0).any(axis=-1)  # noqa: PLR2004 - of one prime
    blocks = np.argsort(~held, axis=1, kind="stable")[:, : int(held.sum(axis=1).max())]
    rows = np.zeros((*blocks.shape, *encoder.data.shape[1:]), dtype=encoder.data.dtype)
    np.put_along_axis(
        rows.reshape(*blocks.shape, held.shape[1], -1),
        blocks[..., None, None],
        np.take_along_axis(held, blocks, axis=1)[..., None, None],  # some may hold fewer
        axis=2,
    )
    rows = rows.reshape(-1, *encoder.data.shape[1:])
    return rows, np.zeros((len(rows), 0, *encoder.data.shape[2:]), dtype=rows.dtype)


def _turned(encoded: Encoded, problem: MatMul) -> tuple[NDArray[Any], NDArray[Any]]:
    """Of A, of which a worker holds two combinations: one of its blocks, one transposed."""
    m, p, _ = problem.partition
    left, right = (encoded.scheme.encoder(encoded.layout, operand).data for operand in (0, 1))
    alike = right.reshape(len(right), p, m, *right.shape[2:]).swapaxes(1, 2).reshape(left.shape)
    rows = np.stack([left, alike], axis=1).reshape(-1, *left.shape[1:])
    return rows, np.zeros((len(rows), 0, *left.shape[2:]), dtype=left.dtype)


def clearest(
    data: NDArray[Any], masks: NDArray[Any], size: int, pieces: int
) -> tuple[float, tuple[int, ...], int]:
    """The coalition whose view moves most as one block moves, and which block that is.

    The view moves by the square root of D_k^H (M M^H)^-1 D_k standard deviations of its noise for
    block k: the coalition would learn c log2(1 + that^2) bits of data of variance 1 that are that
    block alone. Noise of variance 1 has half of it in each part of a complex number: there it is
    sqrt(2) times as much.

    Args:
        data: D, ndarray (N r, K).
        masks: M, ndarray (N r, masks).
        size: T.
        pieces: r.

    Returns:
        By how much it moves, infinite where noise is missing; the coalition; the block.
    """
    half = 1.0 if np.iscomplexobj(data) or np.iscomplexobj(masks) else 2.0
    worst, who, which = -1.0, tuple(range(size)), 0
    for block in range(data.shape[1]):
        alone = data[:, block : block + 1]
        found = most_bits_learned(alone, masks, size, variance=1.0, pieces=pieces)
        if found.bound > worst:
            worst, who, which = found.bound, found.coalition, block
        if math.isinf(worst):
            return math.inf, who, which
    squared = math.expm1(half * worst * math.log(2.0))
    return math.sqrt(squared * (2.0 if half == 1.0 else 1.0)), who, which
