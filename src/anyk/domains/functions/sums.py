"""Sums of field elements, as numpy has them: along axes, running, of diagonals, differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anyk.domains.functions.inside import concatenated, made, memory_of, moved, spread, wrapped
from anyk.errors import InvalidArgument

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = ["add_all", "cumulative_sum", "differences", "neighbours", "trace", "trace_of_last"]

_MOST_TERMS = 1 << 32


def _few(x: FieldArray) -> None:
    if x.size >= _MOST_TERMS:
        raise InvalidArgument(
            "sum",
            given=f"{x.size} terms",
            needed="fewer than 2**32, whose sum int64 holds",
            change="Sum parts, then the sums.",
        )


def add_all(x: FieldArray, axis: Any = None, *, keepdims: bool = False) -> FieldArray:
    """`np.sum`.

    Args:
        x: the terms.
        axis: along which; all by default.
        keepdims: whether summed axes stay, with length 1.
    """
    _few(x)
    total = np.asarray(np.sum(memory_of(x), axis=axis, dtype=np.int64, keepdims=keepdims))
    extent = x.extent
    if extent is not None and extent.bound is not None:
        extent = extent.summed(x.size // total.size if total.size else 0)
    return made(x, x.field.reduce(total), extent)


def cumulative_sum(x: FieldArray, axis: Any = None) -> FieldArray:
    """`np.cumsum`.

    Args:
        x: the terms.
        axis: along which; of all elements in a row by default.
    """
    _few(x)
    totals = np.cumsum(memory_of(x), axis=axis, dtype=np.int64)
    extent = x.extent
    if extent is not None and extent.bound is not None:
        extent = extent.summed(x.size if axis is None else x.shape[axis])
    return made(x, x.field.reduce(totals), extent)


def trace(x: FieldArray, offset: int = 0, axis1: int = 0, axis2: int = 1) -> FieldArray:
    """`np.trace`.

    Args:
        x: matrices.
        offset: of the diagonal.
        axis1: first axis of the matrices.
        axis2: second axis of the matrices.
    """
    return add_all(x.seen(np.diagonal(memory_of(x), offset, axis1, axis2)), axis=-1)


def trace_of_last(x: FieldArray, *, offset: int = 0) -> FieldArray:
    """`np.linalg.trace`, of the last two axes.

    Args:
        x: matrices.
        offset: of the diagonal.
    """
    return trace(x, offset, -2, -1)


def differences(
    x: FieldArray, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None
) -> FieldArray:
    """`np.diff`.

    Args:
        x: the numbers, or their neighbours' source.
        n: how often.
        axis: along which.
        prepend: what stands before them; a number, or an array.
        append: what stands after them.

    Raises:
        InvalidArgument: if n is below 0.
    """
    pieces = [x]
    for end, at_front in ((prepend, True), (append, False)):
        if end is not None:
            piece = wrapped(x, end)
            if not piece.ndim:
                shape = list(x.shape)
                shape[axis] = 1
                piece = spread(piece, tuple(shape))
            pieces.insert(0 if at_front else len(pieces), piece)
    result = concatenated(pieces, axis) if len(pieces) > 1 else +x
    if n < 0:
        raise InvalidArgument("n", given=str(n), needed="at least 0", change="Raise it.")
    for _ in range(n):
        along = moved(result, axis, 0)
        result = moved(along[1:] - along[:-1], 0, axis)
    return result


def neighbours(x: FieldArray) -> FieldArray:
    """`np.ediff1d`.

    Args:
        x: numbers, taken in a row.
    """
    return differences(x.reshape(-1))
