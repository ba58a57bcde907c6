"""No block is guessed on a healthy cluster, and a late one costs little more than its own time.

- healthy: 12 workers, 8 blocks, tasks of some milliseconds, nobody late: in how many calls
  `FilledReplication` returns every block as computed, and its time by `Replication`'s
- late: the same sizes on a virtual clock, delays of a trace: what it takes to wait for N - S
  answers and guess the rest, for all blocks, and for all blocks where what takes twice the median
  is sent again to idle workers

    python benchmarks/late_blocks_are_sent_again.py [--trace TRACE.npz] [--engine dask] [--tiny]

The trace is an .npz with arrays of rounds x workers in seconds; without one, delays are drawn from
a model that says what it is. Claims: every block as computed in at least 99 % of healthy calls, at
no more than 1.2 times the time of `Replication`; sending again costs at most 0.1 % more work.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from _engines import engine

import anyk
from anyk.bench.measure import interval, share, table
from anyk.delays import Recorded, ShiftedExponential

BLOCKS, WORKERS = 8, 12
GUESS, COPIES = anyk.FilledReplication(BLOCKS, WORKERS), anyk.Replication(BLOCKS, WORKERS)


def product(block):
    """A product that takes a few milliseconds."""
    return block @ block.T


def healthy(name: str, calls: int) -> list[object]:
    """A row: how often all was as computed, and seconds by those of replication, call by call."""
    X = np.random.default_rng(0).normal(size=(BLOCKS, 200, 200))
    right = np.array([product(block) for block in X])
    whole, again, ratios = 0, 0, []
    with (
        engine(name, WORKERS) as executor,
        anyk.distribute(GUESS, X, executor) as ours,
        anyk.distribute(COPIES, X, executor) as theirs,
    ):
        for data in (ours, theirs):
            data.run(product, progress=False)
        for call in range(calls):
            seconds = {}
            for data in (ours, theirs) if call % 2 else (theirs, ours):
                start = time.perf_counter()
                outcome = data.run(product, progress=False)
                seconds[data] = time.perf_counter() - start
                if data is ours:
                    whole += bool(outcome.known.all())
                    again += len(outcome.again)
                    if not np.allclose(outcome.value, right):
                        raise SystemExit("wrong")
            ratios.append(seconds[ours] / seconds[theirs])
    return [name, calls, share(whole, calls), interval(np.array(ratios)), again]


def late(seconds: np.ndarray | None, runs: int) -> list[list[object]]:
    """Rows by what is waited for: seconds, blocks guessed, work."""
    X = np.random.default_rng(0).normal(size=(BLOCKS, 4))
    delays = ShiftedExponential(shift=1.0, mean=0.2) if seconds is None else Recorded(seconds)
    ways = {
        "N - S answers, the rest guessed": ({"tolerance": np.inf}, 1e9),
        "all blocks": ({}, 1e9),
        "all blocks, late ones sent again": ({}, 2.0),
    }
    rows = []
    for name, (limits, medians) in ways.items():
        took, guessed, again = [], 0, 0
        generator = np.random.default_rng(1)  # the same delays for all
        for _ in range(runs):
            with anyk.Simulated(
                WORKERS, delays=delays, generator=generator, compute=0.0
            ) as executor:
                executor.lateness = anyk.Lateness(medians=medians)
                outcome = anyk.run(GUESS, np.tanh, X, executor, progress=False, **limits)
            took.append(outcome.elapsed)
            guessed += not outcome.known.all()
            again += len(outcome.again)
        p50, p99 = np.quantile(took, [0.5, 0.99])
        work = 1.0 + again / (runs * WORKERS)
        rows.append([name, f"{p50:.2f}", f"{p99:.2f}", share(guessed, runs), f"{work:.4f}"])
    return rows


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace", type=Path, help="an .npz of measured response times")
    parser.add_argument("--engine", choices=("threads", "processes", "dask"), action="append")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    options = parser.parse_args()
    engines = options.engine or ["threads", "processes", "dask"]
    if options.tiny:
        options.calls, engines = 20, ["threads"]
    rows = [healthy(name, options.calls) for name in engines]
    header = ["healthy", "calls", "every block as computed", "time / Replication's", "sent again"]
    print(table(header, rows), "\n")
    header = ["late", "p50, s", "p99, s", "runs that guess", "work"]
    if options.trace is None:
        print("no --trace: 1 s + an exponential of mean 0.2 s")
        print(table(header, late(None, 4 * options.calls)))
        return 0
    with np.load(options.trace) as file:
        for name in ("load_0.500", "cold_load_0.500"):
            print(f"{name} of the trace")
            print(table(header, late(file[name], 4 * options.calls)), "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
