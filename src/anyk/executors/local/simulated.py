"""Workers on a virtual clock: real arithmetic, simulated waiting."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Answer
from anyk.checks import GENERATOR, MOST, count, instance, real
from anyk.delays.models import AbstractDelays, NoDelay
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, Placement
from anyk.executors.core.placements import Parts, Placements, addressed, alone, split
from anyk.executors.core.run_task import Reply, Task, run, sleeper

__all__ = ["Simulated"]


@final
class _Job:
    """A task on one share: what came of it, how long it takes, and when."""

    def __init__(self, sent: float, delay: float, reply: Reply) -> None:
        self.owner: _SimulatedDispatch | None = None
        self.who = (-1, -1, -1)  # worker, piece, and the share where that is another worker's
        self.sent = sent
        self.value, self.failure, self.seconds = reply
        self.lasts = delay + self.seconds
        self.begins = self.ends = math.nan


@final
class _Timeline:
    """The virtual clock, and what each worker does when: one job after the other."""

    def __init__(self, workers: int) -> None:
        self.now = 0.0
        self.jobs: list[list[_Job]] = [[] for _ in range(workers)]

    def add(self, worker: int, job: _Job) -> None:
        self.jobs[worker].append(job)
        self._schedule(worker)

    def withdraw(self, owner: object) -> None:
        """Take away the jobs of this owner that have not begun; the others move up."""
        for worker, jobs in enumerate(self.jobs):
            if jobs:
                self.jobs[worker] = [
                    job for job in jobs if job.owner is not owner or job.begins <= self.now
                ]
                self._schedule(worker)

    def _schedule(self, worker: int) -> None:
        jobs = self.jobs[worker] = [job for job in self.jobs[worker] if not job.ends <= self.now]
        free = self.now
        for job in jobs:
            if not job.begins <= self.now:
                job.begins = max(free, job.sent)
                ends = job.begins + job.lasts
                if job.ends != ends:  # as NaN is too
                    job.ends = ends
                    if job.owner is not None:
                        job.owner.ends(job)
            free = job.ends


@final
class _SimulatedDispatch(AbstractDispatch):
    def __init__(
        self, timeline: _Timeline, placements: Placements, rerun: Callable[[int, int], _Job]
    ) -> None:
        self._timeline = timeline
        self._placements = placements
        self._rerun = rerun
        self._next: list[tuple[float, tuple[int, int, int]]] = []  # a heap; some have moved since
        self._left: dict[tuple[int, int, int], _Job] = {}

    def add(self, worker: int, piece: int, job: _Job, share: int = -1) -> None:
        job.owner, job.who = self, (worker, piece, share)
        self._left[job.who] = job
        self._timeline.add(worker, job)

    def ends(self, job: _Job) -> None:
        """A job ends at another time than was known before."""
        heappush(self._next, (job.ends, job.who))

    def again(self, share: int, worker: int) -> bool:
        self.add(worker, 0, self._rerun(share, worker), share)
        return True

    def receive(self, timeout: float | None) -> Answer | None:
        job = None if self._placements.closed else self._first()
        if job is None:
            return None
        clock = self._timeline
        latest = math.inf if timeout is None else clock.now + max(timeout, 0.0)
        if job.ends > latest or math.isinf(job.ends):
            clock.now = clock.now if math.isinf(latest) else latest
            return None
        heappop(self._next)
        del self._left[job.who]
        clock.now = max(clock.now, job.ends)
        worker, piece, share = job.who
        return Answer(
            worker=worker,
            piece=piece,
            share=None if share < 0 else share,
            value=job.value,
            failure=job.failure,
            sent=job.sent,
            answered=job.ends,
            seconds=job.seconds,
        )

    def _first(self) -> _Job | None:
        """The job that ends next."""
        while self._next:
            ends, who = self._next[0]
            job = self._left.get(who)
            if job is not None and job.ends == ends:
                return job
            heappop(self._next)
        return None

    def abandon(self) -> None:
        self._left.clear()
        self._next.clear()
        self._timeline.withdraw(self)


@final
class Simulated(AbstractExecutor):
    """Workers whose arithmetic is real and whose waiting is not, on a virtual clock.

    A task runs for every worker when it is dispatched, one worker after the other, in the calling
    thread. Worker n's answer arrives at

        max(now, when n is free) + delay of n + compute time of n

    where the compute time is measured while the worker has the machine to itself; so forty workers
    can be timed honestly on two cores. Only `receive` moves the clock, and nothing ever sleeps. A
    worker stays busy with an abandoned task until its virtual end. An answer that would come at
    infinity never comes; `receive` returns None instead. A worker that holds several pieces has one
    delay, of which each piece gets an equal part; it computes them one after the other. For a share
    that it is asked for `again`, its delay is drawn anew.

    Args:
        workers: N, how many there are.
        delays: how long each worker waits before it computes, drawn once a worker and task.
        generator: source of the delays; None for one with a fresh seed.
        compute: seconds that a task is charged for each share, so that runs can be repeated
            exactly; None to charge what was measured.

    Raises:
        InvalidArgument: if a number is out of range.

    Example:
        >>> from anyk.delays import Fixed
        >>> with anyk.Simulated(3, delays=Fixed({0: 3600.0}), compute=0.5) as executor:
        ...     placement = executor.place([np.array([5, 6, 7])])
        ...     dispatch = executor.dispatch(np.square, placement, [])
        ...     answers = [dispatch.receive(timeout=None) for _ in range(3)]
        >>> [(answer.worker, answer.answered) for answer in answers]
        [(1, 0.5), (2, 0.5), (0, 3600.5)]
    """

    def __init__(
        self,
        workers: int,
        *,
        delays: AbstractDelays | None = None,
        generator: np.random.Generator | None = None,
        compute: float | None = None,
    ) -> None:
        self._workers = count("workers", workers, least=1, most=MOST)
        if compute is not None:
            needed = "finite seconds, 0 or more, or None"
            real("compute", compute, least=0.0, needed=needed, change="Pass None to measure.")
        self._delays = NoDelay() if delays is None else delays
        self._generator = np.random.default_rng() if generator is None else generator
        instance("delays", self._delays, AbstractDelays, change="Pass a model of anyk.delays.")
        instance("generator", self._generator, np.random.Generator, change=GENERATOR)
        self._compute = compute
        self._placements = Placements("Simulated", self._workers)
        self._timeline = _Timeline(self._workers)

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return self._workers

    def clock(self) -> float:
        """Virtual seconds since the executor was made."""
        return self._timeline.now

    def place(self, parts: Sequence[NDArray[Any]], pieces: int = 1) -> Placement:
        """Keep shares, without a copy, in no time; see `AbstractExecutor.place`."""
        return self._placements.add(parts, pieces)

    def dispatch(
        self,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Run a task on every share, and note when it ends; see `AbstractExecutor.dispatch`."""
        parts = self._placements.parts(placement)
        common, rows = split(addressed(arguments, placement), placement.shares)
        delays = placement.spread(self._delays.sample(self._generator, placement.workers))

        def rerun(share: int, worker: int) -> _Job:
            _, (own,) = split(alone(arguments, share, worker), 1)
            delay = self._delays.sample(self._generator, worker + 1)[worker] / placement.pieces
            reply = self._run(task, parts, share, common, own)
            return _Job(self.clock(), float(delay), reply)

        dispatch = _SimulatedDispatch(self._timeline, self._placements, rerun)
        for share, delay in enumerate(delays.tolist()):
            if share // placement.pieces in without:
                continue
            reply = self._run(task, parts, share, common, rows[share])
            job = _Job(self.clock(), delay, reply)
            dispatch.add(share // placement.pieces, share % placement.pieces, job)
        return dispatch

    def release(self, placement: Placement) -> None:
        """Forget shares. Harmless when called twice."""
        self._placements.remove(placement)

    def close(self) -> None:
        """Forget all shares, and refuse further work. Harmless when called twice."""
        self._placements.close()

    def _run(
        self, task: Task, parts: Parts, share: int, common: Sequence[Any], own: Mapping[int, Any]
    ) -> Reply:
        pauses: list[float] = []
        token = sleeper.set(pauses.append)
        try:
            value, failure, measured = run(task, parts, share, common, own)
        finally:
            sleeper.reset(token)
        seconds = measured if self._compute is None else self._compute
        return value, failure, seconds + sum(pauses)

    def __repr__(self) -> str:
        extra = "" if self._compute is None else f", compute={self._compute!r}"
        return f"Simulated({self._workers}, delays={self._delays!r}{extra})"
