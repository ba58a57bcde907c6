"""Calls of a function that has one argument more: one that the worker decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, final

from anyk.executors.core.calls import AbstractCalls, Batch, Returned

__all__ = ["ExtraArgument"]


@final
class ExtraArgument(AbstractCalls):
    """Calls in which each item has one more argument, behind its own.

    Args:
        calls: of a function that takes it.
        extra: the argument, of the worker's index.

    Example:
        >>> from anyk.executors.core.calls import Batch
        >>> from anyk.executors.core.task_id import TaskId
        >>> from anyk.executors.wrappers.extra_argument import ExtraArgument
        >>> with anyk.Inline(3) as executor:
        ...     calls = ExtraArgument(executor.calls(pow), lambda worker: worker)
        ...     calls.post(2, Batch(0, ((5,),), (TaskId(0, 0, 2),)))
        ...     calls.receive(timeout=None).results[0].value
        25
    """

    def __init__(self, calls: AbstractCalls, extra: Callable[[int], Any]) -> None:
        self._calls, self._extra = calls, extra

    @property
    def at_once(self) -> int:
        """As of the calls within."""
        return self._calls.at_once

    @property
    def ahead(self) -> int:
        """As of the calls within."""
        return self._calls.ahead

    def post(self, worker: int, batch: Batch) -> None:
        """Give a batch to a worker, with the worker's argument; see `AbstractCalls.post`."""
        items = tuple((*item, self._extra(worker)) for item in batch.items)
        self._calls.post(worker, replace(batch, items=items))

    def receive(self, timeout: float | None) -> Returned | None:
        """What came of the next batch; see `AbstractCalls.receive`."""
        return self._calls.receive(timeout)

    def withdraw(self, worker: int, ticket: int) -> bool:
        """Take a batch back; see `AbstractCalls.withdraw`."""
        return self._calls.withdraw(worker, ticket)

    def wake(self) -> None:
        """Let who waits look around; see `AbstractCalls.wake`."""
        self._calls.wake()

    def abandon(self) -> None:
        """Forget the rest; see `AbstractCalls.abandon`."""
        self._calls.abandon()
