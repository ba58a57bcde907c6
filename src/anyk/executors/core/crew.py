"""The workers of an executor that runs them elsewhere: a thread and a link for each."""

from __future__ import annotations

import time
import weakref
from abc import abstractmethod
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, Generic, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, Placement
from anyk.executors.core.calls import Batch
from anyk.executors.core.columns import Outline
from anyk.executors.core.dispatcher import Ask, Awaited, Dispatcher
from anyk.executors.core.filling import AbstractFilling
from anyk.executors.core.inbox import Job, WorkerThread
from anyk.executors.core.link import AbstractLink, Held, Order
from anyk.executors.core.placements import Placements, addressed, alone
from anyk.executors.core.posted_calls import Compute, PostedCalls
from anyk.executors.core.run_task import Task

__all__ = ["AbstractCrewed", "Crew"]

_LEAVING = 1.0  # seconds that workers have to end by themselves, and once more when made to

AnyLink = TypeVar("AnyLink", bound=AbstractLink)

Pack = Callable[[Task, Sequence[Any], int], tuple[Any, Sequence[Any]]]
"""Makes (common, rows of each share) of a task, its arguments and how many shares there are."""


def _nothing() -> None:
    pass


def _end(dispatcher: Dispatcher[WorkerThread], links: Sequence[AbstractLink], at_end: Job) -> None:
    if not dispatcher.here:
        return
    dispatcher.close()
    threads = dispatcher.inboxes
    late = list(zip(links, threads, strict=False))
    for link, thread in late:
        if not thread.stop():
            link.cut(force=False)
    for force in (True, False):
        deadline = time.monotonic() + _LEAVING
        late = [pair for pair in late if not pair[1].join(max(0.0, deadline - time.monotonic()))]
        if force:
            for link, _ in late:
                link.cut(force=True)
    for link in links[len(threads) :]:  # left by a constructor that was interrupted
        link.leave()
    at_end()


