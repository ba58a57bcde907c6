"""What every executor must do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from anyk.answers import Answer
from anyk.checks import instance
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.base import AbstractExecutor, OfWorker, PerWorker, Placement
from anyk.testing.calls import check_calls, check_closed_calls
from anyk.testing.expect import expect, require
from anyk.testing.filling import check_filling
from anyk.testing.tasks import (
    fragile,
    numbered,
    recorded,
    shifted,
    sluggish,
    spoiled,
    weighted,
)

__all__ = ["check_executor"]

_PATIENCE = 60.0  # seconds after which check_executor calls a silent worker lost


def check_executor(executor: AbstractExecutor) -> None:
    """Check that shares, arguments and answers go where they belong, and nothing waits in vain.

    With one share a worker, and with several, and calls of functions on items of any type. That
    tasks of a call that is over are not begun is looked at through files in a temporary folder,
    where the workers see those of this machine.

    Args:
        executor: open, with at least 3 workers; it is closed in the end.

    Raises:
        AssertionError: if the executor breaks its contract.
        InvalidArgument: if it is none.

    Example:
        >>> anyk.testing.check_executor(anyk.Threads(4))
    """
    instance("executor", executor, AbstractExecutor, change="Make one: anyk.Threads(4).")
    workers = executor.workers
    shares = np.arange(2.0 * workers).reshape(workers, 2) // 2
    placement, second = executor.place((shares,)), executor.place((-shares[:3],))
    own = np.arange(workers) * 100.0

    for placed, expected in ((placement, shares), (second, -shares[:3])):
        got = _received(executor, weighted, placed, (3.0, PerWorker(own)))
        who = sorted(answer.worker for answer in got)
        require(who == list(range(len(expected))), f"answers came from {who}")
        for answer in got:
            worker, right = answer.worker, expected[answer.worker] * 3.0 + own[answer.worker]
            require(answer.failure is None, f"worker {worker} failed: {answer.failure}")
            require(
                answer.value is not None and np.array_equal(answer.value, right),
                f"worker {worker} computed {answer.value}",
            )
            require(answer.sent <= answer.answered, f"worker {worker} answered before it was asked")
            require(answer.seconds >= 0, f"worker {worker} computed {answer.seconds} s")

    got = _received(executor, fragile, placement, ())
    failed = {answer.worker for answer in got if answer.failure is not None}
    require(failed == {0, 1}, f"workers 0 and 1 should fail; {failed} did")

    for _ in range(3):  # worker 0 is still busy with the last call, which nobody waits for
        dispatch = executor.dispatch(sluggish, placement, ())
        first = dispatch.receive(_PATIENCE)
        dispatch.abandon()
        dispatch.abandon()
        require(first is not None, "no answer at all")

    _check_copies(executor)
    _check_again(executor)
    _check_pieces(executor)
    check_filling(executor)
    check_calls(executor)
    executor.release(second)
    executor.release(second)
    expect(ExecutorError, "released shares", lambda: executor.dispatch(fragile, second, ()))
    for pieces in (1, 2):
        beyond = np.ones(pieces * workers + 1)
        expect(InvalidArgument, "too many shares", partial(executor.place, (beyond,), pieces))
    executor.close()
    executor.close()
    expect(ExecutorError, "a closed executor", lambda: executor.place((shares,)))
    check_closed_calls(executor)


def _check_copies(executor: AbstractExecutor) -> None:
    """Check that what a task writes in its share and arguments changes nothing for others."""
    workers, length = executor.workers, 1 << 13  # beyond what travels inside a pickle
    shares, factor, own = np.ones((2 * workers, length)), np.ones(length), np.ones((2 * workers, 1))
    placement, right = executor.place((shares,), 2), np.full(length, 5.0)
    for _ in range(2):
        for answer in _received(executor, spoiled, placement, (factor, PerWorker(own))):
            who = f"worker {answer.worker}, piece {answer.piece},"
            require(answer.failure is None, f"{who} can't write in its own: {answer.failure}")
            require(
                answer.value is not None and np.array_equal(answer.value, right),
                f"{who} has seen what another task has written",
            )
    ours = (shares, factor, own)
    require(all(np.all(each == 1.0) for each in ours), "a task has written in the master's arrays")
    executor.release(placement)


def _check_again(executor: AbstractExecutor) -> None:
    """Check that another worker can compute a share too, and is told its own."""
    shares = np.array([[5.0, 7.0], [1.0, 1.0], [2.0, 2.0]])
    placement, own = executor.place((shares,)), PerWorker(np.array([100.0, 200.0, 300.0]))
    whose = OfWorker(np.arange(executor.workers) * 1000.0)
    dispatch = executor.dispatch(shifted, placement, (own, whose))
    others = {1: 2, executor.workers - 1: 1}  # the share that each is asked for
    asked = [worker for worker, share in others.items() if dispatch.again(share, worker)]
    got: list[Answer] = []
    while (answer := dispatch.receive(_PATIENCE)) is not None:
        got.append(answer)
    again = sorted(answer.worker for answer in got if answer.share is not None)
    require(again == asked, f"workers {again} computed another share, not {asked}")
    require(len(got) == len(shares) + len(asked), f"{len(got)} answers came")
    for answer in got:
        share = answer.worker if answer.share is None else answer.share
        right = shares[share] + 100.0 * (share + 1) + 1000.0 * answer.worker
        require(answer.failure is None, f"worker {answer.worker} failed: {answer.failure}")
        require(
            answer.value is not None and np.array_equal(answer.value, right),
            f"worker {answer.worker} computed {answer.value} of share {share}",
        )
    executor.release(placement)


def _check_pieces(executor: AbstractExecutor) -> None:
    """Check that a worker computes its shares in order, and answers each for itself."""
    workers, pieces = executor.workers, 4
    shares = np.array([(n // pieces, n % pieces) for n in range(pieces * workers - 1)])
    placement = executor.place((shares,), pieces)
    require(placement.workers == workers, f"{placement.workers} workers hold the shares")
    got = _received(executor, numbered, placement, (PerWorker(np.arange(len(shares))),))
    for answer in got:
        right = [answer.worker, answer.piece, answer.worker * pieces + answer.piece]
        who = f"worker {answer.worker}, piece {answer.piece},"
        require(answer.failure is None, f"{who} failed: {answer.failure}")
        require(
            answer.value is not None and np.array_equal(answer.value, right),
            f"{who} computed {answer.value}",
        )
    for worker in range(workers):
        answered = [answer.piece for answer in got if answer.worker == worker]
        held = pieces - (worker == workers - 1)
        require(answered == list(range(held)), f"worker {worker} answered pieces {answered}")
    _check_skipped(executor, placement)
    _check_abandoned(executor, placement)
    executor.release(placement)


def _check_skipped(executor: AbstractExecutor, placement: Placement) -> None:
    """Check that a share that is skipped has no answer, and any other has one."""
    own = PerWorker(np.arange(placement.shares))
    dispatch = executor.dispatch(numbered, placement, (own,))
    wanted = range(2, placement.shares, 3)
    skipped = {share for share in wanted if dispatch.skip(share)}
    twice = [share for share in skipped if dispatch.skip(share)]
    require(not twice, f"shares {twice} were skipped twice")
    got: list[Answer] = []
    while (answer := dispatch.receive(_PATIENCE)) is not None:
        got.append(answer)
    answered = sorted(answer.worker * placement.pieces + answer.piece for answer in got)
    right = [share for share in range(placement.shares) if share not in skipped]
    require(answered == right, f"of {sorted(skipped)}, which were skipped, {answered} are left")


def _check_abandoned(executor: AbstractExecutor, placement: Placement) -> None:
    """Check that what a worker has not begun when a call is over is not begun.

    Each task leaves a file, and that on a second piece waits for another one. Where workers have
    other files than this process, or all is computed at once, there is nothing to be seen.
    """
    with TemporaryDirectory(prefix="anyk-") as folder:
        dispatch = executor.dispatch(recorded, placement, (Path(folder).name,))
        simulated = any(Path(folder).glob("*-2"))
        answer = dispatch.receive(_PATIENCE)
        require(answer is not None and answer.piece == 0, f"the first answer is {answer}")
        dispatch.abandon()
        Path(folder, "go").touch()
        own = PerWorker(np.arange(placement.shares))
        _received(executor, numbered, placement, (own,))  # after what the workers had begun
        begun = [path.name for path in Path(folder).glob("*-[23]")]
        require(simulated or not begun, f"after the call was over, tasks began on {sorted(begun)}")


def _received(
    executor: AbstractExecutor, task: Callable[..., Any], placement: Any, arguments: tuple[Any, ...]
) -> list[Answer]:
    """All answers to one task, in the order in which they came."""
    dispatch = executor.dispatch(task, placement, arguments)
    got: list[Answer] = []
    while (answer := dispatch.receive(_PATIENCE)) is not None:
        got.append(answer)
    return got
