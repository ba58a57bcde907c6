"""The seam of calls: one function on any items, in batches, each on a worker that is named.

Beside shares, which are arrays and lie on their workers, an executor calls a function on items of
any type. Who gets which item, how often, and which answers count is none of its business.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple, final

from anyk.executors.core.raised import Raised
from anyk.executors.core.task_id import TaskId

__all__ = ["AbstractCalls", "Batch", "Result", "Returned"]


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """Items that travel together, and are computed one after the other.

    Args:
        ticket: what the batch is known by among those of the same `AbstractCalls`.
        items: the positional arguments of each call.
        ids: what `anyk.task_id()` says in each.
    """

    ticket: int
    items: tuple[tuple[Any, ...], ...]
    ids: tuple[TaskId, ...]


@final
class Result(NamedTuple):
    """What came of one item.

    Args:
        value: as the function returned it; None where it raised.
        raised: what it raised instead, or why its value can't be sent.
        seconds: that the call took.
    """

    value: Any
    raised: Raised | None
    seconds: float


@final
@dataclass(frozen=True, eq=False)
class Returned:
    """What came of a batch.

    Args:
        worker: who had it.
        ticket: of the batch.
        results: one an item, in their order; empty where the worker failed.
        failure: why there are no results: the worker died, or was lost; None where there are.
        sent: when the batch was posted, in seconds on the executor's clock.
        answered: when its results were back, on the same clock.
    """

    worker: int
    ticket: int
    results: tuple[Result, ...]
    failure: str | None
    sent: float
    answered: float


class AbstractCalls(ABC):
    """Calls of one function on the workers of an executor. For one thread, but for `wake`."""

    @property
    @abstractmethod
    def at_once(self) -> int:
        """How many batches a worker computes at a time."""

    @property
    @abstractmethod
    def ahead(self) -> int:
        """How many batches a worker should have at hand beside those that it computes."""

    @abstractmethod
    def post(self, worker: int, batch: Batch) -> None:
        """Give a batch to a worker, behind those that it has. Returns at once.

        Raises:
            ExecutorError: if the executor is closed.
            InvalidArgument: if an item can't be sent; nothing was posted then.
        """

    @abstractmethod
    def receive(self, timeout: float | None) -> Returned | None:
        """What came of the next batch, whichever it is.

        Args:
            timeout: seconds on the executor's clock to wait for it; None to wait as long as it
                takes.

        Returns:
            One for each batch that was posted and not withdrawn; None if the time is over first, if
            nothing is on its way, or if it was woken.

        Raises:
            ExecutorError: if the executor was closed.
        """

    @abstractmethod
    def withdraw(self, worker: int, ticket: int) -> bool:
        """Take a batch back from a worker, if it has not begun; returns at once.

        Returns:
            Whether it has not, and will not, and nothing will come of it. False says nothing: it
            may have begun, or be over.
        """

    @abstractmethod
    def wake(self) -> None:
        """Let a `receive` that waits, or the next one, return at once; from any thread."""

    @abstractmethod
    def abandon(self) -> None:
        """Forget the rest: what has not begun is not begun, what comes late is thrown away.

        Returns at once. Harmless when called twice.
        """