@final
class Crew(Generic[AnyLink]):
    """What executors with workers elsewhere have in common: all but the way to a worker.

    Each worker has one task at a time, on one share, so that no engine and no pipe collects tasks
    of calls that were given up: these wait here, and are withdrawn. It ends when it is closed, or
    when nobody has the executor any more; workers that are busy are waited for as long as it takes
    to cut them off, about a second.

    Args:
        name: of the executor's class.
        workers: how many there are.
        link: makes the way to a worker, of its index and of what says which shares it should hold.
        pack: makes a task and its arguments ready to be sent.
        convert: makes an array of shares ready to be sent.
        ahead: whether shares are sent as soon as they are placed; else the first task takes them
            along, which saves a message.
        check: raises an error where nothing can be placed or dispatched any more.
        at_end: done when all workers have left.
        more: how to get more workers, in words, as in `Placements`.

    Example:
        >>> from anyk.executors.core.crew import Crew
        >>> crew = Crew("Nobody", 0, link=None, pack=None, ahead=False)
        >>> crew.waiting
        ()
        >>> crew.close()
    """

    def __init__(
        self,
        name: str,
        workers: int,
        *,
        link: Callable[[int, Held], AnyLink],
        pack: Pack,
        ahead: bool,
        convert: Callable[[NDArray[Any]], NDArray[Any]] = np.asarray,
        check: Job = _nothing,
        at_end: Job = _nothing,
        more: str = "",
    ) -> None:
        self.links: list[AnyLink] = []
        self._name = name
        self._placements = Placements(name, workers, more)
        self._dispatcher: Dispatcher[WorkerThread] = Dispatcher(name)
        self._pack, self._convert = pack, convert
        self._ahead, self._check = ahead, check
        self._end = weakref.finalize(self, _end, self._dispatcher, self.links, at_end)
        try:
            for worker in range(workers):
                made = link(worker, partial(self._placements.held_by, worker))
                self.links.append(made)
                name_of_thread = f"anyk {name.lower()} worker {worker}"
                self._dispatcher.inboxes.append(WorkerThread(name_of_thread, at_end=made.leave))
        except BaseException:
            self.close()
            raise
        self._keep(workers)  # a worker that takes time to start does so now

    @property
    def waiting(self) -> tuple[int, ...]:
        """By worker, how many jobs have not begun."""
        return tuple(thread.waiting for thread in self._dispatcher.inboxes)

    def place(self, parts: Sequence[NDArray[Any]], pieces: int) -> Placement:
        """Keep shares, and send them if that is done ahead; see `AbstractExecutor.place`."""
        self._check()
        placement = self._placements.add([self._convert(part) for part in parts], pieces)
        if self._ahead:
            self._keep(placement.workers)
        return placement

    def dispatch(
        self,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Ask the workers that hold a share; see `AbstractExecutor.dispatch`."""
        self._check()
        parts = self._placements.parts(placement)
        shares, pieces = placement.shares, placement.pieces
        common, rows = self._pack(task, addressed(arguments, placement), shares)
        call, asks = Awaited(), []
        for worker, first in enumerate(range(0, shares, pieces)):
            own = slice(first, first + pieces)
            held = tuple(part[own] for part in parts)
            order = Order(placement.key, held, common, rows[own], call)
            ask = self.links[worker].ask
            asks += [partial(ask, order, piece) for piece in range(len(order.rows))]

        links, pack, key = self.links, self._pack, self._placements.key  # nothing keeps the crew

        def more(share: int, worker: int) -> Ask:
            only = tuple(part[share : share + 1] for part in parts)
            common, rows = pack(task, alone(arguments, share, worker), 1)
            return partial(links[worker].ask, Order(key(), only, common, rows, call), 0)

        known = more if parts else None  # what came in slabs is nowhere to send it again
        return self._dispatcher.post(asks, pieces, known, call, without=without)

    def place_filled(self, shares: int, pieces: int) -> Placement:
        """Begin a placement whose shares come in slabs, and are kept by the workers alone."""
        self.check()
        return self._placements.add_filled(shares, pieces)

    def post(self, worker: int, owner: object, job: Job) -> None:
        """Let the thread of a worker do something that must not raise."""
        self._dispatcher.inboxes[worker].post(owner, job)

    def withdraw(self, worker: int, owner: object) -> None:
        """Throw away what this owner has posted there and has not begun."""
        self._dispatcher.inboxes[worker].withdraw(owner)

    def release(self, placement: Placement) -> None:
        """Let the workers forget shares, in the background. Harmless when called twice."""
        self._keep(self._placements.remove(placement))

    def calls(
        self, prepare: Callable[[int, Batch, Awaited], Compute], ahead: int = 1
    ) -> PostedCalls:
        """Calls in the threads of the workers; see `PostedCalls`."""
        self.check()
        return PostedCalls(self._dispatcher, prepare, self._name, ahead)

    def check(self) -> None:
        """Refuse work where nobody would answer.

        Raises:
            ExecutorError: if the executor is closed or another process's, or its engine gone.
        """
        self._placements.check_open()
        self._check()
        self._dispatcher.check()

    def synchronise(self) -> None:
        """Let every worker hold what it should, in the background."""
        self._keep(len(self.links))

    def end_with(self, owner: object, end: Callable[[], None]) -> None:
        """Let what waits for answers end when this is closed; see `Dispatcher.end_with`."""
        self._dispatcher.end_with(owner, end)

    def close(self) -> None:
        """Let the workers end. Harmless when called twice."""
        self._placements.close()
        self._end()

    def _keep(self, workers: int) -> None:
        self._dispatcher.keep([link.synchronise for link in self.links[:workers]])


class AbstractCrewed(AbstractExecutor):
    """An executor whose workers are a crew."""

    @property
    @abstractmethod
    def crew(self) -> Crew[Any]:
        """The workers."""

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return len(self.crew.links)

    @property
    def alive(self) -> tuple[bool, ...]:
        """By worker, whether it could take a task, as far as is known."""
        return tuple(link.alive for link in self.crew.links)

    def clock(self) -> float:
        """Seconds on `time.perf_counter`."""
        return time.perf_counter()

    def place(self, parts: Sequence[NDArray[Any]], pieces: int = 1) -> Placement:
        """Send shares to the workers, in the background; see `AbstractExecutor.place`."""
        return self.crew.place(parts, pieces)

    def filling(self, outlines: Sequence[Outline], pieces: int = 1) -> AbstractFilling:
        """Send shares to the workers slab by slab; see `AbstractExecutor.filling`.

        A slab is forgotten here when all workers have it. A worker that is replaced has lost what
        came in slabs, and fails where it should compute on it.
        """
        from anyk.executors.core.crew_filling import CrewFilling  # noqa: PLC0415 - few have slabs

        return CrewFilling(self.crew, [link.fill for link in self.crew.links], outlines, pieces)

    def dispatch(
        self,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Run a task on every share, on its worker; see `AbstractExecutor.dispatch`."""
        return self.crew.dispatch(task, placement, arguments, without)

    def release(self, placement: Placement) -> None:
        """Let the workers forget shares, in the background. Harmless when called twice."""
        self.crew.release(placement)

    def close(self) -> None:
        """Let the workers end or forget everything, and wait for none that is busy.

        Takes milliseconds, or a second or two if a worker does not react. Harmless when called
        twice.
        """
        self.crew.close()
