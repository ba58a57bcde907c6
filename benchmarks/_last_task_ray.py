"""Ray's side of the last task, and of many small calls: the engine's own ways beside `anyk.map`.

A job is 200 items of 50 ms on 10 workers. In trouble, one worker takes 20 times as long, and
another one dies in the middle of the job, once. Each attempt notes in a file how long it took:
work that nobody waited for counts too. Late tasks are not cancelled: on Ray 2.60, cancelling tasks
that run ended the whole program now and then.

Run: python benchmarks/_last_task_ray.py [--tiny]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np

import anyk
from anyk.bench.measure import interval, table

WORKERS = 10
ITEMS = 200
SECONDS = 0.05
SLOWER = 20
LATE = 0.1  # of all items: the last ones, which are resubmitted

Job = Callable[..., list[int]]
"""Computes all items: of a folder for notes, and whether there is `trouble`."""


def work(folder: Path, trouble: bool, item: int) -> int:  # noqa: FBT001 - as a task has it
    """One item, by a worker that may be slow or die."""
    seconds = SECONDS
    if not folder.exists():  # a copy that waited until the job was over
        return 0
    if trouble:
        if _first(folder / "slow"):
            seconds *= SLOWER
        elif item >= ITEMS // 2 and _only_once(folder / "dead"):
            os._exit(1)
    begun = time.perf_counter()
    try:
        time.sleep(seconds)
    finally:
        with (
            suppress(FileNotFoundError),
            (folder / f"work-{os.getpid()}").open("a", encoding="utf-8") as note,
        ):
            note.write(f"{time.perf_counter() - begun}\n")
    return item * item


def _first(path: Path) -> bool:
    """Whether this is the process that asked first."""
    with suppress(FileExistsError), path.open("x", encoding="utf-8") as note:
        note.write(str(os.getpid()))
    return path.read_text(encoding="utf-8") == str(os.getpid())


def _only_once(path: Path) -> bool:
    try:
        path.open("x", encoding="utf-8").close()
    except FileExistsError:
        return False
    return True


@contextmanager
def cluster(workers: int) -> Iterator[None]:
    """A cluster of this machine, with places for as many actors and as many tasks."""
    import ray  # noqa: PLC0415 - an extra

    ray.init(
        address="local",
        num_cpus=4 * workers,
        include_dashboard=False,
        object_store_memory=100 << 20,
        log_to_driver=False,
        logging_level="ERROR",
        resources={"place": workers, "slot": workers},
    )
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def last_task_sides() -> Iterator[dict[str, Job]]:
    """Each way to do the job, ours first; each has as many workers, and they are running."""
    import ray  # noqa: PLC0415 - as above

    task = ray.remote(num_cpus=0, resources={"slot": 1})(work)

    def plain(folder: Path, trouble: bool) -> list[int]:  # noqa: FBT001 - as above
        return ray.get([task.remote(folder, trouble, item) for item in range(ITEMS)])

    def resubmitted(folder: Path, trouble: bool) -> list[int]:  # noqa: FBT001 - as above
        item_of = {task.remote(folder, trouble, item): item for item in range(ITEMS)}
        done: dict[int, int] = {}
        again = False
        while len(done) < ITEMS:
            (ready,), _ = ray.wait(list(item_of), num_returns=1)
            done[item_of.pop(ready)] = ray.get(ready)
            if not again and ITEMS - len(done) <= LATE * ITEMS:
                again = True
                late = set(range(ITEMS)) - set(done)
                item_of |= {task.remote(folder, trouble, item): item for item in late}
        return [done[item] for item in range(ITEMS)]

    with cluster(WORKERS), anyk.Ray(WORKERS, num_cpus=0, resources={"place": 1}) as executor:

        def ours(folder: Path, trouble: bool) -> list[int]:  # noqa: FBT001 - as above
            call = partial(work, folder, trouble)
            return anyk.map(call, range(ITEMS), executor, progress=False).value

        yield {
            "anyk.map": ours,
            "ray.get of tasks, which Ray retries": plain,
            "ray.wait, the last tenth resubmitted": resubmitted,
        }


@contextmanager
def small_calls_sides(function: Callable[[np.ndarray], np.ndarray], workers: int) -> Iterator:
    """Each way to call a function on many small items, ours first."""
    from ray.util.multiprocessing import Pool  # noqa: PLC0415 - as above

    with cluster(workers), anyk.Ray(workers, num_cpus=1) as executor, Pool(workers) as pool:
        yield {
            "anyk.map": lambda items: anyk.map(function, items, executor, progress=False).value,
            "ray.util.multiprocessing.Pool.map": lambda items: pool.map(function, items),
        }


def settle(side: Job) -> None:
    """Let all workers be there again, and idle."""
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(20):
            side(Path(folder), trouble=False)
            notes = list(Path(folder).glob("work-*"))
            if len(notes) >= WORKERS:
                break
        time.sleep(SLOWER * SECONDS)  # what nobody waited for


def timed(side: Job, *, trouble: bool) -> tuple[float, float]:
    """Seconds of a job, and seconds of work in all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.perf_counter()
        values = side(folder, trouble=trouble)
        seconds = time.perf_counter() - begun
        if values != [item * item for item in range(ITEMS)]:
            raise SystemExit("wrong values")
        time.sleep(SLOWER * SECONDS)
        done = [float(line) for note in folder.glob("work-*") for line in note.open()]
    return seconds, sum(done)


def main() -> None:
    """Measure the sides turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    rounds = 1 if options.tiny else options.rounds
    with last_task_sides() as sides:
        for trouble in (False, True):
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
            for _ in range(rounds):
                for name, side in sides.items():
                    settle(side)
                    found[name].append(timed(side, trouble=trouble))
            own = np.array(found["anyk.map"])[:, 0]
            rows = []
            for name, pairs in found.items():
                seconds, work = np.array(pairs).T
                p50, p99 = np.quantile(seconds, [0.5, 0.99])
                rows.append([
                    name, f"{p50:.2f}", f"{p99:.2f}", f"{np.mean(work) / ITEMS / SECONDS:.2f}",
                    interval(own / seconds),
                ])  # fmt: skip
            print("\nin trouble" if trouble else "no trouble", f"({rounds} rounds)")
            print(table(["side", "p50, s", "p99, s", "work", "anyk.map / this"], rows), flush=True)


if __name__ == "__main__":
    main()
