"""What runs in a worker of somebody else's engine: hold shares, and run tasks on them."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.executors.core.placements import Share
from anyk.executors.core.run_task import Task, attempt, describe, guarded, reaper

__all__ = ["Home", "Report", "RunRequest", "WorkerState", "checked_report", "home"]

Home = tuple[str, int]
"""Which process of which machine."""

_PROGRAM = uuid.uuid4().hex  # a fork has the same one, and another process number


def home() -> Home:
    """The process that asks, told apart from all others, wherever they run."""
    return _PROGRAM, os.getpid()


@final
@dataclass(frozen=True, eq=False)
class Report:
    """What a worker sends back: a value, or why there is none; neither where the share is gone.

    Args:
        value: ndarray, or None.
        failure: why there is none, or None.
        seconds: that the task took.
    """

    value: NDArray[Any] | None
    failure: str | None
    seconds: float

    @property
    def lost(self) -> bool:
        """Whether the worker does not hold the share."""
        return self.value is None and self.failure is None


def checked_report(report: object) -> Report:
    """A report with a value that can be used, whatever came.

    Example:
        >>> from anyk.executors.engines.worker_state import checked_report
        >>> checked_report("done").failure
        'sent something that is no answer: str'
    """
    if type(report) is not Report:
        return Report(None, f"sent something that is no answer: {type(report).__name__}", 0.0)
    value = report.value
    if value is None:
        return report
    if type(value) is not np.ndarray or value.dtype.kind not in "biufc":
        return Report(None, "sent something that is no array of numbers", report.seconds)
    return Report(guarded(value), None, report.seconds)


@final
@dataclass(frozen=True, eq=False)
class RunRequest:
    """On which share a worker runs a task.

    Args:
        key: of the share.
        share: the share itself, where the worker does not hold it.
        keys: of all shares that the worker should keep.
    """

    key: int
    share: Share | None
    keys: tuple[int, ...]


@final
class WorkerState:
    """The shares of one worker, and its tasks on them. May be used from any thread.

    Args:
        master: the process that made the executor; a task that dies does not take it along.

    Example:
        >>> from anyk.executors.engines.worker_state import WorkerState, RunRequest, home
        >>> state = WorkerState(home())
        >>> state.run(RunRequest(7, (np.arange(3),), (7,)), np.square, [], {}).value
        array([0, 1, 4])
        >>> state.keep(())
        >>> state.run(RunRequest(7, None, (7,)), np.square, [], {}).lost
        True
    """

    def __init__(self, master: Home) -> None:
        self._master = master
        self._lock = threading.Lock()
        self._shares: dict[int, Share] = {}

    def keep(self, keys: Collection[int]) -> None:
        """Forget all shares but these."""
        with self._lock:
            self._shares = {key: share for key, share in self._shares.items() if key in keys}

    def run(
        self, request: RunRequest, task: Task, arguments: Sequence[Any], rows: Mapping[int, Any]
    ) -> Report:
        """Run a task on a share, and let nothing that it raises go any further.

        Args:
            request: which share, and which to keep.
            task: the function.
            arguments: for every worker.
            rows: this worker's row of each `PerWorker` argument, by position.
        """
        self.keep(request.keys)
        with self._lock:
            if request.share is not None:
                self._shares[request.key] = request.share
            share = self._shares.get(request.key)
        if share is None:
            return Report(None, None, 0.0)
        own = [rows.get(place, argument) for place, argument in enumerate(arguments)]
        token = None if self._master == home() else reaper.set(_kill_me)
        started = time.perf_counter()
        try:
            value, failure = attempt(task, [guarded(item) for item in (*share, *own)])
        except KeyboardInterrupt as error:  # in a worker it is nobody's Ctrl-C but this task's
            value, failure = None, describe(error)
        finally:
            if token is not None:
                reaper.reset(token)
        return Report(value, failure, time.perf_counter() - started)


def _kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
