"""`Spline` takes time proportional to the number of workers: N = 10,000 against N = 100,000.

K = N / 2 random blocks of 64 numbers are encoded; a quarter of the workers, at random, are late;
tanh of the shares of the rest is decoded, with the choice of lambda and the error estimate.

    python benchmarks/spline_is_linear_time.py [--tiny] [--repeats 5]

It exits with 1 if ten times the workers take more than 14 times as long.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from numpy.typing import NDArray

from anyk.schemes.spline import Spline

WIDTH = 64
LIMIT = 14.0


def measure(workers: int, repeats: int) -> NDArray[np.float64]:
    """Seconds to encode and to recover, ndarray (repeats, 2), after one run to warm up."""
    rng = np.random.default_rng(workers)
    scheme = Spline(workers // 2, workers)
    blocks = rng.standard_normal((workers // 2, WIDTH))
    answered = np.sort(rng.choice(workers, scheme.guarantee.threshold, replace=False)).tolist()
    answers = np.tanh(scheme.encode(blocks).shares[answered])
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        encoded = scheme.encode(blocks)
        middle = time.perf_counter()
        encoded.decode(answers, answered)
        seconds.append((middle - start, time.perf_counter() - middle))
    return np.array(seconds)


def interval(seconds: NDArray[np.float64]) -> str:
    """The median and the range, as a text."""
    return f"{np.median(seconds):7.3f} s [{seconds.min():.3f}, {seconds.max():.3f}]"


def main() -> int:
    """Print the table, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of each size")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    sizes = (4_000, 8_000) if options.tiny else (10_000, 100_000)
    repeats = 2 if options.tiny else options.repeats
    print(f"K = N / 2 blocks of {WIDTH} numbers; median of {repeats} runs [least, most]\n")
    print(f"{'N':>8}  {'encode':>26}  {'recover':>26}  {'both':>26}")
    totals = []
    for workers in sizes:
        seconds = measure(workers, repeats)
        both = seconds.sum(axis=1)
        texts = (interval(seconds[:, 0]), interval(seconds[:, 1]), interval(both))
        print(f"{workers:>8}  {texts[0]:>26}  {texts[1]:>26}  {texts[2]:>26}")
        totals.append(both)
    ratio = float(np.median(totals[1]) / np.median(totals[0]))
    least, most = totals[1].min() / totals[0].max(), totals[1].max() / totals[0].min()
    print(
        f"\ntime for {sizes[1] / sizes[0]:.0f} times the workers: {ratio:.1f} times as long ",
        end="",
    )
    print(f"[{least:.1f}, {most:.1f}]; claimed for 10 times: at most {LIMIT:.0f}")
    return 0 if options.tiny or ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
