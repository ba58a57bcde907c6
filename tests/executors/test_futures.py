"""Futures: executors of concurrent.futures as workers, those of threads, processes and MPI."""

import gc
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import executor_tasks as tasks
import numpy as np
import pytest
from calls import LONG, call, eventually, gone, hold_up_worker_0, receive, sums_and_products

import anyk
from anyk.errors import InvalidArgument
from anyk.executors.core.base import PerWorker
from anyk.executors.engines import futures_worker
from anyk.executors.engines.futures import Futures
from anyk.executors.processes.constants import Constants
from anyk.faults import Die, Faulty
from anyk.testing.tasks import gram

HERE = Path(__file__).parent
PROCESS = partial(
    ProcessPoolExecutor, 1, mp_context=multiprocessing.get_context("forkserver")
)  # as a maker
SINGLE = partial(ThreadPoolExecutor, 1)


@pytest.fixture(scope="module")
def trio() -> Iterator[Futures]:
    with Futures([PROCESS] * 3) as executor:
        yield executor


class Noted(ThreadPoolExecutor):
    """Notes what it is given."""

    def __init__(self) -> None:
        super().__init__(1)
        self.notes: list[tuple[str, Any]] = []

    def submit(self, function: Any, /, *arguments: Any, **others: Any) -> Future[Any]:
        self.notes.append((function.__name__, arguments))
        return super().submit(function, *arguments, **others)


@pytest.mark.parametrize("make", [SINGLE, PROCESS], ids=["threads", "processes"])
def test_conformance(make: Any) -> None:
    anyk.testing.check_executor(Futures([make] * 3))


def test_each_worker_is_a_process_of_its_own_and_stays(trio: Futures) -> None:
    first, second = (call(trio, tasks.pid, np.zeros(3)) for _ in range(2))
    pids = {worker: int(answer.value) for worker, answer in first.items()}
    assert len({os.getpid(), *pids.values()}) == 4
    assert {worker: int(answer.value) for worker, answer in second.items()} == pids


def test_a_share_travels_once_and_is_forgotten_when_released() -> None:
    executors = [Noted(), Noted()]
    with Futures(executors) as executor:
        kept, other = executor.place([np.arange(2)]), executor.place([np.ones(2)])
        for _ in range(3):
            assert receive(executor.dispatch(np.square, kept, []), 2)[1].value == 1
        receive(executor.dispatch(np.square, other, []), 2)
        runs = [arguments[2] for name, arguments in executors[1].notes if name == "_run"]
        assert [request.parts is None for request in runs] == [False, True, True, False]
        mine = executors[1].notes[0][1][0]
        assert set(futures_worker._states[mine]._held) == {kept.key, other.key}
        executor.release(other)
        assert eventually(lambda: set(futures_worker._states[mine]._held) == {kept.key})
    assert eventually(lambda: mine not in futures_worker._states)
    for each in executors:
        assert each.submit(abs, -3).result(LONG) == 3  # the caller's own, and still open
        each.shutdown()


def test_a_pool_that_starts_its_process_anew_gets_the_share_again() -> None:
    with PROCESS(max_tasks_per_child=1) as fickle, Futures([fickle, PROCESS]) as executor:
        placement = executor.place([np.array([3, 4])])
        pids = {
            int(receive(executor.dispatch(tasks.pid, placement, []), 2)[0].value) for _ in range(2)
        }
        assert len(pids) == 2
        answers = receive(executor.dispatch(np.square, placement, []), 2)
        assert [int(answers[worker].value) for worker in range(2)] == [9, 16]


def test_a_killed_process_is_one_failed_answer_and_is_replaced_if_it_was_made() -> None:
    with PROCESS() as given, Futures([given, PROCESS, PROCESS]) as executor:
        placement = executor.place([np.arange(3.0)])
        dispatch = Faulty(executor, {0: Die(), 1: Die()}).dispatch(np.square, placement, [])
        answers = receive(dispatch, 3)
        assert [answers[worker].failure is None for worker in range(3)] == [False, False, True]
        assert "BrokenProcessPool" in str(answers[0].failure)
        assert executor.alive == (False, True, True)
        again = receive(executor.dispatch(np.negative, placement, []), 3)
        assert "stays so: pass a callable" in str(again[0].failure)
        assert [float(again[worker].value) for worker in (1, 2)] == [-1, -2]
        pid = int(call(executor, tasks.pid, np.zeros(3))[1].value)
        os.kill(pid, signal.SIGKILL)  # idle: nobody misses it
        assert eventually(lambda: gone(pid))
        time.sleep(0.5)
        assert receive(executor.dispatch(np.negative, placement, []), 3)[1].value == -1


def test_a_task_that_dies_in_a_thread_does_not_take_the_master_along() -> None:
    with Futures([SINGLE] * 2) as executor:
        placement = executor.place([np.arange(2)])
        answers = receive(Faulty(executor, {0: Die()}).dispatch(np.square, placement, []), 2)
        assert answers[0].failure == "RuntimeError: the worker died"
        assert answers[1].value == 1


