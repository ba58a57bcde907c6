"""All executors with a thread for each worker: nobody waits for answers that can't come."""

import gc
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anyk.answers import Answer
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, PerWorker
from anyk.executors.core.dispatcher import Awaited, PostedDispatch
from anyk.executors.core.inbox import WorkerThread
from anyk.executors.core.run_task import pause
from anyk.executors.engines.futures import Futures
from anyk.executors.local.threads import Threads
from anyk.executors.processes.executor import Processes

LONG = 30.0  # seconds: a test that waits this long has failed
MAKERS: dict[str, Callable[[], AbstractExecutor]] = {
    "Threads": partial(Threads, 3),
    "Processes": partial(Processes, 3),
    "Futures": partial(Futures, [partial(ThreadPoolExecutor, 1)] * 3),
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[[], AbstractExecutor]:
    return MAKERS[request.param]


def heard(dispatch: AbstractDispatch) -> list[Answer | None]:
    """What one hears who waits without end for one answer."""
    got: list[Answer | None] = []
    waiter = threading.Thread(target=lambda: got.append(dispatch.receive(None)), daemon=True)
    waiter.start()
    waiter.join(LONG)
    assert not waiter.is_alive()
    return got


class Closing:
    """Rows of an argument, at the second of which somebody else closes the executor."""

    def __init__(self, executor: AbstractExecutor) -> None:
        self.executor = executor

    def __getitem__(self, worker: int) -> Any:
        if worker == 1:
            other = threading.Thread(target=self.executor.close)
            other.start()
            other.join(LONG)
        return np.ones(2)


def test_an_executor_that_is_closed_while_it_dispatches(
    make: Callable[[], AbstractExecutor],
) -> None:
    executor = make()
    placement = executor.place([np.ones((3, 2))])
    rows: Any = Closing(executor)
    assert heard(executor.dispatch(np.add, placement, [PerWorker(rows)])) == [None]


def test_an_executor_that_is_forgotten_while_it_computes(
    make: Callable[[], AbstractExecutor],
) -> None:
    executor = make()
    placement = executor.place([np.full(3, np.inf)])
    dispatches = [executor.dispatch(nap, placement, []) for _ in range(2)]
    del executor
    gc.collect()
    for dispatch in dispatches:
        assert heard(dispatch) == [None]


def nap(seconds: Any) -> Any:
    pause(min(float(seconds), 1.0))
    return seconds


def test_abandoned_in_the_moment_in_which_an_answer_is_waited_for() -> None:
    thread = WorkerThread("worker 0")
    dispatch = PostedDispatch([thread], [], 1, Awaited(), more=lambda *_: None)

    class Left(int):
        def __bool__(self) -> bool:  # asked before the wait
            dispatch.abandon()
            return True

    dispatch._left = Left(1)
    assert heard(dispatch) == [None]
    thread.stop()


FORK = """
    import os
    from concurrent.futures import ThreadPoolExecutor
    from functools import partial
    import numpy as np
    import anyk

    if __name__ == "__main__":
        for executor in (
            anyk.Threads(2),
            anyk.Processes(2),
            anyk.Futures([partial(ThreadPoolExecutor, 1)] * 2),
        ):
            with executor:
                placement = executor.place([np.ones(2)])
                process = os.fork()
                if not process:
                    try:
                        executor.dispatch(np.square, placement, []).receive(9.0)
                    except anyk.ExecutorError as error:
                        print(error, flush=True)
                    executor.close()
                    os._exit(0)
                os.waitpid(process, 0)
                answer = executor.dispatch(np.square, placement, []).receive(None)
                print(answer.failure, answer.value, flush=True)
"""


def test_a_fork_of_the_master_is_told_that_it_has_no_workers(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("\n".join(line[4:] for line in FORK.splitlines()), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, path], capture_output=True, text=True, check=False, timeout=LONG
    )
    lines = done.stdout.splitlines()
    assert lines[1::2] == ["None 1.0"] * 3, done.stderr
    for line, name in zip(lines[::2], MAKERS, strict=True):
        assert line.startswith(f"this {name} executor is of the process that this one was forked")
