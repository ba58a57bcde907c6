"""All workers in the calling thread, one after the other: for debugging, and for tests."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, final

from numpy.typing import NDArray

from anyk.answers import Answer
from anyk.checks import MOST, count
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, Placement
from anyk.executors.core.broadcast import Broadcast, Broadcasts
from anyk.executors.core.calls import AbstractCalls, Batch, Returned
from anyk.executors.core.dispatcher import Ask, More
from anyk.executors.core.placements import Placements, addressed, alone, split
from anyk.executors.core.run_items import run_items
from anyk.executors.core.run_task import Task, run

__all__ = ["Inline"]


@final
class _InlineDispatch(AbstractDispatch):
    def __init__(
        self,
        placements: Placements,
        asks: Sequence[Ask],
        pieces: int,
        more: More,
        without: Collection[int],
    ) -> None:
        self._placements = placements
        self._left: deque[tuple[int, int, int | None, Ask]] = deque(
            (share // pieces, share % pieces, None, ask)
            for share, ask in enumerate(asks)
            if share // pieces not in without
        )
        self._own = {job[:2] for job in self._left}  # neither begun nor skipped
        self._pieces, self._more = pieces, more
        self._sent = time.perf_counter()

    def receive(self, timeout: float | None) -> Answer | None:
        expired = timeout is not None and timeout <= 0
        job = None if expired or self._placements.closed else self._next()
        if job is None:
            return None
        worker, piece, share, ask = job
        value, failure, seconds, traceback = ask()
        return Answer(
            worker=worker,
            piece=piece,
            share=share,
            value=value,
            failure=failure,
            sent=self._sent,
            answered=time.perf_counter(),
            seconds=seconds,
            traceback=traceback,
        )

    def again(self, share: int, worker: int) -> bool:
        self._left.append((worker, 0, share, self._more(share, worker)))
        return True

    def skip(self, share: int) -> bool:
        before = len(self._own)
        self._own.discard(divmod(share, self._pieces))
        return len(self._own) < before

    def _next(self) -> tuple[int, int, int | None, Ask] | None:
        """What comes next, and was not skipped."""
        while self._left:
            job = worker, piece, share, _ = self._left.popleft()
            if share is not None:
                return job
            if (worker, piece) in self._own:
                self._own.remove((worker, piece))
                return job
        return None

    def abandon(self) -> None:
        self._left.clear()
        self._own.clear()


@final
class _InlineCalls(AbstractCalls):
    def __init__(self, placements: Placements, function: Callable[..., Any]) -> None:
        self._placements, self._function = placements, function
        self._left: deque[tuple[int, Batch, float]] = deque()
        self._tickets: set[int] = set()  # of those that were not withdrawn

    @property
    def at_once(self) -> int:
        return 1

    @property
    def ahead(self) -> int:
        return 0

    def post(self, worker: int, batch: Batch) -> None:
        self._placements.check_open()
        self._left.append((worker, batch, time.perf_counter()))
        self._tickets.add(batch.ticket)

    def receive(self, timeout: float | None) -> Returned | None:
        self._placements.check_open()
        while self._left and self._left[0][1].ticket not in self._tickets:
            self._left.popleft()
        if (timeout is not None and timeout <= 0) or not self._left:
            return None
        worker, batch, sent = self._left.popleft()
        self._tickets.remove(batch.ticket)
        results = run_items(self._function, batch)
        answered = time.perf_counter()
        return Returned(worker, batch.ticket, results, None, sent, answered)

    def withdraw(self, worker: int, ticket: int) -> bool:  # noqa: ARG002 - the ticket tells
        before = len(self._tickets)
        self._tickets.discard(ticket)
        return len(self._tickets) < before

    def wake(self) -> None:
        pass  # who receives computes, and does not wait

    def abandon(self) -> None:
        self._left.clear()
        self._tickets.clear()


@final
class Inline(AbstractExecutor):
    """Workers that run in the calling thread, one for each answer that is asked for.

    Worker 0 answers first, then worker 1, and so on; what is not needed never runs. A task that
    hangs hangs the caller, since nothing can interrupt it: a timeout is looked at only between
    tasks. An exception in a task can be followed in a debugger.

    Args:
        workers: N, how many there are.

    Raises:
        InvalidArgument: if it is no positive integer.

    Example:
        >>> with anyk.Inline(3) as executor:
        ...     placement = executor.place([np.array([5, 6, 7])])
        ...     dispatch = executor.dispatch(np.square, placement, [])
        ...     dispatch.receive(timeout=None).value
        array(25)
    """

    def __init__(self, workers: int) -> None:
        self._workers = count("workers", workers, least=1, most=MOST)
        self._placements = Placements("Inline", self._workers)
        self._broadcasts = Broadcasts("Inline")

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return self._workers

    def clock(self) -> float:
        """Seconds on `time.perf_counter`."""
        return time.perf_counter()

    def place(self, parts: Sequence[NDArray[Any]], pieces: int = 1) -> Placement:
        """Keep shares, without a copy; see `AbstractExecutor.place`."""
        return self._placements.add(parts, pieces)

    def dispatch(
        self,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Make a task ready to run when answers are asked for; see `AbstractExecutor.dispatch`."""
        parts = self._placements.parts(placement)
        common, rows = split(addressed(arguments, placement), placement.shares)
        asks = [partial(run, task, parts, share, common, own) for share, own in enumerate(rows)]

        def more(share: int, worker: int) -> Ask:
            _, (own,) = split(alone(arguments, share, worker), 1)
            return partial(run, task, parts, share, common, own)

        return _InlineDispatch(self._placements, asks, placement.pieces, more, without)

    def release(self, placement: Placement) -> None:
        """Forget shares. Harmless when called twice."""
        self._placements.remove(placement)

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function when results are asked for; see `AbstractExecutor.calls`."""
        self._placements.check_open()
        return _InlineCalls(self._placements, function)

    def broadcast(self, value: Any) -> Broadcast:
        """Keep a constant, without a copy; see `AbstractExecutor.broadcast`."""
        return self._broadcasts.add(value)

    def close(self) -> None:
        """Forget all shares, and refuse further work. Harmless when called twice."""
        self._placements.close()
        self._broadcasts.close()

    def __repr__(self) -> str:
        return f"Inline({self._workers})"
