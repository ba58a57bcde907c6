"""What joblib submits: jobs, which are drawn as workers are free."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, final

from anyk.errors import FunctionRaised, WorkerTraceback
from anyk.joblib.parcels import Parcel
from anyk.running.mapping.item import Item
from anyk.running.mapping.source import AbstractSource

__all__ = ["Job", "Submitted"]


@final
class Job:
    """A batch of joblib's and what came of it.

    Args:
        callback: joblib's, called with the job when it is over; it may submit further ones.
    """

    def __init__(self, callback: Callable[[Job], object] | None) -> None:
        self._callback = callback
        self._value: Any = None
        self._error: BaseException | None = None
        self.seconds = 0.0
        """That it took on its worker."""

    def result(self) -> Any:
        """What the batch returned.

        Raises:
            BaseException: what it raised; or why nothing came of it.
        """
        if self._error is not None:
            raise self._error
        return self._value

    def finish(self, item: Item) -> None:
        """It has its value, or failed."""
        if item.error is None:
            self._value, self.seconds = item.value, item.seconds
            self._over()
        else:
            self.fail(_own(item.error))

    def fail(self, error: BaseException) -> None:
        """It will have no value."""
        self._error = error
        self._over()

    def _over(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback(self)


def _own(error: BaseException) -> BaseException:
    """What the function itself raised, as far as it could be sent."""
    cause = error.__cause__
    own = isinstance(error, FunctionRaised) and not isinstance(cause, WorkerTraceback)
    return cause if own and cause is not None else error


@final
class Submitted(AbstractSource):
    """The jobs of one call of joblib's: any thread submits, and one draws them.

    Args:
        most: how many may be out at a time.

    Example:
        >>> from anyk.joblib.submitted import Job, Submitted
        >>> submitted = Submitted(most=1)
        >>> for text in (b"one", b"two"):
        ...     submitted.add(Job(None), (text, [], ()))
        >>> submitted.draw(), submitted.draw(), submitted.left
        ((0, (b'one', [], ())), None, 1)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._change = threading.Condition()
        self._waiting: deque[tuple[Job, Parcel]] = deque()
        self._out: dict[int, Job] = {}
        self._drawn = 0
        self._closed: BaseException | None = None

    def add(self, job: Job, parcel: Parcel) -> None:
        """A job is submitted; once this is closed, it fails at once."""
        with self._change:
            if self._closed is None:
                self._waiting.append((job, parcel))
                self._change.notify()
                return
        job.fail(self._closed)

    def over(self, item: Item) -> None:
        """An item that was drawn is done, or failed."""
        self._out.pop(item.place).finish(item)

    def close(self, why: BaseException) -> None:
        """There will be no more, and nothing will come of those that are left."""
        with self._change:
            if self._closed is None:
                self._closed = why
            self._change.notify()

    def fail(self) -> None:
        """Let all that are left fail, once it is closed."""
        left = [*self._out.values(), *(job for job, _ in self._waiting)]
        self._out.clear()
        self._waiting.clear()
        for job in left:
            job.fail(self._closed or RuntimeError())

    @property
    def closed(self) -> bool:
        """Whether there will be no more."""
        return self._closed is not None

    @property
    def drawn(self) -> int:
        """How many were drawn."""
        return self._drawn

    @property
    def left(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def more(self) -> bool:
        """Whether there may be more: until it is closed."""
        return self._closed is None

    def draw(self) -> tuple[int, Parcel] | None:
        """The next job's index and parcel; None if there is none, or too many are out."""
        if not self._waiting or len(self._out) >= self._most:
            return None
        job, parcel = self._waiting.popleft()
        place, self._drawn = self._drawn, self._drawn + 1
        self._out[place] = job
        return place, parcel

    def wait(self, timeout: float | None) -> None:
        """Wait until a job is there, or it is closed."""
        end = None if timeout is None else time.monotonic() + timeout
        with self._change:
            while not self._waiting and self._closed is None:
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return
                self._change.wait(left)
