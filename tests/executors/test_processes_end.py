"""Processes at their end: stopped, closed, interrupted, orphaned, and nothing left behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import LONG, eventually, gone, receive

from anyk.errors import ExecutorError
from anyk.executors.core import crew
from anyk.executors.processes.executor import Processes
from anyk.faults import Delay, Die, Faulty

HERE = Path(__file__).parent


def files_open() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def test_a_stopped_process_blocks_nobody() -> None:
    executor = Processes(2)
    stopped = executor.pids[0]
    assert stopped is not None
    started = time.monotonic()
    os.kill(stopped, signal.SIGSTOP)
    placement = executor.place([np.zeros((2, 1_000_000))])  # more than a pipe holds
    for _ in range(3):
        dispatch = executor.dispatch(np.square, placement, [])
        assert set(receive(dispatch, 1)) == {1}
        dispatch.abandon()
    executor.release(placement)
    executor.close()
    assert time.monotonic() - started < LONG / 3
    assert eventually(lambda: gone(stopped))


def test_close_leaves_no_process_no_thread_and_no_file() -> None:
    with Processes(1):  # starts Python's fork server, which is the program's
        pass
    threads, files = set(threading.enumerate()), files_open()
    children = set(multiprocessing.active_children())
    executor = Processes(3)
    pids = executor.pids
    placement = executor.place([np.zeros((3, 100_000))])
    busy = Faulty(executor, {0: Delay(LONG * 10), 2: Die()})
    dispatch = busy.dispatch(np.square, placement, [])
    assert set(receive(dispatch, 2)) == {1, 2}
    executor.close()
    executor.close()
    assert dispatch.receive(None) is None
    assert eventually(lambda: all(gone(pid) for pid in pids))
    assert set(multiprocessing.active_children()) == children
    assert set(threading.enumerate()) == threads
    assert files_open() == files
    with pytest.raises(ExecutorError, match="closed"):
        executor.place([np.zeros(3)])


def test_a_constructor_that_fails_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    children = set(multiprocessing.active_children())
    made = []

    def thread(name: str, **others: Any) -> Any:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(original(name, **others))
        return made[-1]

    original = crew.WorkerThread
    monkeypatch.setattr(crew, "WorkerThread", thread)
    with pytest.raises(KeyboardInterrupt):
        Processes(3)
    assert set(multiprocessing.active_children()) == children


SCRIPT = """
    import signal, sys, time
    import numpy as np
    from anyk.executors.core.run_task import pause
    from anyk.faults import Delay, Faulty
    from anyk.executors.processes.executor import Processes

    def double(share):
        return 2 * share

    def main():
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
        executor = Processes(2)
        placement = executor.place([np.array([5, 6])])
        dispatch = executor.dispatch(double, placement, [])
        print(sorted(int(dispatch.receive(30).value) for _ in range(2)), flush=True)
        dispatch = Faulty(executor, {0: Delay(300.0)}).dispatch(double, placement, [])
        dispatch.receive(30)
        print(*executor.pids, flush=True)
        if sys.argv[1] == "wait":
            time.sleep(300)

    if __name__ == "__main__":
        main()
"""


@pytest.mark.parametrize("end", ["exit", "kill", "interrupt"])
def test_a_script_may_use_its_own_functions_and_its_end_is_the_end_of_all(
    tmp_path: Path, end: str
) -> None:
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(path), "exit" if end == "exit" else "wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as master:
        assert master.stdout is not None
        assert master.stdout.readline() == "[10, 12]\n"
        pids = [int(word) for word in master.stdout.readline().split()]
        if end == "kill":
            master.kill()
        elif end == "interrupt":
            os.killpg(master.pid, signal.SIGINT)  # as a terminal does
        _, errors = master.communicate(timeout=LONG)
    assert len(pids) == 2
    assert eventually(lambda: all(gone(pid) for pid in pids))
    assert errors.count("Traceback") == (end == "interrupt")
    assert master.returncode == {"exit": 0, "kill": -9, "interrupt": -2}[end]


def test_workers_have_one_blas_thread_and_the_master_its_own(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(
        textwrap.dedent(f"""
            import os, sys
            sys.path.insert(0, {str(HERE)!r})
            import executor_tasks
            import numpy as np
            from anyk.executors.processes.executor import Processes

            if __name__ == "__main__":
                with Processes(1) as executor:
                    placement = executor.place([np.zeros(1)])
                    dispatch = executor.dispatch(executor_tasks.blas_threads, placement, [])
                    print(dispatch.receive(30).value, "OPENBLAS_NUM_THREADS" in os.environ)
        """),
        encoding="utf-8",
    )
    environment = {key: value for key, value in os.environ.items() if "NUM_THREADS" not in key}
    done = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG,
        env=environment,
    )
    assert done.stdout == "1 False\n"