def test_a_busy_worker_does_not_hold_up_the_next_calls_nor_collects_them(
    trio: Futures, tmp_path: Path
) -> None:
    hold_up_worker_0(trio, tasks.put_off_at, tmp_path, lambda: trio.crew.waiting[0])


def test_what_waits_behind_somebody_elses_job_is_taken_back() -> None:
    free, ran = threading.Event(), []

    def note(share: Any, turn: int) -> None:
        ran.append((int(share), turn))

    with ThreadPoolExecutor(1) as shared, Futures([shared, SINGLE]) as executor:
        shared.submit(free.wait, LONG)
        placement = executor.place([np.arange(2)])
        for turn in range(20):
            dispatch = executor.dispatch(note, placement, [turn])
            assert dispatch.receive(LONG).worker == 1
            dispatch.abandon()
        last = executor.dispatch(np.square, placement, [])
        free.set()
        assert set(receive(last, 2)) == {0, 1}
    assert {turn for worker, turn in ran if worker == 1} == set(range(20))
    assert sum(worker == 0 for worker, _ in ran) <= 1  # the one that the thread had in hand


def test_plain_and_per_worker_arguments_arrive(trio: Futures) -> None:
    large = np.arange(3 * 10_000.0).reshape(3, 100, 100)
    answers = call(trio, np.add, large, PerWorker(np.array([1.0, 2.0, 3.0])))
    for worker, answer in answers.items():
        np.testing.assert_array_equal(answer.value, large[worker] + worker + 1)
        assert not answer.value.flags.writeable


def test_what_an_executor_can_not_send_or_load_fails_and_says_so(trio: Futures) -> None:
    before = call(trio, tasks.pid, np.zeros(3))
    lock = threading.Lock()
    for task, told in [
        (lambda share: share if lock else None, "cannot pickle '_thread.lock'"),
        (tasks.LoadsOnlyInTheMaster(), "ValueError: invalid literal"),
    ]:
        answers = call(trio, task, np.zeros(3))
        assert all(told in str(answer.failure) for answer in answers.values())
    after = call(trio, tasks.pid, np.zeros(3))  # no pool broke
    assert [after[worker].value for worker in range(3)] == [before[w].value for w in range(3)]


def test_functions_arrive_that_no_other_process_can_import(trio: Futures) -> None:
    factor, table = 3, np.arange(10_000.0)

    def closure(share: Any) -> Any:
        return factor * share + table[-1]

    assert float(call(trio, closure, np.arange(3.0))[2].value) == 6 + 9999
    with Futures([SINGLE]) as threads:  # of this process: nothing is copied
        assert call(threads, lambda _: np.array(id(table)), [0])[0].value == id(table)


