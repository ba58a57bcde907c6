"""Factors of shares, as checks take them."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from anyk.errors import InvalidArgument

__all__ = ["Left", "left_shape", "right_of"]

Left = NDArray[Any] | tuple[Any, ...]
"""The left factors of all shares: an ndarray, or one csr_array a share."""

_VECTORS, _MATRICES = 2, 3


def left_shape(left: Left) -> tuple[int, int, int]:
    """(shares, rows, inner) of left factors.

    Args:
        left: ndarray, or sparse matrices of one shape.

    Raises:
        InvalidArgument: if they are no matrices, or empty.
    """
    if isinstance(left, tuple):
        return len(left), *left[0].shape
    if left.ndim != _MATRICES or not left.size:
        raise InvalidArgument(
            "left",
            given=f"shape {left.shape}",
            needed="(shares, rows, inner), none of them 0",
            change="Stack the left factors of all shares.",
        )
    shares, rows, inner = left.shape
    return shares, rows, inner


def right_of(right: NDArray[Any], shares: int, inner: int) -> NDArray[Any]:
    """Right factors of shares, as they are.

    Raises:
        InvalidArgument: if they are no matrices or vectors that fit.
    """
    fits = right.ndim in (_VECTORS, _MATRICES) and right.shape[0] in (1, shares)
    if not fits or right.shape[1] != inner:
        raise InvalidArgument(
            "right",
            given=f"shape {right.shape}",
            needed=f"({shares}, {inner}, columns) or ({shares}, {inner}); 1 in place of {shares} "
            "where one is for all",
            change="Stack the right factors of all shares.",
        )
    return right
