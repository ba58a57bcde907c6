"""How tasks reach workers that nobody waits for: posted to inboxes, answered one by one."""

from __future__ import annotations

import os
import queue
import threading
import time
import weakref
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Generic, TypeVar, final

from anyk.answers import Answer
from anyk.errors import ExecutorError
from anyk.executors.core.base import AbstractDispatch
from anyk.executors.core.inbox import AbstractInbox, Job, serving
from anyk.executors.core.raised import describe
from anyk.executors.core.run_task import Reply

__all__ = [
    "Ask",
    "Awaited",
    "Dispatcher",
    "More",
    "PostedDispatch",
    "next_of",
]

Ask = Callable[[], Reply]
"""Runs a task on one share, in the thread of its worker."""

More = Callable[[int, int], Ask]
"""Of a share and another worker: runs the task there."""


Came = TypeVar("Came")


def next_of(came: queue.SimpleQueue[Came | None], timeout: float | None) -> Came | None:
    """What comes next in a queue; None if the time is over first, or None was put in.

    Args:
        came: the queue.
        timeout: seconds, of any size; None to wait as long as it takes.
    """
    if timeout is not None:
        timeout = None if timeout > threading.TIMEOUT_MAX else max(timeout, 0.0)
    try:
        return came.get(timeout=timeout)
    except queue.Empty:
        return None


@final
class Awaited:
    """Whether somebody still waits for the answers of one dispatch.

    Example:
        >>> from anyk.executors.core.dispatcher import Awaited
        >>> Awaited().abandoned
        False
    """

    def __init__(self) -> None:
        self.abandoned = False
        self.wakes: list[threading.Event] = []
        """Set when nobody does any more; whoever asks a worker may add one."""


