"""A virtual clock, and what each worker does when: one job after the other."""

from __future__ import annotations

import math
from collections.abc import Hashable
from heapq import heappop, heappush
from itertools import count
from typing import Any, final

__all__ = ["Expected", "VirtualJob", "VirtualTime"]


@final
class VirtualJob:
    """Something that a worker does: how long it takes, and when.

    Args:
        worker: its index.
        sent: when it was asked.
        lasts: seconds that it takes.
        content: what comes of it.
    """

    def __init__(self, worker: int, sent: float, lasts: float, content: Any) -> None:
        self.worker, self.sent, self.lasts, self.content = worker, sent, lasts, content
        self.begins = self.ends = math.nan
        self.expected: Expected | None = None
        self.key: Any = None


@final
class VirtualTime:
    """The virtual clock, and the jobs of each worker.

    Args:
        workers: how many there are.
    """

    def __init__(self, workers: int) -> None:
        self.now = 0.0
        self._jobs: list[list[VirtualJob]] = [[] for _ in range(workers)]

    def add(self, job: VirtualJob) -> None:
        """Put a job at the end of what its worker has to do."""
        self._jobs[job.worker].append(job)
        self._schedule(job.worker)

    def withdraw(self, jobs: set[VirtualJob]) -> None:
        """Take away those of these jobs that have not begun; others move up."""
        for worker in {job.worker for job in jobs}:
            self._jobs[worker] = [
                job for job in self._jobs[worker] if job not in jobs or job.begins <= self.now
            ]
            self._schedule(worker)

    def _schedule(self, worker: int) -> None:
        jobs = self._jobs[worker] = [job for job in self._jobs[worker] if not job.ends <= self.now]
        free = self.now
        for job in jobs:
            if not job.begins <= self.now:
                job.begins = max(free, job.sent)
                ends = job.begins + job.lasts
                if job.ends != ends:  # as NaN is too
                    job.ends = ends
                    if job.expected is not None:
                        job.expected.ends(job)
            free = job.ends


@final
class Expected:
    """The jobs that one call waits for. It alone moves the clock.

    Args:
        time: the clock.

    Example:
        >>> from anyk.executors.local.virtual_time import Expected, VirtualJob, VirtualTime
        >>> time = VirtualTime(workers=1)
        >>> expected = Expected(time)
        >>> for name in ("first", "second"):
        ...     expected.add(name, VirtualJob(worker=0, sent=0.0, lasts=2.0, content=None))
        >>> expected.withdraw("first"), expected.withdraw("second")
        (False, True)
        >>> expected.take(None).key, time.now
        ('first', 2.0)
    """

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self._order = count()
        self._next: list[tuple[float, Any, int, VirtualJob]] = []  # a heap; some have moved since
        self._left: dict[Hashable, VirtualJob] = {}

    def add(self, key: Hashable, job: VirtualJob) -> None:
        """Wait for a job too.

        Args:
            key: that no other has; among jobs that end at once, the least comes first.
            job: what is done.
        """
        job.expected, job.key = self, key
        self._left[key] = job
        self._time.add(job)

    def ends(self, job: VirtualJob) -> None:
        """A job ends at another time than was known before."""
        heappush(self._next, (job.ends, job.key, next(self._order), job))

    def take(self, timeout: float | None) -> VirtualJob | None:
        """The job that ends next, and the time is when it does; None if it is not by then.

        Args:
            timeout: virtual seconds; None for as long as it takes.
        """
        job = self._first()
        if job is None:
            return None
        clock = self._time
        latest = math.inf if timeout is None else clock.now + max(timeout, 0.0)
        if job.ends > latest or math.isinf(job.ends):
            clock.now = clock.now if math.isinf(latest) else latest
            return None
        heappop(self._next)
        del self._left[job.key]
        clock.now = max(clock.now, job.ends)
        return job

    def withdraw(self, key: Hashable) -> bool:
        """Do not wait for a job, if it has not begun; whether that was so."""
        job = self._left.get(key)
        if job is None or job.begins <= self._time.now:
            return False
        del self._left[key]
        self._time.withdraw({job})
        return True

    def abandon(self) -> None:
        """Wait for none."""
        left = set(self._left.values())
        self._left.clear()
        self._next.clear()
        self._time.withdraw(left)

    def _first(self) -> VirtualJob | None:
        while self._next:
            ends, key, _, job = self._next[0]
            if self._left.get(key) is job and job.ends == ends:
                return job
            heappop(self._next)
        return None
