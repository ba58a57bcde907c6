"""The seam of execution: shares are placed once, then tasks are dispatched on them.

An executor knows nothing of codes. It hands each worker its shares, runs the same task on every
share, and gives back the answers in the order in which they come.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Answer
from anyk.checks import instance
from anyk.executors.core.lateness import Lateness
from anyk.executors.core.run_task import Task

if TYPE_CHECKING:
    from anyk.executors.core.broadcast import Broadcast
    from anyk.executors.core.calls import AbstractCalls
    from anyk.executors.core.columns import Outline
    from anyk.executors.core.filling import AbstractFilling
    from anyk.executors.core.health import Ledger, WorkerHealth
    from anyk.executors.core.quarantine import Quarantine

__all__ = ["AbstractDispatch", "AbstractExecutor", "OfWorker", "PerWorker", "Placement"]


@final
@dataclass(frozen=True, eq=False)
class PerWorker:
    """An argument of which each share has a row of its own, instead of the whole.

    Args:
        rows: ndarray (shares, *shape), or a sequence of arrays: row i reaches share i alone, with
            worker i // pieces.
    """

    rows: NDArray[Any] | Sequence[Any]


@final
@dataclass(frozen=True, eq=False)
class OfWorker:
    """An argument of which each worker has a row of its own, whichever share it computes.

    Args:
        rows: ndarray (workers, *shape), or a sequence of arrays: one for each of the executor's.
    """

    rows: NDArray[Any] | Sequence[Any]


@final
@dataclass(frozen=True, eq=False)
class Placement:
    """Shares that lie on the workers of one executor.

    Args:
        key: number that the executor knows them by.
        shares: how many there are.
        pieces: how many of them a worker holds; the last worker may hold fewer.

    Example:
        >>> from anyk.executors.core.base import Placement
        >>> Placement(key=0, shares=6, pieces=2).workers
        3
    """

    key: int
    shares: int
    pieces: int = 1

    @property
    def workers(self) -> int:
        """How many workers hold a share."""
        return -(-self.shares // self.pieces)

    def spread(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Seconds of each worker, in equal parts over its shares.

        Args:
            seconds: ndarray (workers,).

        Returns:
            ndarray (shares,).
        """
        holder = np.arange(self.shares) // self.pieces
        return np.asarray((seconds / np.bincount(holder))[holder])


class AbstractDispatch(ABC):
    """One task in flight on all shares of a placement."""

    @abstractmethod
    def receive(self, timeout: float | None) -> Answer | None:
        """The next answer or failure, whichever share it is of; a worker's come in their order.

        Args:
            timeout: seconds on the executor's clock to wait for it; None to wait as long as it
                takes.

        Returns:
            An answer, one for each share that was asked for and not skipped, and one for each that
            was asked for `again`; None if the time is over first, or if all have come.
        """

    @abstractmethod
    def again(self, share: int, worker: int) -> bool:
        """Let another worker compute a share too, after what it has to do already.

        Its answer comes like the others, and names the share. Returns at once. The worker is sent
        the share with the task, and forgets it soon afterwards.

        Args:
            share: one of the placement's.
            worker: one of the executor's that does not hold it.

        Returns:
            Whether it is asked; False where this worker can't be.
        """

    @abstractmethod
    def skip(self, share: int) -> bool:
        """Spare the worker that holds a share to compute it, if it has not begun. Returns at once.

        Args:
            share: one of the placement's.

        Returns:
            Whether it has not, and will not, and no answer will come. False where it may have.
        """

    @abstractmethod
    def abandon(self) -> None:
        """Forget the rest: what has not begun is not begun, what comes late is thrown away.

        A worker that computes one of its pieces does not begin the next. Returns at once. Harmless
        when called twice.
        """


