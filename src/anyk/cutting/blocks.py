"""`blocks`: data in K parts, for a scheme or for `anyk.map`, and their values as one again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, SupportsIndex, final, overload

import numpy as np

from anyk.checks import MOST, count, shown
from anyk.cutting.arrays import ArrayRows, TensorRows
from anyk.cutting.joining import joined
from anyk.cutting.rows import AbstractRows
from anyk.cutting.tables import FrameRows, ListRows, SparseRows
from anyk.errors import InvalidArgument

__all__ = ["Blocks", "blocks"]


@final
class Blocks(Sequence[Any]):
    """Data in K blocks of neighbouring rows, made by `anyk.blocks`: a sequence of them.

    Args:
        rows: the data.
        ends: of each block, the row after its last.

    Example:
        >>> cut = anyk.blocks(np.arange(7), 3)
        >>> cut, cut[2]
        (<Blocks: 3 of 3, 2, 2 rows>, array([5, 6]))
    """

    def __init__(self, rows: AbstractRows, ends: Sequence[int]) -> None:
        self._data, self._ends = rows, tuple(ends)

    @property
    def rows(self) -> tuple[int, ...]:
        """How many rows each block has: they differ by one at most."""
        return tuple(end - start for start, end in pairwise((0, *self._ends)))

    @property
    def stacked(self) -> Any:
        """The blocks as a scheme takes them: along a first axis, all of them equally long.

        Where K does not divide the rows, a row of zeros ends the shorter blocks. A function of a
        whole block sees it: sums and products x.T @ x are not changed by it, means are.

        Returns:
            ndarray (K, rows, ...) of the data's dtype; of tensors, a tensor.

        Raises:
            InvalidArgument: if no array of numbers holds them, or not without losing something.
        """
        return self._data.stacked(self._ends)

    def join(self, values: Any) -> Any:
        """Values of the blocks as one, row by row, without what was computed of padding.

        Args:
            values: `outcome.value`, of a run on `stacked` or of a map of the blocks.

        Returns:
            What holds a value for each row of the data: an ndarray, a tensor, a frame, a sparse
            matrix or a list, as the values are.

        Raises:
            InvalidArgument: if a block has no value, or its value is not one for each row.

        Example:
            >>> cut = anyk.blocks(np.arange(7), 3)
            >>> cut.join(anyk.map(np.negative, cut, anyk.Inline(2)).value)
            array([ 0, -1, -2, -3, -4, -5, -6])
        """
        try:
            given = list(values)
        except TypeError:
            given = []
        missing = [at for at, value in enumerate(given) if value is None]
        if len(given) != len(self) or missing:
            which = ", ".join(map(str, missing))
            raise InvalidArgument(
                "values",
                given=f"none for blocks {which}" if missing else shown(values),
                needed=f"a value for each of {len(self)} blocks",
                change="Pass outcome.value of a run or a map of all of them.",
            )
        return joined(given, self.rows)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, block: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, block: slice) -> list[Any]: ...
    def __getitem__(self, block: SupportsIndex | slice) -> Any:
        if isinstance(block, slice):
            return [self[at] for at in range(len(self))[block]]
        at = range(len(self))[block]
        return self._data.between(self._ends[at] - self.rows[at], self._ends[at])

    def __iter__(self) -> Iterator[Any]:
        return (self[at] for at in range(len(self)))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        """What numpy makes of it: `stacked`; so a scheme takes the blocks themselves, too."""
        return np.array(self.stacked, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        told = ", ".join(map(str, self.rows[:4])) + (", .." if len(self) > 4 else "")  # noqa: PLR2004
        return f"<Blocks: {len(self)} of {told} rows>"


def blocks(X: Any, K: SupportsIndex) -> Blocks:
    """Cut data in K blocks of neighbouring rows, as equal as can be.

    They are a sequence, for `anyk.map`: of frames, arrays, lists, each of the type of X.
    `.stacked` are blocks of one shape, for a scheme. `.join(outcome.value)` puts values of rows
    together again, without those of padding.

    Args:
        X: ndarray or tensor, cut along its first axis; DataFrame or Series; sparse matrix of scipy;
            list or tuple.
        K: how many blocks; at most as many as there are rows.

    Raises:
        InvalidArgument: if X has no rows, or fewer than K.

    Example:
        >>> X = np.arange(10.0).reshape(5, 2)
        >>> cut = anyk.blocks(X, 2)
        >>> with anyk.Threads(4) as executor:
        ...     scheme = anyk.Replication(blocks=2, workers=4)
        ...     outcome = anyk.run(scheme, lambda block: block.sum(axis=1), cut.stacked, executor)
        >>> outcome.value                             # a row of zeros was added to five
        array([[ 1.,  5.,  9.],
               [13., 17.,  0.]])
        >>> cut.join(outcome.value)
        array([ 1.,  5.,  9., 13., 17.])
    """
    rows = _rows(X)
    number = count("K", K, least=1, most=MOST)
    if number > rows.number:
        raise InvalidArgument(
            "K",
            given=f"{number}, of {rows.number} rows",
            needed="at least a row for each block",
            change="Lower it.",
        )
    short, longer = divmod(rows.number, number)
    return Blocks(rows, [short * at + min(at, longer) for at in range(1, number + 1)])


def _rows(X: Any) -> AbstractRows:
    packages = {each.__module__.partition(".")[0] for each in type(X).__mro__}
    if isinstance(X, (list, tuple)):
        return ListRows(X)
    if isinstance(X, np.ndarray) and X.ndim > 0:
        return ArrayRows(X)
    if "torch" in packages and hasattr(X, "new_zeros") and X.ndim > 0:
        return TensorRows(X)
    if "pandas" in packages and hasattr(X, "iloc"):
        return FrameRows(X)
    if "scipy" in packages and hasattr(X, "tocsr") and len(X.shape) > 1:
        return SparseRows(X)
    raise InvalidArgument(
        "X",
        given=shown(X),
        needed="rows: an array, a tensor, a frame, a sparse matrix of scipy, or a list",
        change="Pass list(X) or np.asarray(X); partitions of dask are blocks already.",
    )
