"""One task on one share: what it is called with, how it waits, dies and fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.work import own_copies

__all__ = [
    "LONGEST_FAILURE",
    "Reply",
    "Task",
    "describe",
    "die",
    "pause",
    "printable",
    "reaper",
    "run",
    "sleeper",
]

Task = Callable[..., NDArray[Any]]
"""What a worker runs: task(*parts of its share, *arguments) -> ndarray."""

Reply = tuple["NDArray[Any] | None", "str | None", float]
"""What comes of a task on a share: (value, failure, seconds), one of the first two None."""

LONGEST_FAILURE = 300
"""Characters in which a worker says why it failed, at most."""


def _sleep(seconds: float) -> None:
    while seconds > _LONGEST_SLEEP:  # an infinite pause is a worker that hangs
        time.sleep(_LONGEST_SLEEP)
        seconds -= _LONGEST_SLEEP
    time.sleep(seconds)


def _raise_death() -> None:
    raise RuntimeError("the worker died")


_LONGEST_SLEEP = 3600.0

sleeper: ContextVar[Callable[[float], None]] = ContextVar("sleeper", default=_sleep)
"""How a worker waits: a simulation puts its virtual clock here, so that it never sleeps."""

reaper: ContextVar[Callable[[], None]] = ContextVar("reaper", default=_raise_death)
"""How a worker dies: a worker that is a process of its own puts its end here."""


def pause(seconds: float) -> None:
    """Let the worker that runs this wait, on its executor's clock.

    Args:
        seconds: how long; infinity hangs the worker.
    """
    sleeper.get()(seconds)


def die() -> None:
    """Let the worker that runs this die, in the way in which it can.

    Raises:
        RuntimeError: where a worker is no process of its own, and can only fail.
    """
    reaper.get()()


def describe(error: BaseException) -> str:
    """Why a worker failed, in at most `LONGEST_FAILURE` characters that can be printed."""
    try:
        text = f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001 - a message that can't be printed is a failure like another
        text = f"{type(error).__name__}, which can't be printed"
    return printable(text[:LONGEST_FAILURE])


def printable(text: str) -> str:
    """Text from a worker, on one line and without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def run(
    task: Task,
    parts: Sequence[NDArray[Any]],
    piece: int,
    arguments: Sequence[Any],
    rows: Mapping[int, Any],
    *,
    fresh: bool = False,
    in_master: bool = True,
) -> Reply:
    """Run a task on a share, and let nothing that it raises go any further but Ctrl-C.

    Shares and arguments stay where they are for other tasks and calls. The task gets copies of
    its own, to write in as it likes: a task that runs takes the memory of its share and arguments
    once more. Arrays are copied, also those in lists, dicts, dataclasses and the like; other
    objects are not, and where workers share a process with others, so do they share these.

    Args:
        task: the function.
        parts: of the worker's shares.
        piece: which share: this row of each part.
        arguments: for every share.
        rows: what this share has for itself instead of arguments, by their place.
        fresh: whether the arguments came for this task alone: what can be written in needs no copy.
        in_master: whether this is the master's process; elsewhere nobody presses Ctrl-C, and a
            KeyboardInterrupt is one more error of the task.

    Returns:
        (value, None, seconds), the value an array of its own; or (None, why it failed in at most
        300 characters, seconds).

    Example:
        >>> from anyk.executors.core.run_task import run
        >>> run(np.linalg.inv, [np.zeros((1, 2, 2))], 0, [], {})[:2]
        (None, 'LinAlgError: Singular matrix')
    """
    started = time.perf_counter()
    try:
        share = [np.array(part[piece, ...]) for part in parts]
        given = [rows.get(place, argument) for place, argument in enumerate(arguments)]
        inputs = [*share, *own_copies(given, fresh=fresh)] if given else share
        started = time.perf_counter()
        value = np.array(task(*inputs), order="C")  # a copy: the task may use its memory again
    except BaseException as error:
        if in_master and isinstance(error, KeyboardInterrupt) and _in_main_thread():
            raise  # somebody pressed Ctrl-C
        if isinstance(error, MemoryError):
            error.__traceback__ = None  # what its frames hold may be all the memory there is
        return None, describe(error), time.perf_counter() - started
    seconds = time.perf_counter() - started
    if value.dtype.kind not in "biufc":
        return None, f"returned dtype {value.dtype}, not numbers"[:LONGEST_FAILURE], seconds
    value.flags.writeable = False
    return value, None, seconds
