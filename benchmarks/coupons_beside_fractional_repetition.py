"""Batches drawn by each worker, as published, beside the same batches dealt out evenly.

Claim: of equal load, `FractionalRepetition` needs fewer answers than `BatchedCoupons`, in the mean
and in the 99th percentile, and never fails; of the batches that workers draw, nobody draws some
batch in so many per cent of all draws.

Each line is B batches on N workers. In each draw the workers answer in a random order, the same for
both, until the answers that came are sufficient. The last but one column is the formula that
`BatchedCoupons.failure` states, the last what the paper expects of very many workers.

    python benchmarks/coupons_beside_fractional_repetition.py [--draws 4000] [--tiny]

It exits with 1 if the claim fails on a line.
"""

from __future__ import annotations

import argparse

import numpy as np
import scipy.stats

import anyk
from anyk.bench.measure import share, table

SIZES = [(5, 50), (10, 50), (10, 100), (20, 100), (25, 100)]
ALARM = 1e-6  # that a formula is blamed by chance


def answers_needed(scheme: anyk.AbstractScheme, order: list[int]) -> int:
    """How many of the workers had answered when that was sufficient."""
    tally = scheme.tally(None)
    for number, worker in enumerate(order, start=1):
        tally.add(worker)
        if tally.enough:
            return number
    raise AssertionError("all answers are sufficient")


def spread_of(answers: list[int]) -> tuple[str, float]:
    """The mean and its interval."""
    mean = float(np.mean(answers))
    return f"{mean:.1f} ± {1.96 * np.std(answers) / np.sqrt(len(answers)):.1f}", mean


def line(batches: int, workers: int, draws: int, seed: int) -> tuple[list[str], bool]:
    """What comes of one size, and whether the claim holds."""
    generator = np.random.default_rng([seed, batches, workers])
    dealt = anyk.FractionalRepetition(batches, workers, workers // batches - 1)
    drawn = anyk.BatchedCoupons(batches, workers, batches)
    evenly, coupons = [], []
    for _ in range(draws):
        order = generator.permutation(workers).tolist()
        evenly.append(answers_needed(dealt, order))
        lots = generator.integers(0, batches, workers).tolist()
        try:
            lucky = anyk.BatchedCoupons(batches, workers, batches, drawn=lots)
        except anyk.Unachievable:
            continue
        coupons.append(answers_needed(lucky, order))
    failed = draws - len(coupons)
    told_evenly, mean_evenly = spread_of(evenly)
    told_coupons, mean_coupons = spread_of(coupons)
    tails = [float(np.quantile(each, 0.99)) for each in (evenly, coupons)]
    chance = scipy.stats.binomtest(failed, draws, drawn.failure).pvalue
    holds = mean_evenly < mean_coupons and tails[0] <= tails[1] and chance > ALARM
    harmonic = batches * sum(1 / each for each in range(1, batches + 1))
    columns = [
        f"{batches}", f"{workers}", told_evenly, f"{tails[0]:.0f}", told_coupons, f"{tails[1]:.0f}",
        share(failed, draws), f"{100 * drawn.failure:.2f} %", f"{harmonic:.1f}",
    ]  # fmt: skip
    return columns, holds


def main() -> None:
    """Run and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--draws", type=int, default=4000, help="of each line")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    draws = 300 if given.tiny else given.draws
    lines, claims = zip(*(line(*size, draws, given.seed) for size in SIZES), strict=True)
    print(f"answers that are needed, {draws} draws a line; means with intervals of 95 %")
    heads = ["B", "N", "dealt", "p99", "drawn", "p99", "drawn fails", "formula", "B H_B"]
    print(table(heads, list(lines)))
    if not all(claims):
        raise SystemExit("the claim fails")
    print("dealt out evenly, fewer answers are needed on every line, and none fails")


if __name__ == "__main__":
    main()
