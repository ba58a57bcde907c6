"""Processes and tasks that misbehave: each hurts its own worker alone, and leaves nothing."""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import LONG, call, eventually, gone, marked, receive

import anyk
from anyk.executors.core.run_task import Task
from anyk.executors.processes import pipe, starting
from anyk.executors.processes.executor import Processes

linux = pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")
NUMBERS = np.arange(3.0)


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """What is in the environment of all that a test starts."""
    name = f"ANYK_{uuid.uuid4().hex}"
    monkeypatch.setenv(name, "1")
    return name


@pytest.fixture
def trio() -> Iterator[Processes]:
    with Processes(3) as executor:
        yield executor


def starter(how: str, folder: Path) -> Task:
    """A task that leaves processes that would go on for long, whose numbers are in a folder."""

    def note() -> None:
        (folder / str(os.getpid())).touch()

    def task(share: Any) -> Any:
        sleep = (
            f"import os, time; open({str(folder)!r} + f'/{{os.getpid()}}', 'w'); time.sleep(300)"
        )
        command = [sys.executable, "-c", sleep]
        if how == "subprocess":
            subprocess.Popen(command)
        elif how == "session":
            subprocess.Popen(command, start_new_session=True)
        elif how == "daemon":
            start = f"import subprocess as s; s.Popen({command}, start_new_session=True)"
            subprocess.run([sys.executable, "-c", start], check=True)
        elif not os.fork():
            if how == "fork of a fork":
                os.setsid()
                os.fork()
            note()
            time.sleep(300)
        return share

    return task


@linux
@pytest.mark.parametrize("end", ["close", "kill", "die"])
@pytest.mark.parametrize("how", ["subprocess", "session", "daemon", "fork", "fork of a fork"])
def test_what_a_task_has_started_ends_with_its_worker(tmp_path: Path, how: str, end: str) -> None:
    many = 4 if how == "fork of a fork" else 2

    def left() -> list[int]:
        return [int(path.name) for path in tmp_path.iterdir()]

    with Processes(2) as executor:
        answers = call(executor, starter(how, tmp_path), NUMBERS[:2])
        assert [answers[worker].failure for worker in range(2)] == [None, None]
        assert eventually(lambda: len(left()) == many)
        assert not any(map(gone, left()))
        if end == "kill":
            executor.kill(0)
            executor.kill(1)
        elif end == "die":
            call(executor, lambda _: os._exit(3), NUMBERS[:2])
        if end != "close":
            assert eventually(lambda: all(map(gone, left())))
    assert eventually(lambda: all(map(gone, left())))


def test_what_a_task_forks_does_not_answer(trio: Processes) -> None:
    def both(share: Any) -> Any:
        os.fork()
        return share

    for _ in range(3):
        answers = call(trio, both, NUMBERS)
        assert [float(answers[worker].value) for worker in range(3)] == [0.0, 1.0, 2.0]


def close_files(share: Any) -> Any:
    os.closerange(3, 100)
    return share


def close_files_and_open_others(share: Any) -> Any:
    os.closerange(3, 100)
    for _ in range(50):
        os.open(os.devnull, os.O_RDWR)
    return share


def scribble(share: Any) -> Any:
    for descriptor in range(3, 100):
        try:
            os.write(descriptor, b"\x00\x00\x00\x10garbagegarbage!!")
        except OSError:
            continue
    return share


def kill_the_group(_: Any) -> Any:
    os.kill(0, signal.SIGKILL)


def killing(process: int) -> Task:
    def task(share: Any) -> Any:
        os.kill(process, signal.SIGKILL)
        return share

    return task


def hold_the_lock(share: Any) -> Any:
    if sys.platform == "linux":
        ctypes.PyDLL(None).sleep(300)  # keeps the GIL
    return share


def stop(share: Any) -> Any:
    os.kill(os.getpid(), signal.SIGSTOP)
    return share


def only_first(task: Task) -> Task:
    return lambda share: task(share) if share == 0 else share


@pytest.mark.parametrize(
    ("task", "failure"),
    [
        (close_files, "process died: exit code 1"),
        (close_files_and_open_others, "process died: exit code 1"),
        (scribble, "sent something that is no answer"),
        (kill_the_group, "process died: signal 9"),
        (lambda _: ctypes.string_at(0), "process died: signal 11"),
        (lambda _: os._exit(0), "process died: exit code 0"),
    ],
)
def test_what_a_task_does_to_its_process_costs_no_other(
    trio: Processes, task: Task, failure: str
) -> None:
    before, parent = trio.pids, starting.parent()
    answers = call(trio, only_first(task), NUMBERS)
    assert failure in str(answers[0].failure)
    assert answers[1].failure is answers[2].failure is None
    assert float(call(trio, np.negative, NUMBERS)[0].value) == 0.0
    assert trio.pids[1:] == before[1:]
    assert starting.parent() is parent


def test_a_parent_that_is_killed_is_replaced(trio: Processes) -> None:
    for _ in range(2):
        task = only_first(killing(starting.parent()._process.pid))
        call(trio, task, NUMBERS)
        lost: list[int] = []  # the parent takes a while to end, and each worker ends with it
        while any_failed(answers := call(trio, np.negative, NUMBERS)):
            lost += [worker for worker, answer in answers.items() if answer.failure]
            assert len(set(lost)) == len(lost), "a worker was lost twice"


def test_a_parent_that_is_stopped_is_let_go_on(trio: Processes) -> None:
    parent = starting.parent()
    os.kill(parent._process.pid, signal.SIGSTOP)
    begun = time.monotonic()
    answers = call(trio, only_first(lambda _: os._exit(7)), NUMBERS)
    assert answers[0].failure == "process died: exit code 7"
    assert not any_failed(call(trio, np.negative, NUMBERS))
    assert time.monotonic() - begun < starting._REPLYING / 2
    assert starting.parent() is parent


