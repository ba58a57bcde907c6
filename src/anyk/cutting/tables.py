"""Rows of data frames, of sparse matrices and of lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from anyk.cutting.arrays import ArrayRows
from anyk.cutting.rows import AbstractRows
from anyk.errors import InvalidArgument

__all__ = ["FrameRows", "ListRows", "SparseRows"]

_EXACT = 1 << 53  # integers that float64 tells apart
_MAP = "Pass list(blocks) to anyk.map, which takes them as they are"


@final
@dataclass(frozen=True, eq=False)
class FrameRows(AbstractRows):
    """A DataFrame or a Series of pandas.

    Args:
        frame: with any index, which its rows keep.
    """

    frame: Any

    @property
    def number(self) -> int:
        """How many rows it has."""
        return len(self.frame)

    def between(self, start: int, end: int) -> Any:
        """A frame of the rows, by their places."""
        return self.frame.iloc[start:end]

    def stacked(self, ends: Sequence[int]) -> Any:
        """An ndarray (K, rows, columns) of one dtype that holds all columns, without the index."""
        array = self.frame.to_numpy()
        if array.dtype.kind not in "biufc":
            raise InvalidArgument(
                "X",
                given=f"a {type(self.frame).__name__} whose columns go together as {array.dtype}",
                needed="columns of numbers, none of them missing, for equal blocks",
                change=f"{_MAP}; or choose and convert columns: X[names].astype(float).",
            )
        if array.dtype.kind in "fc" and any(map(_too_long, self._columns())):
            raise InvalidArgument(
                "X",
                given="integers of more than 53 bits beside columns of floats",
                needed="columns that one dtype holds exactly",
                change=f"{_MAP}; or cut the columns of integers on their own.",
            )
        return ArrayRows(array).stacked(ends)

    def _columns(self) -> list[Any]:
        if not hasattr(self.frame, "columns"):
            return [self.frame]
        return [self.frame.iloc[:, place] for place in range(len(self.frame.columns))]


def _too_long(column: Any) -> bool:
    """Whether a column has an integer that float64 does not hold."""
    return column.dtype.kind in "iu" and bool(column.max() > _EXACT or column.min() < -_EXACT)


@final
@dataclass(frozen=True, eq=False)
class SparseRows(AbstractRows):
    """A sparse matrix of scipy.

    Args:
        matrix: of two axes, of any format.
    """

    matrix: Any

    @property
    def number(self) -> int:
        """How many rows it has."""
        return int(self.matrix.shape[0])

    def between(self, start: int, end: int) -> Any:
        """A sparse matrix of the rows, in the format of all."""
        return self.matrix.tocsr()[start:end].asformat(self.matrix.format)

    def stacked(self, ends: Sequence[int]) -> Any:  # noqa: ARG002 - there are none
        """None: blocks of a code are dense."""
        raise InvalidArgument(
            "X",
            given=f"a {type(self.matrix).__name__} of shape {self.matrix.shape}",
            needed="an ndarray, as combinations of sparse blocks are not sparse",
            change=f"{_MAP}; or pass X.toarray(). To multiply it, see anyk.matmul, anyk.Sparse.",
        )


@final
@dataclass(frozen=True, eq=False)
class ListRows(AbstractRows):
    """A list or a tuple.

    Args:
        items: of any types.
    """

    items: Sequence[Any]

    @property
    def number(self) -> int:
        """How many items it has."""
        return len(self.items)

    def between(self, start: int, end: int) -> Any:
        """A list or a tuple of them."""
        return self.items[start:end]

    def stacked(self, ends: Sequence[int]) -> Any:
        """An ndarray (K, items, ...), if they make one of numbers."""
        try:
            array = np.asarray(self.items)
        except ValueError:  # they are of different shapes
            array = np.empty(0, dtype=object)
        if array.dtype.kind not in "biufc":
            raise InvalidArgument(
                "X",
                given=f"a list of {len(self.items)} items that are no numbers of one shape",
                needed="numbers, for equal blocks",
                change=f"{_MAP}.",
            )
        return ArrayRows(array).stacked(ends)
