"""What every executor must do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Answer
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.base import AbstractExecutor, Dealt, pause
from anyk.testing.expect import expect, require

__all__ = ["check_executor"]

_LATE = 0.3  # seconds that a worker of check_executor is late
_PATIENCE = 60.0  # seconds after which check_executor calls a silent worker lost


# What the workers of check_executor run: at the top level, so that every engine can send it.


def _weighted(share: NDArray[Any], factor: float, own: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(share * factor + own)


def _fragile(share: NDArray[Any]) -> Any:
    if share[0] == 0:
        raise ArithmeticError("zero")
    return "text" if share[0] == 1 else share


def _sluggish(share: NDArray[Any]) -> NDArray[Any]:
    if share[0] == 0:
        pause(_LATE)
    return share


def check_executor(executor: AbstractExecutor) -> None:
    """Check that shares, arguments and answers go where they belong, and nothing waits in vain.

    Args:
        executor: open, with at least 3 workers; it is closed in the end.

    Raises:
        AssertionError: if the executor breaks its contract.

    Example:
        >>> anyk.testing.check_executor(anyk.Threads(4))
    """
    workers = executor.workers
    shares = np.arange(2.0 * workers).reshape(workers, 2) // 2
    placement, second = executor.place((shares,)), executor.place((-shares[:3],))
    own = np.arange(workers) * 100.0

    for placed, expected in ((placement, shares), (second, -shares[:3])):
        got = _received(executor, _weighted, placed, (3.0, Dealt(own)))
        require(sorted(got) == list(range(len(expected))), f"answers came from {sorted(got)}")
        for worker, answer in got.items():
            right = expected[worker] * 3.0 + own[worker]
            require(answer.failure is None, f"worker {worker} failed: {answer.failure}")
            require(
                answer.value is not None and np.array_equal(answer.value, right),
                f"worker {worker} computed {answer.value}",
            )
            require(answer.sent <= answer.answered, f"worker {worker} answered before it was asked")
            require(answer.seconds >= 0, f"worker {worker} computed {answer.seconds} s")

    failed = {
        who
        for who, answer in _received(executor, _fragile, placement, ()).items()
        if answer.failure
    }
    require(failed == {0, 1}, f"workers 0 and 1 should fail; {failed} did")

    for _ in range(3):  # worker 0 is still busy with the last call, which nobody waits for
        dispatch = executor.dispatch(_sluggish, placement, ())
        first = dispatch.receive(_PATIENCE)
        dispatch.abandon()
        dispatch.abandon()
        require(first is not None, "no answer at all")

    executor.release(second)
    executor.release(second)
    expect(ExecutorError, "released shares", lambda: executor.dispatch(_fragile, second, ()))
    expect(InvalidArgument, "too many shares", lambda: executor.place((np.ones(workers + 1),)))
    executor.close()
    executor.close()
    expect(ExecutorError, "a closed executor", lambda: executor.place((shares,)))


def _received(
    executor: AbstractExecutor, task: Callable[..., Any], placement: Any, arguments: tuple[Any, ...]
) -> dict[int, Answer]:
    """Every worker's answer to one task."""
    dispatch = executor.dispatch(task, placement, arguments)
    got: dict[int, Answer] = {}
    while (answer := dispatch.receive(_PATIENCE)) is not None:
        require(answer.worker not in got, f"worker {answer.worker} answered twice")
        got[answer.worker] = answer
    return got
