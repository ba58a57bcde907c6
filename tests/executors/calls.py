"""What the tests of every engine do: place shares, run a task on them, wait for what must come."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from anyk.answers import Answer
from anyk.executors.attempt import Task
from anyk.executors.base import AbstractDispatch, AbstractExecutor

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
