"""Whether `AnalogLagrange` says how far off it is: random codes, answers, lies and functions.

In each trial a code of 1 to 5 blocks, up to 3 colluders and 3 adversaries, sigma from 1 to 1e5 and
radius 1.05, 1.5 or 3 computes one of eight polynomials of degree 1 to 4 from some of the answers:
random workers, or neighbours on the circle, which are worst. Up to A of them lie: by independent
numbers, all alike, in proportion, or, the most cunning, as neighbours in the direction that the
others' answers show least; their relative size is drawn between 1e-17 and 1e3. Printed are how
often the relative error (root mean square) is within its estimate, with its 95 % interval (Wilson),
how many times the estimate is the error, and how many honest workers are named; then what the
placement of the keys' points saves in bits.

    python benchmarks/analog_lagrange_estimate.py [--tiny] [--trials 2000]

It exits with 1 if less than 99 % of the errors are within their estimate for any A, if an honest
worker is named, or if spread keys leak more than keys at the end.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.bench.measure import wilson
from anyk.codes.analog.circle import circle, lagrange_basis
from anyk.codes.analog.interleaved import InterleavedCode
from anyk.privacy.coalitions import most_bits_learned

Array = NDArray[np.complex128]

COVERED = 0.99
WEIGHTS = np.random.default_rng(0).normal(size=(40, 20))
FUNCTIONS: tuple[tuple[int, tuple[int, ...], Callable[[Array], Array]], ...] = (
    (1, (3, 40), lambda x: x @ WEIGHTS),
    (2, (), lambda x: x * x),
    (2, (10, 20), lambda x: x.T @ x),
    (2, (30, 20), lambda x: x.T @ (x @ WEIGHTS[0] - 1.0)),
    (2, (1000,), lambda x: np.sum(x * x)),
    (3, (20,), lambda x: ((0.1 * x - 1.0) * x + 3.0) * x + 1.0),
    (3, (3, 3), np.linalg.det),
    (4, (20,), lambda x: (WEIGHTS[:20] @ (WEIGHTS[:20] @ x) ** 2) ** 2),
)
KEYS = ((3, 2, 9), (3, 3, 12), (5, 3, 16), (6, 4, 20))


def code_for(degree: int, rng: np.random.Generator) -> anyk.AnalogLagrange:
    """A random code for polynomials of a degree."""
    blocks, colluders, adversaries = (int(n) for n in rng.integers((1, 0, 0), (6, 4, 4)))
    least = (blocks + colluders - 1) * degree + 1 + 2 * adversaries
    return anyk.AnalogLagrange(
        blocks=blocks,
        degree=degree,
        workers=least + int(rng.integers(12)),
        adversaries=adversaries,
        colluders=colluders,
        stragglers=0,
        sigma=float(10.0 ** rng.uniform(0, 5)) if colluders else None,
        radius=float(rng.choice([1.05, 1.5, 3.0])),
        tolerance=1e300,
    )


def lied(
    code: anyk.AnalogLagrange,
    answers: Array,
    answered: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[Array, set[int]]:
    """Answers of which some are lies, and whose."""
    count = int(rng.integers(code.adversaries + 1))
    size = 10.0 ** (rng.uniform(-17, -8) if rng.random() < 0.7 else rng.uniform(-8, 3))
    size *= float(np.sqrt(np.mean(np.abs(answers) ** 2)))
    rows, kind = rng.permutation(len(answers))[:count], int(rng.integers(4))
    noise = rng.standard_normal((count, *answers.shape[1:]))
    if kind == 1:
        noise[:] = noise[:1]
    elif kind == 2:
        noise = answers[rows] / np.sqrt(np.mean(np.abs(answers) ** 2))
    elif kind == 3 and count:
        around = np.argsort(answered)
        rows = around[(int(rng.integers(len(around))) + np.arange(count)) % len(around)]
        dimension = (code.blocks + code.colluders - 1) * code.degree + 1
        check = InterleavedCode(circle(code.workers)[answered], dimension).parity_check()
        direction = np.linalg.svd(check[:, rows])[2][-1].conj()
        noise = np.multiply.outer(direction, noise[0])
    spoiled = answers.copy()
    spoiled[rows] += size * noise
    return spoiled, set(answered[rows].tolist())


def trial(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A, the relative error, its estimate, and how many honest workers are named.

    A refusal counts as an error beyond its estimate.
    """
    degree, shape, f = FUNCTIONS[int(rng.integers(len(FUNCTIONS)))]
    code = code_for(degree, rng)
    X = rng.standard_normal((code.blocks, *shape)) + rng.choice([0.0, 0.0, 3.0])
    truth = np.stack([f(x.astype(complex)) for x in X])
    least = (code.blocks + code.colluders - 1) * degree + 1 + 2 * code.adversaries
    least = min(least + (not code.adversaries), code.workers)  # one spare answer by default
    count = int(rng.integers(least, code.workers + 1))
    if rng.random() < 0.5:
        answered = rng.permutation(code.workers)[:count]
    else:
        answered = (int(rng.integers(code.workers)) + np.arange(count)) % code.workers
    encoded = code.encode(X)
    answers = np.stack([f(share) for share in encoded.shares[answered]])
    spoiled, liars = lied(code, answers, answered, rng)
    try:
        recovered = encoded.decode(spoiled, answered.tolist())
    except anyk.TooManyErrors:  # of an f that cancels: its rounding looks like lies
        return code.adversaries, math.inf, 0.0, 0
    value = recovered.value
    error = float(np.linalg.norm(value - truth) / np.linalg.norm(value))
    innocents = len(set(recovered.suspects) - liars)
    return code.adversaries, error, recovered.error_estimate or 0.0, innocents


