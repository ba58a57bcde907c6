"""Shares under uniform masks: a large block is masked one span of its numbers after another."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField
from anyk.randomness.entropy import AbstractSource
from anyk.randomness.masks import uniform_masks

__all__ = ["masked"]

_SPANS = 24  # of large blocks: so few that each is work enough, so many that one is little memory
_LEAST = 1 << 20  # numbers of blocks and masks, up to which they are joined at once


def masked(
    field: PrimeField,
    matrix: NDArray[np.int64],
    blocks: NDArray[np.int64],
    source: AbstractSource,
    out: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Shares [D | M]·[blocks; masks], with fresh masks.

    Blocks and masks are joined a span after another, so that large ones do not lie in memory twice,
    and masks no longer than they are needed.

    Args:
        field: the field.
        matrix: [D | M], int64 ndarray (N, K + T).
        blocks: int64 ndarray (K, *shape) of residues.
        source: where the masks come from.
        out: where the shares are written, of which each row lies in one piece; None for new memory.

    Returns:
        int64 ndarray (N, *shape).

    Example:
        >>> from anyk.randomness.entropy import SystemSource
        >>> from anyk.randomness.masked import masked
        >>> field, difference = anyk.PrimeField(7), np.array([[3, 1], [2, 1]])
        >>> first, second = masked(field, difference, np.array([[0, 1, 2]]), SystemSource())
        >>> field.reduce(first - second)
        array([0, 1, 2])
    """
    many, (rows, inner) = len(blocks), matrix.shape
    masks, shape = inner - many, blocks.shape[1:]
    size = math.prod(shape)
    spans = min(_SPANS, -(-inner * size // _LEAST)) if masks else 1
    if spans == 1:
        both = blocks
        if masks:
            both = np.concatenate([blocks, uniform_masks(field, (masks, *shape), source)])
        shares: NDArray[np.int64] = field.matmul(matrix, both)
        if out is None:
            return shares
        out[:] = shares
        return out
    if out is None:
        out = np.empty((rows, *shape), np.int64)
    given, written, axis = blocks, out, 1 + int(np.argmax(shape))
    if blocks.flags.c_contiguous:
        given, written, axis = blocks.reshape(many, size), out.reshape(rows, size), 1
    step = -(-given.shape[axis] // spans)
    for start in range(0, given.shape[axis], step):
        span = (*(slice(None),) * axis, slice(start, start + step))
        part = given[span]
        both = np.empty((inner, *part.shape[1:]), np.int64)
        both[:many] = part
        both[many:] = uniform_masks(field, (masks, *part.shape[1:]), source)
        written[span] = field.matmul(matrix, both)
    return out
