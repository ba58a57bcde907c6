"""Thousands of workers: one answer costs about as much among ten thousand as among a thousand.

Each run maps a small function over blocks that lie on the workers, two to a block, and is over when
each block has an answer. The first run of an executor is apart from the others: it starts what is
started once. Each row is measured in a process of its own. The baselines are a loop, and a
ThreadPoolExecutor of as many threads, that do the same calls of numpy without any code.

Claims: a warm run of 8,000 workers takes at most 1 s of CPU on Inline, Threads and Simulated, and
at most 12 times what 1,000 take, where a line through the origin would be 8.

    python benchmarks/thousands_of_workers.py [--engine NAME] [--workers N [N ..]] [--tiny]

Processes are as many as the machine has room for: open files, processes and memory are said where
they run out. It exits with 1 if a claim fails.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

import anyk
from anyk.bench.measure import interval, table
from anyk.delays import ShiftedExponential

PAGE = os.sysconf("SC_PAGE_SIZE") / 2**20
SIZES = (1000, 2000, 4000, 8000, 10_000)
PROCESSES = (100, 250, 500)  # each takes 18 MiB of memory
MOST_SECONDS, MOST_GROWTH = 1.0, 12.0
BLOCK = 8  # numbers in a block
Made = tuple[Callable[[], Any], Callable[[], float]]  # a run, and the CPU of others it has used


def work(x: Any) -> Any:
    """A task of microseconds."""
    return -x


def executor_of(engine: str, workers: int) -> anyk.AbstractExecutor:
    """The executor that a row is about."""
    if engine == "Simulated":
        late = ShiftedExponential(shift=1.0, mean=1.0)
        return anyk.Simulated(workers, delays=late, generator=np.random.default_rng(0))
    return {"Inline": anyk.Inline, "Threads": anyk.Threads, "Processes": anyk.Processes}[engine](
        workers
    )


def side(engine: str, workers: int, stack: ExitStack) -> Callable[[], Any]:
    """One call of it, on what lies there."""
    blocks = workers // 2
    X = np.ones((blocks, BLOCK))
    if engine == "a loop":
        return lambda: [work(row.copy()) for row in [*X, *X]]
    if engine == "ThreadPoolExecutor":
        pool = stack.enter_context(ThreadPoolExecutor(workers))
        return lambda: list(pool.map(work, [*X, *X]))
    executor = stack.enter_context(executor_of(engine, workers))
    data = stack.enter_context(anyk.distribute(anyk.Replication(blocks, workers), X, executor))
    return lambda: data.run(work, progress=False)


def resident(pid: int | str) -> float:
    """MiB of a process; 0 of one that is gone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    return (int(pages[1]) - int(pages[2])) * PAGE


def below(pid: int | str) -> list[int]:
    """All processes that this one has started, and those that they have."""
    found: list[int] = []
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        for each in tasks:
            found += map(int, (each / "children").read_text(encoding="ascii").split())
    except OSError:
        return found
    return found + [deep for each in found for deep in below(each)]


def cpu_of(pid: int) -> float:
    """Seconds that a process has computed; 0 of one that is gone."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def measure(engine: str, workers: int, rounds: int) -> dict[str, Any]:
    """One row, measured here."""
    before = resident("self")
    with ExitStack() as stack:
        start, busy = time.perf_counter(), time.process_time()
        run = side(engine, workers, stack)
        run()
        first = time.perf_counter() - start
        others = below("self")
        cpu, seconds = [], []
        for _ in range(rounds):
            start, busy = time.perf_counter(), time.process_time()
            theirs = sum(map(cpu_of, others))
            outcome = run()
            seconds.append(time.perf_counter() - start)
            cpu.append(time.process_time() - busy + sum(map(cpu_of, others)) - theirs)
        right = outcome.value if hasattr(outcome, "value") else outcome[: workers // 2]
        if not np.array_equal(right, -np.ones((workers // 2, BLOCK))):
            raise SystemExit("wrong")
        threads = len(list(Path("/proc/self/task").iterdir()))
        files = len(list(Path("/proc/self/fd").iterdir()))
        memory = resident("self") - before
        theirs = sum(map(resident, others))
    return {
        "first": first, "cpu": cpu, "seconds": seconds, "memory": memory, "others": theirs,
        "threads": threads, "files": files,
    }  # fmt: skip


def apart(engine: str, workers: int, rounds: int) -> dict[str, Any] | str:
    """The same in a process of its own; the last line of its error where it fails."""
    command = [sys.executable, __file__, "--row", engine, str(workers), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)  # noqa: S603 - our own command
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return (done.stderr.strip() or f"ended with {done.returncode}").splitlines()[-1]
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def main() -> None:
    """Measure all engines and sizes, and say what does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    engines = ("a loop", "ThreadPoolExecutor", "Inline", "Threads", "Simulated", "Processes")
    parser.add_argument("--engine", choices=engines, help="this one alone")
    parser.add_argument("--workers", type=int, nargs="+", help="how many")
    parser.add_argument("--row", nargs=3, help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.row:
        engine, workers, rounds = parsed.row
        print(json.dumps(measure(engine, int(workers), int(rounds))))
        return
    rounds = 1 if parsed.tiny else 9
    rows, broken, medians = [], [], {}
    for engine in [parsed.engine] if parsed.engine else engines:
        usual: tuple[int, ...] = PROCESSES if engine == "Processes" else SIZES
        if parsed.tiny:
            usual = (8,) if engine == "Processes" else (60, 120)
        for workers in parsed.workers or usual:
            found = apart(engine, workers, rounds)
            if isinstance(found, str):
                rows.append([engine, str(workers), found[:90], *[""] * 5])
                continue
            cpu = medians[engine, workers] = interval(found["cpu"])
            memory = f"{found['memory']:.0f}"
            memory += f" + {found['others']:.0f}" if found["others"] >= 1 else ""
            rows.append(
                [engine, str(workers), str(cpu), str(interval(found["seconds"])),
                 f"{found['first']:.3g}", memory, str(found["threads"]), str(found["files"])]
            )  # fmt: skip
    for engine in ("Inline", "Threads", "Simulated"):
        few, many = medians.get((engine, 1000)), medians.get((engine, 8000))
        if few is None or many is None:
            continue
        growth = many.median / few.median
        print(f"{engine}: {many.median:.2g} s of CPU for 8,000, {growth:.3g} times 1,000")
        if many.median > MOST_SECONDS or growth > MOST_GROWTH:
            broken.append(engine)
    head = ["", "workers", "CPU s", "seconds", "first", "MiB", "threads", "files"]
    print(table(head, rows))
    files, processes = (
        resource.getrlimit(limit)[0] for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC)
    )
    print(
        f"warm runs: median (95 % interval) of {rounds}; first: with the start of the workers; MiB "
        "of the master beyond its start, + of all workers (without what they share)\n"
        f"this machine: {os.cpu_count()} CPUs, {files} open files, {processes} processes"
    )
    if broken:
        raise SystemExit(f"the claim does not hold for {', '.join(broken)}")


if __name__ == "__main__":
    main()
