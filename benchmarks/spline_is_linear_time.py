"""`Spline` takes time proportional to the number of workers: N = 10,000 against N = 100,000.

K = N / 2 random blocks of 64 numbers are encoded; a quarter of the workers, at random, are late;
tanh of the shares of the rest is decoded, with the choice of lambda and the error estimate. Then
the same for K = N / 10 blocks on a line, functions of which are asked for, where one worker in a
hundred lies and as many may lie: the liars are named as well.

    python benchmarks/spline_is_linear_time.py [--tiny] [--repeats 5]

It exits with 1 if ten times the workers take more than 14 times as long, or if the recovery from
10,000 workers with liars takes more than 5 s, or names fewer than 99 % of them or anybody else.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from anyk import Spline

WIDTH = 64
LIMIT = 14.0
SECONDS = 5.0  # for a recovery at the smaller size
LIARS = 100  # one worker in so many

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def late(workers: int) -> tuple[Spline, NDArray[np.float64], Function]:
    """Half as many blocks as workers, no liars."""
    blocks = np.random.default_rng(workers).standard_normal((workers // 2, WIDTH))
    return Spline(workers // 2, workers), blocks, np.tanh


def lying(workers: int) -> tuple[Spline, NDArray[np.float64], Function]:
    """A tenth as many blocks, on a line; one worker in a hundred lies."""
    rng = np.random.default_rng(workers)
    scheme = Spline(workers // 10, workers, stragglers=workers // 20, adversaries=workers // LIARS)
    waves = 3.0 * rng.standard_normal((1, WIDTH))
    return scheme, rng.uniform(-1.0, 1.0, (workers // 10, 1)), lambda x: np.sin(x @ waves)


def measure(
    case: tuple[Spline, NDArray[np.float64], Function], repeats: int
) -> tuple[NDArray[np.float64], bool]:
    """Seconds to encode and to recover, ndarray (repeats, 2), after one run to warm up.

    And whether at least 99 % of the liars were named, and nobody else.
    """
    scheme, blocks, function = case
    rng = np.random.default_rng(scheme.workers)
    answered = rng.choice(scheme.workers, scheme.guarantee.threshold, replace=False)
    answers = function(scheme.encode(blocks).shares[answered])
    answers[: scheme.adversaries] += rng.standard_normal((scheme.adversaries, WIDTH))
    liars = set(answered[: scheme.adversaries].tolist())
    seconds, named = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        encoded = scheme.encode(blocks)
        middle = time.perf_counter()
        suspects = set(encoded.decode(answers, answered.tolist()).suspects)
        seconds.append((middle - start, time.perf_counter() - middle))
        named.append(suspects <= liars and len(suspects) >= 0.99 * len(liars))
    return np.array(seconds), all(named)


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
    held = True
    for told, make in (
        ("K = N / 2 blocks, nobody lies", late),
        ("K = N / 10, N / 100 lie", lying),
    ):
        print(f"{told}; {WIDTH} numbers; median of {repeats} runs [least, most]\n")
        print(f"{'N':>8}  {'encode':>26}  {'recover':>26}  {'both':>26}")
        totals, recoveries = [], []
        for workers in sizes:
            seconds, named = measure(make(workers), repeats)
            both = seconds.sum(axis=1)
            texts = (interval(seconds[:, 0]), interval(seconds[:, 1]), interval(both))
            print(f"{workers:>8}  {texts[0]:>26}  {texts[1]:>26}  {texts[2]:>26}", flush=True)
            totals.append(both)
            recoveries.append(float(np.median(seconds[:, 1])))
            held = held and named
        ratio = float(np.median(totals[1]) / np.median(totals[0]))
        least, most = totals[1].min() / totals[0].max(), totals[1].max() / totals[0].min()
        print(
            f"\ntime for {sizes[1] / sizes[0]:.0f} times the workers: {ratio:.1f} times as long ",
            end="",
        )
        print(f"[{least:.1f}, {most:.1f}]; claimed for 10 times: at most {LIMIT:.0f}\n")
        held = held and ratio <= LIMIT and recoveries[0] <= SECONDS
    return 0 if options.tiny or held else 1


if __name__ == "__main__":
    sys.exit(main())