def covered(trials: int) -> bool:
    """Print how good the estimates are."""
    rng = np.random.default_rng(2027)
    figures = np.array([trial(rng) for _ in range(trials)])
    print(f"{trials} trials\n")
    print("A  trials  error within its estimate   estimate / error: 5 %, median, 95 %  innocents")
    good = True
    for wrong in range(4):
        _, errors, estimates, innocents = figures[figures[:, 0] == wrong].T
        within = int(np.sum(errors <= estimates))
        low, high = wilson(within, len(errors))
        times = np.quantile(estimates / np.maximum(errors, 1e-16), [0.05, 0.5, 0.95])
        good &= within >= COVERED * len(errors) and not innocents.any()
        told = f"{within / len(errors):.4f} ({low:.4f} to {high:.4f})"
        print(
            f"{wrong}{len(errors):8}  {told:<28}{times[0]:16.1f}{times[1]:8.1f}{times[2]:8.0f}"
            f"{int(innocents.sum()):11}"
        )
    return bool(good)


def placed() -> bool:
    """Print what the placement of keys saves."""
    print("\n(K, T, N)     bits, keys spread  keys last   for sigma = 1e3 and radius 1.5")
    good = True
    for blocks, keys, workers in KEYS:
        code = anyk.AnalogLagrange(
            blocks=blocks, degree=1, workers=workers, colluders=keys, sigma=1e3, tolerance=1e300
        )
        basis = lagrange_basis(circle(workers), blocks + keys, 1.5)
        masks = basis[:, blocks:] * (1e3 / math.sqrt(keys))
        last = most_bits_learned(basis[:, :blocks], masks, keys, variance=1.0).bound
        spread = code.guarantee.leakage or 0.0
        good &= spread < last
        print(
            f"{(blocks, keys, workers)!s:<14}{spread:17.3g}{last:11.3g}   {last / spread:.0f} times"
        )
    return bool(good)


def main() -> int:
    """Print both tables, and say whether the claims hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    good = covered(60 if options.tiny else options.trials)
    good &= placed()
    print("\n" + ("the claims hold" if good else "a claim does not hold"))
    return 0 if options.tiny or good else 1


if __name__ == "__main__":
    sys.exit(main())
