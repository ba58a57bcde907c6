"""Lanes of jobs, one for each worker, served by as few threads as will do."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import final

from anyk.errors import ExecutorError
from anyk.executors.core.inbox import AbstractInbox, Job, serving

__all__ = ["Lane", "Lanes"]


@final
class Lane(AbstractInbox):
    """The jobs of one worker: done one after the other, in their order. Made by `Lanes`."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self.jobs: deque[tuple[object, Job]] = deque()
        self.taken = False  # a thread serves it, or it waits for one

    def post(self, owner: object, *jobs: Job) -> None:
        """Put jobs at the end; after `Lanes.stop` they are thrown away."""
        self._lanes.post(self, [(owner, job) for job in jobs])

    def withdraw(self, owner: object) -> None:
        """Throw away the jobs of this owner that have not begun."""
        if self.jobs:
            self._lanes.withdraw(self, owner)

    @property
    def waiting(self) -> int:
        """How many jobs have not begun."""
        return len(self.jobs)


@final
class Lanes:
    """Lanes, and the threads that serve them.

    A lane that has jobs is served by one thread at a time, and there is always a thread on its way
    to the next such lane: whoever takes a lane first wakes another thread, or starts one, if more
    lanes wait. So a job that takes its time holds up its own lane and nobody else, and thousands
    of jobs of microseconds are done by a few threads without a change of threads for each. There
    are never more threads than lanes, and what has started stays for the next jobs.

    Args:
        name: of the threads.
        number: how many lanes.
        at_start: done in each thread before its first job.

    Example:
        >>> import threading
        >>> from anyk.executors.local.lanes import Lanes
        >>> lanes = Lanes("worker", 2, at_start=lambda: None)
        >>> done = threading.Event()
        >>> lanes.each[0].post("the first call", done.set)
        >>> done.wait()
        True
        >>> lanes.stop()
    """

    def __init__(self, name: str, number: int, at_start: Job) -> None:
        self._name, self._at_start = name, at_start
        self._lock = threading.RLock()  # an executor that is collected stops it, whoever holds it
        self._ready: deque[Lane] = deque()  # with jobs, and nobody serves them
        self._idle: list[_Sleeper] = []
        self._coming = False  # whether a thread was woken or started that is not here yet
        self._stopping = threading.Event()
        self._started = 0
        self.each = tuple(Lane(self) for _ in range(number))

    def post(self, lane: Lane, jobs: list[tuple[object, Job]]) -> None:
        """Put jobs at the end of a lane.

        Raises:
            ExecutorError: if the machine starts no thread for it.
        """
        with self._lock:
            if self._stopping.is_set():
                return
            lane.jobs.extend(jobs)
            if lane.jobs and not lane.taken:
                lane.taken = True
                self._ready.append(lane)
            self._call()

    def withdraw(self, lane: Lane, owner: object) -> None:
        """Throw away the jobs of this owner in a lane that have not begun."""
        with self._lock:
            lane.jobs = deque(item for item in lane.jobs if item[0] is not owner)

    def stop(self) -> None:
        """Take no more jobs; threads end, after the jobs that they do, and idle ones at once."""
        with self._lock:
            self._stopping.set()
            idle, self._idle = self._idle, []
            for lane in self.each:
                lane.jobs.clear()
        for sleeper in idle:
            sleeper.call()
        for sleeper in idle:
            if sleeper.thread is not threading.current_thread():
                sleeper.thread.join()

    def _call(self) -> None:
        """Let a thread come, if a lane waits and none is on its way; under the lock."""
        if self._coming or not self._ready:
            return
        idle = self._idle
        if idle:
            idle[-1].call()
            self._coming = True
            idle.pop()
            return
        name = f"{self._name} {self._started}"
        try:
            threading.Thread(target=self._serve, name=name, daemon=True).start()
        except RuntimeError as error:
            if self._started:
                return  # those that there are come to the lane when they are free
            raise ExecutorError(
                f"this machine starts no thread ({error}): end other threads and processes, or "
                "raise the limit on them (ulimit -u)."
            ) from None
        self._coming = True
        self._started += 1

    def _serve(self) -> None:
        self._at_start()
        me = _Sleeper()
        lane: Lane | None = None
        arrives = True
        while True:
            job: Job | None = None
            with self._lock:
                if arrives:
                    self._coming = False
                    if self._idle and self._idle[-1] is me:  # who woke me was interrupted
                        self._idle.pop()
                if lane is not None:
                    self._leave(lane)
                if self._stopping.is_set():
                    return
                lane, job = self._take()
                if lane is None:
                    self._idle.append(me)
                else:
                    self._call()
            arrives = job is None
            if job is None:
                serving.inbox = None
                if not self._stopping.is_set():
                    me.sleep()
                if self._stopping.is_set():  # who stops this may hold the lock, and wait
                    return
            else:
                serving.inbox = lane
                job()

    def _leave(self, lane: Lane) -> None:
        """A lane is served no more, for the time being."""
        lane.taken = bool(lane.jobs)
        if lane.taken:
            self._ready.append(lane)

    def _take(self) -> tuple[Lane, Job] | tuple[None, None]:
        """The next lane and its next job."""
        while self._ready:
            lane = self._ready.popleft()
            try:
                return lane, lane.jobs.popleft()[1]
            except IndexError:  # they were withdrawn
                lane.taken = False
        return None, None


@final
class _Sleeper:
    """A thread that may sleep, and what wakes it."""

    def __init__(self) -> None:
        self.thread = threading.current_thread()
        self._wake = threading.Lock()
        self._wake.acquire()

    def sleep(self) -> None:
        """Until it is called, or was."""
        self._wake.acquire()

    def call(self) -> None:
        """Wake it; harmless when called twice."""
        with suppress(RuntimeError):
            self._wake.release()
