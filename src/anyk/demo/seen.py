"""An executor whose calls are watched: what came of each item, when it comes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, final

from anyk.answers import Answer
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, Placement
from anyk.executors.core.calls import AbstractCalls, Batch, Returned
from anyk.executors.core.run_task import Task
from anyk.executors.wrappers.wrapper import AbstractWrapper

__all__ = ["Seen"]

_Heard = Callable[[Answer], None]


@final
class Seen(AbstractWrapper):
    """Another executor, of which somebody hears what its workers bring to a map.

    Args:
        executor: the one within.
        heard: called with each item's answer, and with a worker that failed.

    Example:
        >>> from anyk.demo.seen import Seen
        >>> heard = []
        >>> anyk.map(abs, [-1, -2], Seen(anyk.Inline(1), heard.append)).value, len(heard)
        ([1, 2], 2)
    """

    def __init__(self, executor: AbstractExecutor, heard: _Heard) -> None:
        self._executor, self._heard = executor, heard

    @property
    def within(self) -> AbstractExecutor:
        """The other executor."""
        return self._executor

    def dispatch(
        self,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Run a task, which nobody watches; see `AbstractExecutor.dispatch`."""
        return self._executor.dispatch(task, placement, arguments, without)

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function, and be heard; see `AbstractExecutor.calls`."""
        return _SeenCalls(self._executor.calls(function), self._heard)


@final
class _SeenCalls(AbstractCalls):
    """Other calls, of which somebody hears."""

    def __init__(self, calls: AbstractCalls, heard: _Heard) -> None:
        self._calls, self._heard = calls, heard

    @property
    def ahead(self) -> int:
        return self._calls.ahead

    def post(self, worker: int, batch: Batch) -> None:
        self._calls.post(worker, batch)

    def receive(self, timeout: float | None) -> Returned | None:
        returned = self._calls.receive(timeout)
        if returned is not None:
            for seconds in [result.seconds for result in returned.results] or [0.0]:
                self._heard(_answer(returned, seconds))
        return returned

    def withdraw(self, worker: int, ticket: int) -> bool:
        return self._calls.withdraw(worker, ticket)

    def wake(self) -> None:
        self._calls.wake()

    def abandon(self) -> None:
        self._calls.abandon()


def _answer(returned: Returned, seconds: float) -> Answer:
    return Answer(
        worker=returned.worker,
        value=None,
        failure=returned.failure,
        sent=returned.sent,
        answered=returned.answered,
        seconds=seconds,
    )