class AbstractExecutor(ABC):
    """Workers that compute; a context manager.

    One worker, one share; or several `pieces`, which it computes one after the other, in their
    order, and answers one by one. `place` and `dispatch` return at once; a worker still busy with
    an abandoned task begins the next one when it is free, and nobody waits for it.

    Example:
        >>> with anyk.Inline(3) as executor:
        ...     isinstance(executor, anyk.AbstractExecutor), executor.workers, executor.alive
        (True, 3, (True, True, True))
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
        from anyk.executors.core.health import Ledger  # noqa: PLC0415 - the first run needs it

        return Ledger(self.workers)

    @property
    def lateness(self) -> Lateness:
        """When a worker is late, by its own measure; may be set to another one.

        Raises:
            InvalidArgument: if it is set to anything but a `Lateness`.
        """
        measure: Lateness = self.__dict__.setdefault("_lateness", Lateness())
        return measure

    @lateness.setter
    def lateness(self, measure: Lateness) -> None:
        instance("lateness", measure, Lateness, change="Pass anyk.Lateness(medians=3.0), say.")
        self.__dict__["_lateness"] = measure

    @cached_property
    def quarantine(self) -> Quarantine:
        """The workers that `anyk.run` does not use until they are released; nobody at first."""
        from anyk.executors.core.quarantine import Quarantine  # noqa: PLC0415 - as above

        return Quarantine(self.workers)

    @property
    def health(self) -> tuple[WorkerHealth, ...]:
        """How each worker does: busy, late, dead, or found to lie, and how often so far."""
        return self.ledger.report(self.alive, self.quarantine.workers)

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
    def place(self, parts: Sequence[NDArray[Any]], pieces: int = 1) -> Placement:
        """Send shares to the workers, where they stay until released.

        The arrays are not copied here, and are kept for workers that are replaced: do not write in
        them as long as they are placed.

        Args:
            parts: arrays (shares, *shape), of which share i is row i of each. More than one where a
                share has several parts, as in a matrix product.
            pieces: how many shares a worker holds: worker i // pieces receives share i.

        Returns:
            What `dispatch` and `release` need to name them.

        Raises:
            ExecutorError: if the executor is closed.
            InvalidArgument: if there are more shares than `pieces` for each worker.
        """

    def filling(self, outlines: Sequence[Outline], pieces: int = 1) -> AbstractFilling:
        """Begin to send shares to the workers slab by slab, which then are a placement.

        By default all shares are collected in this process and placed at last: in place, where the
        workers are in this process too (`Inline`, `Threads`, `Simulated`); elsewhere that takes as
        much memory here as `place` does. Executors whose workers take slabs override it, and hold
        no more than one slab of all shares here.

        Args:
            outlines: of the parts of all shares, the number of columns `UNKNOWN` where it is.
            pieces: how many shares a worker holds, as for `place`.

        Returns:
            What slabs are written to; `finish` it, or `abandon` it.

        Raises:
            ExecutorError: if the executor is closed.
            InvalidArgument: if there are more shares than `pieces` for each worker.
        """
        from anyk.executors.core.filling import Collected  # noqa: PLC0415 - few have slabs

        return Collected(self, outlines, pieces)

    @abstractmethod
    def dispatch(
        self,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Run a task on every one of these shares, on the worker that holds it.

        A task has copies of its own of its share and of the arrays among its arguments: what it
        writes in them changes nothing for others. While it runs, they take their memory once more.

        Args:
            task: called with the parts of the share, then the arguments; `by_name`, a `WorkerTask`
                may have the name of a function instead.
            placement: from `place`.
            arguments: for every share; of a `PerWorker` one, each share receives its row, and of an
                `OfWorker` one, the row of whoever computes it.
            without: workers of whom nothing is asked, and from whom no answer comes.

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
    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Calls of a function on items of any type, each on the worker that is named.

        Args:
            function: called with the arguments of an item; `by_name`, the name of one.

        Returns:
            What items are posted to, and results are received from.

        Raises:
            ExecutorError: if the executor is closed.
            InvalidArgument: if the function can't be sent to the workers.
        """

    @abstractmethod
    def broadcast(self, value: Any) -> Broadcast:
        """Let every worker hold a constant, such as a model, until it is released.

        It is sent once to each worker, in the background, and once more to one that was replaced.
        Passed as an argument of a run, it is the value itself that the function gets.

        Args:
            value: what can be sent to the workers as an argument can.

        Returns:
            The handle; it ends with the executor, or by its `release`.

        Raises:
            ExecutorError: if the executor is closed.
            InvalidArgument: if it can't be sent.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop the workers, and leave nothing behind. Harmless when called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