@final
class PostedDispatch(AbstractDispatch):
    """One task that was posted to the inboxes of workers, whose threads bring the answers.

    Args:
        inboxes: of the workers that are asked.
        asks: what each share's worker is asked, in the order of the shares.
        pieces: how many shares a worker holds.
        call: told when nobody waits for the answers any more.
        more: makes what a worker is asked for another one's share, of the share and the worker;
            None where no share can be sent again.
        without: workers of whom nothing is asked.

    Example:
        >>> from anyk.executors.core.dispatcher import Awaited, PostedDispatch
        >>> dispatch = PostedDispatch([], [], 1, Awaited(), more=None)
        >>> dispatch.receive(timeout=None)  # nobody was asked
    """

    def __init__(
        self,
        inboxes: Sequence[AbstractInbox],
        asks: Sequence[Ask],
        pieces: int,
        call: Awaited,
        more: More | None,
        *,
        without: Collection[int] = (),
    ) -> None:
        self._call, self._more = call, more
        self._all = inboxes
        self._inboxes: list[AbstractInbox] = []
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._left = 0
        self._pieces = pieces
        self._taken: set[tuple[int, int]] = set()  # worker and piece: begun, or skipped
        self._taking = threading.Lock()
        self._sent = time.perf_counter()
        for worker, inbox in enumerate(inboxes[: -(-len(asks) // pieces)]):
            if worker in without:
                continue
            own = asks[worker * pieces : (worker + 1) * pieces]
            self._inboxes.append(inbox)
            self._left += len(own)
            inbox.post(
                self, *(partial(self._bring, worker, piece, ask) for piece, ask in enumerate(own))
            )

    def receive(self, timeout: float | None) -> Answer | None:
        """The next answer; see `AbstractDispatch.receive`."""
        answers = self._answers  # first: `abandon`, in another thread, wakes who waits in these
        if self._call.abandoned or not self._left:
            return None
        answer = next_of(answers, timeout)
        if answer is not None:
            self._left -= 1
        return answer

    def again(self, share: int, worker: int) -> bool:
        """Let another worker compute a share too; see `AbstractDispatch.again`."""
        if self._call.abandoned or self._more is None:
            return False
        self._left += 1
        inbox = self._all[worker]
        self._inboxes.append(inbox)
        ask = self._more(share, worker)
        inbox.post(self, partial(self._bring, worker, 0, ask, share, time.perf_counter()))
        return True

    def skip(self, share: int) -> bool:
        """Spare a worker a share of its own; see `AbstractDispatch.skip`."""
        if not self._take(*divmod(share, self._pieces)):
            return False
        self._left -= 1
        return True

    def _take(self, worker: int, piece: int) -> bool:
        """Whether a share of a worker's own was neither begun nor skipped before; now it is."""
        with self._taking:
            before = len(self._taken)
            self._taken.add((worker, piece))
            return len(self._taken) > before

    def abandon(self) -> None:
        """Forget the rest; one who waits in `receive` is woken."""
        self._call.abandoned = True
        for inbox in self._inboxes:
            inbox.withdraw(self)
        late, self._answers = self._answers, queue.SimpleQueue()
        late.put(None)
        for wake in tuple(self._call.wakes):
            wake.set()

    def _bring(
        self, worker: int, piece: int, ask: Ask, share: int | None = None, sent: float | None = None
    ) -> None:
        if share is None and not self._take(worker, piece):
            return  # it was skipped
        try:
            value, failure, seconds, traceback = ask()
        except BaseException as error:  # noqa: BLE001 - who waits must be told
            value, failure, seconds, traceback = None, describe(error), 0.0, ""
        answer = Answer(
            worker=worker,
            piece=piece,
            share=share,
            value=value,
            failure=failure,
            sent=self._sent if sent is None else sent,
            answered=time.perf_counter(),
            seconds=seconds,
            traceback=traceback,
        )
        if not self._call.abandoned:
            self._answers.put(answer)


AnyInbox = TypeVar("AnyInbox", bound=AbstractInbox)


@final
class Dispatcher(Generic[AnyInbox]):
    """The inboxes of an executor's workers, and the dispatches that were posted to them.

    A dispatch ends with the dispatcher: whoever waits for answers that will not come is woken,
    whether it was closed before, while or after they were asked for.

    Args:
        name: of the executor's class, for what is said in errors.

    Example:
        >>> from anyk.executors.core.dispatcher import Dispatcher
        >>> from anyk.executors.core.inbox import WorkerThread
        >>> dispatcher = Dispatcher("Threads")
        >>> dispatcher.inboxes.append(WorkerThread("worker 0"))
        >>> dispatch = dispatcher.post([lambda: (np.array(25), None, 0.0, "")], pieces=1, more=None)
        >>> dispatch.receive(timeout=None).value
        array(25)
        >>> dispatcher.close()
        >>> dispatcher.inboxes[0].stop()
        True
    """

    def __init__(self, name: str) -> None:
        self.inboxes: list[AnyInbox] = []
        self._name = name
        self._lock = threading.Lock()
        self._open: weakref.WeakKeyDictionary[object, weakref.WeakMethod[Callable[[], None]]] = (
            weakref.WeakKeyDictionary()
        )
        self._closed = False
        self._owner = os.getpid()
        self._keeping = object()  # owns the jobs that keep shares up to date

    @property
    def here(self) -> bool:
        """Whether this is the process that made it: a fork has the list, and no threads."""
        return os.getpid() == self._owner

    def post(
        self,
        asks: Sequence[Ask],
        pieces: int,
        more: More | None,
        call: Awaited | None = None,
        *,
        without: Collection[int] = (),
    ) -> PostedDispatch:
        """Let the first workers be asked, each for its shares, one after the other.

        Args:
            asks: one for each share.
            pieces: how many shares a worker holds.
            more: makes what a worker is asked for another one's share, of the share and the worker;
                None where no share can be sent again.
            call: told when nobody waits for the answers any more; None where nobody asks it.
            without: workers of whom nothing is asked.

        Raises:
            ExecutorError: as `check`.
        """
        self.check()
        call = Awaited() if call is None else call
        dispatch = PostedDispatch(self.inboxes, asks, pieces, call, more, without=without)
        self.end_with(dispatch, dispatch.abandon)
        return dispatch

    def check(self) -> None:
        """Refuse work where nobody would answer.

        Raises:
            ExecutorError: in a fork of the process that made the executor, or in a thread that
                would wait for itself.
        """
        if not self.here:
            raise ExecutorError(
                f"this {self._name} executor is of the process that this one was "
                "forked from, where its workers answer; make a new one here."
            )
        if serving.inbox is not None and serving.inbox in self.inboxes:
            raise ExecutorError(
                f"a task of this {self._name} executor can't wait for others: give it one of its "
                "own."
            )

    def end_with(self, owner: object, end: Callable[[], None]) -> None:
        """Let something that waits for answers end when this is closed, or at once if it is.

        Args:
            owner: as long as it is there.
            end: a method of it.
        """
        with self._lock:
            self._open[owner] = weakref.WeakMethod(end)
            closed = self._closed
        if closed:  # since the caller found it open
            end()

    def keep(self, jobs: Sequence[Job]) -> None:
        """Let each of the first inboxes bring a worker's shares up to date, once."""
        for inbox, job in zip(self.inboxes, jobs, strict=False):
            inbox.withdraw(self._keeping)
            inbox.post(self._keeping, job)

    def close(self) -> None:
        """Abandon all dispatches, those to come as well; threads are stopped by the caller."""
        with self._lock:
            self._closed = True
            ends = [found for each in self._open.values() if (found := each()) is not None]
        for end in ends:
            end()
