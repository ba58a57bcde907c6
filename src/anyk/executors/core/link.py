"""One worker, as the master sees it: what every executor with workers elsewhere knows of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from anyk.executors.core.columns import Columns
from anyk.executors.core.dispatcher import Awaited
from anyk.executors.core.placements import Parts
from anyk.executors.core.run_task import Reply

__all__ = ["AbstractLink", "Held", "Order"]

Held = Callable[[], Mapping[int, Parts]]
"""Says what a worker should hold now: the parts of its shares, by the key of the placement."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Order:
    """A task for one worker, on its shares of one placement.

    Args:
        key: of the placement.
        parts: of the worker's shares, sent if it does not hold them.
        common: the task and the arguments for all shares, packed once for all workers.
        rows: by piece, what it has for itself, packed.
        call: says whether somebody still waits for the answers.
    """

    key: int
    parts: Parts
    common: Any
    rows: Sequence[Any]
    call: Awaited


class AbstractLink(ABC):
    """One worker: made to hold the shares that it should, and asked for one share at a time.

    `ask`, `fill`, `synchronise` and `leave` take their time, and are for one thread, that of the
    worker. They raise nothing: whatever goes wrong is a failure of this worker, and of no other.
    The rest may be called from any thread, and returns at once.
    """

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether the worker could take a task, as far as is known."""

    @abstractmethod
    def ask(self, order: Order, piece: int) -> Reply:
        """Run a task on one of the worker's shares, and wait for its answer.

        A worker that is gone is replaced first, and gets its shares again. No task runs twice.

        Args:
            order: the task, and the shares.
            piece: which share.
        """

    @abstractmethod
    def fill(self, columns: Columns, call: Awaited) -> str | None:
        """Let the worker take the next columns of its shares, and wait until it has them.

        Args:
            columns: the first ones start a worker if there is none; the others must find the same.
            call: says whether somebody still waits.

        Returns:
            Why it does not have them; None where it does.
        """

    @abstractmethod
    def synchronise(self) -> None:
        """Let the worker hold what it should, and nothing else."""

    @abstractmethod
    def leave(self) -> None:
        """Let the worker forget everything, and end if it is ours. Nothing is asked afterwards."""

    @abstractmethod
    def cut(self, *, force: bool) -> None:
        """End whatever the worker's thread waits for, so that it comes to its end.

        Args:
            force: whether that was asked before, and was not enough.
        """
