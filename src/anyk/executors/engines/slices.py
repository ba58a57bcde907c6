"""A large share in slices: an engine that copies what it sends copies one slice at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.executors.core.placements import Parts

__all__ = ["Slice", "Slices", "sliced"]

_SMALL = 1 << 20  # bytes up to which a share travels in one piece, with the first task on it
_SLICES = 24  # of a large share: so few that a message each is no time, so many that few copies do


@final
@dataclass(frozen=True, eq=False, repr=False)
class Slice:
    """Some of the numbers of one part of a share.

    Args:
        key: of the placement.
        layout: (shape, dtype) of each part.
        part: which part they are of.
        start: place of the first of these numbers in the share, its parts and axes laid end to end.
        numbers: the numbers, (n,).
    """

    key: int
    layout: tuple[tuple[tuple[int, ...], str], ...]
    part: int
    start: int
    numbers: NDArray[Any]


def sliced(key: int, parts: Parts) -> Iterator[Slice]:
    """The slices of a share, in order; none if it is small.

    Args:
        key: of the placement.
        parts: of the share.

    Example:
        >>> from anyk.executors.engines.slices import sliced
        >>> len(list(sliced(7, (np.zeros((1, 3 << 20)),))))
        24
        >>> list(sliced(7, (np.zeros(3),)))
        []
    """
    total = sum(part.nbytes for part in parts)
    if total <= _SMALL:
        return
    layout = tuple((part.shape, part.dtype.str) for part in parts)
    before = 0
    for place, part in enumerate(parts):
        flat = part.reshape(-1)
        step = max(_SMALL, -(-total // _SLICES)) // part.itemsize
        for start in range(0, flat.size, step):
            yield Slice(key, layout, place, before + start, flat[start : start + step])
        before += flat.size


@final
class Slices:
    """What a worker makes of the slices of one share.

    Args:
        layout: as in each slice.

    Example:
        >>> from anyk.executors.engines.slices import Slices, sliced
        >>> share = np.arange(300_000.0)
        >>> first, *others = sliced(7, (share,))
        >>> slices = Slices(first.layout)
        >>> all(slices.add(each) for each in (first, *others)), slices.complete
        (True, True)
        >>> bool((slices.parts[0] == share).all())
        True
    """

    def __init__(self, layout: tuple[tuple[tuple[int, ...], str], ...]) -> None:
        self.parts: Parts = tuple(np.empty(shape, dtype) for shape, dtype in layout)
        self._there = 0

    @property
    def complete(self) -> bool:
        """Whether all slices are there."""
        return self._there == sum(part.size for part in self.parts)

    def add(self, piece: Slice) -> bool:
        """Put the next slice where it belongs; whether it is the next one."""
        if self._there != piece.start:
            return False
        start = piece.start - sum(part.size for part in self.parts[: piece.part])
        self.parts[piece.part].reshape(-1)[start : start + len(piece.numbers)] = piece.numbers
        self._there += len(piece.numbers)
        return True
