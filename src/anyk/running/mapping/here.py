"""The executor of those who name none: processes of this machine, kept for the next call."""

from __future__ import annotations

import atexit
import os
import threading

from anyk.executors.core.base import AbstractExecutor

__all__ = ["here"]

_lock = threading.Lock()
_kept: dict[tuple[int, int], AbstractExecutor] = {}  # by process and number of workers


def here(least: int) -> AbstractExecutor:
    """Processes of this machine, one for each CPU that this program may use.

    They are started by the first call, and end with the program.

    Args:
        least: how many workers are needed in any case.
    """
    from anyk.executors.processes.executor import Processes  # noqa: PLC0415 - import anyk is quick

    key = (os.getpid(), max(_cpus(), least))
    with _lock:
        if key not in _kept:  # a fork has the list, and not the workers
            _kept[key] = Processes(key[1])
            atexit.register(_kept[key].close)
        return _kept[key]


def _cpus() -> int:
    """How many CPUs this program may use; not every system says so, but all that there are."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # on macOS
        return os.cpu_count() or 1
