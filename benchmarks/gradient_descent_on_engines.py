"""Linear regression by gradient descent on 40 workers of a real engine, some of them late.

Lagrange coded computing's headline experiment: each iteration needs X^T (X w) of data that are on
40 workers, and a worker that stores more coded data lets the master wait for fewer of them. A
worker's time is charged by sleeping, as two cores can't run 40: by the delays of a trace, measured
at the load that the worker has (1/40 of the data, or 1/4), the same for all sides in each
iteration. The waiting is real, and so is what a late worker does to the next iteration.

- uncoded: 1/40 of the data each, all 40 answers needed, and nothing sent again
- sent again: the same, and what takes twice the median is computed again by an idle worker
- replication: 1/4 of the data each, one of ten copies of each quarter
- gradient coding: ten parts of 40 each, any 31 answers (cyclic code)
- Lagrange: 1/4 of the data each, coded: any 7 answers
- on Dask, what people do today, with 1/40 of the data a task: resubmit the last tenth when it
  alone is left (`as_completed`), or duplicate a task when it takes 3 times the median after half
  are done (the rule of cubed)

    python benchmarks/gradient_descent_on_engines.py --engine dask --trace TRACE.npz [--tiny]

The trace is an .npz with arrays `load_0.000` and `load_0.250` (and `cold_load_...`, with --cold) of
rounds x workers in seconds; without one, delays are drawn from a model that says what it is. The
paper reports 13.43 times over uncoded and 2.36 to 12.65 over other codes, on EC2.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import anyk
from anyk import Paced
from anyk.bench.measure import interval, table
from anyk.delays import AbstractDelays, ShiftedExponential, read_trace, write_trace

WORKERS, LOAD = 40, 10  # blocks of 40 that a coded worker computes on
FIELD = anyk.PrimeField(2**31 - 1)
FRACTION = 2**12  # of the weights, on the field scheme
PAPER = {"uncoded": "13.43", "replication": "", "gradient coding": "2.36 to 12.65"}


def gradient(x, w):
    """X^T (X w), of one block."""
    return x.T @ (x @ w)


def napping(x, w, seconds):
    """A task of a side without anyk."""
    time.sleep(seconds)
    return gradient(x, w)


class Drawn(AbstractDelays):
    """Delays that are set from outside, so that all sides have the same."""

    def __init__(self) -> None:
        self.seconds = np.zeros(WORKERS)

    def sample(self, generator, workers):
        """Those that were set."""
        del generator
        return self.seconds[:workers]


def delays(options) -> Callable[[int, float], np.ndarray]:
    """Of an iteration and a load (0.0 or 0.25), the delays of the workers."""
    if options.trace is None:
        print("no --trace: 1 s + load + an exponential of mean 0.2 s, and a tenth 5 s late\n")

        def modelled(iteration, load):
            rng = np.random.default_rng([options.seed, iteration])
            base = ShiftedExponential(shift=1.0 + load, mean=0.2).sample(rng, WORKERS)
            return base + 5.0 * (rng.random(WORKERS) < 0.1)

        return modelled
    prefix = "cold_load" if options.cold else "load"
    with np.load(options.trace) as file, tempfile.TemporaryDirectory() as folder:
        traces = {}
        for load in (0.0, 0.25):  # by way of the format that users bring
            path = Path(folder, f"{load}.csv")
            write_trace(path, file[f"{prefix}_{load:.3f}"])
            traces[load] = read_trace(path)

    def measured(iteration, load):
        return traces[load].sample(np.random.default_rng([options.seed, iteration]), WORKERS)

    return measured


class Engine:
    """Where tasks run: an executor for anyk, and Dask's own client for the sides without it."""

    def __init__(self, name: str) -> None:
        self.name = name

    @contextmanager
    def executor(self) -> Iterator[tuple[anyk.AbstractExecutor, object]]:
        """Forty workers."""
        if self.name == "dask":
            from dask.distributed import Client, LocalCluster  # noqa: PLC0415 - an extra

            with (
                LocalCluster(
                    n_workers=WORKERS, threads_per_worker=1, processes=False, dashboard_address=":0"
                ) as cluster,
                Client(cluster) as client,
                anyk.Dask(client) as executor,
            ):
                yield executor, client
        elif self.name == "ray":
            import ray  # noqa: PLC0415 - an extra

            ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
            try:
                with anyk.Ray(WORKERS, num_cpus=0.01) as executor:
                    yield executor, None
            finally:
                ray.shutdown()
        else:
            with anyk.Threads(WORKERS) as executor:
                yield executor, None


