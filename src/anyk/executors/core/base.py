"""The seam of execution: shares are placed once, then tasks are dispatched on them.

An executor knows nothing of codes. It hands share n to worker n, runs the same task on every
worker, and gives back the answers in the order in which they come.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, final

from numpy.typing import NDArray

from anyk.answers import Answer
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.health import Ledger, WorkerHealth
from anyk.executors.core.run_task import Task

__all__ = [
    "AbstractDispatch",
    "AbstractExecutor",
    "PerWorker",
    "Placement",
    "argument_of",
    "check_open",
    "check_parts",
]


@final
@dataclass(frozen=True, eq=False)
class PerWorker:
    """An argument of which worker n receives row n, instead of the whole.

    Args:
        rows: ndarray (N, *shape), or a sequence of N arrays.
    """

    rows: NDArray[Any] | Sequence[Any]


@final
@dataclass(frozen=True, eq=False)
class Placement:
    """Shares that lie on the workers of one executor.

    Args:
        key: number that the executor knows them by.
        workers: N, how many workers hold one.
    """

    key: int
    workers: int


class AbstractDispatch(ABC):
    """One task in flight on all workers that hold a share."""

    @abstractmethod
    def receive(self, timeout: float | None) -> Answer | None:
        """The next answer or failure, whichever worker it comes from.

        Args:
            timeout: seconds on the executor's clock to wait for it; None to wait as long as it
                takes.

        Returns:
            An answer, each worker's once; None if the time is over first, or if every worker has
            been heard.
        """

    @abstractmethod
    def abandon(self) -> None:
        """Forget the rest: what has not begun is not begun, what comes late is thrown away.

        Returns at once. Harmless when called twice.
        """


class AbstractExecutor(ABC):
    """Workers that compute; a context manager.

    One worker, one share. `place` and `dispatch` return at once; a worker still busy with an
    abandoned task begins the next one when it is free, and nobody waits for it.
    """

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many workers there are."""

    @property
    def alive(self) -> tuple[bool, ...]:
        """By worker, whether it could take a task now; one that is busy could."""
        return (True,) * self.workers

    @property
    def by_name(self) -> bool:
        """Whether its workers have functions of their own, and are told the name of one."""
        return False

    @cached_property
    def ledger(self) -> Ledger:
        """The record of its workers, kept by `anyk.run`."""
        return Ledger(self.workers)

    @property
    def health(self) -> tuple[WorkerHealth, ...]:
        """How each worker does: busy, late, dead, or found to lie, and how often so far."""
        return self.ledger.report(self.alive)

    @property
    def shares_per_worker(self) -> int:
        """How many shares one process computes, which are then late or wrong together."""
        return 1

    @property
    def shares_per_machine(self) -> int:
        """How many shares may lie where one party sees them all: together they are a coalition."""
        return 1

    @abstractmethod
    def clock(self) -> float:
        """Seconds on this executor's clock; only differences mean anything."""

    @abstractmethod
    def place(self, parts: Sequence[NDArray[Any]]) -> Placement:
        """Send shares to the workers, where they stay until released.

        Args:
            parts: arrays (N, *shape), N <= workers; worker n receives row n of each. More than
                one where a share has several parts, as in a matrix product.

        Returns:
            What `dispatch` and `release` need to name them.

        Raises:
            ExecutorError: if the executor is closed.
            InvalidArgument: if there are more shares than workers.
        """

    @abstractmethod
    def dispatch(
        self, task: Task, placement: Placement, arguments: Sequence[Any]
    ) -> AbstractDispatch:
        """Run a task on every worker that holds one of these shares.

        Args:
            task: called with the parts of the share, then the arguments; `by_name`, a `WorkerTask`
                may have the name of a function instead.
            placement: from `place`.
            arguments: sent to every worker; of a `PerWorker` one, each worker receives its row.

        Returns:
            The dispatch, from which answers are received.

        Raises:
            ExecutorError: if the executor is closed, or the placement was released.
            InvalidArgument: if the task or an argument can't be sent to the workers.
        """

    @abstractmethod
    def release(self, placement: Placement) -> None:
        """Let the workers forget these shares. Harmless when called twice."""

    @abstractmethod
    def close(self) -> None:
        """Stop the workers, and leave nothing behind. Harmless when called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_parts(parts: Sequence[NDArray[Any]], executor: AbstractExecutor) -> int:
    """How many shares there are, if there is a worker for each.

    Raises:
        InvalidArgument: if there are none, or more than workers, or the parts differ.
    """
    counts = {len(part) for part in parts}
    if len(counts) != 1:
        raise InvalidArgument(
            "parts",
            given=f"parts of {sorted(counts)} shares",
            needed="the same number of shares in each part",
            change="Encode the parts with one scheme.",
        )
    number = counts.pop()
    if not 1 <= number <= executor.workers:
        raise InvalidArgument(
            "executor",
            given=f"{type(executor).__name__} with {executor.workers} workers",
            needed=f"{number} workers, one for each share",
            change=f"Make it {type(executor).__name__}({number}), or the scheme smaller.",
        )
    return number


def check_open(executor: AbstractExecutor, *, closed: bool) -> None:
    """Raise ExecutorError if the executor is closed."""
    if closed:
        raise ExecutorError(f"this {type(executor).__name__} executor is closed; make a new one.")


def argument_of(argument: Any, worker: int) -> Any:
    """What one worker receives of an argument: its row of a `PerWorker` one, else the whole."""
    return argument.rows[worker] if isinstance(argument, PerWorker) else argument
