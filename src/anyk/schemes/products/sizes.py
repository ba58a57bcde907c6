"""How large factors and their products are, however large or small: root mean squares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.schemes.products.code import ProductCode

__all__ = ["Sizes", "column_sizes", "row_sizes", "size_of", "sparse_column_sizes"]

_MATRICES = 3  # axes of blocks that are matrices
_TINY = float(np.finfo(np.float64).tiny)  # below, numbers are as coarse as it
_LOW, _HIGH = 1e-140, 1e140  # between them, squares are numbers in full precision


@final
@dataclass(frozen=True, eq=False)
class Sizes:
    """How large the answers on shares are to be expected, and with them what rounding does.

    Args:
        answers: the root mean square of the entries of each share's answer if all terms were of
            independent signs, ndarray (shares,); at least that of numbers that bear the same
            rounding, where some are so small that they have fewer digits.
        terms: how many of them an entry is the sum of.
    """

    answers: NDArray[np.float64]
    terms: int = 1

    @classmethod
    def of(cls, code: ProductCode, left: NDArray[np.float64], right: NDArray[np.float64]) -> Sizes:
        """Of all shares.

        Args:
            code: of the shares.
            left: how large the columns of each block of A are, ndarray (blocks, inner): they may
                be of any scale.
            right: how large the rows of each block of B are, ndarray (blocks, inner).
        """
        high, deep = code.left.tiles
        inner = left.shape[1]
        masked = bool(code.left.masks.size or code.right.masks.size)
        mask = np.full((1, inner), float(masked))  # of variance 1
        between, unit = _between(np.concatenate([left, mask]), np.concatenate([right, mask]))
        of_left, of_right = (
            np.concatenate(
                [np.abs(own.data) ** 2, np.sum(np.abs(own.masks) ** 2, axis=1, keepdims=True)],
                axis=1,
            )
            for own in (code.left, code.right)
        )
        rows = of_left.reshape(code.shares, high, deep, -1).mean(axis=1)
        columns = of_right.reshape(code.shares, deep, code.right.tiles[1], -1).mean(axis=2)
        sizes = np.sqrt(np.sum(rows @ between * columns, axis=(1, 2)))
        terms = deep * inner
        with np.errstate(over="ignore"):
            answers = np.hypot(sizes * unit, np.where(sizes > 0.0, _TINY * math.sqrt(terms), 0.0))
        return cls(answers, terms)


def _between(
    left: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """The mean squares of the products of all blocks, and the root of what they are divided by."""
    left, right = (np.where(each > 0.0, np.maximum(each, _TINY), 0.0) for each in (left, right))
    scales = left.max(axis=0), right.max(axis=0)
    with np.errstate(over="ignore"):
        both = np.minimum(scales[0] * scales[1], np.finfo(np.float64).max)
    unit = float(both.max()) or 1.0
    one, other = (
        each / np.where(scale > 0.0, scale, 1.0)
        for each, scale in zip((left, right), scales, strict=True)
    )
    between: NDArray[np.float64] = (one * (both / unit)) ** 2 @ (other**2).T
    return between, unit


def column_sizes(blocks: NDArray[Any]) -> NDArray[np.float64]:
    """How large the columns of each block of A are; of a stack, those of all of its matrices.

    Args:
        blocks: ndarray (blocks, rows, columns), or (blocks, stack, rows, columns).

    Returns:
        float64 ndarray (blocks, columns).

    Example:
        >>> from anyk.schemes.products.sizes import column_sizes
        >>> (column_sizes(np.array([[[3e200, 0.0], [4e200, 0.0]]])) / 1e200).round(6).tolist()
        [[3.535534, 0.0]]
    """
    many, columns = len(blocks), blocks.shape[-1]
    return _along(blocks.reshape(many, -1, columns), 1)


def row_sizes(blocks: NDArray[Any]) -> NDArray[np.float64]:
    """How large the rows of each block of B are; of a stack, those of all of its matrices.

    Args:
        blocks: ndarray (blocks, rows), (blocks, rows, columns), or (blocks, stack, rows, columns).

    Returns:
        float64 ndarray (blocks, rows).
    """
    if blocks.ndim < _MATRICES:
        return np.asarray(np.abs(blocks))
    if blocks.ndim > _MATRICES:
        blocks = blocks.swapaxes(1, 2)
    return _along(blocks.reshape(*blocks.shape[:2], -1), 2)


def sparse_column_sizes(block: Any) -> NDArray[np.float64]:
    """How large the columns of a sparse matrix are, zeros counted.

    Args:
        block: of scipy.sparse, in rows.
    """
    rows, inner = block.shape
    sizes = np.abs(block.data).astype(np.float64)
    scale = np.zeros(inner)
    np.maximum.at(scale, block.indices, sizes)
    sizes /= np.where(scale > 0.0, scale, 1.0)[block.indices]
    squares = np.bincount(block.indices, sizes**2, minlength=inner) / rows
    return np.asarray(scale * np.sqrt(squares))


def size_of(array: NDArray[Any]) -> float:
    """The root mean square of all entries.

    Args:
        array: float64 or complex128 ndarray.

    Example:
        >>> from anyk.schemes.products.sizes import size_of
        >>> round(size_of(np.array([3e-200, 4e-200])) / 1e-200, 9)
        3.535533906
    """
    flat = np.ascontiguousarray(array).reshape(-1).view(np.float64)
    with np.errstate(over="ignore"):
        square = float(flat @ flat) / array.size
    if _LOW**2 < square < _HIGH**2:
        return math.sqrt(square)
    scale = max(float(flat.max(initial=0.0)), -float(flat.min(initial=0.0)))
    if scale == 0.0 or not math.isfinite(scale):
        return scale
    flat = flat / scale
    return scale * math.sqrt(float(flat @ flat) / array.size)


def _along(blocks: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """Root mean squares along an axis of three."""
    parts = (blocks.real, blocks.imag) if blocks.dtype.kind == "c" else (blocks,)
    kept = "bj" if axis == 1 else "bi"
    with np.errstate(over="ignore"):
        squares = sum(np.einsum(f"bij,bij->{kept}", part, part) for part in parts)
        squares = np.asarray(squares, dtype=np.float64) / blocks.shape[axis]
    sizes: NDArray[np.float64] = np.sqrt(squares)
    odd = np.flatnonzero(~((squares > _LOW**2) & (squares < _HIGH**2)).reshape(-1))
    if odd.size:
        block, place = np.unravel_index(odd, squares.shape)
        chosen = blocks[block, :, place] if axis == 1 else blocks[block, place]
        sizes[block, place] = [size_of(each) for each in chosen]
    return sizes