def any_failed(answers: dict[int, Any]) -> bool:
    return any(answer.failure for answer in answers.values())


@pytest.mark.parametrize("task", [stop, hold_the_lock, lambda _: time.sleep(300)])
def test_a_worker_that_takes_too_long_is_replaced(task: Task) -> None:
    started = time.monotonic()
    with Processes(3, patience=3.0) as executor:
        before = executor.pids
        answers = call(executor, only_first(task), NUMBERS)
        assert answers[0].failure == "gave no answer within 3 s"
        assert answers[1].failure is answers[2].failure is None
        assert float(call(executor, np.negative, NUMBERS)[0].value) == 0.0
        assert executor.pids[0] != before[0]
        assert repr(executor) == "Processes(3, patience=3.0)"
    assert time.monotonic() - started < LONG


@linux
def test_a_worker_that_was_stopped_is_replaced_without_a_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipe, "LOOK", 0.2)
    with Processes(2) as executor:
        answers = call(executor, only_first(stop), NUMBERS[:2])
        assert str(answers[0].failure).startswith("was stopped by a signal")
        stopped = executor.pids[1]
        assert stopped is not None
        os.kill(stopped, signal.SIGSTOP)
        placement = executor.place([np.zeros((2, 1_000_000))])  # more than a pipe holds
        assert eventually(lambda: executor.pids[1] != stopped)
        assert set(receive(executor.dispatch(np.sum, placement, []), 2)) == {0, 1}


def test_an_answer_may_be_large_and_a_task_may_say_much(trio: Processes) -> None:
    def large(share: Any) -> Any:
        sys.stdout.write("x" * 100_000 + "\n")
        return np.full(3_000_000, share)

    answers = call(trio, large, NUMBERS)
    assert [float(answers[worker].value[-1]) for worker in range(3)] == [0.0, 1.0, 2.0]


def nested(share: Any) -> Any:
    with anyk.Processes(2) as executor:
        return anyk.run(anyk.Replication(2, 2), np.negative, [share, share], executor).value[0]


def test_a_task_may_have_processes_of_its_own(trio: Processes) -> None:
    assert float(call(trio, nested, NUMBERS)[2].value) == -2.0


def compute(queue: Any) -> None:
    queue.put(float(nested(3.0)))


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_daemonic_and_forked_children_of_the_master_may_have_processes(
    trio: Processes, way: str
) -> None:
    context: Any = multiprocessing.get_context(way)
    queue = context.SimpleQueue()
    child = context.Process(target=compute, args=(queue,), daemon=True)
    child.start()
    child.join(LONG)
    assert queue.get() == -3.0
    assert float(call(trio, np.negative, NUMBERS)[2].value) == -2.0


def test_a_fork_says_whose_the_executor_is(trio: Processes) -> None:
    placement = trio.place([NUMBERS])
    child = os.fork()
    if not child:
        code = 1
        try:
            trio.dispatch(np.negative, placement, [])
        except anyk.ExecutorError:
            code = 7
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert set(receive(trio.dispatch(np.negative, placement, []), 3)) == {0, 1, 2}


MASTER = """
    import ctypes, os, signal, subprocess, sys, time
    import numpy as np
    import anyk

    def stuck(x):
        subprocess.Popen(["sleep", "300"], start_new_session=True)
        if x == 0:
            ctypes.PyDLL(None).sleep(300)
        if x == 1:
            os.kill(os.getpid(), signal.SIGSTOP)
        return x

    if sys.argv[1] == "early":
        print("ready", flush=True)
    executor = anyk.Processes(3)
    placement = executor.place([np.arange(3)])
    dispatch = executor.dispatch(stuck, placement, [])
    dispatch.receive(30)
    time.sleep(0.2)
    if sys.argv[1] == "forked" and not os.fork():
        time.sleep(1.5)  # a fork has all files of the master
        os._exit(0)
    print("ready", flush=True)
    time.sleep(300)
"""


@linux
@pytest.mark.parametrize(
    ("stage", "after"),
    [("early", 0.05), ("early", 0.2), ("early", 0.4), ("late", 0.0), ("forked", 0.0)],
)
def test_a_master_that_is_killed_leaves_nothing(
    tmp_path: Path, mark: str, stage: str, after: float
) -> None:
    path = tmp_path / "master.py"
    path.write_text(textwrap.dedent(MASTER), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(path), stage], stdout=subprocess.PIPE, text=True
    ) as master:
        assert master.stdout is not None
        assert master.stdout.readline() == "ready\n"
        time.sleep(after)
        master.kill()
    assert eventually(lambda: not marked(mark))


def test_workers_have_no_files_but_their_own(trio: Processes) -> None:
    def files(_: Any) -> Any:
        taken = 0
        for number in range(3, 100):
            try:
                os.fstat(number)
                taken += 1
            except OSError:
                continue
        return taken

    assert {int(answer.value) for answer in call(trio, files, NUMBERS).values()} == {1}


def test_workers_are_where_the_master_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANYK_LATER", "42")
    with Processes(1) as executor:
        assert int(call(executor, lambda _: int(os.environ["ANYK_LATER"]), [0])[0].value) == 42
        Path("here").touch()
        assert bool(call(executor, lambda _: Path("here").exists(), [0])[0].value)


def each_thread(count: int, work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)


def test_executors_may_be_made_in_several_threads_at_once() -> None:
    made = []

    def make() -> None:
        with Processes(2) as executor:
            made.append(float(call(executor, np.negative, NUMBERS[:2])[1].value))

    each_thread(6, make)
    assert made == [-1.0] * 6
