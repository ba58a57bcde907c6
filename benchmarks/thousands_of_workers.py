"""Thousands of workers: one answer costs about as much among ten thousand as among a hundred.

Each run computes a small function on blocks that lie on the workers, by several schemes, or maps
it over as many items, and is over when each block or item has its value. The first run of an
executor is apart from the others: it starts what is started once, and its data are encoded. Each
row is measured in a process of its own. The baselines are a loop, and a ThreadPoolExecutor of as
many threads, that do the same calls of numpy without any code.

Claims: a warm run of Replication on 8,000 workers takes at most 1 s of CPU on Inline, Threads and
Simulated; and what an answer costs there, by Replication, by FractionalRepetition and in a map, is
at most 1.5 times what it costs among 1,000.

    python benchmarks/thousands_of_workers.py [--engine NAME] [--scheme NAME] [--workers N [N ..]]
        [--tiny]

Processes are as many as the machine has room for: open files, processes and memory are said where
they run out. CyclicRepetition stops at 500 workers: its matrix takes time that grows with the cube
of their number to make. It exits with 1 if a claim fails.
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
from anyk.spec import Sum

PAGE = os.sysconf("SC_PAGE_SIZE") / 2**20
SIZES = (100, 1000, 4000, 8000, 10_000)
PROCESSES = (100, 250, 500)  # each takes 18 MiB of memory
MOST_SECONDS, MOST_GROWTH = 1.0, 1.5
ENGINES = ("a loop", "ThreadPoolExecutor", "Inline", "Threads", "Simulated", "Processes")
SCHEMES = (
    "Replication", "map", "FractionalRepetition", "Lagrange", "Spline", "VeiledReplication",
    "CyclicRepetition",
)  # fmt: skip
LINEAR = ("Replication", "map", "FractionalRepetition")  # decoding included
MOST = {"CyclicRepetition": 500}
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


def scheme_of(name: str, workers: int) -> tuple[anyk.AbstractScheme, Any]:
    """A scheme of so many workers, and data for it."""
    quarter = max(workers // 4, 2)
    line = np.linspace(0.0, 1.0, quarter * BLOCK).reshape(quarter, BLOCK)
    made: dict[str, Callable[[], tuple[anyk.AbstractScheme, Any]]] = {
        "Replication": lambda: (
            anyk.Replication(workers // 2, workers), np.ones((workers // 2, BLOCK)),
        ),
        "FractionalRepetition": lambda: (
            anyk.FractionalRepetition(workers, workers, 1), np.ones((workers, BLOCK)),
        ),
        "CyclicRepetition": lambda: (anyk.CyclicRepetition(workers, 2), np.ones((workers, BLOCK))),
        "Lagrange": lambda: (
            anyk.Lagrange(quarter, 1, workers), np.arange(quarter * BLOCK).reshape(quarter, BLOCK),
        ),
        "Spline": lambda: (anyk.Spline(quarter, workers, stragglers=workers // 10), line),
        "VeiledReplication": lambda: (
            anyk.VeiledReplication(3, workers, colluders=1, leakage=0.5), line[:1].repeat(3, 0),
        ),
    }  # fmt: skip
    return made[name]()


def side(engine: str, name: str, workers: int, stack: ExitStack) -> Callable[[], Any]:
    """One call of it, on what lies there."""
    blocks = workers // 2
    X = np.ones((blocks, BLOCK))
    if engine == "a loop":
        return lambda: [work(row.copy()) for row in [*X, *X]]
    if engine == "ThreadPoolExecutor":
        pool = stack.enter_context(ThreadPoolExecutor(workers))
        return lambda: list(pool.map(work, [*X, *X]))
    executor = stack.enter_context(executor_of(engine, workers))
    if name == "map":
        items = [*X, *X]
        return lambda: anyk.map(work, items, executor, progress=False)
    scheme, data = scheme_of(name, workers)
    lying = stack.enter_context(anyk.distribute(scheme, data, executor))
    return lambda: lying.run(work, progress=False)


def right(name: str, workers: int, value: Any) -> bool:
    """Whether a run is of any use: whether its value is near to the truth."""
    if name == "map":
        truth: Any = -np.ones((2 * (workers // 2), BLOCK))
    else:
        scheme, data = scheme_of(name, workers)
        truth = -data.sum(axis=0) if isinstance(scheme.problem, Sum) else -data
        if isinstance(scheme.domain, anyk.PrimeField):
            truth %= scheme.domain.modulus
    return np.shape(value) == np.shape(truth) and bool(np.allclose(value, truth, atol=0.2))


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


def measure(engine: str, name: str, workers: int, rounds: int) -> dict[str, Any]:
    """One row, measured here."""
    before = resident("self")
    with ExitStack() as stack:
        start, busy = time.perf_counter(), time.process_time()
        run = side(engine, name, workers, stack)
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
        if hasattr(outcome, "value") and not right(name, workers, outcome.value):
            raise SystemExit("wrong")
        threads = len(list(Path("/proc/self/task").iterdir()))
        files = len(list(Path("/proc/self/fd").iterdir()))
        memory = resident("self") - before
        theirs = sum(map(resident, others))
    return {
        "first": first, "cpu": cpu, "seconds": seconds, "memory": memory, "others": theirs,
        "threads": threads, "files": files,
    }  # fmt: skip


def apart(engine: str, name: str, workers: int, rounds: int) -> dict[str, Any] | str:
    """The same in a process of its own; the last line of its error where it fails."""
    command = [sys.executable, __file__, "--row", engine, name, str(workers), str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)  # noqa: S603 - our own command
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return (done.stderr.strip() or f"ended with {done.returncode}").splitlines()[-1]
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def named(parsed: argparse.Namespace) -> list[tuple[str, str, int]]:
    """The rows that are asked for: engine, scheme and workers."""
    rows = []
    for engine in [parsed.engine] if parsed.engine else ENGINES:
        alone = engine in {"a loop", "ThreadPoolExecutor"}
        usual: tuple[int, ...] = PROCESSES if engine == "Processes" else SIZES
        if parsed.tiny:
            usual = (8,) if engine == "Processes" else (60,)
        schemes = [parsed.scheme] if parsed.scheme else SCHEMES
        if parsed.tiny or engine == "Processes":
            schemes = schemes[: 2 if engine == "Threads" else 1]
        for name in [""] if alone else schemes:
            sizes = parsed.workers or usual
            most = MOST.get(name, max(sizes))
            fit = [each for each in sizes if each <= most]
            rows += [(engine, name, each) for each in [*fit, *([] if most in fit else [most])]]
    return rows


def main() -> None:
    """Measure all engines, schemes and sizes, and say what does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--engine", choices=ENGINES, help="this one alone")
    parser.add_argument("--scheme", choices=SCHEMES, help="this one alone")
    parser.add_argument("--workers", type=int, nargs="+", help="how many")
    parser.add_argument("--row", nargs=4, help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.row:
        engine, name, workers, rounds = parsed.row
        print(json.dumps(measure(engine, name, int(workers), int(rounds))))
        return
    rounds = 1 if parsed.tiny else 5
    rows, medians = [], {}
    for engine, name, size in named(parsed):
        found = apart(engine, name, size, rounds)
        if isinstance(found, str):
            rows.append([engine, name, str(size), found[:90], *[""] * 6])
            continue
        cpu = medians[engine, name, size] = interval(found["cpu"])
        memory = f"{found['memory']:.0f}"
        memory += f" + {found['others']:.0f}" if found["others"] >= 1 else ""
        rows.append(
            [engine, name, str(size), str(interval(found["seconds"])), str(cpu),
             f"{1e6 * cpu.median / size:.0f}", f"{found['first']:.3g}", memory,
             str(found["threads"]), str(found["files"])]
        )  # fmt: skip
    broken = []
    for engine in ("Inline", "Threads", "Simulated"):
        for name in LINEAR:
            few, many = medians.get((engine, name, 1000)), medians.get((engine, name, 8000))
            if few is None or many is None:
                continue
            growth = many.median / few.median / 8
            print(
                f"{engine}, {name}: {many.median:.2g} s of CPU for 8,000; an answer costs "
                f"{growth:.2f} times what it costs among 1,000"
            )
            slow = name == "Replication" and many.median > MOST_SECONDS
            if slow or growth > MOST_GROWTH:
                broken.append(f"{engine} ({name})")
    head = ["", "scheme", "workers", "seconds", "CPU s", "CPU us / worker", "first", "MiB",
            "threads", "files"]  # fmt: skip
    print(table(head, rows))
    files, processes = (
        resource.getrlimit(limit)[0] for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC)
    )
    print(
        f"warm runs: median (95 % interval) of {rounds}; first: with encoding and the start "
        "of workers; MiB of the master beyond its start, + of all workers, without what they "
        "share\n"
        f"this machine: {os.cpu_count()} CPUs, {files} open files, {processes} processes"
    )
    if broken:
        raise SystemExit(f"the claim does not hold for {', '.join(broken)}")


if __name__ == "__main__":
    main()
