"""Pools whose master is killed, at any moment: nothing of them is left."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import executor_tasks as tasks
import numpy as np
import pytest
from calls import LONG, call, eventually

import anyk
from anyk.executors.core.parent import follow_parent

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")

MASTER = """
import multiprocessing, os, re, sys, time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
import numpy as np
import anyk

def hold_the_interpreter(share):
    Path("task").write_text(str(os.getpid()))
    return np.array(bool(re.match("(a+)+$", "a" * 40 + "b")))

def double(share):
    return 2 * share

def pool():
    context = multiprocessing.get_context({method!r})
    return ProcessPoolExecutor(1, mp_context=context)

if __name__ == "__main__":
    share = np.ones((4, {numbers}))
    context = multiprocessing.get_context({method!r})
    own = partial(ProcessPoolExecutor, 1, mp_context=context)
    makers = dict(ours=own, theirs=pool)
    print("go", flush=True)
    with anyk.Futures([makers[{maker!r}]] * 4) as executor:
        while True:
            anyk.run(anyk.Replication(4, 4), {task}, share, executor)
"""


def session_of(leader: int) -> list[int]:
    """The processes of a session that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def master(folder: Path, **how: object) -> "subprocess.Popen[str]":
    settings = {"method": "forkserver", "numbers": 8, "maker": "ours", "task": "double"}
    path = folder / "master.py"
    path.write_text(MASTER.format(**{**settings, **how}), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(path)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"
    return process


def end(process: "subprocess.Popen[str]", sign: int) -> list[int]:
    """Kill the master, and what is still there of its processes when there should be nothing."""
    with process:
        process.send_signal(sign)
        process.wait(LONG)
        ended = eventually(lambda: not session_of(process.pid))
        left = [] if ended else session_of(process.pid)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    return left


@pytest.mark.parametrize(
    ("sign", "delay"),
    [(signal.SIGTERM, 0.05), (signal.SIGKILL, 0.3), (signal.SIGTERM, 1.0), (signal.SIGKILL, 1.6)],
)
def test_a_master_that_sends_large_shares_leaves_no_process(
    tmp_path: Path, sign: int, delay: float
) -> None:
    process = master(tmp_path, numbers=24 << 17)
    time.sleep(delay)
    assert end(process, sign) == []


@pytest.mark.parametrize("maker", ["ours", "theirs"])
@pytest.mark.parametrize("method", ["forkserver", "spawn", "fork"])
def test_a_task_that_holds_the_interpreter_ends_with_the_master(
    tmp_path: Path, method: str, maker: str
) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    process = master(tmp_path, method=method, maker=maker, task="hold_the_interpreter")
    assert eventually((tmp_path / "task").exists)
    time.sleep(0.2)
    assert end(process, signal.SIGKILL) == []


def test_a_stopped_worker_ends_with_the_master(tmp_path: Path) -> None:
    process = master(tmp_path, task="hold_the_interpreter")
    assert eventually(lambda: (tmp_path / "task").exists() and (tmp_path / "task").read_text())
    os.kill(int((tmp_path / "task").read_text()), signal.SIGSTOP)
    assert end(process, signal.SIGTERM) == []


def test_who_is_nobodys_worker_follows_nobody() -> None:
    follow_parent(os.getpid())
    follow_parent(1 << 22)


def test_a_pool_keeps_its_own_initializer() -> None:
    context = multiprocessing.get_context("forkserver")

    make = partial(ProcessPoolExecutor, 1, context)

    def pool() -> ProcessPoolExecutor:
        return make(tasks.remember, (97,))

    makers = [
        pool,
        partial(make, initializer=tasks.remember, initargs=(98,)),
        partial(make, tasks.remember, (99,)),
    ]
    with anyk.Futures(makers) as executor:
        answers = call(executor, tasks.remembered, np.zeros(3))
    assert [int(answers[worker].value) for worker in range(3)] == [97, 98, 99]
