"""The workers of an engine that is not ours: a courier and a link for each, and their shares."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, final

from numpy.typing import NDArray

from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, Dealt, Placement
from anyk.executors.core.dispatcher import Courier, Office
from anyk.executors.core.placements import Shelf
from anyk.executors.core.run_task import Task
from anyk.executors.engines.link import AbstractPort, EngineLink

__all__ = ["Crew"]

_LEAVING = 2.0  # seconds that the end of all couriers may take


def _stop(office: Office, links: Sequence[EngineLink]) -> None:
    if not office.here:
        return
    office.close()
    couriers = office.couriers
    for courier, link in zip(couriers, links, strict=False):
        courier.stop()
        link.cut()
    deadline = time.monotonic() + _LEAVING
    for courier in couriers:
        courier.join(max(0.0, deadline - time.monotonic()))


@final
class Crew:
    """What executors on an engine have in common: all of `AbstractExecutor` but the engine.

    Each worker has one task at a time in the engine, which therefore never collects tasks of calls
    that were given up: these wait here, and are withdrawn.

    Args:
        ports: what the engine can do for each worker.
        name: of the couriers' threads.

    Example:
        >>> from anyk.executors.engines.crew import Crew
        >>> crew = Crew([], name="nobody")
        >>> crew.alive
        ()
        >>> crew.close()
    """

    def __init__(self, ports: Sequence[AbstractPort], *, name: str) -> None:
        self.shelf = Shelf()
        self._links: list[EngineLink] = []
        self._office = Office()
        self._stop = weakref.finalize(self, _stop, self._office, self._links)
        for worker, port in enumerate(ports):
            self._links.append(EngineLink(port, partial(self.shelf.live, worker)))
            self._office.couriers.append(
                Courier(f"{name} worker {worker}", farewell=self._links[-1].leave)
            )
        self._keep(len(ports))  # a worker that takes time to start does so now

    @property
    def alive(self) -> tuple[bool, ...]:
        """By worker, whether it could take a task, as far as is known."""
        return tuple(link.alive for link in self._links)

    @property
    def waiting(self) -> tuple[int, ...]:
        """By worker, how many tasks and errands have not begun."""
        return tuple(courier.waiting for courier in self._office.couriers)

    def place(self, executor: AbstractExecutor, parts: Sequence[NDArray[Any]]) -> Placement:
        """Keep shares, until the first task on them takes them along.

        A call that places and runs needs one message to each worker instead of two.
        """
        return self.shelf.add(executor, parts)

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
            pack: makes of (task, arguments for every worker) what the engine's ports want.
        """
        shares = self.shelf.shares(executor, placement)
        dealt = {place: item for place, item in enumerate(arguments) if isinstance(item, Dealt)}
        plain = [None if place in dealt else item for place, item in enumerate(arguments)]
        order = pack((task, plain))
        rows = [
            {place: item.rows[worker] for place, item in dealt.items()}
            for worker in range(len(shares))
        ]
        links = self._links[: len(shares)]
        nudge = partial(_nudge, links)
        dispatch = self._office.dispatch(executor, len(shares), on_abandon=nudge)
        for worker, (link, share, own) in enumerate(zip(links, shares, rows, strict=True)):
            ask = partial(link.ask, placement.key, share, order, own, dispatch.is_abandoned)
            dispatch.send(worker, ask)
        return dispatch

    def release(self, placement: Placement) -> None:
        """Let the workers forget shares, in the background. Harmless when called twice."""
        if self.shelf.remove(placement):
            self._keep(placement.workers)

    def close(self) -> None:
        """Let the workers forget everything, and wait for none that is busy."""
        self.shelf.close()
        self._stop()

    def _keep(self, workers: int) -> None:
        self._office.keep([link.synchronise for link in self._links[:workers]])


def _nudge(links: Sequence[EngineLink]) -> None:
    for link in links:
        link.nudge()
