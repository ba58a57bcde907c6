"""An executor around another one: its workers, its shares and its clock, and other tasks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from anyk.checks import instance
from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractExecutor, Placement
from anyk.executors.core.broadcast import Broadcast
from anyk.executors.core.columns import Outline
from anyk.executors.core.filling import AbstractFilling
from anyk.executors.core.lateness import Lateness
from anyk.executors.core.quarantine import Quarantine

__all__ = ["AbstractWrapper", "check_within"]


class AbstractWrapper(AbstractExecutor):
    """An executor whose workers are another one's, and that does something to their tasks.

    Shares that were placed on the one can be used on the other, and closing this closes both.
    """

    @property
    @abstractmethod
    def within(self) -> AbstractExecutor:
        """The executor whose workers they are."""

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return self.within.workers

    @property
    def alive(self) -> tuple[bool, ...]:
        """By worker, as the executor within says."""
        return self.within.alive

    @property
    def shares_per_worker(self) -> int:
        """How many shares one process computes, as the executor within says."""
        return self.within.shares_per_worker

    @property
    def shares_per_machine(self) -> int:
        """How many shares one party may see, as the executor within says."""
        return self.within.shares_per_machine

    @property
    def lateness(self) -> Lateness:
        """When a worker is late, as the executor within says."""
        return self.within.lateness

    @lateness.setter
    def lateness(self, measure: Lateness) -> None:
        self.within.lateness = measure

    @property
    def quarantine(self) -> Quarantine:
        """Who is not used, as the executor within says."""
        return self.within.quarantine

    def clock(self) -> float:
        """Seconds on the clock of the executor within."""
        return self.within.clock()

    def place(self, parts: Sequence[NDArray[Any]], pieces: int = 1) -> Placement:
        """Send shares to the workers; see `AbstractExecutor.place`."""
        return self.within.place(parts, pieces)

    def filling(self, outlines: Sequence[Outline], pieces: int = 1) -> AbstractFilling:
        """Send shares to the workers slab by slab; see `AbstractExecutor.filling`."""
        return self.within.filling(outlines, pieces)

    def release(self, placement: Placement) -> None:
        """Let the workers forget these shares. Harmless when called twice."""
        self.within.release(placement)

    def broadcast(self, value: Any) -> Broadcast:
        """Let the workers hold a constant; see `AbstractExecutor.broadcast`."""
        return self.within.broadcast(value)

    def close(self) -> None:
        """Close the executor within. Harmless when called twice."""
        self.within.close()


def check_within(executor: AbstractExecutor) -> None:
    """Raise InvalidArgument if tasks of another making can't be sent to an executor's workers."""
    instance("executor", executor, AbstractExecutor, change="Pass anyk.Threads(12), say.")
    if executor.by_name:
        raise InvalidArgument(
            "executor",
            given=repr(executor),
            needed="one that sends code to its workers, as what is put around a task is code",
            change="For a trial, let workers of yours offer functions that go wrong.",
        )
