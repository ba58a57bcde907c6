"""Ten thousand calls on data that are distributed once: the memory of master and workers is flat.

Each call runs on five shares of which three are enough, so that two answers of each are abandoned;
each second one has an argument of its own, and each hundredth draws shares of an argument. Memory
(resident, Linux) of the master and of each worker's process is sampled after every hundredth call;
the first tenth of the calls, in which engines fill their buffers, does not count.

Claim: in each process the median of the second half of the samples is at most 2 MiB above that of
the first half: 0.4 KiB a call, less than one small array.

    python benchmarks/memory_stays_flat.py [--engine NAME] [--calls 10000] [--tiny]

It exits with 1 if the claim fails.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import anyk
from anyk import AbstractExecutor
from anyk.testing import Trial

__all__ = ["times"]

HERE = Path(__file__).parent
WORKERS = 5
SIZE = 1000
EVERY = 100
MOST = 2.0  # MiB
PAGE = os.sysconf("SC_PAGE_SIZE") / 2**20
Sizes = dict[str, float]


def times(x: Any, y: Any = 1) -> Any:
    """Degree 2."""
    return x * y


def resident(process: int | str) -> float:
    """MiB of a process."""
    return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * PAGE


def child_of(parent: int) -> int:
    """The one process that another has started."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    (child,) = path.read_text(encoding="ascii").split()
    return int(child)


@contextlib.contextmanager
def on_threads() -> Iterator[tuple[AbstractExecutor, Callable[[], list[int]]]]:
    """Workers in this process."""
    with anyk.Threads(WORKERS) as executor:
        yield executor, list


@contextlib.contextmanager
def on_processes() -> Iterator[tuple[AbstractExecutor, Callable[[], list[int]]]]:
    """Processes of this machine."""
    with anyk.Processes(WORKERS) as executor:
        yield executor, lambda: [pid for pid in executor.pids if pid]


@contextlib.contextmanager
def on_dask() -> Iterator[tuple[AbstractExecutor, Callable[[], list[int]]]]:
    """A local cluster of processes; its scheduler is in this one, and counts as the master's."""
    from distributed import Client, LocalCluster  # noqa: PLC0415 - one engine at a time

    with (
        LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
            silence_logs=60,
        ) as cluster,
        Client(cluster) as client,
        anyk.Dask(client) as executor,
    ):
        yield executor, lambda: [nanny.pid for nanny in cluster.workers.values()]


@contextlib.contextmanager
def on_remote() -> Iterator[tuple[AbstractExecutor, Callable[[], list[int]]]]:
    """`anyk worker`s: the process that listens, and the one that serves this master."""
    with Trial("memory_stays_flat", workers=WORKERS, directory=HERE) as trial:
        listeners = [process.pid for process in trial.processes]
        with anyk.Remote(trial.addresses, tls=trial.master) as executor:
            yield executor, lambda: [*listeners, *(child_of(child_of(each)) for each in listeners)]


ENGINES = {
    "Threads": on_threads,
    "Processes": on_processes,
    "Dask": on_dask,
    "Remote": on_remote,
}


def measure(engine: str, calls: int) -> tuple[list[Sizes], float]:
    """The size of each process after every hundredth call, and seconds that the calls took."""
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=WORKERS)
    rng = np.random.default_rng(0)
    X = rng.integers(scheme.field.modulus, size=(2, SIZE))
    samples: list[Sizes] = []
    took = 0.0
    with ENGINES[engine]() as (executor, processes):
        function: Any = "times" if executor.by_name else times
        with anyk.distribute(scheme, X, executor) as data:
            for call in range(1, calls + 1):
                y = rng.integers(1 << 30, size=SIZE)
                started = time.perf_counter()
                if call % EVERY == 0:
                    data.run(function, data.encode(X))
                elif call % 2:
                    data.run(function, y)
                else:
                    data.run(function)
                took += time.perf_counter() - started
                if call % EVERY == 0:
                    sizes = {f"worker process {pid}": resident(pid) for pid in processes()}
                    samples.append({"master": resident("self")} | sizes)
    return samples, took


def growth(samples: list[Sizes]) -> dict[str, tuple[float, float]]:
    """Of each process: the median of the first half in MiB, and how far the second is above it."""
    counted = samples[len(samples) // 10 :]
    half = len(counted) // 2
    return {
        name: (
            first := float(np.median([each[name] for each in counted[:half]])),
            float(np.median([each[name] for each in counted[half:]])) - first,
        )
        for name in samples[0]
        if all(name in each for each in samples)
    }


def main() -> int:
    """Print what each engine's processes take, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=ENGINES, help="this one alone")
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    calls = 2 * EVERY if options.tiny else options.calls
    broken = []
    for engine in [options.engine] if options.engine else ENGINES:
        samples, took = measure(engine, calls)
        grown = growth(samples)
        master, more = grown.pop("master")
        print(f"{engine}: {calls:,} calls, {calls / took:,.0f} a second")
        print(f"    master: {master:.1f} MiB in the first half, {more:+.2f} in the second")
        if len({frozenset(each) for each in samples}) > 1:
            broken.append(f"{engine}: a worker's process was replaced")
        if grown:
            sizes, steps = zip(*grown.values(), strict=True)
            print(
                f"    {len(grown)} worker processes: {min(sizes):.1f} to {max(sizes):.1f} MiB, "
                f"{min(steps):+.2f} to {max(steps):+.2f} in the second half"
            )
            more = max(more, *steps)
        if more > MOST:
            broken.append(f"{engine}: {more:.2f} MiB")
        sys.stdout.flush()
    if options.tiny:
        return 0
    print(f"the claim fails: {broken}" if broken else f"the claim holds: at most {MOST:g} MiB")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
