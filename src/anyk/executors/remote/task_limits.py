"""The limits of a session's tasks, in the process that runs them: memory and seconds."""

from __future__ import annotations

import math
import resource
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.executors.core.run_task import Reply, Task, run
from anyk.executors.remote.budget import Budget
from anyk.executors.remote.visitor import BEGUN, DONE

__all__ = ["TaskLimits"]

_RESERVE = 1 << 27  # bytes for what is no task: requests, answers, failures
_SAYS_WHY = 200  # characters of a failure beside the limit that it has come to
_WARM = 256  # rows of a product that all threads of BLAS take part in


@final
class TookTooLong(BaseException):
    """A task has used up its seconds; no error of the task's own, which it would catch."""


@final
class TaskLimits:
    """Limits on the tasks of this process, which serves one master and ends with its session.

    A task that is over its time is interrupted by an exception, as by Ctrl-C, and one that is over
    its memory gets a MemoryError: both are failed answers. Where a task does not let itself be
    interrupted, whoever is told that it has begun ends this process. The memory that counts is
    what Linux calls data: all that is private and can be written, of this process; each process
    that a task starts has the same limit for itself.

    Args:
        budget: of the session.
        tell: takes what the listening process should know.
    """

    def __init__(self, budget: Budget, tell: Callable[[bytes], object]) -> None:
        self._budget = budget
        self._tell = tell
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # shares are not for the disk
        signal.signal(signal.SIGALRM, _interrupt)
        self._most = _limited_data(budget)

    def run(
        self,
        task: Task,
        parts: Sequence[NDArray[Any]],
        piece: int,
        arguments: Sequence[Any],
        rows: Mapping[int, Any],
        **options: bool,
    ) -> Reply:
        """As `run_task.run`, within the limits."""
        try:
            with self._within():
                value, failure, seconds, _ = run(task, parts, piece, arguments, rows, **options)
        except TookTooLong:  # in the moment in which it was done
            value, failure, seconds = None, "TookTooLong", self._budget.task_patience
        except MemoryError:
            value, failure, seconds = None, "MemoryError", 0.0
        if failure is not None:
            failure = self._explained(failure)
        return Reply(value, failure, seconds)

    @contextmanager
    def _within(self) -> Iterator[None]:
        patience = self._budget.task_patience
        self._tell(BEGUN)
        try:
            self._set_data(self._most)
            signal.setitimer(signal.ITIMER_REAL, patience if math.isfinite(patience) else 0.0)
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            self._set_data(None if self._most is None else self._most + _RESERVE)
            self._tell(DONE)

    def _explained(self, failure: str) -> str:
        kind = failure.partition(":")[0]
        if kind == "TookTooLong":
            return (
                f"took longer than the {self._budget.task_seconds} s of the worker's --task-seconds"
            )
        if kind.endswith(("MemoryError", "SystemError")) and self._most is not None:
            most = self._budget.task_bytes >> 20
            return f"{failure[:_SAYS_WHY]} (the worker's --task-memory is {most} MiB)"
        return failure

    @staticmethod
    def _set_data(most: int | None) -> None:
        if most is not None:
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _limited_data(budget: Budget) -> int | None:
    """Limit what this process may have for good, and return what it may have during a task."""
    status = Path("/proc/self/status")
    if not budget.task_bytes or not status.exists():
        return None
    square = np.ones((_WARM, _WARM))
    square @ square  # from here on BLAS has its threads and buffers, which are nobody's task
    (line,) = (line for line in status.read_text("ascii").splitlines() if line[:7] == "VmData:")
    most = (int(line.split()[1]) << 10) + budget.bytes + budget.task_bytes
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limits = [each for each in (soft, hard, most + _RESERVE) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits), min(limits)))
    return min(limits) - _RESERVE


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise TookTooLong
