"""The inbox of a worker: jobs that are done one after the other, in a thread of the master."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import final

__all__ = ["AbstractInbox", "Job", "WorkerThread", "serving"]

Job = Callable[[], object]
"""What the thread of a worker is to do; it must not raise."""


def _nothing() -> None:
    pass


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
        >>> from anyk.executors.core.inbox import WorkerThread
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
    def next(self) -> object:
        """Whose the job is that comes next; None if none waits."""
        with self._change:
            return self._inbox[0][0] if self._inbox else None

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
