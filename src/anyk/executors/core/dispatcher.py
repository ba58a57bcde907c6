"""How tasks reach workers that nobody waits for: an inbox for each, and a thread that serves it."""

from __future__ import annotations

import os
import queue
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Generic, TypeVar, final

from anyk.answers import Answer
from anyk.errors import ExecutorError
from anyk.executors.core.base import AbstractDispatch
from anyk.executors.core.run_task import Reply

__all__ = [
    "AbstractInbox",
    "Ask",
    "Call",
    "Dispatcher",
    "Job",
    "More",
    "PostedDispatch",
    "WorkerThread",
    "serving",
]

Job = Callable[[], object]
"""What the thread of a worker is to do; it must not raise."""


def _nothing() -> None:
    pass


Ask = Callable[[], Reply]
"""Runs a task on one share, in the thread of its worker."""

More = Callable[[int, int], Ask]
"""Of a share and another worker: runs the task there."""


@final
class Call:
    """Whether somebody still waits for the answers of one dispatch.

    Args:
        wakes: set when nobody does any more; whoever asks a worker may add one.

    Example:
        >>> from anyk.executors.core.dispatcher import Call
        >>> Call().abandoned
        False
    """

    def __init__(self) -> None:
        self.abandoned = False
        self.wakes: list[threading.Event] = []


@final
class _Serving(threading.local):
    """Whose jobs this thread does."""

    inbox: AbstractInbox | None = None


serving = _Serving()
"""Of each thread: the inbox whose job it does; None in a thread that serves nobody."""


class AbstractInbox(ABC):
    """The jobs of one worker, done one after the other, in their order."""

    @abstractmethod
    def post(self, owner: object, *jobs: Job) -> None:
        """Put jobs at the end; thrown away where nobody serves it any more."""

    @abstractmethod
    def withdraw(self, owner: object) -> None:
        """Throw away the jobs of this owner that have not begun."""


@final
class WorkerThread(AbstractInbox):
    """Does the jobs of one worker, one after the other, in a daemon thread.

    A job that hangs holds up its own worker and nobody else. Those that wait behind it can be
    withdrawn, so an inbox does not grow with calls that were given up.

    Args:
        name: of the thread.
        at_start: done in the thread before its first job.
        at_end: done in the thread when no more jobs will come.

    Example:
        >>> import threading
        >>> from anyk.executors.core.dispatcher import WorkerThread
        >>> done = threading.Event()
        >>> thread = WorkerThread("worker 0")
        >>> thread.post("the first call", done.set)
        >>> done.wait()
        True
        >>> _ = thread.stop()
        >>> thread.join(timeout=None)
        True
    """

    def __init__(self, name: str, *, at_start: Job = _nothing, at_end: Job = _nothing) -> None:
        self._inbox: deque[tuple[object, Job]] = deque()
        self._change = threading.Condition()
        self._stopping = False
        self._busy = False
        self._at_start, self._at_end = at_start, at_end
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def post(self, owner: object, *jobs: Job) -> None:
        """Put jobs at the end of the inbox; after `stop` they are thrown away."""
        with self._change:
            if not self._stopping:
                self._inbox.extend((owner, job) for job in jobs)
                self._change.notify()

    def withdraw(self, owner: object) -> None:
        """Throw away the jobs of this owner that have not begun."""
        if self._inbox:
            with self._change:
                self._inbox = deque(item for item in self._inbox if item[0] is not owner)

    def stop(self) -> bool:
        """Take no more jobs, and end the thread after the present one.

        Returns:
            Whether the thread was idle, and so ends at once.
        """
        with self._change:
            self._stopping = True
            self._inbox.clear()
            self._change.notify()
            return not self._busy

    def join(self, timeout: float | None) -> bool:
        """Wait until the thread has ended, at most `timeout` seconds; whether it has."""
        if self.here:
            return False
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def here(self) -> bool:
        """Whether it is this thread that asks: it would wait for itself."""
        return self._thread is threading.current_thread()

    @property
    def waiting(self) -> int:
        """How many jobs have not begun."""
        return len(self._inbox)

    def _serve(self) -> None:
        serving.inbox = self
        self._at_start()
        while self._serve_one():
            pass
        self._at_end()

    def _serve_one(self) -> bool:
        with self._change:
            self._busy = False
            while not self._inbox and not self._stopping:
                self._change.wait()
            if self._stopping:
                return False
            _, job = self._inbox.popleft()
            self._busy = True
        job()
        return True


