"""Columns of shares on their way to a worker, and shares that grow by them until they are whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn, final

import numpy as np
from numpy.typing import NDArray

from anyk.errors import ExecutorError, InvalidArgument

__all__ = [
    "LOST",
    "UNKNOWN",
    "Columns",
    "Growing",
    "Outline",
    "check_whole",
    "width_of",
]

UNKNOWN = -1
"""The number of columns, where nobody knows it before the last slab has come."""

LOST = (
    "the worker has lost its share, or never had all of it: it came in slabs, and is kept nowhere "
    "else; distribute the data again"
)
"""Why a worker that was replaced does not answer on shares that came in slabs."""


@final
@dataclass(frozen=True, eq=False)
class Outline:
    """What is known of one part of all shares, or of some, while the numbers lie elsewhere.

    It stands where the array of the part would: it has its shape and dtype, and no numbers.

    Args:
        shape: (shares, *shape) of the whole part, `UNKNOWN` along the axis while that is so.
        dtype: of its numbers.
        axis: along which columns are added; None where the first slab brings the whole part.

    Example:
        >>> from anyk.executors.core.columns import Outline
        >>> outline = Outline((4, 1000, 3), np.dtype(np.int64), axis=1)
        >>> len(outline), outline.size, outline.rows(2, 4).shape
        (4, 12000, (2, 1000, 3))
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axis: int | None

    @property
    def ndim(self) -> int:
        """How many axes the part has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers the part has."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    @property
    def nbytes(self) -> int:
        """How many bytes its numbers take."""
        return self.size * self.dtype.itemsize

    def rows(self, start: int, stop: int) -> Outline:
        """The same of some of the shares."""
        kept = range(len(self))[start:stop]
        return replace(self, shape=(len(kept), *self.shape[1:]))

    def of(self, columns: int) -> Outline:
        """The same, with so many columns in all."""
        if self.axis is None:
            return self
        shape = *self.shape[: self.axis], columns, *self.shape[self.axis + 1 :]
        return replace(self, shape=shape)

    def astype(self, *_: object, **__: object) -> NoReturn:
        """Not without the numbers.

        Raises:
            ExecutorError: that they are not here.
        """
        raise ExecutorError(
            "the shares of data that were distributed in slabs lie on the workers, and nowhere "
            "else: run a function on them there."
        )

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, *_: object, **__: object) -> NoReturn:
        self.astype()

    def __getitem__(self, _: object) -> NoReturn:
        self.astype()


@final
@dataclass(frozen=True, eq=False, repr=False)
class Columns:
    """The next columns of one worker's shares, on their way to it.

    Args:
        key: of the placement.
        outlines: of the parts of the worker's shares.
        start: how many columns came before.
        parts: of the shares, these columns alone; no array for a part that is there already.
        last: whether the shares are whole now. Then there are no columns in it.
    """

    key: int
    outlines: tuple[Outline, ...]
    start: int
    parts: tuple[NDArray[Any] | None, ...]
    last: bool = False


@final
class Growing:
    """Shares to which columns are added until they are whole.

    Where the number of columns is known, they are written where they belong. Where it is not, they
    are kept, and joined share by share in the end: one share takes its memory twice for a moment.

    Args:
        outlines: of the parts.

    Example:
        >>> from anyk.executors.core.columns import UNKNOWN, Growing, Outline
        >>> growing = Growing([Outline((2, UNKNOWN), np.dtype(np.int64), axis=1)])
        >>> growing.add(0, [np.array([[1], [3]])]), growing.add(1, [np.array([[2], [4]])])
        (True, True)
        >>> growing.whole()
        (array([[1, 2],
               [3, 4]]),)
    """

    def __init__(self, outlines: Sequence[Outline]) -> None:
        self._outlines = tuple(outlines)
        self._columns = 0
        self._pieces: list[list[list[NDArray[Any]]]] = [
            [[] for _ in range(len(each) if UNKNOWN in each.shape else 0)] for each in outlines
        ]
        self._whole = [
            np.empty(each.shape, each.dtype) if UNKNOWN not in each.shape else None
            for each in outlines
        ]

    def add(self, start: int, parts: Sequence[NDArray[Any] | None]) -> bool:
        """Add columns; whether these are the next ones. The arrays are copied."""
        if start != self._columns:
            return False
        width = 0
        for place, (outline, part) in enumerate(zip(self._outlines, parts, strict=True)):
            if part is None:
                continue
            whole, axis = self._whole[place], outline.axis
            width = width if axis is None else part.shape[axis]
            if whole is None:
                for row, pieces in zip(part, self._pieces[place], strict=True):
                    pieces.append(np.array(row, order="C"))
            elif axis is None:
                whole[...] = part
            else:
                whole[(*(slice(None),) * axis, slice(start, start + width))] = part
        self._columns += width
        return True

    def whole(self) -> tuple[NDArray[Any], ...]:
        """The parts of the shares, when the last columns are there."""
        return tuple(self._joined(place) for place in range(len(self._outlines)))

    def _joined(self, place: int) -> NDArray[Any]:
        whole = self._whole[place]
        if whole is not None:
            return whole
        outline, pieces = self._outlines[place].of(self._columns), self._pieces[place]
        joined = np.empty(outline.shape, outline.dtype)
        for row in joined:
            np.concatenate(pieces.pop(0), axis=outline.axis - 1, out=row)  # type: ignore[operator]
        return joined


def width_of(outlines: Sequence[Outline], parts: Sequence[NDArray[Any]], before: int) -> int:
    """How many columns these parts bring.

    Args:
        outlines: of the parts of all shares.
        parts: the next columns of each.
        before: how many columns came before.

    Raises:
        InvalidArgument: if they are no columns of such shares, or too many.
    """
    widths = set()
    for outline, part in zip(outlines, parts, strict=True):
        axis = outline.axis
        if axis is not None:
            width = part.shape[axis] if part.ndim > axis else 0
            most = outline.shape[axis]
            widths.add(width)
            outline = replace(outline, shape=outline.of(width).shape)  # noqa: PLW2901 - of these
            if not width or (most != UNKNOWN and before + width > most):
                raise _misfits(part, f"1 to {most - before} columns more" if most >= 0 else "some")
        if part.shape != outline.shape or part.dtype != outline.dtype:
            raise _misfits(part, f"shape {outline.shape}, {outline.dtype}")
    if len(widths) != 1:
        raise _misfits(parts[0], "the same number of columns in each part")
    return widths.pop()


def check_whole(outlines: Sequence[Outline], columns: int) -> None:
    """Refuse shares that lack columns.

    Args:
        outlines: of the parts of all shares.
        columns: how many came.

    Raises:
        InvalidArgument: if these are too few.
    """
    wanted = {each.shape[each.axis] for each in outlines if each.axis is not None}
    if not columns or wanted - {UNKNOWN, columns}:
        raise InvalidArgument(
            "X",
            given=f"slabs of {columns} columns in all",
            needed=f"{max(wanted)}" if max(wanted) > 0 else "one column or more",
            change="Yield every slab of the data.",
        )


def _misfits(part: NDArray[Any], needed: str) -> InvalidArgument:
    return InvalidArgument(
        "parts",
        given=f"columns of shape {part.shape}, {part.dtype}",
        needed=needed,
        change="Encode all slabs with one scheme, at one layout.",
    )
