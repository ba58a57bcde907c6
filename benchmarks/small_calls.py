"""Many small calls: `anyk.map` beside the maps that its engines have.

Claims: of 10,000 items of 1 kB, `anyk.map` does at least half as many a second as the best of the
other ways to use the same engine, batches of their own choice included.

Items are arrays of 125 float64, of which the function returns the negative. An engine is a function
below that yields one call a side; ours is the first.

Run: python benchmarks/small_calls.py [--tiny] [--engines threads processes dask ray]
"""

import argparse
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import numpy as np
from _last_task_ray import small_calls_sides

import anyk
from anyk.bench.measure import compare, interval, table

WORKERS = 2
BATCH = 64  # items that a pool sends at once where it is told to

Sides = dict[str, Callable[[list[np.ndarray]], list[np.ndarray]]]


def negative(item):
    """What is computed."""
    return -item


def ours(executor: anyk.AbstractExecutor) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
    """`anyk.map` on an executor."""
    return lambda items: anyk.map(negative, items, executor, progress=False).value


def joblib_on(prefer: str) -> Callable[[list[np.ndarray]], list[np.ndarray]]:
    """`joblib.Parallel`, which chooses its batches itself."""
    import joblib  # noqa: PLC0415 - an extra

    parallel = joblib.Parallel(WORKERS, prefer=prefer)
    return lambda items: parallel(joblib.delayed(negative)(item) for item in items)


@contextmanager
def threads() -> Iterator[Sides]:
    """Threads of this process."""
    with anyk.Threads(WORKERS) as executor, ThreadPoolExecutor(WORKERS) as pool:
        yield {
            "anyk.map": ours(executor),
            "joblib.Parallel": joblib_on("threads"),
            "ThreadPoolExecutor.map": lambda items: list(pool.map(negative, items)),
        }


@contextmanager
def processes() -> Iterator[Sides]:
    """Processes of this machine."""
    context = multiprocessing.get_context("forkserver")
    with (
        anyk.Processes(WORKERS) as executor,
        ProcessPoolExecutor(WORKERS, mp_context=context) as pool,
        context.Pool(WORKERS) as workers,
    ):
        yield {
            "anyk.map": ours(executor),
            "joblib.Parallel": joblib_on("processes"),
            "ProcessPoolExecutor.map": lambda items: list(pool.map(negative, items)),
            f"the same, chunksize={BATCH}": lambda items: list(
                pool.map(negative, items, chunksize=BATCH)
            ),
            "multiprocessing.Pool.imap": lambda items: list(workers.imap(negative, items)),
            f"the same, chunksize={BATCH}, of Pool": lambda items: list(
                workers.imap(negative, items, chunksize=BATCH)
            ),
        }


@contextmanager
def dask() -> Iterator[Sides]:
    """Processes of a Dask cluster on this machine."""
    from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra

    with (
        LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as cluster,
        Client(cluster) as client,
        anyk.Dask(client) as executor,
    ):
        yield {
            "anyk.map": ours(executor),
            "client.map": lambda items: client.gather(client.map(negative, items, pure=False)),
            f"the same, batch_size={BATCH}": lambda items: client.gather(
                client.map(negative, items, pure=False, batch_size=BATCH)
            ),
        }


ENGINES = {
    "threads": threads,
    "processes": processes,
    "dask": dask,
    "ray": partial(small_calls_sides, negative, WORKERS),
}


def measured(engine: str, number: int, rounds: int) -> list[list[object]]:
    """Calls a second of each side, and ours beside each."""
    generator = np.random.default_rng(0)
    items = list(generator.normal(size=(number, 125)))
    right = [negative(item) for item in items]
    with ENGINES[engine]() as sides:
        for name, side in sides.items():
            if not all(map(np.array_equal, side(items), right)):
                raise SystemExit(f"{name} is wrong on {engine}")
        seconds = compare(
            {name: lambda side=side: side(items) for name, side in sides.items()}, rounds=rounds
        )
    own = next(iter(seconds.values()))
    return [
        [engine, name, interval(number / each), interval(each / own)]
        for name, each in seconds.items()
    ]


def main() -> None:
    """Measure the sides of each engine turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--rounds", type=int, default=11, help="turns of each side")
    options = parser.parse_args()
    number, rounds = (500, 1) if options.tiny else (10_000, options.rounds)
    rows = [row for engine in options.engines for row in measured(engine, number, rounds)]
    print(f"{number} items of 1 kB, {WORKERS} workers; median (95 % interval) of {rounds} rounds")
    header = ["engine", "side", "calls a second", "anyk.map / this"]
    print(table(header, rows))
    print("\nclaim: at least 0.5 beside the best of each engine")


if __name__ == "__main__":
    main()
