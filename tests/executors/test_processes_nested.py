"""Tasks that start processes of their own, in all the ways that people have; none outlives them."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
from calls import LONG, call, eventually, marked

import anyk

linux = pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")

SCRIPT = """
    import multiprocessing, sys
    from concurrent.futures import ProcessPoolExecutor
    import numpy as np
    import anyk

    class Half:
        def __init__(self, value):
            self.value = value / 2

    def half(value):
        return Half(value)  # comes back from a pool, too

    def pool(way):
        def task(share):
            with multiprocessing.get_context(way).Pool(2) as workers:
                return sum(each.value for each in workers.map(half, share))
        return task

    def futures(way):
        def task(share):
            context = multiprocessing.get_context(way)
            with ProcessPoolExecutor(2, mp_context=context) as workers:
                return sum(each.value for each in workers.map(half, share))
        return task

    def queue(share):
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=queue.put, args=(half(share.sum()),))
        child.start()
        found = queue.get().value
        child.join()
        return found

    def loky(share):
        import joblib
        halves = joblib.Parallel(2)(joblib.delayed(half)(each) for each in share)
        return sum(each.value for each in halves)

    def forest(share):
        from sklearn.ensemble import RandomForestRegressor
        model = RandomForestRegressor(2, n_jobs=2, random_state=0, bootstrap=False)
        return model.fit(share[:, None], share).predict(share[:, None]).sum() / 2

    class Items:
        def __init__(self, share):
            self.share = share
        def __len__(self):
            return len(self.share)
        def __getitem__(self, place):
            return self.share[place] / 2

    def loader(share):
        from torch.utils.data import DataLoader
        return sum(float(part.sum()) for part in DataLoader(Items(share), 2, num_workers=2))

    def within(share):
        with anyk.Processes(2) as executor:
            scheme = anyk.Replication(1, 2)
            return anyk.run(scheme, lambda x: half(x).value, share[None], executor).value[0].sum()

    tasks = {
        "pool, fork": pool("fork"),
        "pool, spawn": pool("spawn"),
        "pool, forkserver": pool("forkserver"),
        "futures, fork": futures("fork"),
        "futures, spawn": futures("spawn"),
        "queue": queue,
        "joblib": loky,
        "n_jobs": forest,
        "loader": loader,
        "anyk": within,
    }
    with anyk.Processes(2) as executor:  # a script without a guard
        placement = executor.place([np.arange(8.0).reshape(2, 4)])
        for name in sys.argv[1:]:
            for turn in range(2):
                dispatch = executor.dispatch(tasks[name], placement, [])
                answers = [dispatch.receive(60) for _ in range(2)]
                told = sorted(str(answer.failure or float(answer.value)) for answer in answers)
                assert told == ["11.0", "3.0"], (name, told)
        print("done")
"""

WAYS = {
    "": ["pool, fork", "pool, spawn", "pool, forkserver", "futures, fork", "futures, spawn"],
    "numpy": ["queue", "anyk"],
    "joblib": ["joblib"],
    "sklearn": ["n_jobs"],
    "torch": ["loader"],
}


@pytest.mark.parametrize("needs", WAYS)
def test_a_task_may_start_processes_in_all_ways(tmp_path: Path, needs: str) -> None:
    if needs:
        pytest.importorskip(needs)
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path), *WAYS[needs]],
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * LONG,
    )
    assert done.stdout.startswith("done\n"), done.stderr  # loky tells how its processes ended


MASTER = """
    import multiprocessing, os, sys, time
    from concurrent.futures import ProcessPoolExecutor
    from pathlib import Path
    import numpy as np
    import anyk

    def stay(_):
        Path(sys.argv[1], str(os.getpid())).touch()
        time.sleep(300)

    def pool(way):
        with multiprocessing.get_context(way).Pool(2) as workers:
            workers.map(stay, range(2))

    def futures(way):
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(way)) as workers:
            list(workers.map(stay, range(2)))

    def within(_):
        with anyk.Processes(2) as executor:
            anyk.run(anyk.Replication(2, 2), stay, np.zeros((2, 1)), executor)

    ways = [(pool, "fork"), (pool, "spawn"), (futures, "fork"), (futures, "spawn"), (within, "")]

    def task(share):
        work, way = ways[int(share)]
        work(way)

    executor = anyk.Processes(len(ways))
    dispatch = executor.dispatch(task, executor.place([np.arange(len(ways))]), [])
    while len(os.listdir(sys.argv[1])) < 2 * len(ways):
        time.sleep(0.01)
    if sys.argv[2] == "workers":
        for worker in range(len(ways)):
            executor.kill(worker)
        assert all(dispatch.receive(60).failure for _ in ways)
        print("ready", flush=True)
        time.sleep(300)
    print("ready", flush=True)
    if sys.argv[2] == "close":
        executor.close()
    if sys.argv[2] == "kill":
        time.sleep(300)
"""


@linux
@pytest.mark.parametrize("end", ["kill", "workers", "close", "exit"])
def test_processes_of_tasks_end_with_workers_and_master(tmp_path: Path, end: str) -> None:
    path, folder = tmp_path / "master.py", tmp_path / "pids"
    path.write_text(textwrap.dedent(MASTER), encoding="utf-8")
    folder.mkdir()
    mark = f"ANYK_{uuid.uuid4().hex}"
    with subprocess.Popen(
        [sys.executable, str(path), str(folder), end],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, mark: "1"},
    ) as master:
        assert master.stdout is not None
        assert master.stdout.readline() == "ready\n"
        inside = {int(each.name) for each in folder.iterdir()}
        if end == "workers":
            assert eventually(lambda: not inside & set(marked(mark)))
        if end in {"kill", "workers"}:
            master.kill()
    assert eventually(lambda: not marked(mark))


def test_a_worker_whose_task_has_left_a_pool_open_serves_on() -> None:
    def leave(share: float) -> float:
        leave.pool = multiprocessing.get_context("fork").Pool(1)  # type: ignore[attr-defined]
        return float(leave.pool.apply(abs, (share,)))  # type: ignore[attr-defined]

    started = time.monotonic()
    with anyk.Processes(1) as executor:
        for _ in range(2):
            assert float(call(executor, leave, np.array([-3.0]))[0].value) == 3.0
    assert time.monotonic() - started < LONG / 2
