"""Power iteration on a matrix that stays on 20 workers, of which four are slow and one lies.

Claim: 100 steps give the same eigenvector as numpy, in at most 1.3 times the time that they take
without trouble. The answers are checked when they come (`verified=True`), so that any 15 good ones
of 20 are enough; a slow worker sleeps in each step, and the liar answers each with random numbers.

The matrix is symmetric, with a gap between its two largest eigenvalues, so that 100 steps converge.
Steps with and without trouble are taken in turn, each side on workers of its own.

    python benchmarks/power_iteration_under_trouble.py [--engine dask|processes|threads] [--tiny]
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from _engines import engine

import anyk
from anyk.bench.measure import interval, table
from anyk.faults import Corrupt, Delay, Faulty

WORKERS, SLOW, LIAR = 20, (2, 7, 11, 16), 5
SCHEME = anyk.MDS((15, 1, 1), WORKERS, anyk.Reals(), adversaries=1, verified=True)
LATE = 0.25  # seconds a step
MOST = 1.3


def matrix(size: int) -> np.ndarray:
    """Symmetric, its largest eigenvalues 2 and about 1."""
    rng = np.random.default_rng(0)
    square = rng.normal(size=(size, size)) / np.sqrt(2.0 * size)
    top = rng.normal(size=size)
    top /= np.linalg.norm(top)
    return (square + square.T) / 2.0 + 2.0 * np.outer(top, top)


def step(held: anyk.Distributed, x: np.ndarray) -> tuple[np.ndarray, float, anyk.Outcome]:
    """One step, and its seconds."""
    start = time.perf_counter()
    outcome = held.matmul(x, progress=False)
    value = outcome.value / np.linalg.norm(outcome.value)
    return value, time.perf_counter() - start, outcome


def measured(name: str, size: int, steps: int) -> list[object]:
    """A row: both sides, their ratio, the distance from numpy's eigenvector."""
    A = matrix(size)
    start = np.ones(size) / np.sqrt(size)
    truth = start
    for _ in range(steps):
        truth = A @ truth
        truth /= np.linalg.norm(truth)
    faults = {who: Delay(LATE) for who in SLOW} | {LIAR: Corrupt()}
    with (
        engine(name, WORKERS) as calm,
        engine(name, WORKERS) as troubled,
        anyk.distribute(SCHEME, A, calm) as well,
        anyk.distribute(SCHEME, A, Faulty(troubled, faults)) as ill,
    ):
        vectors, seconds = {well: start, ill: start}, {well: [], ill: []}
        named: set[int] = set()
        for held in (well, ill):
            step(held, start)  # what is done once
        for turn in range(steps):
            for held in (well, ill) if turn % 2 else (ill, well):
                vectors[held], took, outcome = step(held, vectors[held])
                seconds[held].append(took)
                named |= set(outcome.suspects)
    off = max(float(np.linalg.norm(vector - truth)) for vector in vectors.values())
    if named - {LIAR}:
        raise SystemExit(f"accused: {named}")
    total = {held: sum(each) for held, each in seconds.items()}
    ratio = total[ill] / total[well]
    return [
        name, size, steps, f"{total[well]:.2f}", f"{total[ill]:.2f}", f"{ratio:.2f}",
        interval(np.array(seconds[ill]) / np.array(seconds[well])), f"{off:.1e}",
        "yes" if named else "no",
    ]  # fmt: skip


def main() -> int:
    """Print a row for each engine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("dask", "processes", "threads"), action="append")
    parser.add_argument("--size", type=int, default=4000)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--tiny", action="store_true", help="a small matrix, on threads")
    options = parser.parse_args()
    names = options.engine or ["dask"]
    if options.tiny:
        names, options.size, options.steps = ["threads"], 200, 5
    rows = [measured(name, options.size, options.steps) for name in names]
    header = ["engine", "size", "steps", "calm s", "troubled s", "ratio", "step by step",
              "off numpy", "liar named"]  # fmt: skip
    print(table(header, rows))
    print(f"\nclaim: at most {MOST} times the time, the same eigenvector")
    if options.tiny:
        return 0
    return int(any(float(row[5]) > MOST or float(row[7]) > 1e-10 for row in rows))


if __name__ == "__main__":
    sys.exit(main())
