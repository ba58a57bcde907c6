"""Shares under uniform masks: a large block is masked one span of its numbers after another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.kernel.product import modular_matmul, write_product
from anyk.domains.kernel.workspace import borrowed
from anyk.domains.prime import PrimeField
from anyk.randomness.entropy import AbstractSource
from anyk.randomness.masks import uniform_masks

__all__ = ["masked"]

_SPANS = 24  # of large blocks: so few that each is work enough, so many that one is little memory
_LEAST = 1 << 18  # numbers of blocks and masks, up to which they are joined at once


def masked(
    field: PrimeField,
    matrix: NDArray[np.int64],
    blocks: NDArray[np.int64],
    source: AbstractSource,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Shares [D | M]·[blocks; masks], with fresh masks, at rest: in the field's smallest type.

    Blocks and masks are joined a span after another, so that large ones do not lie in memory twice,
    nor shares in a larger type, and masks no longer than they are needed.

    Args:
        field: the field.
        matrix: [D | M], int64 ndarray (N, K + T); T may be 0.
        blocks: int64 ndarray (K, *shape) of residues.
        source: where the masks come from.
        out: where the shares are written, of which each row lies in one piece; None for new memory.

    Returns:
        ndarray (N, *shape).

    Example:
        >>> from anyk.randomness.entropy import SystemSource
        >>> from anyk.randomness.masked import masked
        >>> field, difference = anyk.PrimeField(7), np.array([[3, 1], [2, 1]])
        >>> shares = masked(field, difference, np.array([[0, 1, 2]]), SystemSource())
        >>> shares.dtype, field.matmul(np.array([1, -1]), shares)
        (dtype('uint8'), array([0, 1, 2]))
    """
    small, many, inner = field.residues(matrix, "matrix"), len(blocks), matrix.shape[1]
    masks, shape = inner - many, blocks.shape[1:]
    size = math.prod(shape)
    if out is None:
        out = np.empty((len(small), *shape), field.rest)
    given, written, axis = blocks, out, 1 + int(np.argmax(shape)) if shape else 1
    if blocks.flags.c_contiguous or not size:
        given, written, axis = blocks.reshape(many, size), out.reshape(len(small), size), 1
    spans = min(_SPANS, -(-max(inner, len(small)) * size // _LEAST))
    step = max(1, -(-given.shape[axis] // max(1, spans)))
    workspace = borrowed()
    for start in range(0, given.shape[axis], step):
        span = (*(slice(None),) * axis, slice(start, start + step))
        both = part = given[span]
        if masks:
            workspace.clear()
            both = workspace.array((inner, *part.shape[1:]), field.rest)
            both[:many] = part
            both[many:] = uniform_masks(field, (masks, *part.shape[1:]), source)
        big, here = both.reshape(inner, -1), written[span]
        if here.ndim == 2:  # noqa: PLR2004 - a matrix, into which the kernel can write
            write_product(small, big, field.modulus, here)
        else:
            here[...] = modular_matmul(small, big, field.modulus, out.dtype).reshape(here.shape)
    workspace.give_back()
    return out
