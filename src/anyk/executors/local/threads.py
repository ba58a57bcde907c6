"""Workers that are threads of this process."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, final

from numpy.typing import NDArray

from anyk.checks import MOST, count
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, Placement
from anyk.executors.core.broadcast import Broadcast, Broadcasts
from anyk.executors.core.dispatcher import Ask, Awaited, Dispatcher
from anyk.executors.core.placements import Placements, addressed, alone, split
from anyk.executors.core.run_task import Task, run, sleeper
from anyk.executors.local.lanes import Lane, Lanes

if TYPE_CHECKING:
    from anyk.executors.core.calls import AbstractCalls, Batch
    from anyk.executors.core.posted_calls import Compute

__all__ = ["Threads"]


def _stop(dispatcher: Dispatcher[Lane], lanes: Lanes, closing: threading.Event) -> None:
    if not dispatcher.here:
        return
    dispatcher.close()
    closing.set()
    lanes.stop()


@final
class Threads(AbstractExecutor):
    """Workers that are threads: tasks that release the GIL, as BLAS does, run side by side.

    A worker does one task at a time, in any thread: threads start as tasks need them, no more than
    there are workers, and stay. Many tasks that take microseconds are done by a few of them.

    Placed arrays are not copied; a task that runs has a copy of its share and arguments, to write
    in as it likes. Nothing can interrupt a thread: one that is still busy when the
    executor is closed is a daemon, keeps nobody waiting, and ends with its task (a `pause` of
    `anyk.faults` ends at once). A task runs in several threads at once, so it must not
    write in memory that its other calls use, such as a buffer of the module.

    Args:
        workers: N, how many tasks may run at once.

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
        self._workers = count("workers", workers, least=1, most=MOST)
        self._placements = Placements("Threads", self._workers)
        self._broadcasts = Broadcasts("Threads")
        self._closing = threading.Event()
        self._dispatcher: Dispatcher[Lane] = Dispatcher("Threads")
        wait = partial(_wait, self._closing)
        lanes = Lanes("anyk thread", self._workers, at_start=partial(sleeper.set, wait))
        self._dispatcher.inboxes.extend(lanes.each)
        self._stop = weakref.finalize(self, _stop, self._dispatcher, lanes, self._closing)

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return self._workers

    def clock(self) -> float:
        """Seconds on `time.perf_counter`."""
        return time.perf_counter()

    def place(self, parts: Sequence[NDArray[Any]], pieces: int = 1) -> Placement:
        """Keep shares, without a copy; see `AbstractExecutor.place`."""
        return self._placements.add(parts, pieces)

    def dispatch(
        self,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Run a task on every share, in its worker's thread; see `AbstractExecutor.dispatch`."""
        parts = self._placements.parts(placement)
        common, rows = split(addressed(arguments, placement), placement.shares)
        asks = [partial(run, task, parts, share, common, own) for share, own in enumerate(rows)]

        def more(share: int, worker: int) -> Ask:
            _, (own,) = split(alone(arguments, share, worker), 1)
            return partial(run, task, parts, share, common, own)

        return self._dispatcher.post(asks, placement.pieces, more, without=without)

    def release(self, placement: Placement) -> None:
        """Forget shares. Harmless when called twice."""
        self._placements.remove(placement)

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function in the workers' threads; see `AbstractExecutor.calls`."""
        from anyk.executors.core.posted_calls import PostedCalls  # noqa: PLC0415 - maps alone
        from anyk.executors.core.run_items import run_items  # noqa: PLC0415 - as above

        def prepare(_worker: int, batch: Batch, _call: Awaited) -> Compute:
            return partial(run_items, function, batch)

        return PostedCalls(self._dispatcher, prepare, "Threads")

    def broadcast(self, value: Any) -> Broadcast:
        """Keep a constant, without a copy; see `AbstractExecutor.broadcast`."""
        return self._broadcasts.add(value)

    def close(self) -> None:
        """Stop the threads, without waiting for one that is busy. Harmless when called twice."""
        self._placements.close()
        self._broadcasts.close()
        self._stop()

    def __repr__(self) -> str:
        return f"Threads({self._workers})"


def _wait(closing: threading.Event, seconds: float) -> None:
    """Let a worker wait, until the executor is closed."""
    closing.wait(min(seconds, threading.TIMEOUT_MAX))
