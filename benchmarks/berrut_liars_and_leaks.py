"""What `Berrut`'s locator finds and its noise hides: the baselines of `Spline`, as published.

A 64-64-32-10 ReLU network reads K handwritten digits at a time, by way of N workers of whom S never
answer. First, A of them lie: with random numbers, with the sign turned, or all shifted by the same.
Printed are the liars that ApproxIFER's locator leaves out and those that are named for it (more
than half of the logits suspect them, and their answers are far from what the others predict),
honest workers named in a batch, and RMSE divided by that of the same decoder told who lies; then
the liars that `Spline` names. Second, T workers are curious: the bits
a coordinate that they learn of the digits' pixels from T numbers of noise, for the median worker,
the worst, and the worst T together; and what is left of the logits when the worst T are to learn
no more than some bits.

    python benchmarks/berrut_liars_and_leaks.py [--tiny] [--batches 30]

It exits with 1 if `Spline` names a smaller share of all liars than `Berrut` leaves out, or if T = 2
or 3 workers learn less than a bit where the median worker learns less than a tenth.
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
from anyk.bench.measure import interval
from anyk.privacy.information import bits_learned
from anyk.schemes.approximate.berrut.recovery import BerrutRecovery

Floats = NDArray[np.float64]

ROWS = ((26, 8, 4, 3), (30, 8, 3, 3), (60, 20, 5, 5), (40, 10, 0, 8), (100, 30, 10, 10))
ATTACKS = ("random", "sign", "shift")
PRIVATE = ((2, 60, 1), (4, 60, 1), (4, 60, 2), (4, 60, 3))
SIGMA = 100.0


def lie(attack: str, answers: Floats, liars: NDArray[np.int64], rng: np.random.Generator) -> Floats:
    """The answers, with lies in some rows."""
    spoiled, size = answers.copy(), float(np.std(answers))
    if attack == "random":
        spoiled[liars] = 10.0 * size * rng.standard_normal((len(liars), answers.shape[1]))
    elif attack == "sign":
        spoiled[liars] *= -1.0
    else:
        spoiled[liars] += 3.0 * size * rng.standard_normal(answers.shape[1])
    return spoiled


def shares_found(
    f: Function, images: Floats, row: tuple[int, int, int, int], attack: str, batches: int
) -> Floats:
    """By batch: left out, named, innocents named, RMSE by that of who is told, named by Spline."""
    workers, blocks, late, wrong = row
    rng = np.random.default_rng([*row, ATTACKS.index(attack)])
    berrut = anyk.Berrut(blocks, workers, stragglers=late, adversaries=wrong)
    told = anyk.Berrut(blocks, workers)
    spline = anyk.Spline(blocks, workers, stragglers=late, adversaries=wrong)
    figures = []
    for _ in range(batches):
        batch = images[rng.choice(len(images), blocks, replace=False)]
        answered = np.sort(rng.choice(workers, workers - late, replace=False))
        rows = np.sort(rng.choice(len(answered), wrong, replace=False))
        liars, truth = set(answered[rows].tolist()), f(batch)
        encoded = berrut.encode(batch)
        values = lie(attack, f(encoded.shares[answered]), rows, rng)
        recovery = encoded.recovery(answered.tolist())
        assert isinstance(recovery, BerrutRecovery)  # noqa: S101 - for its locator
        located = recovery.locate(values)
        left_out, named = set(located.removed), set(located.named)
        honest = np.delete(np.arange(len(answered)), rows)
        best = told.encode(batch).decode(values[honest], answered[honest].tolist()).value
        other = spline.encode(batch)
        theirs = lie(attack, f(other.shares[answered]), rows, rng)
        try:
            found = set(other.decode(theirs, answered.tolist()).suspects)
        except anyk.TooManyErrors:
            found = set()
        figures.append(
            (
                len(left_out & liars) / wrong,
                len(named & liars) / wrong,
                len(named - liars),
                rmse(recovery.recover(values).value, truth) / rmse(best, truth),
                len(found & liars) / wrong,
            )
        )
    return np.array(figures).T


def liars_found(f: Function, images: Floats, batches: int) -> bool:
    """Print the table of liars."""
    print(
        f"liars, {batches} batches a row; median and its 95 % interval of RMSE / RMSE when told\n"
    )
    print(
        "    (N, K, S, A)  attack   left out  named  innocents  RMSE / told           Spline names"
    )
    found = []
    for row in ROWS:
        for attack in ATTACKS:
            out, named, innocents, times, spline = shares_found(f, images, row, attack, batches)
            found.append((out.mean(), spline.mean()))
            print(
                f"{row!s:>16}  {attack:<9}{out.mean():7.0%}{named.mean():8.0%}"
                f"{innocents.mean():9.2f}    {interval(times)!s:<22}{spline.mean():.0%}"
            )
    berrut, spline = np.mean(found, axis=0)
    print(f"\nof all liars, Berrut leaves out {berrut:.1%}, Spline names {spline:.1%}\n")
    return bool(spline >= berrut)


def leaks(deviation: float) -> bool:
    """Print what T numbers of noise hide."""
    print(f"noise with sigma = {SIGMA:.0f}, pixels with standard deviation {deviation:.2f}: bits\n")
    print("(K, N, T)       median worker  worst worker  worst T together")
    good = True
    for blocks, workers, curious in PRIVATE:
        scheme = anyk.Berrut(blocks, workers, colluders=curious, sigma=SIGMA, data_std=deviation)
        encoder, together = scheme.encoder(None), scheme.guarantee.leakage or 0.0
        alone = [
            bits_learned(encoder.data[[n]], encoder.masks[[n]], variance=deviation**2)
            for n in range(workers)
        ]
        good &= curious == 1 or np.median(alone) > 0.1 or together > 1.0
        told = f"{(blocks, workers, curious)!s:<16}{np.median(alone):13.4f}"
        print(f"{told}{max(alone):14.3f}{together:18.2f}")
    return bool(good)


def frontier(f: Function, images: Floats, batches: int) -> None:
    """Print what is left of the logits."""
    deviation = float(images.std())
    print("\n(K, N, T)        bits     sigma  RMSE                                argmax agrees")
    for blocks, workers, curious in PRIVATE:
        for bits in (0.35, 1.0, 4.0):
            scheme = anyk.Berrut(
                blocks, workers, colluders=curious, leakage=bits, data_std=deviation, stragglers=0
            )
            rng = np.random.default_rng([blocks, workers, curious])
            errors, agrees = [], []
            for _ in range(batches):
                batch = images[rng.choice(len(images), blocks, replace=False)]
                encoded = scheme.encode(batch)
                value = encoded.decode(f(encoded.shares), range(workers)).value
                errors.append(rmse(value, f(batch)))
                agrees.append(agreement(value, f(batch)))
            print(
                f"{(blocks, workers, curious)!s:<15}{bits:6.2f}{scheme.noise:10.3g}  "
                f"{interval(errors)!s:<36}{math.fsum(agrees) / batches:.2f}"
            )


def main() -> int:
    """Print the tables, and say whether the claims hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=30, help="a row")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    batches = 1 if options.tiny else options.batches
    digits = load_digits()
    images = digits.data / 16.0
    f = train(images, digits.target, iterations=20 if options.tiny else 300)
    good = liars_found(f, images, batches)
    good &= leaks(float(images.std()))
    frontier(f, images, batches)
    print("\n" + ("the claims hold" if good else "a claim does not hold"))
    return 0 if options.tiny or good else 1


if __name__ == "__main__":
    sys.exit(main())
