"""The master as a worker: it keeps its share in its own process, and needs no worker for it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, final

from numpy.typing import NDArray

from anyk.answers import Answer
from anyk.checks import instance
from anyk.executors.core.base import (
    AbstractDispatch,
    AbstractExecutor,
    OfWorker,
    PerWorker,
    Placement,
)
from anyk.executors.core.broadcast import Broadcast
from anyk.executors.core.calls import AbstractCalls, Batch, Returned
from anyk.executors.core.columns import Outline
from anyk.executors.core.filling import AbstractFilling
from anyk.executors.core.placements import Placements
from anyk.executors.core.run_task import Task
from anyk.executors.local.inline import Inline

__all__ = ["WithMaster"]


@final
class _Both(AbstractDispatch):
    """The master's own answers, then those of the others."""

    def __init__(
        self,
        own: AbstractDispatch,
        asked: int,
        kept: int,
        others: AbstractDispatch | None,
        executor: WithMaster,
    ) -> None:
        self._own = own
        self._left, self._kept = asked, kept
        self._others = others
        self._executor = executor
        self._sent = executor.clock()

    def receive(self, timeout: float | None) -> Answer | None:
        if self._left:
            answer = self._own.receive(timeout)
            if answer is None:
                return None
            self._left -= 1
            return replace(answer, sent=self._sent, answered=self._executor.clock())
        answer = None if self._others is None else self._others.receive(timeout)
        if answer is None:
            return None
        share = None if answer.share is None else answer.share + self._kept
        return replace(answer, worker=answer.worker + 1, share=share)

    def again(self, share: int, worker: int) -> bool:
        """Not for the master, nor for its share, which stays here."""
        if self._others is None or not worker or share < self._kept:
            return False
        return self._others.again(share - self._kept, worker - 1)

    def skip(self, share: int) -> bool:
        if share >= self._kept:
            return self._others is not None and self._others.skip(share - self._kept)
        skipped = self._own.skip(share)
        self._left -= skipped
        return skipped

    def abandon(self) -> None:
        self._own.abandon()
        if self._others is not None:
            self._others.abandon()


@final
class _BothCalls(AbstractCalls):
    """The master's own calls, then those of the others."""

    def __init__(
        self, own: AbstractCalls, others: AbstractCalls, clock: Callable[[], float]
    ) -> None:
        self._own, self._others, self._clock = own, others, clock
        self._sent: dict[int, float] = {}  # of the master's own, by ticket

    @property
    def at_once(self) -> int:
        return self._others.at_once

    @property
    def ahead(self) -> int:
        return self._others.ahead

    def post(self, worker: int, batch: Batch) -> None:
        if worker:
            self._others.post(worker - 1, batch)
        else:
            self._own.post(0, batch)
            self._sent[batch.ticket] = self._clock()

    def receive(self, timeout: float | None) -> Returned | None:
        returned = self._own.receive(timeout) if self._sent else None
        if returned is not None:
            sent = self._sent.pop(returned.ticket)
            return replace(returned, sent=sent, answered=self._clock())
        returned = self._others.receive(timeout)
        return None if returned is None else replace(returned, worker=returned.worker + 1)

    def withdraw(self, worker: int, ticket: int) -> bool:
        if worker:
            return self._others.withdraw(worker - 1, ticket)
        return self._own.withdraw(0, ticket) and self._sent.pop(ticket, None) is not None

    def wake(self) -> None:
        self._others.wake()

    def abandon(self) -> None:
        self._sent.clear()
        self._own.abandon()
        self._others.abandon()


@final
class _BothFilling(AbstractFilling):
    """The master's own share, and those of the others."""

    def __init__(
        self,
        own: AbstractFilling,
        others: AbstractFilling | None,
        pieces: int,
        placed: Callable[[Placement, Placement | None], Placement],
    ) -> None:
        self._own, self._others, self._pieces, self._placed = own, others, pieces, placed

    def write(self, parts: Sequence[NDArray[Any]]) -> None:
        self._own.write([part[: self._pieces] for part in parts])
        if self._others is not None:
            self._others.write([part[self._pieces :] for part in parts])

    def finish(self) -> Placement:
        others = None if self._others is None else self._others.finish()
        return self._placed(self._own.finish(), others)

    def abandon(self) -> None:
        self._own.abandon()
        if self._others is not None:
            self._others.abandon()


