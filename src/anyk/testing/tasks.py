"""What workers run in checks: at the top level of a module, so that every engine can send it."""

from __future__ import annotations

import threading
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.executors.core.run_task import pause
from anyk.executors.core.task_id import task_id

__all__ = [
    "LATE",
    "described",
    "fragile",
    "gram",
    "looked_up",
    "numbered",
    "recorded",
    "refilled",
    "shifted",
    "sluggish",
    "spoiled",
    "waits",
    "weighted",
]

LATE = 0.3
"""Seconds that a sluggish worker is late."""

_LOOKS, _LOOK = 200, 0.02  # how often a recorded task looks for its file, and seconds in between


def weighted(share: NDArray[Any], factor: float, own: NDArray[Any]) -> NDArray[Any]:
    """The share times a factor that all workers have, plus a number that each has for itself."""
    return np.asarray(share * factor + own)


def fragile(share: NDArray[Any]) -> Any:
    """Fails for the worker whose share begins with 0, and returns no numbers for that with 1."""
    if share[0] == 0:
        raise ArithmeticError("zero")
    return "text" if share[0] == 1 else share


def sluggish(share: NDArray[Any]) -> NDArray[Any]:
    """The share; late from the worker whose share begins with 0."""
    if share[0] == 0:
        pause(LATE)
    return share


def gram(share: Any) -> Any:
    """The Gram matrix of the share, of degree 2."""
    return share.T @ share


def spoiled(share: NDArray[Any], factor: NDArray[Any], own: NDArray[Any]) -> NDArray[Any]:
    """The share, times a factor, plus a number of its own, all of which it writes over."""
    factor *= 3.0
    own += 1.0
    share *= factor
    share += own
    return share


def shifted(share: NDArray[Any], own: NDArray[Any], whose: NDArray[Any]) -> NDArray[Any]:
    """The share, plus a number of its own, plus one of the worker that computes it."""
    return np.asarray(share + own + whose)


def numbered(share: NDArray[Any], own: NDArray[Any]) -> NDArray[Any]:
    """The share and a number of its own, side by side."""
    return np.append(share, own)


def recorded(share: NDArray[Any], folder: str) -> NDArray[Any]:
    """The share; that its task began is recorded as a file in a temporary folder of this name.

    The task on a share whose second number is 1 then waits for a file "go", for a few seconds.
    """
    here = Path(gettempdir(), Path(folder).name)
    worker, piece = (int(number) for number in share)
    (here / f"{worker}-{piece}").touch()
    for _ in range(_LOOKS if piece == 1 else 0):
        if (here / "go").exists():
            break
        pause(_LOOK)
    return share


def described(first: Any, second: Any) -> Any:
    """Its arguments, and which call this is; an error or a lock for those that ask for it."""
    if second == "raise":
        raise ArithmeticError("zero")
    if second == "odd":
        return threading.Lock().acquire
    mine = task_id()
    return first, second, mine and (mine.item, mine.copy, mine.worker)


def looked_up(key: str, table: dict[str, list[int]], tables: list[dict[str, list[int]]]) -> Any:
    """What is in a table, and in another one."""
    return [table[key][0], tables[0][key][0]]


def waits(number: int) -> int:
    """The number, after a while."""
    pause(LATE / 10)
    return number


_memory: dict[int, NDArray[Any]] = {}


def refilled(row: NDArray[Any]) -> NDArray[Any]:
    """The row plus 1, in memory that the next call uses again; the row is written over."""
    value = _memory.setdefault(threading.get_ident(), np.empty_like(row))
    value[:] = row + 1.0
    row[:] = -1.0
    return value
