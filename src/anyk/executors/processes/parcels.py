"""Several values that travel together, of which each can be unpickled, or fail to be, alone."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from anyk.executors.processes.wire import Payload, keep_small, load, to_payload

__all__ = ["Sizes", "pack", "packed_apart", "parcels", "unpack"]

Sizes = list[tuple[int, int]] | None
"""Of each value, how long its pickle is, and how many large arrays it has; None: one for all."""

_PLAIN = {int, float, complex, bool, str, bytes, type(None)}
_HOLDERS = {tuple, list, dict}
_KINDS = frozenset("biufcSUmM")  # of arrays
_MANY = 32  # values in a container up to which it is worth while to look at each
_DEEP = 3  # containers in containers


def pack(values: Sequence[Any]) -> tuple[Payload, Sizes]:
    """Pickle values: plain ones all at once, which is quicker; else each for itself.

    Args:
        values: any that can be pickled.

    Raises:
        Exception: whatever pickling raises.

    Example:
        >>> from anyk.executors.processes.parcels import pack, unpack
        >>> unpack(*pack([np.ones(2), "text"]), print)
        [array([1., 1.]), 'text']
        >>> unpack(*pack([3, 2 + 1j, lambda: 5]), print)[2]()
        5
    """
    seen: dict[int, int] = {}
    if all(_plain(value, place, seen, _DEEP) for place, value in enumerate(values)):
        frames: list[memoryview] = []
        keep = keep_small(frames)
        pickled = pickle.dumps(list(values), protocol=5, buffer_callback=keep)
        return (pickled, *frames), None
    return packed_apart([to_payload(value) for value in values])


def packed_apart(payloads: Sequence[Payload]) -> tuple[Payload, Sizes]:
    """Values that are pickled already, each for itself, as one."""
    pickled = b"".join(payload[0] for payload in payloads)
    frames = [frame for payload in payloads for frame in payload[1:]]
    return (pickled, *frames), [(len(each[0]), len(each) - 1) for each in payloads]


def unpack(payload: Payload, sizes: Sizes, failed: Callable[[BaseException], Any]) -> list[Any]:
    """The values.

    Args:
        payload: from `pack`.
        sizes: from `pack`.
        failed: what stands in the place of one that can't be unpickled here, of the error.
    """
    if sizes is None:
        values: list[Any] = load(payload)
        return values
    return [_loaded(each, failed) for each in parcels(payload, sizes)]


def parcels(payload: Payload, sizes: Sequence[tuple[int, int]]) -> list[Payload]:
    """What came as one, as the payload of each value."""
    pickled, frames = memoryview(payload[0]), payload[1:]
    apart: list[Payload] = []
    place = first = 0
    for size, many in sizes:
        apart.append((pickled[place : place + size], *frames[first : first + many]))
        place, first = place + size, first + many
    return apart


def _loaded(payload: Payload, failed: Callable[[BaseException], Any]) -> Any:
    try:
        return load(payload)
    except BaseException as error:  # noqa: BLE001 - types of users raise what they like
        return failed(error)


def _plain(value: Any, place: int, seen: dict[int, int], deep: int) -> bool:
    """Whether nothing in a value can fail to be pickled, or is also another one's to write in."""
    kind = type(value)
    if kind in _PLAIN:
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
