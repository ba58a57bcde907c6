"""Several values that travel together, of which each can be unpickled, or fail to be, alone."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from anyk.executors.processes.wire import Payload, keep_small, load, to_payload

__all__ = ["Sizes", "pack", "packed_apart", "unpack"]

Sizes = list[tuple[int, int]] | None
"""Of each value, how long its pickle is, and how many large arrays it has; None: one for all."""

_IMMUTABLE = {int, float, complex, bool, str, bytes, type(None)}
_HOLDERS = {tuple, list, dict}
_KINDS = frozenset("biufcSUmM")  # of arrays
_SMALL = 1 << 14  # bytes up to which an array is laid beside others
_MANY = 32  # values in a container up to which it is worth while to look at each
_DEEP = 3  # containers in containers


def pack(values: Sequence[tuple[Any, ...]]) -> tuple[Payload, Sizes]:
    """Pickle tuples: those of plain values all at once, which is quicker; else each for itself.

    Args:
        values: any that can be pickled.

    Raises:
        Exception: whatever pickling raises.

    Example:
        >>> from anyk.executors.processes.parcels import pack, unpack
        >>> unpack(*pack([(np.ones(2), "text"), (np.zeros(2), "more")]), print)
        [(array([1., 1.]), 'text'), (array([0., 0.]), 'more')]
        >>> packed, sizes = pack([(3,), (lambda: 5,)])
        >>> len(sizes), unpack(packed, sizes, print)[1][0]()
        (2, 5)
    """
    width = len(values[0]) if values else 0
    if width and all(len(each) == width for each in values):
        columns = [_column(each) for each in zip(*values, strict=True)]
        if None not in columns:
            frames: list[memoryview] = []
            pickled = pickle.dumps(columns, protocol=5, buffer_callback=keep_small(frames))
            return (pickled, *frames), None
    return packed_apart([to_payload(value) for value in values])


def packed_apart(payloads: Sequence[Payload]) -> tuple[Payload, Sizes]:
    """Values that are pickled already, each for itself, as one."""
    pickled = b"".join(payload[0] for payload in payloads)
    frames = [frame for payload in payloads for frame in payload[1:]]
    return (pickled, *frames), [(len(each[0]), len(each) - 1) for each in payloads]


def unpack(payload: Payload, sizes: Sizes, failed: Callable[[BaseException], Any]) -> list[Any]:
    """The tuples.

    Args:
        payload: from `pack`.
        sizes: from `pack`.
        failed: what stands in the place of one that can't be unpickled here, of the error.
    """
    if sizes is None:
        return list(zip(*(_values(*each) for each in load(payload)), strict=True))
    pickled, frames = memoryview(payload[0]), payload[1:]
    values = []
    place = first = 0
    for size, many in sizes:
        own = (pickled[place : place + size], *frames[first : first + many])
        try:
            values.append(load(own))
        except BaseException as error:  # noqa: BLE001 - types of users raise what they like
            values.append(failed(error))
        place, first = place + size, first + many
    return values


def _column(values: tuple[Any, ...]) -> tuple[bool, Any] | None:
    """Values that are plain, and whether they lie in one array; None if they are not plain.

    Nothing in plain values can fail to be pickled, or to be unpickled elsewhere, and no two have
    anything in common that could be written in.
    """
    kinds = set(map(type, values))
    if kinds <= _IMMUTABLE:
        return False, values
    if kinds == {np.ndarray} and _alike(values):
        return True, np.concatenate(values).reshape(len(values), *values[0].shape)
    (kind, *others) = kinds
    if not others and issubclass(kind, (np.number, np.bool_)) and kind.__module__ == "numpy":
        return True, np.array(values, dtype=values[0].dtype)
    seen: dict[int, int] = {}
    if all(_plain(value, place, seen, _DEEP) for place, value in enumerate(values)):
        return False, values
    return None


def _values(together: bool, content: Any) -> Sequence[Any]:  # noqa: FBT001 - from `_column`
    """The values of a column; arrays own their memory."""
    if not together:
        values: Sequence[Any] = content
        return values
    return list(content) if content.ndim == 1 else [each.copy() for each in content]


def _alike(arrays: Sequence[Any]) -> bool:
    """Whether small arrays are of one shape and dtype, so that they can lie in one."""
    first = arrays[0]
    dtype, shape = first.dtype, first.shape
    if not shape or first.nbytes > _SMALL or dtype.kind not in _KINDS or not dtype.isnative:
        return False
    return all(
        each.dtype == dtype and each.shape == shape and each.flags.c_contiguous for each in arrays
    )


def _plain(value: Any, place: int, seen: dict[int, int], deep: int) -> bool:
    kind = type(value)
    if kind in _IMMUTABLE:
        return True
    if isinstance(value, (np.ndarray, np.generic)):
        own = not value.ndim or seen.setdefault(id(value), place) == place
        known = kind is np.ndarray or kind.__module__ == "numpy"
        return known and own and value.dtype.kind in _KINDS
    if kind not in _HOLDERS or not deep or len(value) > _MANY:
        return False
    within = (*value, *value.values()) if kind is dict else value
    alone = kind is tuple or seen.setdefault(id(value), place) == place
    return alone and all(_plain(each, place, seen, deep - 1) for each in within)
