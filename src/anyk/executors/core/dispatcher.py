"""How tasks reach workers that nobody waits for: one thread and one inbox a worker."""

from __future__ import annotations

import os
import queue
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, final

from numpy.typing import NDArray

from anyk.answers import Answer
from anyk.errors import ExecutorError
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor

__all__ = ["Dispatcher", "PostedDispatch", "WorkerThread"]

Ask = Callable[[], tuple["NDArray[Any] | None", "str | None", float]]
"""Asks a worker, and gives (value, failure, seconds), one of the first two None."""

Job = Callable[[], None]
"""What the thread of a worker is to do; it must not raise."""


@final
class WorkerThread:
    """Runs the jobs of one worker, one after the other, in a daemon thread of its own.

    A job that hangs holds up its own worker and nobody else. Those that wait behind it can be
    withdrawn, so an inbox does not grow with calls that were given up.

    Args:
        name: of the thread.
        farewell: called in the thread when no more jobs will come.

    Example:
        >>> import threading
        >>> from anyk.executors.core.dispatcher import WorkerThread
        >>> done = threading.Event()
        >>> thread = WorkerThread("thread of worker 0")
        >>> thread.post("the first call", done.set)
        >>> done.wait()
        True
        >>> _ = thread.stop()
        >>> thread.join(timeout=None)
        True
    """

    def __init__(self, name: str, *, farewell: Job = lambda: None) -> None:
        self._inbox: deque[tuple[object, Job]] = deque()
        self._change = threading.Condition()
        self._stopping = False
        self._busy = False
        self._farewell = farewell
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def post(self, owner: object, job: Job) -> None:
        """Put a job at the end of the inbox; after `stop` it is thrown away."""
        with self._change:
            if not self._stopping:
                self._inbox.append((owner, job))
                self._change.notify()

    def withdraw(self, owner: object) -> None:
        """Throw away the jobs of this owner that have not begun."""
        with self._change:
            if self._inbox:
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
        if self._thread is threading.current_thread():
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
        while self._serve_one():
            pass
        self._farewell()

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
    """One task posted to the threads of workers, which bring the answers.

    Args:
        threads: one for each worker that is to be asked.
        on_abandon: called when nobody waits for the answers any more.

    Example:
        >>> from anyk.executors.core.dispatcher import PostedDispatch
        >>> dispatch = PostedDispatch([])
        >>> dispatch.receive(timeout=None)  # nobody was asked
    """

    def __init__(self, threads: Sequence[WorkerThread], *, on_abandon: Job = lambda: None) -> None:
        self._threads = tuple(threads)
        self._on_abandon = on_abandon
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._left = len(self._threads)
        self._abandoned = False
        self._sent = time.perf_counter()

    def is_abandoned(self) -> bool:
        """Whether nobody waits for the answers any more."""
        return self._abandoned

    def send(self, worker: int, ask: Ask) -> None:
        """Let a worker's thread ask it, and bring what it says."""
        self._threads[worker].post(self, partial(self._bring, worker, ask))

    def receive(self, timeout: float | None) -> Answer | None:
        """The next answer; see `AbstractDispatch.receive`."""
        answers = self._answers  # first: `abandon`, in another thread, wakes who waits in these
        if self._abandoned or not self._left:
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

    def abandon(self) -> None:
        """Forget the rest; one who waits in `receive` is woken."""
        self._abandoned = True
        for thread in self._threads:
            thread.withdraw(self)
        late, self._answers = self._answers, queue.SimpleQueue()
        late.put(None)
        self._on_abandon()

    def _bring(self, worker: int, ask: Ask) -> None:
        value, failure, seconds = ask()
        answer = Answer(
            worker=worker,
            value=value,
            failure=failure,
            sent=self._sent,
            answered=time.perf_counter(),
            seconds=seconds,
        )
        if not self._abandoned:
            self._answers.put(answer)


@final
class Dispatcher:
    """The threads of an executor's workers, and the dispatches posted to them.

    A dispatch ends with the dispatcher: whoever waits for answers that will not come is woken,
    whether it was closed before, while or after they were asked for.

    Example:
        >>> from anyk.executors.core.dispatcher import WorkerThread, Dispatcher
        >>> dispatcher = Dispatcher()
        >>> dispatcher.threads.append(WorkerThread("thread of worker 0"))
        >>> dispatch = dispatcher.dispatch(anyk.Inline(1), 1)
        >>> dispatch.send(0, lambda: (np.array(25), None, 0.0))
        >>> dispatch.receive(timeout=None).value
        array(25)
        >>> dispatcher.close()
        >>> dispatcher.threads[0].stop()
        True
    """

    def __init__(self) -> None:
        self.threads: list[WorkerThread] = []
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[PostedDispatch] = weakref.WeakSet()
        self._closed = False
        self._owner = os.getpid()
        self._keeping = object()  # owns the jobs that keep shares up to date

    @property
    def here(self) -> bool:
        """Whether this is the process that made it: a fork has the list, and no threads."""
        return os.getpid() == self._owner

    def dispatch(
        self, executor: AbstractExecutor, workers: int, *, on_abandon: Job = lambda: None
    ) -> PostedDispatch:
        """A dispatch for the first so many workers, each of which the caller then asks.

        Args:
            executor: whose dispatcher this is.
            workers: how many are asked.
            on_abandon: called when nobody waits for the answers any more.

        Raises:
            ExecutorError: in a fork of the process that made the executor.
        """
        if not self.here:
            raise ExecutorError(
                f"this {type(executor).__name__} executor is of the process that this one was "
                "forked from, where its workers answer; make a new one here."
            )
        dispatch = PostedDispatch(self.threads[:workers], on_abandon=on_abandon)
        with self._lock:
            self._open.add(dispatch)
            closed = self._closed
        if closed:  # since the caller found it open
            dispatch.abandon()
        return dispatch

    def keep(self, jobs: Sequence[Job]) -> None:
        """Let each of the first threads bring a worker's shares up to date, once."""
        for thread, job in zip(self.threads, jobs, strict=False):
            thread.withdraw(self._keeping)
            thread.post(self._keeping, job)

    def close(self) -> None:
        """Abandon all dispatches, those to come as well; threads are stopped by the caller."""
        with self._lock:
            self._closed = True
            dispatches = list(self._open)
        for dispatch in dispatches:
            dispatch.abandon()
