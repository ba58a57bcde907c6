"""What every executor must do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from anyk.answers import Answer
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.base import AbstractExecutor, PerWorker
from anyk.testing.expect import expect, require
from anyk.testing.tasks import fragile, sluggish, weighted

__all__ = ["check_executor"]

_PATIENCE = 60.0  # seconds after which check_executor calls a silent worker lost


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
        got = _received(executor, weighted, placed, (3.0, PerWorker(own)))
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
        who for who, answer in _received(executor, fragile, placement, ()).items() if answer.failure
    }
    require(failed == {0, 1}, f"workers 0 and 1 should fail; {failed} did")

    for _ in range(3):  # worker 0 is still busy with the last call, which nobody waits for
        dispatch = executor.dispatch(sluggish, placement, ())
        first = dispatch.receive(_PATIENCE)
        dispatch.abandon()
        dispatch.abandon()
        require(first is not None, "no answer at all")

    executor.release(second)
    executor.release(second)
    expect(ExecutorError, "released shares", lambda: executor.dispatch(fragile, second, ()))
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
