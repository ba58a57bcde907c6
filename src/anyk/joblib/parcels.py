"""A batch of joblib's on its way to workers, each of which gets one of its own."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.executors.core.broadcast import Broadcast
from anyk.executors.processes.pickling import dumps

__all__ = ["Parcel", "packed", "run_parcel"]

Parcel = tuple[bytes, list[NDArray[np.uint8]], tuple[Broadcast, ...]]
"""A pickle, the memory of the arrays in it, and the constants that it names by their place."""


@final
@dataclass(frozen=True)
class _Constant:
    """Stands for one of the constants that come along."""

    place: int


def packed(batch: Any, constants: Mapping[int, Broadcast]) -> Parcel:
    """A batch as it is now: what becomes of its arrays later changes nothing.

    Args:
        batch: of joblib's, whose `items` are functions with their arguments.
        constants: what the workers hold already, by `id`.

    Raises:
        Exception: whatever pickling raises.
    """
    memory: list[NDArray[np.uint8]] = []
    named: dict[int, _Constant] = {}

    def stand_in(value: Any) -> Any:
        key = id(value)
        return named.setdefault(key, _Constant(len(named))) if key in constants else value

    def keep(buffer: pickle.PickleBuffer) -> bool:
        memory.append(np.frombuffer(buffer.raw(), np.uint8).copy())
        return False

    if constants:
        batch = copy.copy(batch)
        batch.items = _with(batch.items, stand_in)
    pickled = dumps(batch, memory.clear, keep)
    return pickled, memory, tuple(constants[key] for key in named)


def run_parcel(pickled: bytes, memory: Sequence[Any], constants: Sequence[Any]) -> Any:
    """Call a batch on a worker.

    Args:
        pickled: from `packed`, as what follows.
        memory: of its arrays.
        constants: themselves, no more their handles.

    Example:
        >>> from joblib.parallel import BatchedCalls, get_active_backend
        >>> from anyk.joblib.parcels import packed, run_parcel
        >>> table = [5, 6]
        >>> handle = anyk.Inline(1).broadcast(table)
        >>> tasks = [(sum, (table,), {}), (max, (table, [4]), {})]
        >>> batch = BatchedCalls(tasks, get_active_backend())
        >>> pickled, memory, handles = packed(batch, {id(table): handle})
        >>> run_parcel(pickled, memory, [each.value for each in handles])
        [11, [5, 6]]
    """
    batch = pickle.loads(pickled, buffers=memory)  # noqa: S301 - the user's own
    if constants:
        batch.items = _with(
            batch.items,
            lambda value: constants[value.place] if type(value) is _Constant else value,
        )
    return batch()


def _with(items: Sequence[tuple[Any, Any, Any]], other: Any) -> list[tuple[Any, Any, Any]]:
    """Tasks with others in the place of their arguments."""
    return [
        (function, tuple(map(other, given)), {name: other(each) for name, each in named.items()})
        for function, given, named in items
    ]
