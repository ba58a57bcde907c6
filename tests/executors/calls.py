"""What the tests of every engine do: place shares, run a task on them, wait for what must come."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import anyk
from anyk.answers import Answer
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor
from anyk.executors.core.run_task import Task

LONG = 60.0
"""Seconds: a test that waits this long has failed."""


def receive(dispatch: AbstractDispatch, number: int) -> dict[int, Answer]:
    answers = [dispatch.receive(LONG) for _ in range(number)]
    return {answer.worker: answer for answer in answers if answer is not None}


def call(executor: AbstractExecutor, task: Task, shares: Any, *arguments: Any) -> dict[int, Answer]:
    placement = executor.place([np.asarray(shares)])
    answers = receive(executor.dispatch(task, placement, arguments), placement.workers)
    executor.release(placement)
    return answers


def pids_of(executor: AbstractExecutor) -> list[int]:
    """The processes of workers that take functions of any kind."""
    answers = call(executor, lambda _: os.getpid(), np.zeros(executor.workers))
    return [int(answers[worker].value) for worker in range(executor.workers)]


def put_off(gate: Path) -> Task:
    """A task of any kind that says that worker 0 has begun, then waits for a named pipe."""

    def task(share: Any) -> Any:
        if share == 0:
            gate.with_suffix(".begun").touch()
            gate.read_text(encoding="utf-8")
        return share

    return task


def hold_up_worker_0(
    executor: AbstractExecutor,
    put_off: Callable[[Path], Task],
    folder: Path,
    waiting: Callable[[], int],
) -> None:
    """A worker busy with a call that is over holds up no other, and collects no calls."""
    gate = folder / "gate"
    os.mkfifo(gate)
    placement = executor.place([np.arange(3)])
    first = executor.dispatch(put_off(gate), placement, [])
    assert set(receive(first, 2)) == {1, 2}
    assert eventually(gate.with_suffix(".begun").exists)
    first.abandon()
    for _ in range(50):
        other = executor.place([np.ones(3)])
        dispatch = executor.dispatch(np.square, other, [])
        assert set(receive(dispatch, 2)) == {1, 2}
        dispatch.abandon()
        executor.release(other)
    assert waiting() <= 1
    last = executor.dispatch(np.square, placement, [])
    gate.write_text("", encoding="utf-8")
    assert set(receive(last, 3)) == {0, 1, 2}
    executor.release(placement)


def kill_worker_1(executor: AbstractExecutor, folder: Path, failure: str) -> None:
    """A worker that dies is one failed answer, and replaced; nothing runs twice."""

    def note(share: Any) -> Any:
        (folder / f"{int(share)} {time.monotonic_ns()}").touch()
        if share == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return share

    before = pids_of(executor)
    placement = executor.place([np.arange(3)])
    answers = receive(executor.dispatch(note, placement, []), 3)
    assert answers[1].failure == failure
    assert answers[0].failure is answers[2].failure is None
    again = receive(executor.dispatch(np.negative, placement, []), 3)  # its successor has the share
    assert [int(again[worker].value) for worker in range(3)] == [0, -1, -2]
    assert sorted(path.name[0] for path in folder.iterdir()) == ["0", "1", "2"]
    after = pids_of(executor)
    assert [a == b for a, b in zip(after, before, strict=True)] == [True, False, True]
    assert executor.alive == (True, True, True)
    executor.release(placement)


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + LONG
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def gone(pid: int | None) -> bool:
    """Whether a process has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def marked(mark: str) -> list[int]:
    """Processes that have not ended and have this in their environment, whoever's they are."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            there = mark.encode() in (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if there and state != "Z" and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def sums_and_products(executor: AbstractExecutor, gram: Any) -> None:
    """Sums of outputs, several shares a worker, and two factors, through `anyk.run`."""
    X = np.arange(18).reshape(3, 3, 2)
    truth = sum(x.T @ x for x in X)
    for domain in (anyk.Reals(), anyk.PrimeField()):
        code = anyk.CyclicRepetition(3, 1, domain=domain)
        outcome = anyk.run(code, gram, X, executor, progress=False)
        assert np.allclose(outcome.value, truth)
        assert len(outcome.used) == 2
        slices = anyk.YeAbbe(3, 1, 2, domain=domain)
        assert np.allclose(anyk.run(slices, gram, X, executor, progress=False).value, truth)
        groups = anyk.FractionalRepetition(3, 3, 1, domain=domain)
        assert np.array_equal(anyk.run(groups, gram, X, executor, progress=False).value, truth)
    groups = anyk.FractionalRepetition(3, 3, 0)
    outcome = anyk.run(groups, gram, X, executor, progress=False)
    assert np.array_equal(outcome.value, truth)
    assert outcome.value.dtype == truth.dtype
    fixed = anyk.FixedPoint(fraction_bits=4, magnitude=20.0, degree=2, summands=3)
    code = anyk.CyclicRepetition(3, 1, domain=anyk.PrimeField())
    halves = anyk.run(code, gram, X / 2, executor, embedding=fixed, progress=False)
    assert np.array_equal(halves.value, truth / 4)
    pieces = anyk.Lagrange(blocks=3, degree=2, workers=3, pieces=2)
    outcome = anyk.run(pieces, gram, X, executor, progress=False)
    assert np.array_equal(outcome.value, [x.T @ x for x in X])
    assert len(outcome.shares) == 5 + executor.by_name  # where a spare one is checked
    A, B = np.arange(15).reshape(5, 3), np.arange(6).reshape(3, 2)
    product = anyk.Polynomial(partition=(2, 1, 1), workers=3)
    with anyk.distribute(product, (A, B), executor) as data:
        for _ in range(2):
            outcome = data.run(np.matmul, progress=False)
            assert np.array_equal(outcome.value, A @ B)
            assert outcome.status is anyk.Status.EXACT
    residues = anyk.Residues(workers=3)
    halves = anyk.run(residues, np.matmul, (A / 2, B), executor, progress=False)
    assert np.array_equal(halves.value, A / 2 @ B)
    with anyk.distribute(residues, A << 28, executor) as data:
        outcome = data.matmul(B[:, 0] << 26, progress=False)
        assert np.array_equal(outcome.value, (A @ B[:, 0]) << 54)
