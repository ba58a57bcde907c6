"""Columns of a share that its worker makes itself, of what lies elsewhere in its cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, final

import numpy as np
from numpy.typing import NDArray

from anyk.connections.broken import BrokenAnswer
from anyk.errors import ExecutorError
from anyk.executors.core.broadcast import unwrapped
from anyk.executors.core.columns import Columns, Outline

__all__ = ["MakeColumns", "report_of", "shape_made"]


@final
@dataclass(frozen=True, eq=False)
class MakeColumns:
    """A task that adds columns to the share of a placement that was begun without parts.

    Dispatched like any other, with arguments that an engine brings from where they lie, such as
    futures of Dask's or references of Ray's. The answer says what was made, and has no data in it.

    Args:
        make: of the arguments, the columns (w, *rest) of the share.
        start: how many columns came before.
        width: how many there will be in all, or `UNKNOWN`.
        last: whether the share is whole: then nothing is made.
    """

    make: Callable[..., NDArray[Any]]
    start: int
    width: int
    last: bool = False

    def columns(self, key: int, arguments: Sequence[Any], rows: Mapping[int, Any]) -> Columns:
        """Make them; called on the worker.

        Args:
            key: of the placement.
            arguments: for every share.
            rows: what this share has for itself instead of arguments, by their place.
        """
        if self.last:
            return Columns(key, (), self.start, (None,), last=True)
        given = [rows.get(place, each) for place, each in enumerate(arguments)]
        made = self.make(*unwrapped(given))
        outline = Outline((1, *made.shape), made.dtype, axis=1).of(self.width)
        return Columns(key, (outline,), self.start, (made[None],))

    def __call__(self, *_: object) -> NoReturn:
        """Not on workers in this process, nor on shares that are there."""
        raise ExecutorError("shares can be made on the workers of Dask and Ray alone.")


def report_of(columns: Columns) -> NDArray[np.uint8]:
    """What the master is told of them.

    Args:
        columns: that were made.
    """
    (part,) = columns.parts
    told = [[], "|u1"] if part is None else [list(part.shape[1:]), part.dtype.str]
    return np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)


def shape_made(value: NDArray[np.uint8]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and the dtype of the columns that a worker has made.

    Args:
        value: its answer.

    Raises:
        BrokenAnswer: if it tells none.

    Example:
        >>> from anyk.executors.engines.made import shape_made
        >>> shape_made(np.frombuffer(b'[[3, 2], "|u1"]', dtype=np.uint8))
        ((3, 2), dtype('uint8'))
    """
    try:
        shape, dtype = json.loads(bytes(value))
        fine = all(type(length) is int and length >= 0 for length in shape)
        told = tuple(shape), np.dtype(dtype)
    except Exception as error:
        raise BrokenAnswer("what it has made is not said") from error
    if not fine or not isinstance(dtype, str):
        raise BrokenAnswer("what it has made is not said")
    return told
