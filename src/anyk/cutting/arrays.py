"""Rows of arrays and of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from anyk.cutting.rows import AbstractRows
from anyk.errors import InvalidArgument

__all__ = ["ArrayRows", "TensorRows", "stack"]


@final
@dataclass(frozen=True, eq=False)
class ArrayRows(AbstractRows):
    """An ndarray, along its first axis.

    Args:
        array: of at least one axis, of any dtype.

    Example:
        >>> from anyk.cutting.arrays import ArrayRows
        >>> ArrayRows(np.array([1, 2, 3])).stacked([2, 3])
        array([[1, 2],
               [3, 0]])
    """

    array: np.ndarray[Any, Any]

    @property
    def number(self) -> int:
        """How long the first axis is."""
        return len(self.array)

    def between(self, start: int, end: int) -> Any:
        """A view."""
        return self.array[start:end]

    def stacked(self, ends: Sequence[int]) -> Any:
        """An ndarray (K, rows, ...) of the same dtype; a view where no row lacks."""
        kind = _not_plain(self.array)
        if kind is not None:
            raise InvalidArgument(
                "X", given=f"{kind[0]}", needed="a plain ndarray for equal blocks", change=kind[1]
            )
        array = np.asarray(self.array)
        return stack(array, ends, lambda shape: np.zeros(shape, dtype=array.dtype))


@final
@dataclass(frozen=True, eq=False)
class TensorRows(AbstractRows):
    """A tensor of torch, along its first axis.

    Args:
        tensor: of at least one axis.
    """

    tensor: Any

    @property
    def number(self) -> int:
        """How long the first axis is."""
        return len(self.tensor)

    def between(self, start: int, end: int) -> Any:
        """A view."""
        return self.tensor[start:end]

    def stacked(self, ends: Sequence[int]) -> Any:
        """A tensor (K, rows, ...) of the same dtype; a view where no row lacks."""
        return stack(self.tensor, ends, self.tensor.new_zeros)


def stack(rows: Any, ends: Sequence[int], zeros: Callable[[tuple[int, ...]], Any]) -> Any:
    """Blocks of equal shape: an array of rows, cut, with zeros where a row lacks.

    Args:
        rows: an ndarray or a tensor.
        ends: of each block, the row after its last.
        zeros: makes one of a shape.
    """
    starts = (0, *ends[:-1])
    most = max(end - start for start, end in zip(starts, ends, strict=True))
    shape = (len(ends), most, *rows.shape[1:])
    if len(ends) * most == len(rows):
        return rows.reshape(shape)
    made = zeros(shape)
    for block, start, end in zip(made, starts, ends, strict=True):
        block[: end - start] = rows[start:end]
    return made


def _not_plain(array: Any) -> tuple[str, str] | None:
    """Which subclass of ndarray means more than its numbers, and what to do with it."""
    if isinstance(array, np.ma.MaskedArray):
        change = "Fill it in with .filled(...), or pass list(blocks) to anyk.map, which keeps it."
        return "a masked array", change
    if any(each.__module__.startswith("galois.") for each in type(array).__mro__):
        change = "Pass X.view(np.ndarray), to a scheme over field=anyk.PrimeField(p)."
        return "an array of galois", change
    return None
