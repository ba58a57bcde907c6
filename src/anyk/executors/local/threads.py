"""Workers that are threads of this process."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Sequence
from functools import partial
from typing import Any, final

from numpy.typing import NDArray

from anyk.checks import count
from anyk.errors import ExecutorError
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, Placement, argument_of
from anyk.executors.core.dispatcher import Dispatcher, WorkerThread
from anyk.executors.core.placements import Placements
from anyk.executors.core.run_task import Task, attempt, guarded, sleeper

__all__ = ["Threads"]


def _stop(dispatcher: Dispatcher, closing: threading.Event) -> None:
    if not dispatcher.here:
        return
    dispatcher.close()
    closing.set()
    idle = [thread for thread in dispatcher.threads if thread.stop()]
    for thread in idle:
        thread.join(timeout=None)


@final
class Threads(AbstractExecutor):
    """Workers that are threads: tasks that release the GIL, as BLAS does, run side by side.

    Arrays are not copied. Nothing can interrupt a thread: one that is still busy when the
    executor is closed is a daemon, keeps nobody waiting, and ends with its task (a `pause` of
    `anyk.faults.faulty` ends at once). A task runs in several threads at once, so it must not
    write in memory that its other calls use, such as a buffer of the module.

    Args:
        workers: N, how many threads there are.

    Raises:
        InvalidArgument: if it is no positive integer.

    Example:
        >>> with anyk.Threads(3) as executor:
        ...     placement = executor.place([np.array([5, 6, 7])])
        ...     dispatch = executor.dispatch(np.square, placement, [])
        ...     answers = [dispatch.receive(timeout=None) for _ in range(3)]
        >>> sorted(int(answer.value) for answer in answers)
        [25, 36, 49]
    """

    def __init__(self, workers: int) -> None:
        self._workers = count("workers", workers, least=1)
        self._placements = Placements()
        self._closing = threading.Event()
        self._dispatcher = Dispatcher()
        self._stop = weakref.finalize(self, _stop, self._dispatcher, self._closing)
        for worker in range(self._workers):
            self._dispatcher.threads.append(WorkerThread(f"anyk worker {worker}"))

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return self._workers

    def clock(self) -> float:
        """Seconds on `time.perf_counter`."""
        return time.perf_counter()

    def place(self, parts: Sequence[NDArray[Any]]) -> Placement:
        """Keep shares, without a copy; see `AbstractExecutor.place`."""
        return self._placements.add(self, parts)

    def dispatch(
        self, task: Task, placement: Placement, arguments: Sequence[Any]
    ) -> AbstractDispatch:
        """Run a task in every thread that holds a share; see `AbstractExecutor.dispatch`."""
        shares = self._placements.shares(self, placement)
        if any(thread.here for thread in self._dispatcher.threads):
            raise ExecutorError(
                "a task of this Threads executor can't wait for others: give it one of its own."
            )
        inputs = [
            [*share, *(guarded(argument_of(argument, worker)) for argument in arguments)]
            for worker, share in enumerate(shares)
        ]
        dispatch = self._dispatcher.dispatch(self, len(shares))
        for worker, items in enumerate(inputs):
            dispatch.send(worker, partial(_run, task, items, self._closing))
        return dispatch

    def release(self, placement: Placement) -> None:
        """Forget shares. Harmless when called twice."""
        self._placements.remove(placement)

    def close(self) -> None:
        """Stop the threads, without waiting for one that is busy. Harmless when called twice."""
        self._placements.close()
        self._stop()

    def __repr__(self) -> str:
        return f"Threads({self._workers})"


def _run(
    task: Task, inputs: Sequence[Any], closing: threading.Event
) -> tuple[NDArray[Any] | None, str | None, float]:
    def wait(seconds: float) -> None:
        closing.wait(min(seconds, threading.TIMEOUT_MAX))

    token = sleeper.set(wait)
    started = time.perf_counter()
    value, failure = attempt(task, inputs)
    seconds = time.perf_counter() - started
    sleeper.reset(token)
    return value, failure, seconds
