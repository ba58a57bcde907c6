"""Calls of a function on Ray's actors: batches wait in the actors' own queues."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, final

from anyk.errors import ExecutorError
from anyk.executors.core.calls import AbstractCalls, Batch, Returned
from anyk.executors.engines.ray_site import check_ray
from anyk.executors.engines.ray_values import own, packed, parcel, store
from anyk.executors.engines.ray_worker import RayWorker
from anyk.executors.processes.calls import CallOrder, results

__all__ = ["RayCalls"]

_GLANCE = 0.25  # seconds after which one who waits looks for actors that do not begin
_MOMENT = 0.05  # seconds that an actor has to say whether a batch has begun


@final
class RayCalls(AbstractCalls):
    """Calls on Ray's actors; see `AbstractCalls`.

    The next batch waits on its actor, so that the actor need not wait for it; what is for an actor
    that is still to begin waits here. The function travels with the first batch that an actor gets.

    Args:
        workers: all of the executor's.
        key: that no other calls of the executor have.
        title: what a batch is called where Ray lists its tasks.
        function: what is called.

    Raises:
        InvalidArgument: if the function can't be sent.
    """

    def __init__(
        self, workers: Sequence[RayWorker], key: int, title: str, function: Callable[..., Any]
    ) -> None:
        self._workers, self._key, self._title = workers, key, title
        self._function = store(parcel(function, "function"))
        self._told: dict[int, Any] = {}  # by worker, the actor that has the function
        self._out: dict[int, _Posted] = {}  # by ticket
        self._waiting: list[_Posted] = []  # for an actor that is to begin
        self._came: queue.SimpleQueue[_Came | None] = queue.SimpleQueue()
        self._next_look = 0.0
        self._closed = self._woken = False

    @property
    def at_once(self) -> int:
        """One; see `AbstractCalls.at_once`."""
        return 1

    @property
    def ahead(self) -> int:
        """One: it is there when the actor is done with the one before it."""
        return 1

    def post(self, worker: int, batch: Batch) -> None:
        """Put a batch in an actor's queue; see `AbstractCalls.post`."""
        self._check_open()
        posted = _Posted(worker, batch.ticket, *packed(batch))
        self._send(posted)
        self._out[batch.ticket] = posted

    def receive(self, timeout: float | None) -> Returned | None:
        """What came of the next batch; see `AbstractCalls.receive`."""
        deadline = None if timeout is None else time.monotonic() + max(timeout, 0.0)
        while True:
            self._check_open()
            if not self._out:
                return None
            self._send_waiting()
            returned = self._look()
            if returned is None:
                left = _GLANCE if deadline is None else deadline - time.monotonic()
                try:
                    came = self._came.get(timeout=min(max(left, 0.0), _GLANCE))
                except queue.Empty:
                    came = None
                    if deadline is not None and time.monotonic() >= deadline:
                        return None
                returned = None if came is None else self._returned(*came)
                if came is None and self._woken:
                    self._woken = False
                    return None
            if returned is not None:
                return returned

    def withdraw(self, worker: int, ticket: int) -> bool:  # noqa: ARG002 - the ticket says whose
        """Ask the actor, which answers beside its work; see `AbstractCalls.withdraw`."""
        posted = self._out.get(ticket)
        if posted is None or posted.asked_for:
            return False
        if posted.future is None:
            del self._out[ticket]
            return True
        try:
            ask = posted.actor.withdraw.options(concurrency_group="beside")
            taken = ask.remote(self._key, ticket).future().result(timeout=_MOMENT)
        except TimeoutError:
            posted.asked_for = True
            return False
        except Exception:  # noqa: BLE001 - the actor is gone, which is what comes of the batch
            return False
        if taken:
            del self._out[ticket]
        return bool(taken)

    def wake(self) -> None:
        """Let who waits look around; see `AbstractCalls.wake`."""
        self._woken = True
        self._came.put(None)

    def abandon(self) -> None:
        """Let the actors skip what waits in their queues, and forget the function."""
        self._out.clear()
        told, self._told = self._told, {}
        for actor in told.values():
            try:
                actor.end.options(concurrency_group="beside").remote(self._key)
            except Exception:  # noqa: BLE001, S112 - Ray may be gone, and with it all of this
                continue

    def end(self) -> None:
        """The executor is closed: one who waits is woken."""
        self._closed = True
        self._came.put(None)

    def _check_open(self) -> None:
        if self._closed:
            raise ExecutorError("this Ray executor is closed; make a new one.")

    def _send(self, posted: _Posted) -> None:
        """Give a batch to its worker's actor, as soon as there is one."""
        posted.actor, start = self._workers[posted.worker].reach()
        posted.future = None
        if start.done():
            self._transmit(posted)
        else:
            self._waiting.append(posted)
            posted.start = start
            start.add_done_callback(partial(_wake, self._came))

    def _send_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for posted in waiting:
            if self._out.get(posted.ticket) is not posted or posted.future is not None:
                continue  # it was withdrawn, or given up
            if posted.start.done():
                self._transmit(posted)
            else:
                self._waiting.append(posted)

    def _transmit(self, posted: _Posted) -> None:
        actor, worker = posted.actor, posted.worker
        function = None if self._told.get(worker) is actor else self._function
        compute = actor.compute.options(name=self._title)
        sent = compute.remote(self._key, function, posted.ticket, posted.order, posted.refs)
        self._told[worker] = actor
        posted.future = sent.future()
        posted.future.add_done_callback(partial(_bring, self._came, posted))

    def _look(self) -> Returned | None:
        """Once in a while: a batch whose actor does not begin."""
        now = time.monotonic()
        if now < self._next_look:
            return None
        check_ray()
        for posted in self._out.values():
            worker = self._workers[posted.worker]
            if worker.overdue:
                try:
                    worker.check()
                except ExecutorError as error:
                    return self._ended(posted, worker.lose(posted.actor, error))
        self._next_look = now + _GLANCE
        return None

    def _returned(self, posted: _Posted, future: Future[Any], answered: float) -> Returned | None:
        if self._out.get(posted.ticket) is not posted or future is not posted.future:
            return None  # it was withdrawn, given up, or sent once more
        try:
            back = future.result()
            found = () if back is None else results(own(back[0]), own(back[1]))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is this worker's failure
            return self._failed(posted, error)
        if back is None:  # it was asked to skip it, and said so too late
            posted.asked_for = False
            self._send(posted)
            return None
        del self._out[posted.ticket]
        return Returned(posted.worker, posted.ticket, found, None, posted.sent, answered)

    def _failed(self, posted: _Posted, error: BaseException) -> Returned:
        """A batch that has failed as a whole, or the one on which its actor was then.

        Those behind it in the actor's queue had not begun: they go to the actor that takes its
        place.
        """
        actor, worker = posted.actor, self._workers[posted.worker]
        failure = worker.lose(actor, error)
        if worker.has(actor):
            return self._ended(posted, failure)
        first, *others = (each for each in self._out.values() if each.actor is actor)
        for each in others:
            self._send(each)
        return self._ended(first, failure)

    def _ended(self, posted: _Posted, failure: str) -> Returned:
        del self._out[posted.ticket]
        now = time.perf_counter()
        return Returned(posted.worker, posted.ticket, (), failure, posted.sent, now)


@final
class _Posted:
    """A batch on its way to an actor, or there."""

    def __init__(self, worker: int, ticket: int, order: CallOrder, refs: tuple[Any, ...]) -> None:
        self.worker, self.ticket, self.order, self.refs = worker, ticket, order, list(refs)
        self.sent = time.perf_counter()
        self.actor: Any = None
        self.start: Future[Any] = Future()  # done when the actor has begun
        self.future: Future[Any] | None = None  # of what comes of it, once it was sent
        self.asked_for = False  # whether the actor may be about to skip it, and has not said so


_Came = tuple[_Posted, "Future[Any]", float]


def _bring(came: queue.SimpleQueue[_Came | None], posted: _Posted, future: Future[Any]) -> None:
    came.put((posted, future, time.perf_counter()))


def _wake(came: queue.SimpleQueue[_Came | None], _: Future[Any]) -> None:
    came.put(None)