@final
class PostedDispatch(AbstractDispatch):
    """One task that was posted to the inboxes of workers, whose threads bring the answers.

    Args:
        inboxes: of the workers that are asked.
        asks: what each share's worker is asked, in the order of the shares.
        pieces: how many shares a worker holds.
        call: told when nobody waits for the answers any more.
        more: makes what a worker is asked for another one's share, of the share and the worker.
        without: workers of whom nothing is asked.

    Example:
        >>> from anyk.executors.core.dispatcher import Call, PostedDispatch
        >>> dispatch = PostedDispatch([], [], 1, Call(), more=None)
        >>> dispatch.receive(timeout=None)  # nobody was asked
    """

    def __init__(
        self,
        inboxes: Sequence[AbstractInbox],
        asks: Sequence[Ask],
        pieces: int,
        call: Call,
        more: More,
        *,
        without: Collection[int] = (),
    ) -> None:
        self._call, self._more = call, more
        self._all = inboxes
        self._inboxes: list[AbstractInbox] = []
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._left = 0
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
        if timeout is not None:
            timeout = None if timeout > threading.TIMEOUT_MAX else max(timeout, 0.0)
        try:
            answer = answers.get(timeout=timeout)
        except queue.Empty:
            return None
        if answer is not None:
            self._left -= 1
        return answer

    def again(self, share: int, worker: int) -> bool:
        """Let another worker compute a share too; see `AbstractDispatch.again`."""
        if self._call.abandoned:
            return False
        self._left += 1
        inbox = self._all[worker]
        self._inboxes.append(inbox)
        ask = self._more(share, worker)
        inbox.post(self, partial(self._bring, worker, 0, ask, share, time.perf_counter()))
        return True

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
        value, failure, seconds = ask()
        answer = Answer(
            worker=worker,
            piece=piece,
            share=share,
            value=value,
            failure=failure,
            sent=self._sent if sent is None else sent,
            answered=time.perf_counter(),
            seconds=seconds,
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
        >>> from anyk.executors.core.dispatcher import Dispatcher, WorkerThread
        >>> dispatcher = Dispatcher("Threads")
        >>> dispatcher.inboxes.append(WorkerThread("worker 0"))
        >>> dispatch = dispatcher.post([lambda: (np.array(25), None, 0.0)], pieces=1, more=None)
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
        self._open: weakref.WeakSet[PostedDispatch] = weakref.WeakSet()
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
        more: More,
        call: Call | None = None,
        *,
        without: Collection[int] = (),
    ) -> PostedDispatch:
        """Let the first workers be asked, each for its shares, one after the other.

        Args:
            asks: one for each share.
            pieces: how many shares a worker holds.
            more: makes what a worker is asked for another one's share, of the share and the worker.
            call: told when nobody waits for the answers any more; None where nobody asks it.
            without: workers of whom nothing is asked.

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
        call = Call() if call is None else call
        dispatch = PostedDispatch(self.inboxes, asks, pieces, call, more, without=without)
        with self._lock:
            self._open.add(dispatch)
            closed = self._closed
        if closed:  # since the caller found it open
            dispatch.abandon()
        return dispatch

    def keep(self, jobs: Sequence[Job]) -> None:
        """Let each of the first inboxes bring a worker's shares up to date, once."""
        for inbox, job in zip(self.inboxes, jobs, strict=False):
            inbox.withdraw(self._keeping)
            inbox.post(self._keeping, job)

    def close(self) -> None:
        """Abandon all dispatches, those to come as well; threads are stopped by the caller."""
        with self._lock:
            self._closed = True
            dispatches = list(self._open)
        for dispatch in dispatches:
            dispatch.abandon()