@final
class WithMaster(AbstractExecutor):
    """An executor with one worker more: worker 0 is the master, the process that calls.

    Its share never leaves the process. It computes while the others do, all its pieces before it
    listens to them; a task that hangs hangs the caller. Closing this closes the executor.

    It is trusted, as the master who holds the data must be. `Harmonic` gives worker 0 its mask, so
    that with the master in that place K(d-1) + 1 other workers are enough.

    Args:
        executor: the other workers, 1, 2 and so on.

    Example:
        >>> scheme = anyk.Harmonic(blocks=3, degree=2)
        >>> with anyk.WithMaster(anyk.Threads(4)) as executor:
        ...     anyk.run(scheme, np.square, [1, 2, 3], executor).value
        array(14)
    """

    def __init__(self, executor: AbstractExecutor) -> None:
        instance("executor", executor, AbstractExecutor, change="Make one, such as Threads(4).")
        self._executor = executor
        self._own = Inline(1)
        self._placements = Placements(
            "WithMaster", executor.workers + 1, "Give the executor in it more workers"
        )
        self._placed: dict[Placement, tuple[Placement, Placement | None]] = {}

    @property
    def workers(self) -> int:
        """The executor's workers, and the master."""
        return self._executor.workers + 1

    @property
    def alive(self) -> tuple[bool, ...]:
        """The master, who is, and the executor's workers."""
        return (True, *self._executor.alive)

    @property
    def shares_per_worker(self) -> int:
        """How many shares one process computes, as the executor within says."""
        return self._executor.shares_per_worker

    @property
    def shares_per_machine(self) -> int:
        """How many shares one party may see, as the executor within says."""
        return self._executor.shares_per_machine

    def clock(self) -> float:
        """Seconds on the executor's clock."""
        return self._executor.clock()

    def place(self, parts: Sequence[NDArray[Any]], pieces: int = 1) -> Placement:
        """Keep the first worker's share, send the others; see `AbstractExecutor.place`."""
        placement = self._placements.add(parts, pieces)
        arrays = self._placements.parts(placement)
        own = self._own.place([array[:pieces] for array in arrays], pieces)
        others = None
        if placement.workers > 1:
            others = self._executor.place([array[pieces:] for array in arrays], pieces)
        self._placed[placement] = (own, others)
        return placement

    def filling(self, outlines: Sequence[Outline], pieces: int = 1) -> AbstractFilling:
        """Keep the first worker's share, send the others; see `AbstractExecutor.filling`."""
        shares = len(outlines[0])
        here, away = (
            [each.rows(*rows) for each in outlines] for rows in ((0, pieces), (pieces, shares))
        )

        def placed(own: Placement, others: Placement | None) -> Placement:
            placement = self._placements.add_filled(shares, pieces)
            self._placed[placement] = (own, others)
            return placement

        others = self._executor.filling(away, pieces) if shares > pieces else None
        return _BothFilling(self._own.filling(here, pieces), others, pieces, placed)

    def dispatch(
        self,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Run a task on the others and here; see `AbstractExecutor.dispatch`."""
        self._placements.parts(placement)
        own, others = self._placed[placement]
        skipped = {PerWorker: own.shares, OfWorker: 1}
        rest = [
            type(each)(each.rows[skipped[type(each)] :]) if type(each) in skipped else each
            for each in arguments
        ]
        away = [worker - 1 for worker in without if worker]
        dispatched = None if others is None else self._executor.dispatch(task, others, rest, away)
        kept = [0] if 0 in without else []
        here = self._own.dispatch(task, own, arguments, kept)
        return _Both(here, 0 if kept else own.shares, own.shares, dispatched, self)

    def release(self, placement: Placement) -> None:
        """Forget these shares here, and let the others forget them."""
        self._placements.remove(placement)
        own, others = self._placed.pop(placement, (None, None))
        if own is not None:
            self._own.release(own)
        if others is not None:
            self._executor.release(others)

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function here and on the others; see `AbstractExecutor.calls`."""
        return _BothCalls(self._own.calls(function), self._executor.calls(function), self.clock)

    def broadcast(self, value: Any) -> Broadcast:
        """Let the others hold a constant, which is here too; see `AbstractExecutor.broadcast`."""
        return self._executor.broadcast(value)

    def close(self) -> None:
        """Close the executor."""
        self._placements.close()
        self._placed.clear()
        self._own.close()
        self._executor.close()

    def __repr__(self) -> str:
        return f"WithMaster({self._executor!r})"