def test_functions_of_a_script_without_a_guard_arrive_in_spawned_processes(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(
        textwrap.dedent("""
            import multiprocessing, sys
            from concurrent.futures import ProcessPoolExecutor
            import numpy as np
            import anyk

            def third(share):
                return share / 3

            del sys.modules["__main__"].__file__  # as in a notebook
            context = multiprocessing.get_context("spawn")
            pools = [ProcessPoolExecutor(1, mp_context=context) for _ in range(2)]
            with anyk.Futures(pools) as executor:
                print(anyk.run(anyk.Replication(2, 2), third, [3.0, 6.0], executor).value)
            for pool in pools:
                pool.shutdown()
        """),
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, check=False, timeout=2 * LONG
    )
    assert done.stdout == "[1. 2.]\n", done.stderr


@pytest.mark.parametrize("executors", [[], 3, None, [SINGLE, 4], "ab"])
def test_what_is_no_list_of_executors_is_refused(executors: Any) -> None:
    with pytest.raises(InvalidArgument, match="executors: got"):
        Futures(executors)


def test_one_executor_is_no_two_workers() -> None:
    with ThreadPoolExecutor(2) as pool, pytest.raises(InvalidArgument, match="one share"):
        Futures([pool, pool])


class Odd(Executor):
    """Answers whatever it likes."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if isinstance(self.answer, BaseException):
            future.set_exception(self.answer)
        else:
            future.set_result(self.answer)
        return future


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ("done", "no answer: str"),
        (None, "no answer: NoneType"),
        (futures_worker.Report([1.0], None, 0.0), "no array of numbers"),
        (futures_worker.Report(np.array("text"), None, 0.0), "no array of numbers"),
        (futures_worker.Report(None, None, 0.0), "does not keep its share"),
        (OSError("full"), "OSError: full"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_an_odd_answer_is_a_failure(answer: Any, failure: str) -> None:
    with Futures([Odd(answer), SINGLE]) as executor:
        answers = call(executor, np.square, [1, 2])
    assert failure in str(answers[0].failure)
    assert answers[1].value == 4


def test_a_callable_that_makes_no_executor_is_a_failure() -> None:
    with Futures([dict, SINGLE]) as executor:
        assert "made no executor, but {}" in str(call(executor, np.square, [1, 2])[0].failure)


def test_close_waits_for_no_task_and_leaves_no_thread_or_process(tmp_path: Path) -> None:
    with Futures([PROCESS]):  # starts Python's fork server, which is the program's
        pass
    before = set(threading.enumerate())
    executor = Futures([PROCESS, PROCESS, SINGLE])
    pids = [int(call(executor, tasks.pid, np.zeros(3))[worker].value) for worker in (0, 1)]
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    dispatch = executor.dispatch(tasks.put_off_at(gate), executor.place([np.arange(3)]), [])
    assert set(receive(dispatch, 2)) == {1, 2}
    assert eventually(gate.with_suffix(".begun").exists)
    for _ in range(2):
        closing = threading.Thread(target=executor.close, daemon=True)
        closing.start()
        closing.join(LONG)
        assert not closing.is_alive()  # worker 0, which waits for the gate, was not waited for
    assert dispatch.receive(None) is None
    gate.write_text("", encoding="utf-8")
    assert eventually(lambda: all(gone(pid) for pid in pids))
    assert eventually(lambda: set(threading.enumerate()) <= before)


def test_when_the_master_is_killed_its_pools_processes_end(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(
        textwrap.dedent("""
            import multiprocessing, os, sys
            from concurrent.futures import ProcessPoolExecutor
            from functools import partial
            import numpy as np
            import anyk

            def pid(_):
                return np.array([os.getpid()])

            if __name__ == "__main__":
                context = multiprocessing.get_context("spawn")
                pool = partial(ProcessPoolExecutor, 1, mp_context=context)
                with anyk.Futures([pool]) as executor:
                    data = anyk.distribute(anyk.Replication(1, 1), np.ones((1, 1)), executor)
                    print(int(data.run(pid).value[0, 0]), flush=True)
                    sys.stdin.read()
        """),
        encoding="utf-8",
    )
    with subprocess.Popen(
        [sys.executable, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as master:
        assert master.stdout is not None
        worker = Path(f"/proc/{int(master.stdout.readline())}")
        assert worker.exists()
        master.kill()
    assert eventually(lambda: not worker.exists())


def test_an_executor_that_is_forgotten_stops_its_threads() -> None:
    before = set(threading.enumerate())
    executor = Futures([SINGLE] * 2)
    call(executor, np.square, [1, 2])
    forgotten = weakref.ref(executor)
    del executor
    gc.collect()
    assert forgotten() is None
    assert eventually(lambda: set(threading.enumerate()) <= before)


def documented_program() -> str:
    """The program that the documentation shows for MPI, with a check of the executor in it."""
    program = (HERE.parents[1] / "examples" / "negative_on_mpi.py").read_text(encoding="utf-8")
    end = "    for pool in pools:\n        pool.shutdown()\n"
    assert program.count(end) == 1
    return program.replace(end, f"    anyk.testing.check_executor(anyk.Futures(pools))\n{end}")


def test_mpi_pools_are_workers(tmp_path: Path) -> None:
    pytest.importorskip("mpi4py")
    bin_folder = str(Path(sys.executable).parent)
    if shutil.which("prterun", path=bin_folder) is None:
        pytest.skip("Open MPI is not installed beside Python")
    path = tmp_path / "script.py"
    path.write_text(documented_program(), encoding="utf-8")
    environment = {
        **os.environ,
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        **dict.fromkeys(
            [
                f"{name}_ALLOW_RUN_AS_ROOT{confirm}"
                for name in ("OMPI", "PRTE")
                for confirm in ("", "_CONFIRM")
            ],
            "1",
        ),
    }
    done = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * LONG,
        env=environment,
    )
    assert done.stdout.splitlines() == ["[2147483642, 2147483641] [5, 6]", "done"], done.stderr


def test_sums_of_outputs_and_products_are_ordinary_schemes(trio: Futures) -> None:
    sums_and_products(trio, gram)


@pytest.mark.parametrize("alive", [False, True])
def test_a_pool_that_has_missed_the_death_of_its_process_is_given_up(alive: bool) -> None:  # noqa: FBT001 - pytest passes it
    ours, theirs = multiprocessing.Pipe(duplex=False)
    pool = ProcessPoolExecutor.__new__(ProcessPoolExecutor)  # as one that is stuck, without threads
    pool._processes = {1: SimpleNamespace(sentinel=ours)}  # type: ignore[attr-defined]
    if not alive:
        theirs.close()  # as the end of a process does
    worker = futures_worker.FuturesWorker(pool, Constants())
    for _ in range(7):
        worker.check()
    if alive:
        worker.check()
    else:
        with pytest.raises(BrokenProcessPool, match="not noticed"):
            worker.check()
    ours.close()
    theirs.close()
