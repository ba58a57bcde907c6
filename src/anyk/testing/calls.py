"""What the calls of every executor must do: any values, each item once, where it was sent."""

from __future__ import annotations

from typing import Any

import numpy as np

from anyk.errors import ExecutorError
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.core.calls import AbstractCalls, Batch, Returned
from anyk.executors.core.task_id import TaskId
from anyk.testing.expect import expect, require
from anyk.testing.tasks import described, fragile, looked_up, refilled, waits

__all__ = ["check_calls", "check_closed_calls"]

_LARGE = 30_000  # numbers of an array that travels beside a pickle, and not in it
_PATIENCE = 60.0  # seconds after which a silent worker is lost


def check_calls(executor: AbstractExecutor) -> None:
    """Check that calls bring what the function returned, of any type, or what it raised.

    Args:
        executor: open, with at least 3 workers; `by_name`, they offer `anyk.testing.tasks`.

    Raises:
        AssertionError: if it breaks its contract.
    """
    if executor.by_name:
        _check_numbers(executor)
    else:
        _check_values(executor)
        _check_constants(executor)
    _check_abandoned(executor)


def check_closed_calls(executor: AbstractExecutor) -> None:
    """Check that an executor that is closed takes no calls and no constants."""
    expect(ExecutorError, "calls of a closed executor", lambda: executor.calls(described))
    expect(ExecutorError, "a constant of a closed executor", lambda: executor.broadcast(5))


def _check_values(executor: AbstractExecutor) -> None:
    calls = executor.calls(described)
    workers = executor.workers
    items: list[tuple[Any, ...]] = [("a", None), ({"b": (1, 2.5)}, {3}), (0, "raise"), (1, "odd")]
    for worker in range(workers):
        ids = tuple(TaskId(10 * worker + place, worker % 2, worker) for place in range(len(items)))
        calls.post(worker, Batch(worker, tuple(items), ids))
    got = {returned.ticket: returned for returned in _received(calls, workers)}
    require(sorted(got) == list(range(workers)), f"batches came back: {sorted(got)}")
    for worker, returned in got.items():
        require(returned.worker == worker, f"batch {worker} is said to be of {returned.worker}")
        require(returned.failure is None, f"worker {worker} failed: {returned.failure}")
        require(returned.sent <= returned.answered, "results came before the batch was sent")
        require(len(returned.results) == len(items), f"{len(returned.results)} results")
        for place in (0, 1):
            right = (items[place][0], items[place][1], (10 * worker + place, worker % 2, worker))
            value = returned.results[place].value
            require(value == right, f"worker {worker} made {value} of {items[place]}")
        raised = returned.results[2].raised
        require(
            raised is not None and raised.reason.startswith("ArithmeticError"),
            f"what was raised came back as {raised}",
        )
        odd = returned.results[3]  # what can't be sent is an error, and of this item alone
        require(odd.raised is not None or callable(odd.value), f"a lock came back as {odd}")
    calls.abandon()


def _check_numbers(executor: AbstractExecutor) -> None:
    """What workers with functions of their own are sent: arrays, of which they make others."""
    calls = executor.calls(fragile)
    for worker in range(executor.workers):
        items = tuple((np.array([first, worker]),) for first in (2, 0, 3))
        calls.post(worker, Batch(worker, items, (TaskId(0, 0, worker),) * 3))
    for returned in _received(calls, executor.workers):
        require(returned.failure is None, f"a worker failed: {returned.failure}")
        first, second, third = returned.results
        for result, number in ((first, 2), (third, 3)):
            right = np.array_equal(result.value, [number, returned.worker])
            require(right, f"worker {returned.worker} made {result.value}")
        raised = second.raised
        require(
            raised is not None and raised.reason.startswith("ArithmeticError"),
            f"what was raised came back as {raised}",
        )
    calls.abandon()


def _check_memory(executor: AbstractExecutor) -> None:
    """A function may use the memory of its value again, and what it does to an item is its own."""
    calls = executor.calls(refilled)
    rows = [np.full(_LARGE, float(number)) for number in range(4)]
    ids = tuple(TaskId(number, 0, 0) for number in range(len(rows)))
    for ticket in range(2):
        calls.post(0, Batch(ticket, tuple((row,) for row in rows), ids))
    for returned in _received(calls, 2):
        values = [float(result.value.max()) for result in returned.results]
        require(values == [1.0, 2.0, 3.0, 4.0], f"values in one memory came back as {values}")
    require(all(row[0] == number for number, row in enumerate(rows)), "an item was written in")
    calls.abandon()


def _check_constants(executor: AbstractExecutor) -> None:
    table = executor.broadcast({"a": 1, "b": [2]})
    require(table.value == {"a": 1, "b": [2]}, "a constant has another value here")
    calls = executor.calls(looked_up)
    for worker in range(3):
        item = ("b", table, [table])
        calls.post(worker, Batch(worker, (item,), (TaskId(0, 0, worker),)))
    for returned in _received(calls, 3):
        (result,) = returned.results or (None,)
        raised = None if result is None else result.raised
        require(
            result is not None and result.value == [2, 2],
            f"a constant came as {result and result.value} ({raised and raised.reason})",
        )
    calls.abandon()
    table.release()
    table.release()
    expect(ExecutorError, "a constant that was released", lambda: table.value)


def _check_abandoned(executor: AbstractExecutor) -> None:
    """Nothing comes of what was taken back, and nothing of a call that is over in the next."""
    calls = executor.calls(waits)
    for ticket in range(3):
        calls.post(0, Batch(ticket, ((ticket,),), (TaskId(ticket, 0, 0),)))
    taken = [ticket for ticket in (2, 1) if calls.withdraw(0, ticket)]
    left = sorted({0, 1, 2} - set(taken))
    came = sorted(returned.ticket for returned in _received(calls, len(left)))
    require(came == left, f"{taken} were taken back, and {came} came")
    require(calls.receive(0.0) is None, "something came that nobody had posted")
    calls.post(0, Batch(3, ((3,),), (TaskId(3, 0, 0),)))
    calls.abandon()
    calls.abandon()
    require(calls.receive(0.0) is None, "something came of calls that were abandoned")
    again = executor.calls(waits)
    again.post(0, Batch(3, ((4,),), (TaskId(0, 0, 0),)))
    (returned,) = _received(again, 1)
    require(returned.results[0].value == 4, f"the next call made {returned.results[0].value}")  # noqa: PLR2004 - as above
    again.abandon()


def _received(calls: AbstractCalls, number: int) -> list[Returned]:
    got: list[Returned] = []
    for _ in range(number):
        returned = calls.receive(_PATIENCE)
        require(returned is not None, f"{len(got)} of {number} batches came back")
        if returned is not None:
            got.append(returned)
    return got
