"""Processes: what they answer, and what happens to those killed, stuck or hostile."""

import functools
import importlib
import os
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import executor_tasks as tasks
import numpy as np
import pytest
from calls import LONG, call, hold_up_worker_0, receive, sums_and_products

import anyk
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.base import PerWorker
from anyk.executors.core.run_task import Task
from anyk.executors.processes.executor import Processes
from anyk.executors.processes.importable import importable
from anyk.faults import Delay, Die, Faulty
from anyk.testing.tasks import gram


@pytest.fixture(scope="module")
def trio() -> Iterator[Processes]:
    with Processes(3) as executor:
        yield executor


def test_each_worker_is_a_process_of_its_own(trio: Processes) -> None:
    answers = call(trio, tasks.pid, np.zeros(3))
    assert {worker: int(answer.value) for worker, answer in answers.items()} == dict(
        enumerate(trio.pids)
    )
    assert len({os.getpid(), *trio.pids}) == 4


def test_shares_plain_and_per_worker_arguments_arrive(trio: Processes) -> None:
    large = np.arange(3 * 10_000.0).reshape(3, 100, 100)
    own = PerWorker(np.array([1.0, 2.0, 3.0]))
    answers = call(trio, np.add, large, own)
    for worker, answer in answers.items():
        np.testing.assert_array_equal(answer.value, large[worker] + worker + 1)
        assert answer.failure is None
        assert answer.sent <= answer.answered
        assert answer.seconds >= 0
    weights = np.ones((100, 50_000 // 100))
    answers = call(trio, np.matmul, large, weights)
    np.testing.assert_allclose(answers[2].value, large[2] @ weights)


def test_a_share_can_be_asked_again_and_in_parts(trio: Processes) -> None:
    a, b = np.arange(12.0).reshape(3, 2, 2), np.arange(6.0).reshape(3, 2, 1)
    placement = trio.place([a, b])
    for _ in range(3):
        answers = receive(trio.dispatch(np.matmul, placement, []), 3)
        for worker, answer in answers.items():
            np.testing.assert_array_equal(answer.value, a[worker] @ b[worker])
    trio.release(placement)
    with pytest.raises(ExecutorError, match="released"):
        trio.dispatch(np.matmul, placement, [])


def test_workers_that_raise_or_exit_fail_alone(trio: Processes) -> None:
    assert "Singular" in str(call(trio, np.linalg.inv, np.zeros((3, 2, 2)))[1].failure)
    died = call(trio, tasks.exit_with, [3, 4, 5])
    assert [died[worker].failure for worker in range(3)] == [
        f"process died: exit code {code}" for code in (3, 4, 5)
    ]
    assert call(trio, np.square, [1, 2, 3])[2].value == 9


def test_a_task_that_does_not_unpickle_is_a_failed_answer(trio: Processes) -> None:
    before = trio.pids
    answers = call(trio, tasks.LoadsOnlyInTheMaster(), np.zeros(3))
    assert all("this is no number" in str(answer.failure) for answer in answers.values())
    assert trio.pids == before


def test_workers_draw_different_random_numbers(trio: Processes) -> None:
    answers = call(trio, tasks.draw, np.zeros(3))
    assert (
        len({answer.value.tobytes() for answer in answers.values() if answer.value is not None})
        == 3
    )


def test_workers_ignore_the_masters_interrupt(trio: Processes) -> None:
    assert call(trio, tasks.interrupt_me, [1, 2, 3])[1].failure is None


def test_an_interrupt_that_a_task_raises_costs_its_answer_alone(trio: Processes) -> None:
    before = trio.pids
    answers = call(trio, tasks.raise_interrupt, np.arange(3))
    assert [answers[worker].failure for worker in range(3)] == ["KeyboardInterrupt", None, None]
    assert trio.pids == before


def test_rubbish_in_the_pipe_is_a_failed_answer_and_costs_the_process(trio: Processes) -> None:
    before = trio.pids
    answers = call(trio, tasks.write_rubbish_to_the_master, np.zeros(3))
    assert all("no answer" in str(answer.failure) for answer in answers.values())
    assert call(trio, np.square, [1, 2, 3])[0].value == 1
    assert not set(before) & set(trio.pids)


@pytest.mark.parametrize(
    "task",
    [
        lambda share: share + 1,
        functools.partial(lambda share, one: share + one, one=1),
        functools.partial(np.add, 1),
    ],
)
def test_any_function_arrives(trio: Processes, task: Task) -> None:
    for executor in (trio, Faulty(trio, {0: Delay(0.0)})):
        answers = call(executor, task, np.arange(3.0))
        assert [float(answers[worker].value) for worker in range(3)] == [1.0, 2.0, 3.0]


def test_closures_and_local_classes_arrive(trio: Processes) -> None:
    factor, large = 3.0, np.ones(10_000)

    class Times:
        def __init__(self, factor: float) -> None:
            self.factor = factor

        def __call__(self, share: Any) -> Any:
            return share * self.factor

    def closure(share: Any, other: Any) -> Any:
        assert type(other).__name__ == "Times"
        return share * factor + large.sum() - 10_000

    assert float(call(trio, Times(2.0), np.arange(3.0))[2].value) == 4.0
    assert float(call(trio, closure, np.arange(3.0), Times(2.0))[2].value) == 6.0


def test_functions_of_modules_that_only_the_master_has_arrive(trio: Processes) -> None:
    module, other = types.ModuleType("only_here"), types.ModuleType("only_here_too")
    sys.modules.update(only_here=module, only_here_too=other)
    source = "import only_here_too as o\ndef f(x):\n    return o.base(x) * o.Scale.by"
    try:
        exec("def base(x):\n    return x + 1\nclass Scale:\n    by = 2", other.__dict__)  # noqa: S102
        exec(source, module.__dict__)  # noqa: S102
        assert float(call(trio, module.f, np.arange(3.0))[2].value) == 6.0
    finally:
        del sys.modules["only_here"], sys.modules["only_here_too"]


def test_a_module_found_after_the_start_is_found_by_workers_too(
    trio: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "written_later.py").write_text("LOADED = []\ndef f(x):\n    return x + 40\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    later = importlib.import_module("written_later")
    assert importable("written_later")
    assert float(call(trio, later.f, np.arange(3.0))[2].value) == 42.0


@pytest.mark.parametrize(
    "task",
    [
        functools.partial(np.add, threading.Lock()),
        test_a_task_that_does_not_unpickle_is_a_failed_answer.__get__(threading.Lock()),
    ],
)
def test_a_task_that_cannot_be_pickled_is_named(trio: Processes, task: Task) -> None:
    placement = trio.place([np.zeros(3)])
    for executor in (trio, Faulty(trio, {0: Die()})):
        with pytest.raises(InvalidArgument, match=r"function: got .*lock.*can be pickled"):
            executor.dispatch(task, placement, [])
    trio.release(placement)


def test_a_closure_and_an_argument_that_cannot_be_pickled_are_named(trio: Processes) -> None:
    lock = threading.Lock()

    def closure(share: Any) -> Any:
        with lock:
            return share

    placement = trio.place([np.zeros(3)])
    with pytest.raises(InvalidArgument, match=r"function: got .*closure, with which goes .*lock"):
        trio.dispatch(closure, placement, [])
    for argument in (threading.Lock(), PerWorker([1, 2, threading.Lock()])):
        with pytest.raises(InvalidArgument, match="arguments: got one that pickle can't send"):
            trio.dispatch(np.add, placement, [argument])
    trio.release(placement)


def test_a_process_killed_in_the_middle_fails_at_once_and_is_replaced(trio: Processes) -> None:
    shares = np.arange(3.0)
    placement = trio.place([shares])
    before = trio.pids
    dispatch = Faulty(trio, {1: Delay(LONG * 10)}).dispatch(np.square, placement, [])
    assert set(receive(dispatch, 2)) == {0, 2}
    trio.kill(1)
    assert receive(dispatch, 1)[1].failure == "process died: signal 9"
    again = receive(trio.dispatch(np.add, placement, [1.0]), 3)
    assert {worker: float(answer.value) for worker, answer in again.items()} == {0: 1, 1: 2, 2: 3}
    assert trio.pids[1] != before[1]
    assert trio.pids[::2] == before[::2]
    trio.release(placement)


def test_an_idle_process_that_was_killed_is_not_missed(trio: Processes) -> None:
    kept = [trio.place([np.full(3, number)]) for number in range(4)]
    trio.kill(2)
    for number, placement in enumerate(kept):
        answers = receive(trio.dispatch(np.negative, placement, []), 3)
        assert {int(answer.value) for answer in answers.values()} == {-number}
        trio.release(placement)
    with pytest.raises(InvalidArgument, match="worker"):
        trio.kill(3)


def test_a_task_that_kills_its_process_is_a_failed_answer(trio: Processes) -> None:
    placement = trio.place([np.arange(3)])
    dispatch = Faulty(trio, {0: Die()}).dispatch(np.square, placement, [])
    answers = receive(dispatch, 3)
    assert answers[0].failure == "process died: signal 9"
    assert answers[1].failure is None
    trio.release(placement)


def test_a_busy_process_does_not_hold_up_the_next_calls_nor_collects_them(
    trio: Processes, tmp_path: Path
) -> None:
    hold_up_worker_0(trio, tasks.put_off_at, tmp_path, lambda: trio.crew.waiting[0])


def test_repr_rebuilds(trio: Processes) -> None:
    assert repr(trio) == "Processes(3)"


def test_sums_of_outputs_and_products_are_ordinary_schemes() -> None:
    with anyk.Processes(3) as executor:
        sums_and_products(executor, gram)


@pytest.mark.parametrize(
    "scheme",
    [anyk.Replication(1, 2), anyk.CyclicRepetition(2, 1)],
    ids=lambda scheme: type(scheme).__name__,
)
def test_what_a_function_refers_to_is_named_in_whatever_work_or_wrapper_it_is(scheme: Any) -> None:
    X, lock = np.ones((scheme.problem.blocks, 2)), threading.Lock()
    with Processes(2) as executor:
        for around in (executor, Faulty(executor, {})):
            anyk.run(scheme, lambda x: x, X, around)
            with pytest.raises(anyk.InvalidArgument, match=r"got .*<lambda>, with which"):
                anyk.run(scheme, lambda x: (lock, x)[1], X, around)


def said_by_python(text: str, *options: str, path: Path | None = None) -> str:
    """What a new interpreter says: of a file, or typed in where there is no path."""
    if path is not None:
        path.write_text(text)
    told = subprocess.run(
        [sys.executable, *options, *([] if path is None else [path])],
        input=None if path is not None else text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return told.stdout


UNGUARDED = """
import anyk, numpy as np
from dataclasses import dataclass
from functools import cache
print("the script runs", flush=True)
SHIFT = 40

@cache
def twice(number):
    return 2 * number

@dataclass
class Shift:
    by: int

def shifted(block, shift):
    return twice(1) + helper(shift) if block.sum() == 2 else 0

def helper(shift):
    return shift.by

with anyk.Processes(4) as executor:
    with anyk.distribute(anyk.Replication(2, 4), np.ones((2, 2)), executor) as data:
        print(data.run(shifted, Shift(SHIFT)).value)

"""


def test_a_script_needs_no_guard_and_runs_once(tmp_path: Path) -> None:
    told = said_by_python(UNGUARDED, path=tmp_path / "script.py")
    assert told == "the script runs\n[42 42]\n"


def test_cloudpickle_is_loaded_where_it_is_needed_alone() -> None:
    text = """
import sys, anyk, numpy as np
with anyk.Processes(1) as executor:
    for f, loaded in ((np.negative, False), (lambda x: -x, True)):
        anyk.run(anyk.Replication(1, 1), f, [1.0], executor, progress=False)
        print(loaded is ("cloudpickle" in sys.modules))
"""
    assert said_by_python(text, "-").split() == ["True", "True"]


def test_functions_of_an_interactive_session_arrive() -> None:
    assert "[42 42]" in said_by_python(UNGUARDED, "-i")
