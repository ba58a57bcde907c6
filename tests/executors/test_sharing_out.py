"""Large shares on their way to processes: who may see them, and what is left where that ends."""

import os
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import LONG, eventually, gone, receive

import anyk
from anyk.executors.core.family import descendants

SIZE = 1 << 20  # numbers of a share: more than any pipe holds
MAPS = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")


def last(share: Any) -> Any:
    return share[-1:]


def longer(share: Any) -> Any:
    return share + 1.0


def writes(share: Any) -> Any:
    share += 1.0
    return share[:1]


def shares(workers: int) -> np.ndarray:
    return np.arange(float(workers))[:, None] + np.zeros(SIZE)


def shared_with_others(process: int) -> set[str]:
    """Memory of a process that another one could write in, or that has a name in memory's files."""
    found = set()
    for line in Path(f"/proc/{process}/maps").read_text("utf-8").splitlines():
        kind, place = line.split()[1], line.split()[-1]
        if kind[1] + kind[3] == "ws" or "/shm/" in place or "memfd" in place:
            found.add(line)
    return found


@MAPS
def test_no_share_lies_in_memory_that_others_could_open() -> None:
    before = shared_with_others(os.getpid())
    with anyk.Processes(3) as executor:
        placement = executor.place([shares(3)])
        answers = receive(executor.dispatch(longer, placement, []), 3)
        assert [answers[worker].value[-1] for worker in range(3)] == [1.0, 2.0, 3.0]
        assert shared_with_others(os.getpid()) == before
        for process in executor.pids:
            assert process is not None
            assert not shared_with_others(process)


def test_a_worker_that_writes_in_its_share_changes_nobody_elses() -> None:
    with anyk.Processes(2) as executor:
        rows = shares(2)
        placement = executor.place([rows])
        for _ in range(2):
            answers = receive(executor.dispatch(writes, placement, []), 2)
            assert [answers[worker].value[0] for worker in range(2)] == [1.0, 2.0]
        assert rows[:, 0].tolist() == [0.0, 1.0]


def test_an_answer_may_be_memory_that_the_task_keeps_and_writes_in() -> None:
    def counts(share: Any) -> Any:
        kept = vars(sys).setdefault("_kept_by_a_test", share)
        kept += 1.0
        return kept

    with anyk.Processes(1) as executor:
        placement = executor.place([shares(1)])
        came = [receive(executor.dispatch(counts, placement, []), 1)[0] for _ in range(3)]
    assert [set(each.value) for each in came] == [{1.0}, {2.0}, {3.0}]
    assert not any(each.value.flags.writeable for each in came)


def test_a_worker_killed_while_it_receives_its_share_gets_it_again() -> None:
    with anyk.Processes(3) as executor:
        process = executor.pids[1]
        assert process is not None
        os.kill(process, signal.SIGSTOP)  # it takes no more than the pipe holds
        placement = executor.place([shares(3)])
        first = executor.dispatch(last, placement, [], without=[1])
        assert sorted(receive(first, 2)) == [0, 2]  # the others do not wait for it
        executor.kill(1)
        answers = receive(executor.dispatch(last, placement, []), 3)
        assert [answers[worker].value[0] for worker in range(3)] == [0.0, 1.0, 2.0]
        assert executor.pids[1] != process


def test_the_master_makes_no_copy_of_shares_that_it_sends() -> None:
    rows = shares(4)
    with anyk.Processes(4) as executor:
        receive(executor.dispatch(last, executor.place([rows[:, :10]]), []), 4)
        tracemalloc.start()
        receive(executor.dispatch(last, executor.place([rows]), []), 4)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < rows[0].nbytes / 4


MASTER = """
    import os, signal, sys
    import numpy as np
    import anyk

    def main():
        executor = anyk.Processes(2)
        os.kill(executor.pids[1], signal.SIGSTOP)
        executor.place([np.ones((2, 1 << 20))])
        print(*executor.pids, flush=True)
        sys.stdin.read()

    if __name__ == "__main__":
        main()
"""


@MAPS
def test_a_master_killed_while_it_sends_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "master.py"
    path.write_text(textwrap.dedent(MASTER), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as master:
        assert master.stdout is not None
        pids = [int(word) for word in master.stdout.readline().split()]
        below = descendants(master.pid)
        assert {*pids} <= {*below}
        assert not any(map(shared_with_others, (master.pid, *pids)))  # nothing has to be unlinked
        master.kill()
        master.communicate(timeout=LONG)
    assert eventually(lambda: all(gone(pid) for pid in below))
