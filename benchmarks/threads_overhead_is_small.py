"""Coding on threads costs little, and stragglers cost little more.

Claims: `run` on Threads(20) with a 50 ms task takes at most 1.2 times a ThreadPoolExecutor of 20;
with 4 of 20 workers 20 times slower, at most 1.3 times the time without stragglers, and ten calls
in a row on distributed data stay there.

Run: python benchmarks/threads_overhead_is_small.py [--tiny]
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import anyk
from anyk.bench.measure import compare, interval, table
from anyk.faults import Delay, Faulty

WORKERS = 20
TASK = 0.05


def work(share):
    """Take 50 ms, as a call to somebody else's machine would."""
    time.sleep(TASK)
    return share * share


def main() -> None:
    """Measure the pool, anyk, and anyk with stragglers, turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    rounds = 3 if parser.parse_args().tiny else 21

    scheme = anyk.Lagrange(blocks=8, degree=2, workers=WORKERS)  # any 15 of 20 answers
    X = np.arange(8 * 1000).reshape(8, 1000)
    stragglers = {worker: Delay(19 * TASK) for worker in (0, 5, 10, 15)}
    with (
        ThreadPoolExecutor(WORKERS) as pool,
        anyk.Threads(WORKERS) as threads,
        anyk.Threads(WORKERS) as others,
    ):
        shares = scheme.encode(X).shares
        slow = Faulty(others, stragglers)
        seconds = compare(
            {
                "ThreadPoolExecutor(20), all 20": lambda: list(pool.map(work, shares)),
                "anyk.run, any 15 of 20": lambda: anyk.run(scheme, work, X, threads),
                "the same, 4 workers 20 x slower": lambda: anyk.run(scheme, work, X, slow),
            },
            rounds=rounds,
        )
        row = []
        with anyk.distribute(scheme, X, slow) as data:
            for _ in range(10):
                start = time.perf_counter()
                outcome = data.run(work)
                row.append(time.perf_counter() - start)
                if not np.array_equal(outcome.value, X**2):
                    raise SystemExit("wrong")
    pool_seconds, ours, late = seconds.values()
    print(f"a task of {1e3 * TASK:.0f} ms on {WORKERS} threads; median (95 % interval)")
    rows = [[name, interval(1e3 * sample)] for name, sample in seconds.items()]
    rows.append(["ten calls in a row, distributed, 4 slow", interval(1e3 * np.array(row))])
    print(table(["", "milliseconds"], rows))
    print(f"\nanyk / pool: {interval(ours / pool_seconds)}; claim: at most 1.2")
    print(f"with stragglers / without: {interval(late / ours)}; claim: at most 1.3")
    slowest = max(row) / float(np.median(ours))
    print(f"slowest of ten calls in a row / without: {slowest:.3g}; claim: at most 1.3")


if __name__ == "__main__":
    main()
