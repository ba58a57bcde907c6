"""Workers on a virtual clock: real arithmetic, simulated waiting."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Answer
from anyk.checks import GENERATOR, MOST, count, instance, real
from anyk.delays.models import AbstractDelays, NoDelay
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, Placement
from anyk.executors.core.broadcast import Broadcast, Broadcasts
from anyk.executors.core.calls import AbstractCalls, Batch, Result, Returned
from anyk.executors.core.placements import Parts, Placements, addressed, alone, split
from anyk.executors.core.run_items import run_items
from anyk.executors.core.run_task import Reply, Task, run, sleeper
from anyk.executors.local.virtual_time import Expected, VirtualJob, VirtualTime

__all__ = ["Simulated"]


@final
class _SimulatedDispatch(AbstractDispatch):
    def __init__(
        self,
        time: VirtualTime,
        placements: Placements,
        pieces: int,
        rerun: Callable[[int, int], VirtualJob],
    ) -> None:
        self._expected = Expected(time)
        self._placements = placements
        self._pieces = pieces
        self._rerun = rerun

    def add(self, piece: int, job: VirtualJob, share: int = -1) -> None:
        """Wait for a job on a piece of its worker's, or on another one's share."""
        self._expected.add((job.worker, piece, share), job)

    def again(self, share: int, worker: int) -> bool:
        self.add(0, self._rerun(share, worker), share)
        return True

    def skip(self, share: int) -> bool:
        return self._expected.withdraw((*divmod(share, self._pieces), -1))

    def receive(self, timeout: float | None) -> Answer | None:
        job = None if self._placements.closed else self._expected.take(timeout)
        if job is None:
            return None
        worker, piece, share = job.key
        reply: Reply = job.content
        return Answer(
            worker=worker,
            piece=piece,
            share=None if share < 0 else share,
            value=reply.value,
            failure=reply.failure,
            sent=job.sent,
            answered=job.ends,
            seconds=reply.seconds,
            traceback=reply.traceback,
        )

    def abandon(self) -> None:
        self._expected.abandon()


@final
class _SimulatedCalls(AbstractCalls):
    def __init__(
        self,
        time: VirtualTime,
        placements: Placements,
        compute: Callable[[int, Batch], tuple[tuple[Result, ...], float]],
    ) -> None:
        self._time, self._expected = time, Expected(time)
        self._placements = placements
        self._compute = compute

    @property
    def at_once(self) -> int:
        return 1

    @property
    def ahead(self) -> int:
        return 1

    def post(self, worker: int, batch: Batch) -> None:
        self._placements.check_open()
        results, lasts = self._compute(worker, batch)
        self._expected.add(batch.ticket, VirtualJob(worker, self._time.now, lasts, results))

    def receive(self, timeout: float | None) -> Returned | None:
        self._placements.check_open()
        job = self._expected.take(timeout)
        if job is None:
            return None
        return Returned(job.worker, job.key, job.content, None, job.sent, job.ends)

    def withdraw(self, worker: int, ticket: int) -> bool:  # noqa: ARG002 - the ticket tells
        return self._expected.withdraw(ticket)

    def wake(self) -> None:
        pass  # nobody ever waits

    def abandon(self) -> None:
        self._expected.abandon()


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
        self._broadcasts = Broadcasts("Simulated")
        self._time = VirtualTime(self._workers)

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return self._workers

    def clock(self) -> float:
        """Virtual seconds since the executor was made."""
        return self._time.now

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

        def rerun(share: int, worker: int) -> VirtualJob:
            _, (own,) = split(alone(arguments, share, worker), 1)
            delay = self._delays.of_worker(self._generator, worker) / placement.pieces
            reply = self._run(task, parts, share, common, own)
            return VirtualJob(worker, self.clock(), delay + reply.seconds, reply)

        dispatch = _SimulatedDispatch(self._time, self._placements, placement.pieces, rerun)
        for share, delay in enumerate(delays.tolist()):
            if share // placement.pieces in without:
                continue
            reply = self._run(task, parts, share, common, rows[share])
            worker, piece = divmod(share, placement.pieces)
            dispatch.add(piece, VirtualJob(worker, self.clock(), delay + reply.seconds, reply))
        return dispatch

    def release(self, placement: Placement) -> None:
        """Forget shares. Harmless when called twice."""
        self._placements.remove(placement)

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function when a batch is posted, and note when it ends; see `AbstractExecutor`.

        A worker has a delay of its own for each item, which is of the time that the item takes.
        """
        self._placements.check_open()

        def compute(worker: int, batch: Batch) -> tuple[tuple[Result, ...], float]:
            delays = [self._delays.of_worker(self._generator, worker) for _ in batch.items]
            pauses: list[float] = []
            token = sleeper.set(pauses.append)
            try:
                results = run_items(function, batch)
            finally:
                sleeper.reset(token)
            paused = sum(pauses) / len(results)
            charged = tuple(
                each._replace(
                    seconds=delay
                    + (each.seconds if self._compute is None else self._compute)
                    + paused
                )
                for each, delay in zip(results, delays, strict=True)
            )
            return charged, sum(each.seconds for each in charged)

        return _SimulatedCalls(self._time, self._placements, compute)

    def broadcast(self, value: Any) -> Broadcast:
        """Keep a constant, without a copy; see `AbstractExecutor.broadcast`."""
        return self._broadcasts.add(value)

    def close(self) -> None:
        """Forget all shares, and refuse further work. Harmless when called twice."""
        self._placements.close()
        self._broadcasts.close()

    def _run(
        self, task: Task, parts: Parts, share: int, common: Sequence[Any], own: Mapping[int, Any]
    ) -> Reply:
        pauses: list[float] = []
        token = sleeper.set(pauses.append)
        try:
            value, failure, measured, traceback = run(task, parts, share, common, own)
        finally:
            sleeper.reset(token)
        seconds = measured if self._compute is None else self._compute
        return Reply(value, failure, seconds + sum(pauses), traceback)

    def __repr__(self) -> str:
        extra = "" if self._compute is None else f", compute={self._compute!r}"
        return f"Simulated({self._workers}, delays={self._delays!r}{extra})"
