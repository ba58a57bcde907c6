"""Shares that come to a remote worker in slabs, each looked at before there is room made for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from numpy.typing import NDArray

from anyk.connections.broken import BrokenAnswer
from anyk.executors.core.columns import UNKNOWN, Columns, Growing, Outline
from anyk.executors.core.placements import Parts
from anyk.executors.remote.arguments import sendable
from anyk.executors.remote.frames import Spec, parse_specs, size_of, specs_of

__all__ = ["BESIDE", "Slabs", "fill_request"]

BESIDE = 1 << 10
"""Bytes that a share, and each array of it, is counted beside its numbers."""


def fill_request(columns: Columns, serial: int) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """What a worker is told of columns, and their arrays as they travel.

    Args:
        columns: of its shares.
        serial: of the request.

    Example:
        >>> from anyk.executors.core.columns import UNKNOWN, Columns, Outline
        >>> from anyk.executors.remote.slabs import fill_request
        >>> outline = Outline((1, UNKNOWN), np.dtype(float), axis=1)
        >>> header, arrays = fill_request(Columns(7, (outline,), 0, (np.ones((1, 2)),)), 41)
        >>> header["outlines"], header["arrays"]
        ([['<f8', [1, -1], 1]], [['<f8', [1, 2]]])
    """
    parts = columns.parts
    arrays = [sendable(part, "parts") for part in parts if part is not None]
    first = not (columns.start or columns.last)
    outlines = [
        [each.dtype.newbyteorder("<").str, list(each.shape), each.axis] for each in columns.outlines
    ]
    return {
        "verb": "fill",
        "key": columns.key,
        "serial": serial,
        "outlines": outlines if first else None,
        "start": columns.start,
        "places": [place for place, part in enumerate(parts) if part is not None],
        "last": columns.last,
        "arrays": specs_of(arrays),
    }, arrays


def _parse(given: object) -> tuple[Outline, ...]:
    """The other direction, of a header that anybody may have written."""
    if not isinstance(given, list) or not given:
        raise BrokenAnswer("its outlines are no list")
    outlines = []
    for each in given:
        if not isinstance(each, list) or len(each) != 3:  # noqa: PLR2004 - dtype, shape and axis
            raise BrokenAnswer("an outline of it has no dtype, shape and axis")
        name, shape, axis = each
        if axis is not None and (
            type(axis) is not int or not isinstance(shape, list) or not 0 < axis < len(shape)
        ):
            raise BrokenAnswer("an outline of it has an axis that is none")
        known = shape
        if axis is not None and type(shape[axis]) is int and shape[axis] == UNKNOWN:
            known = [*shape[:axis], 0, *shape[axis + 1 :]]
        ((dtype, sizes),) = parse_specs([[name, known]])
        if not sizes or not sizes[0]:
            raise BrokenAnswer("an outline of it has no shares")
        outlines.append(Outline(tuple(shape), dtype, axis))
    if len({len(each) for each in outlines}) != 1 or all(each.axis is None for each in outlines):
        raise BrokenAnswer("its outlines are none of shares that grow")
    return tuple(outlines)


@final
class Slabs:
    """Shares on their way, and what memory they count for.

    Args:
        outlines: as a header says them.

    Raises:
        BrokenAnswer: if it says none.

    Example:
        >>> from anyk.executors.remote.slabs import Slabs
        >>> slabs = Slabs([["<f8", [1, -1], 1]])
        >>> slabs.growth([(np.dtype(float), (1, 2))], [0], 0)
        1040
        >>> slabs.add(0, [0], [np.ones((1, 2))])
        >>> slabs.whole()
        (array([[1., 1.]]),)
    """

    def __init__(self, outlines: object) -> None:
        self._outlines = _parse(outlines)
        self._growing: Growing | None = None
        self._columns = 0
        self.room = BESIDE * (1 + len(self._outlines)) + sum(
            each.nbytes for each in self._outlines if UNKNOWN not in each.shape
        )
        """Bytes that count for these shares so far."""

    @property
    def most_of_one(self) -> int:
        """Bytes of one share of a part, which is there twice while slabs are joined."""
        return max(each.of(self._columns).nbytes // len(each) for each in self._outlines)

    def growth(self, specs: Sequence[Spec], places: object, start: object) -> int:
        """By how many bytes the next columns add to the room.

        Args:
            specs: of their arrays.
            places: the part that each is of.
            start: how many columns came before.

        Raises:
            BrokenAnswer: if these are not the next columns.
        """
        if not isinstance(places, list) or [type(place) for place in places] != [int] * len(specs):
            raise BrokenAnswer("of what its columns are is not said")
        wanted = [
            place
            for place, outline in enumerate(self._outlines)
            if outline.axis is not None or not self._columns
        ]
        if places != wanted or type(start) is not int or start != self._columns:
            raise BrokenAnswer("its columns are not the next ones")
        widths, more = set(), 0
        for place, (dtype, shape) in zip(places, specs, strict=True):
            outline = self._outlines[place]
            axis = outline.axis
            width = shape[axis] if axis is not None and axis < len(shape) else 0
            if axis is not None:
                widths.add(width)
                most = outline.shape[axis]
                if not width or (most != UNKNOWN and start + width > most):
                    raise BrokenAnswer("its columns are none, or too many")
            if shape != outline.of(width).shape or dtype != outline.dtype:
                raise BrokenAnswer("its columns do not fit")
            if UNKNOWN in outline.shape:
                more += size_of([(dtype, shape)]) + BESIDE * len(outline)
        if len(widths) != 1:
            raise BrokenAnswer("its columns are not as many in each part")
        return more

    def add(self, start: int, places: Sequence[int], arrays: Sequence[NDArray[Any]]) -> None:
        """Add columns that `growth` has looked at."""
        if self._growing is None:
            self._growing = Growing(self._outlines)
        parts: list[NDArray[Any] | None] = [None] * len(self._outlines)
        for place, array in zip(places, arrays, strict=True):
            parts[place] = array
            axis = self._outlines[place].axis
            if axis is not None:
                self._columns = start + array.shape[axis]
        self._growing.add(start, parts)

    def whole(self) -> Parts:
        """The shares, when the last columns are there.

        Raises:
            BrokenAnswer: if some are not.
        """
        known = {each.shape[each.axis] for each in self._outlines if each.axis is not None}
        if self._growing is None or known - {UNKNOWN, self._columns}:
            raise BrokenAnswer("its shares lack columns")
        return self._growing.whole()