class Sides:
    """What is compared; each is called with the weights and returns X^T (X w)."""

    def __init__(self, X, executor, client, clock: Drawn) -> None:
        self.X, self.client, self.executor = X, client, executor
        paced = Paced(executor, clock, np.random.default_rng(0))
        self.paced = paced
        self.blocks = X.reshape(WORKERS, -1, X.shape[1])
        self.quarters = X.reshape(WORKERS // LOAD, -1, X.shape[1])
        self.uncoded_data = anyk.distribute(
            anyk.Replication(WORKERS, WORKERS), self.blocks.astype(float), paced
        )
        self.replicated = anyk.distribute(
            anyk.Replication(WORKERS // LOAD, WORKERS), self.quarters.astype(float), paced
        )
        coded = anyk.Lagrange(blocks=WORKERS // LOAD, degree=2, workers=WORKERS, field=FIELD)
        self.coded = anyk.distribute(coded, self.quarters % FIELD.modulus, paced)
        self.cyclic = anyk.distribute(
            anyk.CyclicRepetition(WORKERS, LOAD - 1), self.blocks.astype(float), paced
        )
        if client is not None:
            self.futures = client.scatter(list(self.blocks.astype(float)), hash=False)

    def uncoded(self, w):
        """All answers, however late."""
        self.executor.lateness = anyk.Lateness(medians=1e9)
        try:
            return self.sent_again(w)
        finally:
            self.executor.lateness = anyk.Lateness()

    def sent_again(self, w):
        """All answers, the late ones by others."""
        return self.uncoded_data.run(gradient, w, progress=False).value.sum(axis=0)

    def replication(self, w):
        """One copy of each quarter."""
        return self.replicated.run(gradient, w, progress=False).value.sum(axis=0)

    def lagrange(self, w):
        """Any seven."""
        rounded = np.rint(w * FRACTION).astype(np.int64)
        value = self.coded.run(gradient, rounded % FIELD.modulus, progress=False).value
        signed = np.where(value > FIELD.modulus // 2, value - FIELD.modulus, value)
        return signed.sum(axis=0) / FRACTION

    def gradient_coding(self, w):
        """Any 31."""
        return self.cyclic.run(gradient, w, progress=False).value


def resubmitting(sides, w, fresh, rule):
    """Dask as people use it: a task again where it is late, and the first answer counts."""
    from dask.distributed import as_completed  # noqa: PLC0415 - an extra

    client, started = sides.client, time.perf_counter()

    def submit(block, seconds):
        return client.submit(napping, sides.futures[block], w, seconds, pure=False)

    tasks = {submit(block, seconds): block for block, seconds in enumerate(fresh())}
    answers, took, again = {}, [], set()
    stream = as_completed(list(tasks), with_results=True)
    while len(answers) < WORKERS:
        for future, value in stream.next_batch(block=False):
            took.append(time.perf_counter() - started)
            answers.setdefault(tasks[future], value)
        late = set(range(WORKERS)) - set(answers) - again
        if late and rule(len(answers), took, time.perf_counter() - started):
            seconds = fresh()
            copies = {submit(block, seconds[block]): block for block in late}
            tasks |= copies
            stream.update(list(copies))
            again |= late
        time.sleep(0.001)
    for future in tasks:
        future.cancel()
    return np.sum([answers[block] for block in range(WORKERS)], axis=0), len(tasks) / WORKERS


def last_tenth(answered, took, now):
    """Resubmit when nine in ten have answered."""
    del took, now
    return answered >= 0.9 * WORKERS


def cubed(answered, took, now):
    """Duplicate when half have answered, and it takes three times the median of these."""
    return answered >= WORKERS / 2 and now > 3.0 * float(np.median(took))


def descend(options, trace, X, y):
    """Seconds of each iteration by side, and how many times the data each side goes through."""
    clock, rounds = Drawn(), options.iterations
    seconds, work = {}, {}
    step = 1.0 / float(np.linalg.norm(X, 2) ** 2)
    with Engine(options.engine).executor() as (executor, client):
        sides = Sides(X, executor, client, clock)
        ways = {
            "uncoded": (sides.uncoded, 0.0, 1),
            "sent again": (sides.sent_again, 0.0, 1),
            "replication": (sides.replication, 0.25, LOAD),
            "gradient coding": (sides.gradient_coding, 0.25, LOAD),
            "Lagrange": (sides.lagrange, 0.25, LOAD),
        }
        if client is not None:
            ways["Dask, last tenth again"] = (last_tenth, 0.0, 1)
            ways["Dask, cubed's rule"] = (cubed, 0.0, 1)
        sides.uncoded(np.zeros(X.shape[1]))  # all workers have started, before any time counts
        for side, (way, load, passes) in ways.items():
            w, times, done = np.zeros(X.shape[1]), [], []
            for iteration in range(rounds):
                clock.seconds = options.scale * trace(iteration, load)
                draws = iter(range(1, 1000))

                def fresh(now=clock.seconds, it=iteration, draws=draws):
                    more = next(draws)
                    return now if more == 1 else options.scale * trace(it + 10**6 * more, 0.0)

                started = time.perf_counter()
                if way in {last_tenth, cubed}:
                    product, part = resubmitting(sides, w, fresh, way)
                else:
                    product, part = way(w), passes
                times.append(time.perf_counter() - started)
                done.append(part)
                w -= step * (product - X.T @ y)
            if not np.allclose(w, direct(X, y, step, rounds), atol=1e-2):
                raise SystemExit(f"{side}: wrong weights")
            seconds[side], work[side] = np.array(times) / options.scale, float(np.mean(done))
            print(f"  {side}: {seconds[side].sum():.1f} s", flush=True)
            time.sleep(options.scale * 2.0)  # let go of what is still running
    return seconds, work


def direct(X, y, step, rounds):
    """The same descent in numpy."""
    w = np.zeros(X.shape[1])
    for _ in range(rounds):
        w -= step * (X.T @ (X @ w - y))
    return w


def main() -> int:
    """Print, by engine and side, the time of the descent and of its iterations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("dask", "ray", "threads"), default="dask")
    parser.add_argument("--trace", type=Path, help="an .npz of measured response times")
    parser.add_argument("--cold", action="store_true", help="the trace's cold starts")
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="below 1: quicker, but an engine's own time counts for more",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    options = parser.parse_args()
    if options.tiny:
        options.iterations, options.scale, options.engine = 3, 0.02, "threads"
    trace = delays(options)
    rng = np.random.default_rng(options.seed)
    X = rng.integers(-3, 4, (200, 10))
    y = X @ rng.standard_normal(10)
    print(f"{options.iterations} iterations on {options.engine}, seconds of the trace")
    seconds, work = descend(options, trace, X.astype(np.int64), y)
    ours = seconds["Lagrange"]
    rows = []
    for side, times in seconds.items():
        ratios = [
            times[picks].sum() / ours[picks].sum()
            for picks in np.random.default_rng(0).integers(len(ours), size=(2000, len(ours)))
        ]
        low, high = np.quantile(ratios, [0.025, 0.975])
        rows.append([
            side, f"{times.sum():.1f}", f"{times.sum() / ours.sum():.2f} ({low:.2f} to {high:.2f})",
            PAPER.get(side, ""), f"{np.median(times):.2f}", f"{np.quantile(times, 0.99):.2f}",
            f"{work[side]:.2f}",
        ])  # fmt: skip
    header = ["side", "total", "total / Lagrange's", "paper", "p50", "p99", "passes over the data"]
    print("\n" + table(header, rows))
    print(f"median iteration: {interval(ours)} s (Lagrange)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
