"""The workers of an engine that is not ours: a thread and a link for each, and their shares."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, final

from numpy.typing import NDArray

from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, PerWorker, Placement
from anyk.executors.core.dispatcher import Dispatcher, WorkerThread
from anyk.executors.core.placements import Placements
from anyk.executors.core.run_task import Task
from anyk.executors.engines.link import AbstractEngineWorker, EngineLink

__all__ = ["Crew"]

_LEAVING = 2.0  # seconds that the end of all threads may take


def _stop(dispatcher: Dispatcher, links: Sequence[EngineLink]) -> None:
    if not dispatcher.here:
        return
    dispatcher.close()
    threads = dispatcher.threads
    for thread, link in zip(threads, links, strict=False):
        thread.stop()
        link.cut()
    deadline = time.monotonic() + _LEAVING
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


@final
class Crew:
    """What executors on an engine have in common: all of `AbstractExecutor` but the engine.

    Each worker has one task at a time in the engine, which therefore never collects tasks of calls
    that were given up: these wait here, and are withdrawn.

    Args:
        workers: what the engine can do for each worker.
        name: of the threads.

    Example:
        >>> from anyk.executors.engines.crew import Crew
        >>> crew = Crew([], name="nobody")
        >>> crew.alive
        ()
        >>> crew.close()
    """

    def __init__(self, workers: Sequence[AbstractEngineWorker], *, name: str) -> None:
        self.placements = Placements()
        self._links: list[EngineLink] = []
        self._dispatcher = Dispatcher()
        self._stop = weakref.finalize(self, _stop, self._dispatcher, self._links)
        for index, worker in enumerate(workers):
            self._links.append(EngineLink(worker, partial(self.placements.live, index)))
            self._dispatcher.threads.append(
                WorkerThread(f"{name} worker {index}", farewell=self._links[-1].leave)
            )
        self._keep(len(workers))  # a worker that takes time to start does so now

    @property
    def alive(self) -> tuple[bool, ...]:
        """By worker, whether it could take a task, as far as is known."""
        return tuple(link.alive for link in self._links)

    @property
    def waiting(self) -> tuple[int, ...]:
        """By worker, how many tasks and requests have not begun."""
        return tuple(thread.waiting for thread in self._dispatcher.threads)

    def place(self, executor: AbstractExecutor, parts: Sequence[NDArray[Any]]) -> Placement:
        """Keep shares, until the first task on them takes them along.

        A call that places and runs needs one message to each worker instead of two.
        """
        return self.placements.add(executor, parts)

    def dispatch(
        self,
        executor: AbstractExecutor,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        pack: Callable[[tuple[Task, list[Any]]], Any],
    ) -> AbstractDispatch:
        """Run a task on every worker that holds a share; see `AbstractExecutor.dispatch`.

        Args:
            executor: to which this crew belongs.
            task: as there.
            placement: as there.
            arguments: as there.
            pack: makes of (task, arguments for every worker) what the engine's workers want.
        """
        shares = self.placements.shares(executor, placement)
        rows_of = {
            place: item for place, item in enumerate(arguments) if isinstance(item, PerWorker)
        }
        plain = [None if place in rows_of else item for place, item in enumerate(arguments)]
        order = pack((task, plain))
        rows = [
            {place: item.rows[worker] for place, item in rows_of.items()}
            for worker in range(len(shares))
        ]
        links = self._links[: len(shares)]
        nudge = partial(_nudge, links)
        dispatch = self._dispatcher.dispatch(executor, len(shares), on_abandon=nudge)
        for worker, (link, share, own) in enumerate(zip(links, shares, rows, strict=True)):
            ask = partial(link.ask, placement.key, share, order, own, dispatch.is_abandoned)
            dispatch.send(worker, ask)
        return dispatch

    def release(self, placement: Placement) -> None:
        """Let the workers forget shares, in the background. Harmless when called twice."""
        if self.placements.remove(placement):
            self._keep(placement.workers)

    def close(self) -> None:
        """Let the workers forget everything, and wait for none that is busy."""
        self.placements.close()
        self._stop()

    def _keep(self, workers: int) -> None:
        self._dispatcher.keep([link.synchronise for link in self._links[:workers]])


def _nudge(links: Sequence[EngineLink]) -> None:
    for link in links:
        link.nudge()
