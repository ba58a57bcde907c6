"""Tasks that write in all they get, by every way that numpy and torch have, and what must hold."""

import collections
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.executors.core.base import AbstractExecutor

Array = NDArray[Any]

CALLS = 3


def _flag(array: Array) -> None:
    array.setflags(write=True)
    array -= 1


def _torch(array: Array) -> None:
    import torch  # noqa: PLC0415 - where there is torch

    torch.from_numpy(array).sub_(1)


def _operator(array: Array) -> None:
    array += 1


def _whole(array: Array) -> None:
    array[:] = 0


def _output(array: Array) -> None:
    np.negative(array, out=array)


def _memory(array: Array) -> None:
    array.data.cast("B")[:] = bytes(array.nbytes)


def _sorted(array: Array) -> None:
    array[::-1].sort()
    array.fill(-7)


WAYS: dict[str, Callable[[Array], None]] = {
    "flag": _flag,
    "torch": _torch,
    "operator": _operator,
    "whole": _whole,
    "output": _output,
    "memory": _memory,
    "sorted": _sorted,
}


def ways() -> list[str]:
    """Those that this machine has."""
    return [way for way in WAYS if way != "torch" or importlib.util.find_spec("torch")]


def spoil(share: Array, *given: Any) -> Array:
    """The sum of all that came, over which it then writes; list and table lose what they hold."""
    own, plain, listed, table, pair, way = given
    arrays = [share, own, plain, *listed[:1], *listed[1], table["w"], table["deep"]["v"], *pair]
    total: Array = np.sum([np.array(each) for each in arrays], axis=0)
    for array in arrays:
        WAYS[way](array)
    listed.clear()
    table["deep"].clear()
    table.clear()
    return total


def change_nothing_for_others(executor: AbstractExecutor, function: Any, way: str) -> None:
    """Three calls of a task that spoils all it gets are right, and the caller's arrays stay.

    Args:
        executor: with at least 2 workers.
        function: `spoil`, or its name.
        way: how it writes.
    """
    X, Y = (np.arange(8.0).reshape(2, 4) + shift for shift in (1, 100))
    ours = [np.full(4, 2.0**power) for power in range(8)]
    plain, listed, table = ours[0], [ours[1], (ours[2],)], {"w": ours[3], "deep": {"v": ours[4]}}
    pair = (ours[5], ours[5])  # the same one twice
    kept = [each.copy() for each in (X, Y, *ours)]
    right = X + Y + 1 + 2 + 4 + 8 + 16 + 32 + 32
    scheme = anyk.Replication(2, executor.workers)
    with anyk.distribute(scheme, X, executor) as data:
        own = data.encode(Y)
        for _ in range(CALLS):
            outcome = data.run(function, own, plain, listed, table, pair, way)
            assert np.array_equal(outcome.value, right), way
            assert not outcome.suspects
    assert all(map(np.array_equal, (X, Y, *ours), kept))
    assert len(listed) == len(table) == 2
    assert list(table["deep"]) == ["v"]


Pair = collections.namedtuple("Pair", ["left", "right"])  # noqa: PYI024 - as users have them


def spoil_any(share: Array, held: Any, way: str) -> Array:
    """The share and the sum of the arrays that something else holds, over which it then writes."""
    total: Array = share + sum(np.array(each) for each in arrays_in(held))
    for array in arrays_in(held):
        WAYS[way](np.asarray(array))
    return total


def arrays_in(held: Any) -> list[Any]:
    if hasattr(held, "left"):
        return [held.left, held.right]
    if isinstance(held, dict | collections.UserDict):
        return list(held.values())
    return list(held)
