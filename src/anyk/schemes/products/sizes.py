"""How large answers are to be expected, by the sizes of both factors: rounding is a share of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.schemes.products.code import ProductCode

__all__ = ["Sizes", "mean_squares"]

_MATRICES = 3  # axes of blocks that are matrices


@final
@dataclass(frozen=True, eq=False)
class Sizes:
    """How large the answers on shares are to be expected, and with them what rounding does.

    Args:
        answers: the root mean square of the entries of each share's answer if all terms were of
            independent signs, ndarray (shares,).
        terms: how many of them an entry is the sum of.
    """

    answers: NDArray[np.float64]
    terms: int = 1

    @classmethod
    def of(cls, code: ProductCode, left: NDArray[np.float64], right: NDArray[np.float64]) -> Sizes:
        """Of all shares.

        Args:
            code: of the shares.
            left: of each block of A the mean squares of the entries in each column, ndarray
                (blocks, inner): columns may be of any scale.
            right: of each block of B those in each row, ndarray (blocks, inner).
        """
        high, deep = code.left.tiles
        one = np.ones((1, left.shape[1]))  # masks, of variance 1
        between = np.concatenate([left, one]) @ np.concatenate([right, one]).T
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
        return cls(sizes, terms=deep * left.shape[1])


def mean_squares(blocks: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """The mean squares along an axis of each block; of a vector, its squares.

    Args:
        blocks: ndarray (blocks, rows, columns); (blocks, rows) of a vector; (blocks, stack, rows,
            columns) where each is a stack.
        axis: 1 for those of each column, 2 for those of each row.

    Returns:
        ndarray (blocks, columns) or (blocks, rows).
    """
    if blocks.ndim <= axis:
        return np.asarray(np.abs(blocks) ** 2)
    if blocks.ndim > _MATRICES:  # below each other, or side by side
        if axis == 2:  # noqa: PLR2004 - rows
            blocks = blocks.swapaxes(1, 2)
        many, first, second, third = blocks.shape
        shape = (first * second, third) if axis == 1 else (first, second * third)
        blocks = blocks.reshape(many, *shape)
    parts = (blocks.real, blocks.imag) if blocks.dtype.kind == "c" else (blocks,)
    kept = "bj" if axis == 1 else "bi"
    squares = sum(np.einsum(f"bij,bij->{kept}", part, part) for part in parts)
    return np.asarray(squares / blocks.shape[axis])
