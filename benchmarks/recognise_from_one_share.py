"""What a curious worker makes of ONE share of a handwritten digit, by how much may leak.

Scikit-learn's digits, 1,797 pictures of 64 numbers, four to an encoding, on 60 workers of whom none
may learn more than so many bits a coordinate; `data_std` is the pictures' deviation from the mean
picture. For each scheme and leakage, what `guarantee.leak(64)` says (bits of a picture, epsilon
between two pictures at delta = 1e-6), and what `anyk.audit` finds of one picture from the share of
the worker who sees most: the digit, by its likeness to all other pictures (10 % by chance); which
of the 1,797 pictures it is (0.06 % by chance); how much of the pictures' variance the best linear
guess explains. Intervals are of 99.99 %; a guess above its bound ends the script with 1.

    python benchmarks/recognise_from_one_share.py [--tiny] [--seed 0]
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from sklearn.datasets import load_digits

import anyk
from anyk.bench.measure import table

BLOCKS, WORKERS = 4, 60
BITS = (2.0, 1.0, 0.5, 0.45, 0.33, 0.1, 0.03, 0.01)


MAKE = {"VeiledReplication": anyk.VeiledReplication, "Berrut": anyk.Berrut}


def scheme_of(name: str, bits: float, std: float) -> anyk.AbstractScheme | None:
    """The scheme of this leakage; None where its noise would drown every function."""
    try:
        return MAKE[name](BLOCKS, WORKERS, stragglers=6, colluders=1, leakage=bits, data_std=std)
    except anyk.Unachievable:
        return None


def told(attack: anyk.Attack) -> str:
    """Per cent and their interval."""
    found, low, high = (100.0 * each for each in (attack.found, attack.low, attack.high))
    return f"{found:.1f} ({max(low, 0.0):.1f} to {high:.1f})"


def main() -> int:
    """Print a row for each scheme and leakage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    digits = load_digits()
    X, y = digits.data / 16.0, digits.target
    if options.tiny:
        X, y = X[:300], y[:300]
    std = float(np.sqrt(np.mean((X - X.mean(axis=0)) ** 2)))
    rows, above = [], False
    for bits in (0.45, 0.03) if options.tiny else BITS:
        for name in MAKE:
            scheme = scheme_of(name, bits, std)
            if scheme is None:
                rows.append([name, f"{bits:g}", *["noise would drown f"] * 5])
                continue
            leak = scheme.guarantee.leak(X.shape[1])
            audit = anyk.audit(
                scheme.encode(X[:BLOCKS]),
                data=X,
                labels=y,
                samples=2000,
                generator=np.random.default_rng(options.seed),
            )
            which, digit, explained, _ = audit.attacks
            above |= audit.above
            rows.append([
                name, f"{bits:g}", f"{leak.total:.1f}", f"{leak.epsilon():.1f}",
                told(digit), told(which), told(explained),
            ])  # fmt: skip
    print(f"one share of a digit of {X.shape[1]} numbers, among {len(X)} (per cent, 99.99 %)")
    print(
        table(
            [
                "scheme", "bits a number", "bits a digit", "epsilon", "digit told",
                "picture found", "variance explained",
            ],
            rows,
        )
    )  # fmt: skip
    return int(above)


if __name__ == "__main__":
    sys.exit(main())
