"""One task on one share: what it is called with, how it waits, dies and fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from anyk.executors.core.broadcast import unwrapped
from anyk.executors.core.raised import LONGEST_FAILURE, describe, traceback_of
from anyk.own_copies import own_copies
from anyk.work import WorkerTask

__all__ = [
    "Reply",
    "Task",
    "die",
    "pause",
    "reaper",
    "run",
    "sleeper",
]

Task = Callable[..., NDArray[Any]]
"""What a worker runs: task(*parts of its share, *arguments) -> ndarray."""


@final
class Reply(NamedTuple):
    """What comes of a task on a share; value or failure is None.

    Args:
        value: ndarray.
        failure: why there is none.
        seconds: that the task took.
        traceback: where the function raised it; "" where it did not, or that is not known.
    """

    value: NDArray[Any] | None
    failure: str | None
    seconds: float
    traceback: str = ""


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
    once more. Residues are lent to a `WorkerTask`, and copied when it writes in them. Arrays are
    copied, also those in lists, dicts, dataclasses and the like; other objects are not, and where
    workers share a process with others, so do they share these.

    Args:
        task: the function.
        parts: of the worker's shares.
        piece: which share: this row of each part.
        arguments: for every share.
        rows: what this share has for itself instead of arguments, by their place.
        fresh: whether the arguments came for this task alone: what can be written in needs no copy.
        in_master: whether this is the master's process; elsewhere nobody presses Ctrl-C, a
            KeyboardInterrupt is one more error of the task, and the value is sent before anything
            else is run: it needs no copy.

    Returns:
        With a value, an array that can't be written in; or with why it failed, in at most 300
        characters.

    Example:
        >>> from anyk.executors.core.run_task import run
        >>> run(np.linalg.inv, [np.zeros((1, 2, 2))], 0, [], {})[:2]
        (None, 'LinAlgError: Singular matrix')
    """
    started = time.perf_counter()
    try:
        share = (
            task.share(parts, piece)
            if isinstance(task, WorkerTask)
            else [np.array(part[piece, ...]) for part in parts]
        )
        given = [rows.get(place, argument) for place, argument in enumerate(arguments)]
        inputs = [*share, *unwrapped(own_copies(given, fresh=fresh))] if given else share
        started = time.perf_counter()
        made = task(*inputs)  # it may use the memory of this again, and write in it
        value = np.array(made, order="C") if in_master else np.asarray(made, order="C").view()
    except BaseException as error:
        if in_master and isinstance(error, KeyboardInterrupt) and _in_main_thread():
            raise  # somebody pressed Ctrl-C
        if isinstance(error, MemoryError):
            error.__traceback__ = None  # what its frames hold may be all the memory there is
        seconds = time.perf_counter() - started
        return Reply(None, describe(error), seconds, traceback_of(error))
    seconds = time.perf_counter() - started
    if value.dtype.kind not in "biufc":
        return Reply(None, f"returned dtype {value.dtype}, not numbers"[:LONGEST_FAILURE], seconds)
    value.flags.writeable = False
    return Reply(value, None, seconds)
