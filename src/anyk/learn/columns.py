"""Sparse tables as dense columns, some at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["column_blocks"]

_NUMBERS = 1 << 22  # in one block, 32 MiB


def column_blocks(table: Any) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """A dense table as it is; of a sparse one, some columns after the others.

    Args:
        table: float64 ndarray or scipy's sparse matrix or array (rows, columns).

    Yields:
        Which columns, and these, float64 ndarray (rows, some).

    Example:
        >>> from scipy import sparse
        >>> from anyk.learn.columns import column_blocks
        >>> [block.shape for _, block in column_blocks(sparse.eye(3))]
        [(3, 3)]
    """
    if isinstance(table, np.ndarray):
        yield slice(None), table
        return
    by_column = table.tocsc()
    rows, columns = by_column.shape
    width = max(1, _NUMBERS // rows)
    for first in range(0, columns, width):
        chosen = slice(first, min(first + width, columns))
        yield chosen, by_column[:, chosen].toarray(order="C")
