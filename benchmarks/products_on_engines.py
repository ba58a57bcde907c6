"""A @ x on real Dask and Ray workers that sleep as long as a trace says: uncoded, MDS and pieces.

Claim: the 99th percentile of coded pieces is at most half of the uncoded one's. A stays on the
workers. Each round takes one round of the trace and as many of its workers, the same for all sides;
a worker sleeps `--scale` times its seconds for an uncoded share, and its part of that for another
one. Every side has workers of its own, and a round begins when all of the one before are awake.

    python benchmarks/products_on_engines.py --trace TRACE.npz [--engine dask|ray] [--rounds 200]
        [--scale 0.05] [--tiny]

The trace is an .npz with arrays `load_0.500` and the like, rounds x workers, in seconds; without
one, delays are drawn from a model that says what it is.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator

import numpy as np
from products_on_traces import OURS, PIECES, REALS, blocks_of, traces
from two_thousand_faults import Moody

import anyk
from anyk.bench.measure import table
from anyk.faults import Delay

WORKERS, SIZE, NAME = 17, 2000, "load_0.500"
MOST = 0.5


def sides(size: int) -> dict[str, anyk.AbstractScheme]:
    """What is compared."""
    k, pieces = (blocks_of(size, shares) for shares in (WORKERS, WORKERS * PIECES))
    return {
        "uncoded": anyk.Uncoded((WORKERS, 1, 1), WORKERS, REALS),
        "MDS": anyk.MDS((k, 1, 1), WORKERS, REALS),
        OURS: anyk.MDS((pieces, 1, 1), WORKERS, REALS, pieces=PIECES),
    }


@contextlib.contextmanager
def executors(engine: str, count: int) -> Iterator[list[anyk.AbstractExecutor]]:
    """So many executors of that engine."""
    with contextlib.ExitStack() as stack:
        if engine == "dask":
            from dask.distributed import Client, LocalCluster  # noqa: PLC0415 - an extra

            made = []
            for _ in range(count):
                cluster = stack.enter_context(
                    LocalCluster(
                        n_workers=WORKERS,
                        threads_per_worker=1,
                        processes=False,
                        dashboard_address=":0",
                    )
                )
                client = stack.enter_context(Client(cluster))
                made.append(stack.enter_context(anyk.Dask(client)))
        elif engine == "ray":
            import ray  # noqa: PLC0415 - an extra

            ray.init(address="local", num_cpus=count * WORKERS, log_to_driver=False)
            stack.callback(ray.shutdown)
            made = [stack.enter_context(anyk.Ray(WORKERS)) for _ in range(count)]
        else:
            made = [stack.enter_context(anyk.Threads(WORKERS)) for _ in range(count)]
        yield made


def measured(engine: str, trace: np.ndarray, rounds: int, scale: float, size: int) -> np.ndarray:
    """Seconds of each side in each round, ndarray (rounds, sides)."""
    rng = np.random.default_rng(0)
    A, schemes = rng.normal(size=(size, size)), sides(size)
    took = np.empty((rounds, len(schemes)))
    with executors(engine, len(schemes)) as made, contextlib.ExitStack() as stack:
        moody = [Moody(executor) for executor in made]
        held = [
            stack.enter_context(anyk.distribute(scheme, A, executor))
            for scheme, executor in zip(schemes.values(), moody, strict=True)
        ]
        for each in held:
            each.matmul(rng.normal(size=size), progress=False)  # what is done once
        for turn in range(rounds):
            row = trace[turn % len(trace)]
            seconds = scale * row[rng.choice(len(row), WORKERS, replace=False)]
            x = rng.normal(size=size)
            for side, (scheme, data) in enumerate(zip(schemes.values(), held, strict=True)):
                rows = -(-size // scheme.partition[0])
                load = rows * WORKERS / size  # of one share, by an uncoded one
                moody[side].faults = {who: Delay(load * each) for who, each in enumerate(seconds)}
                outcome = data.matmul(x, progress=False)
                took[turn, side] = outcome.elapsed
                if np.linalg.norm(outcome.value - A @ x) > 1e-10 * np.linalg.norm(outcome.value):
                    raise SystemExit("another product")
            time.sleep(max(0.0, 1.5 * seconds.max() - took[turn].min()))
    return took


def main() -> int:
    """Print a table for each engine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace", help="an .npz of rounds x workers in seconds")
    parser.add_argument("--engine", choices=("dask", "ray", "threads"), action="append")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--scale", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="a small matrix, four rounds, threads")
    options = parser.parse_args()
    engines, size = options.engine or ["dask", "ray"], SIZE
    if options.tiny:
        engines, options.rounds, options.scale, size = ["threads"], 4, 0.01, 400
    recorded = traces(options)
    trace = recorded.get(NAME, next(iter(recorded.values())))
    rows, missed = [], False
    for engine in engines:
        took = measured(engine, trace, options.rounds, options.scale, size)
        late = np.quantile(took, 0.99, axis=0)
        for side, name in enumerate(sides(size)):
            p50, p95, p99 = np.quantile(took[:, side], [0.5, 0.95, 0.99])
            rows.append([engine, name, f"{p50:.3f}", f"{p95:.3f}", f"{p99:.3f}",
                         f"{late[side] / late[0]:.2f}"])  # fmt: skip
        missed |= bool(late[-1] > MOST * late[0])
    print(
        f"A {size} x {size} @ x, {WORKERS} workers, {options.rounds} rounds, scale {options.scale}"
    )
    print(table(["engine", "way", "p50 s", "p95 s", "p99 s", "by uncoded"], rows))
    return int(missed and not options.tiny)


if __name__ == "__main__":
    sys.exit(main())
