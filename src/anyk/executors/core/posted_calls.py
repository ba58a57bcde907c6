"""Calls that are posted to the inboxes of workers, whose threads bring the results."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, final

from anyk.errors import ExecutorError
from anyk.executors.core.calls import AbstractCalls, Batch, Result, Returned
from anyk.executors.core.dispatcher import Awaited, Dispatcher, next_of
from anyk.executors.core.inbox import AbstractInbox, WorkerThread, serving
from anyk.executors.core.raised import describe

__all__ = ["Compute", "PostedCalls", "following"]

Compute = Callable[[], "tuple[Result, ...] | str"]
"""Computes a batch on its worker, in the thread of that: results, or why the worker failed."""


@final
class PostedCalls(AbstractCalls):
    """Calls on workers that have an inbox each.

    Args:
        dispatcher: has the inboxes.
        prepare: packs a batch for a worker, and says how it is computed; refuses what can't be
            sent.
        name: of the executor's class.
        ahead: see `AbstractCalls.ahead`.

    Example:
        >>> from anyk.executors.core.calls import Batch
        >>> from anyk.executors.core.task_id import TaskId
        >>> with anyk.Threads(2) as executor:
        ...     calls = executor.calls(abs)
        ...     calls.post(1, Batch(0, ((-5,),), (TaskId(0, 0, 1),)))
        ...     returned = calls.receive(timeout=None)
        >>> returned.worker, returned.results[0].value
        (1, 5)
    """

    def __init__(
        self,
        dispatcher: Dispatcher[Any],
        prepare: Callable[[int, Batch, Awaited], Compute],
        name: str,
        ahead: int = 1,
    ) -> None:
        dispatcher.check()
        self._inboxes: list[AbstractInbox] = dispatcher.inboxes
        self._prepare, self._name, self._ahead = prepare, name, ahead
        self._out: dict[int, _Posted] = {}  # by ticket
        self._came: queue.SimpleQueue[Returned | None] = queue.SimpleQueue()
        self._call = Awaited()
        self._closed = False
        dispatcher.end_with(self, self.end)
        self._check_open()

    @property
    def at_once(self) -> int:
        """One; see `AbstractCalls.at_once`."""
        return 1

    @property
    def ahead(self) -> int:
        """How many batches a worker should have at hand; see `AbstractCalls.ahead`."""
        return self._ahead

    def post(self, worker: int, batch: Batch) -> None:
        """Put a batch in a worker's inbox; see `AbstractCalls.post`."""
        self._check_open()
        compute = self._prepare(worker, batch, self._call)
        posted = self._out[batch.ticket] = _Posted(worker, batch.ticket, compute)
        self._inboxes[worker].post(posted, partial(self._bring, posted))

    def receive(self, timeout: float | None) -> Returned | None:
        """What came of the next batch; see `AbstractCalls.receive`."""
        self._check_open()
        if not self._out:
            return None
        returned = next_of(self._came, timeout)
        self._check_open()
        if returned is not None:
            self._out.pop(returned.ticket, None)
        return returned

    def withdraw(self, worker: int, ticket: int) -> bool:
        """Take a batch out of an inbox; see `AbstractCalls.withdraw`."""
        posted = self._out.get(ticket)
        if posted is None or not posted.claim():
            return False
        del self._out[ticket]
        self._inboxes[worker].withdraw(posted)
        return True

    def wake(self) -> None:
        """Let who waits look around; see `AbstractCalls.wake`."""
        self._came.put(None)

    def abandon(self) -> None:
        """Take all batches out of the inboxes, and forget those that run."""
        self._call.abandoned = True
        out, self._out = self._out, {}
        for posted in out.values():
            posted.claim()
            self._inboxes[posted.worker].withdraw(posted)
        for wake in tuple(self._call.wakes):
            wake.set()

    def end(self) -> None:
        """The executor is closed: one who waits is woken."""
        self._closed = True
        self.abandon()
        self._came.put(None)

    def _check_open(self) -> None:
        if self._closed:
            raise ExecutorError(f"this {self._name} executor is closed; make a new one.")

    def _bring(self, posted: _Posted) -> None:
        if not (posted.begun or posted.claim()):
            return
        results: tuple[Result, ...] | str
        try:
            results = posted.compute()
        except BaseException as error:  # noqa: BLE001 - who waits must be told
            results = describe(error)
        failure = results if isinstance(results, str) else None
        returned = Returned(
            worker=posted.worker,
            ticket=posted.ticket,
            results=() if isinstance(results, str) else results,
            failure=failure,
            sent=posted.sent,
            answered=time.perf_counter(),
        )
        if not self._call.abandoned:
            self._came.put(returned)


@final
class _Posted:
    """A batch in an inbox: whoever claims it first may run it, or take it back."""

    def __init__(self, worker: int, ticket: int, compute: Compute) -> None:
        self.worker, self.ticket, self.compute = worker, ticket, compute
        self.sent = time.perf_counter()
        self.begun = False
        """Whether it is on its way already, before its turn in the inbox."""
        self._free = threading.Lock()

    def claim(self) -> bool:
        """Whether nobody did before."""
        return self._free.acquire(blocking=False)


def following(accept: Callable[[Compute], bool]) -> Compute | None:
    """What the worker that this thread serves computes next: it may be on its way now.

    It can't be withdrawn any more, and its turn comes unless its calls are abandoned.

    Args:
        accept: whether it may be sent now.

    Returns:
        None where there is none, or something else comes first.
    """
    inbox = serving.inbox
    posted = inbox.next if isinstance(inbox, WorkerThread) else None
    if isinstance(posted, _Posted) and not posted.begun and accept(posted.compute):
        posted.begun = posted.claim()
        return posted.compute if posted.begun else None
    return None
