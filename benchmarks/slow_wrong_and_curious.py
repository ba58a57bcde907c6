"""Slow, wrong and curious workers at once: a digits network on coded, hidden batches.

A 64-64-32-10 ReLU network reads K = 4 images at a time on N = 60 workers. No worker may learn more
than 0.45 bits a pixel of its share's images (T = 1), S = 6 random ones never answer, and A = 4
random ones of the rest lie, in four ways: a random vector as large as the answers, their own
answer with its sign turned, 0.3 of an answer's size in a random direction, and the same vector
added by all four. Nobody tells the decoder who lies. Compared with the logits of the images
themselves; `told` is the same decoder on the answers of the honest alone.

    python benchmarks/slow_wrong_and_curious.py [--tiny] [--batches 100]

Pixels are 0 to 1; their standard deviation is the root mean square over the 64 pixels, each about
its mean over all images. Intervals are 95 %, by bootstrap over batches; of a share, Wilson's. It
exits with 1 if the leakage of any worker, recomputed from the shares' matrices, is above 0.45
bits, if fewer than 99 % of the liars of all attacks are named, if argmax agrees in less than 0.96,
or if the RMSE is more than 1.15 times that of the decoder that is told.
"""

from __future__ import annotations

import argparse
import math
import sys

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from spline_beats_berrut import Function, agreement, rmse, train

import anyk
from anyk.bench.measure import share

Floats = NDArray[np.float64]

BLOCKS, WORKERS, LATE, LIARS, CURIOUS = 4, 60, 6, 4, 1
BITS, NAMED, AGREES, WORSE = 0.45, 0.99, 0.96, 1.15
ATTACKS = ("nobody lies", "random", "sign flip", "small", "colluding shift")


def lie(attack: str, answers: Floats, liars: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """The answers, some of them lies."""
    told = answers.copy()
    size = float(np.sqrt(np.mean(np.sum(answers**2, axis=1))))
    directions = rng.standard_normal((len(liars), answers.shape[1]))
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    if attack == "random":
        told[liars] += size * directions / np.sqrt(answers.shape[1])
    elif attack == "sign flip":
        told[liars] *= -1.0
    elif attack == "small":
        told[liars] += 0.3 * size * units
    elif attack == "colluding shift":
        told[liars] += size * units[0]
    return told


def run(f: Function, images: Floats, std: float, attack: str, batches: int) -> tuple[Floats, float]:
    """By batch: liars named, honest accused, RMSE, that of `told`, agreement; and the leakage."""
    scheme = anyk.VeiledReplication(
        BLOCKS,
        WORKERS,
        stragglers=LATE,
        adversaries=LIARS,
        colluders=CURIOUS,
        leakage=BITS,
        data_std=std,
    )
    rng = np.random.default_rng([2026, ATTACKS.index(attack)])
    rows = []
    for _ in range(batches):
        batch = images[rng.choice(len(images), BLOCKS, replace=False)]
        encoded = scheme.encode(batch)
        answered = rng.permutation(WORKERS)[: WORKERS - LATE]
        liars = rng.choice(answered.size, LIARS if attack != ATTACKS[0] else 0, replace=False)
        answers, truth = f(encoded.shares[answered]), f(batch)
        honest = np.setdiff1d(np.arange(answered.size), liars)
        try:
            recovered = encoded.decode(lie(attack, answers, liars, rng), answered)
        except anyk.TooManyErrors:
            rows.append((0.0, 0.0, math.inf, 1.0, 0.0))
            continue
        plain = anyk.VeiledReplication(
            BLOCKS, WORKERS, stragglers=LATE, colluders=CURIOUS, leakage=BITS, data_std=std
        )
        told = plain.recovery(encoded.layout, tuple(answered[honest])).recover(answers[honest])
        named = set(recovered.suspects) & set(answered[liars])
        rows.append(
            (
                len(named),
                len(recovered.suspects) - len(named),
                rmse(recovered.value, truth),
                rmse(told.value, truth),
                agreement(recovered.value, truth),
            )
        )
    worst = anyk.leakage(encoded, colluders=CURIOUS, data_std=std)
    return np.array(rows), worst


def spread(sample: Floats) -> str:
    """A mean and its interval."""
    picks = np.random.default_rng(0).integers(len(sample), size=(2000, len(sample)))
    low, high = np.quantile(sample[picks].mean(axis=1), [0.025, 0.975])
    return f"{sample.mean():.2f} [{low:.2f}, {high:.2f}]"


def main() -> int:
    """Print the table, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=100, help="batches an attack")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    batches = 2 if options.tiny else options.batches
    digits = load_digits()
    images = digits.data / 16.0
    std = float(np.sqrt(np.mean(np.var(images, axis=0))))
    f = train(images, digits.target, iterations=20 if options.tiny else 300)
    print(
        f"K={BLOCKS}, N={WORKERS}, S={LATE}, A={LIARS}, T={CURIOUS}, {batches} batches an attack;"
    )
    print(f"pixels of standard deviation {std:.3f}\n")
    header = ("attack", "liars named", "accused", "RMSE", "RMSE, told", "argmax agrees")
    print(
        f"{header[0]:<16}{header[1]:>24}{header[2]:>9}{header[3]:>20}{header[4]:>20}{header[5]:>24}"
    )
    holds, found, lies = True, 0.0, 0
    for attack in ATTACKS:
        rows, worst = run(f, images, std, attack, batches)
        lied = LIARS * batches if attack != ATTACKS[0] else 0
        named = share(rows[:, 0].sum(), lied) if lied else ""
        agrees = share(rows[:, 4].sum() * BLOCKS, BLOCKS * batches)
        print(
            f"{attack:<16}{named:>24}{rows[:, 1].mean():9.3f}{spread(rows[:, 2]):>20}"
            f"{spread(rows[:, 3]):>20}{agrees:>24}"
        )
        holds &= worst <= BITS and rows[:, 4].mean() >= AGREES
        found += rows[:, 0].sum()
        lies += lied
        holds &= rows[:, 2].mean() <= WORSE * rows[:, 3].mean()
    holds &= found >= NAMED * lies
    print(f"\nliars named, of all attacks: {share(found, lies)}")
    print(f"worst worker, from the matrices of the shares: {worst:.4f} bits a pixel")
    print(f"claimed: at most {BITS} bits, {NAMED:.0%} of the liars named, {AGREES:.0%} of argmax")
    print(f"agree, RMSE at most {WORSE} times that of the decoder that is told who lies")
    return 0 if options.tiny or holds else 1


if __name__ == "__main__":
    sys.exit(main())
