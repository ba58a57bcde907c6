"""Workers that are processes of this machine."""

from __future__ import annotations

import pickle
import time
import weakref
from collections.abc import Sequence
from functools import partial
from typing import Any, final

from numpy.typing import NDArray

from anyk.checks import count, shown
from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, PerWorker, Placement
from anyk.executors.core.dispatcher import Dispatcher, WorkerThread
from anyk.executors.core.placements import Placements
from anyk.executors.core.run_task import Task
from anyk.executors.processes.link import ProcessLink
from anyk.executors.processes.wire import Payload, to_payload

__all__ = ["Processes"]

_WRAPPERS = 8  # that a function may be in, such as partial
_PATIENCE = 0.5  # seconds that a process is given to end by itself


def _stop(dispatcher: Dispatcher, links: Sequence[ProcessLink]) -> None:
    if not dispatcher.here:
        return
    dispatcher.close()
    threads = dispatcher.threads
    for link, thread in zip(links, threads, strict=False):
        if not thread.stop():
            link.end(kill=False)
    deadline = time.monotonic() + 2 * _PATIENCE
    late = [
        (link, thread)
        for link, thread in zip(links, threads, strict=False)
        if not thread.join(max(0.0, deadline - time.monotonic()))
    ]
    for link, _ in late:
        link.end(kill=True)
    for _, thread in late:
        thread.join(2 * _PATIENCE)
    for link in links[len(threads) :]:  # left by a constructor that was interrupted
        link.leave(0.0)


@final
class Processes(AbstractExecutor):
    """Workers that are processes, one each, started once and kept.

    Arrays travel as raw bytes, each worker's through a pipe of its own; what a worker sends back
    is checked and never unpickled. A process that dies is one failed answer, and is replaced
    before the next task; it then gets its shares again. Tasks and arguments are pickled: a task
    is a function at the top level of a module, and a script that makes a `Processes` does so
    under ``if __name__ == "__main__":``, as always with Python's multiprocessing. Workers compute
    with one BLAS thread each unless the environment says otherwise, and ignore Ctrl-C, which
    is the master's.

    Python's fork server, which starts the processes, is shared by the whole program and stays
    until it ends; everything else is gone when the executor is closed.

    Args:
        workers: N, how many processes there are.

    Raises:
        InvalidArgument: if it is no positive integer.

    Example:
        >>> with anyk.Processes(2) as executor:
        ...     placement = executor.place([np.array([5, 6])])
        ...     dispatch = executor.dispatch(np.square, placement, [])
        ...     answers = [dispatch.receive(timeout=None) for _ in range(2)]
        >>> sorted(int(answer.value) for answer in answers)
        [25, 36]
    """

    def __init__(self, workers: int) -> None:
        self._workers = count("workers", workers, least=1)
        self._placements = Placements()
        self._links: list[ProcessLink] = []
        self._dispatcher = Dispatcher()
        self._stop = weakref.finalize(self, _stop, self._dispatcher, self._links)
        try:
            for worker in range(self._workers):
                name = f"anyk worker {worker}"
                self._links.append(ProcessLink(name, partial(self._placements.live, worker)))
                farewell = partial(self._links[-1].leave, _PATIENCE)
                self._dispatcher.threads.append(WorkerThread(name, farewell=farewell))
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return self._workers

    @property
    def pids(self) -> tuple[int | None, ...]:
        """Number of each worker's process; None for one that died, until its next task."""
        return tuple(link.pid for link in self._links)

    @property
    def alive(self) -> tuple[bool, ...]:
        """By worker, whether its process lives; one that died is replaced before its next task."""
        return tuple(link.alive for link in self._links)

    def kill(self, worker: int) -> None:
        """Kill a worker's process (SIGKILL), as a fault would: its present task fails.

        Args:
            worker: its index.

        Raises:
            InvalidArgument: if there is no such worker.
        """
        if count("worker", worker, least=0) >= self._workers:
            raise InvalidArgument(
                "worker", given=str(worker), needed=f"below {self._workers}", change="Lower it."
            )
        self._links[worker].kill()

    def clock(self) -> float:
        """Seconds on `time.perf_counter`."""
        return time.perf_counter()

    def place(self, parts: Sequence[NDArray[Any]]) -> Placement:
        """Send shares to the processes, in the background; see `AbstractExecutor.place`.

        The arrays are not copied here, and are kept for processes that die: do not write in them.
        """
        placement = self._placements.add(self, parts)
        self._keep(placement)
        return placement

    def dispatch(
        self, task: Task, placement: Placement, arguments: Sequence[Any]
    ) -> AbstractDispatch:
        """Run a task in every process that holds a share; see `AbstractExecutor.dispatch`."""
        shares = self._placements.shares(self, placement)
        common, rows = _pack(task, arguments, len(shares))
        dispatch = self._dispatcher.dispatch(self, len(shares))
        for worker, (share, row) in enumerate(zip(shares, rows, strict=True)):
            ask = partial(self._links[worker].ask, placement.key, share, common, row)
            dispatch.send(worker, ask)
        return dispatch

    def release(self, placement: Placement) -> None:
        """Let the processes forget shares, in the background. Harmless when called twice."""
        if self._placements.remove(placement):
            self._keep(placement)

    def close(self) -> None:
        """End the processes: idle ones are asked to, others killed. Harmless when called twice.

        Takes milliseconds, or about a second if a process does not react.
        """
        self._placements.close()
        self._stop()

    def _keep(self, placement: Placement) -> None:
        self._dispatcher.keep([link.synchronise for link in self._links[: placement.workers]])

    def __repr__(self) -> str:
        return f"Processes({self._workers})"


def _pack(task: Task, arguments: Sequence[Any], workers: int) -> tuple[Payload, list[Payload]]:
    """Pickle a task and its arguments: once for all, and rows for each worker."""
    rows_of = {place: item for place, item in enumerate(arguments) if isinstance(item, PerWorker)}
    plain = [None if place in rows_of else item for place, item in enumerate(arguments)]
    try:
        common = to_payload((task, plain))
        if not rows_of:
            return common, [to_payload({})] * workers
        return common, [
            to_payload({place: item.rows[worker] for place, item in rows_of.items()})
            for worker in range(workers)
        ]
    except Exception as error:
        raise _unsendable(task, error) from error


def _unsendable(task: Task, error: Exception) -> InvalidArgument:
    function: Any = task
    for _ in range(_WRAPPERS):  # a user's object may have any attribute, without end
        inner = getattr(function, "function", None) or getattr(function, "func", None)
        function = function if inner is None else inner
    try:
        pickle.dumps(task)
    except Exception:  # noqa: BLE001 - user types raise what they like
        name = getattr(function, "__qualname__", repr(function))
        kind = "a lambda" if name.endswith("<lambda>") else f"{name}, defined in a function"
        return InvalidArgument(
            "function",
            given=kind if "<" in name else shown(function),
            needed="a function that pickle can send: defined at the top level of a module",
            change="Define it with def at the top level, or use anyk.Threads.",
        )
    return InvalidArgument(
        "arguments",
        given=f"one that pickle can't send ({type(error).__name__}: {error})",
        needed="arguments that pickle can send",
        change="Pass arrays and plain values, or use anyk.Threads.",
    )
