"""What `AnalogLagrange` trades: bits that two curious workers learn, against digits of the value.

f(x) = x**2 on 3 blocks of standard normal numbers, 2 colluders. First 9 workers, all needed, for
several sigma and radii: the bits a coordinate that the worst pair learns (every pair is tried), the
same with the keys' points after the blocks' as in the paper, and the relative error (root mean
square) of the value: the median over the trials with its 95 % interval. Then 14 workers of whom two
lie in each trial, by a relative size drawn between 1e-10 and 1e6: how many are named, and how the
error compares with that of 9 honest workers. Then the same with ever smaller lies.

    python benchmarks/analog_lagrange_trade_off.py [--tiny] [--trials 1000]

It exits with 1 if a row leaks more, or errs more in the median, than the limits in the table; if
a liar is not named, or an honest worker is; if two liars cost more than a factor 10; or if an error
is above its estimate in more than 1 % of the trials.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.bench.measure import interval
from anyk.privacy.coalitions import most_bits_learned

BLOCKS, COLLUDERS, DEGREE, WORKERS, WITH_LIARS = 3, 2, 2, 9, 14
# radius, sigma, limits: bits a coordinate, relative error
ROWS = (
    (1.5, 1e2, 0.225, 6e-12),
    (1.5, 1e4, 2.4e-5, 5e-8),
    (1.5, 1e6, 2.4e-9, 6e-4),
    (1.05, 1e3, 6.2e-2, 1.5e-10),
    (1.5, 1e3, 2.4e-3, 5.5e-10),
    (3.0, 1e3, 2.3e-4, 7e-8),
)
TIMES = 10.0
COVERED = 0.99


def scheme(
    radius: float, sigma: float, workers: int = WORKERS, liars: int = 0
) -> anyk.AnalogLagrange:
    """The code of a row."""
    return anyk.AnalogLagrange(
        blocks=BLOCKS,
        degree=DEGREE,
        workers=workers,
        adversaries=liars,
        colluders=COLLUDERS,
        sigma=sigma,
        radius=radius,
        tolerance=0.1,
    )


def published(radius: float, sigma: float) -> float:
    """Bits that the worst pair learns where the keys' points come after the blocks'."""
    nodes = BLOCKS + COLLUDERS
    workers = np.exp(2j * np.pi * np.arange(WORKERS) / WORKERS)
    points = radius * np.exp(2j * np.pi * np.arange(nodes) / nodes)
    basis = np.mean([(workers[:, None] / points) ** power for power in range(nodes)], axis=0)
    masks = basis[:, BLOCKS:] * sigma / np.sqrt(COLLUDERS)
    return most_bits_learned(basis[:, :BLOCKS], masks, COLLUDERS, variance=1.0).bound


def trial(
    code: anyk.AnalogLagrange, rng: np.random.Generator, liars: int, powers: tuple[float, float]
) -> tuple[float, float, int, int]:
    """Relative error, its estimate, how many liars are named, and how many honest workers."""
    X = rng.standard_normal((BLOCKS, 100))
    encoded = code.encode(X)
    answers = encoded.shares**DEGREE
    wrong = rng.choice(code.workers, liars, replace=False)
    sizes = 10.0 ** rng.uniform(*powers, liars) * np.sqrt(np.mean(np.abs(answers) ** 2))
    answers[wrong] += sizes[:, None] * rng.standard_normal((liars, X.shape[1]))
    recovered = encoded.decode(answers, range(code.workers))
    error = np.sqrt(np.mean(np.abs(recovered.value - X**DEGREE) ** 2) / np.mean(X ** (2 * DEGREE)))
    named = set(recovered.suspects)
    estimate = recovered.error_estimate or 0.0
    return float(error), estimate, len(named & {*wrong.tolist()}), len(named - {*wrong.tolist()})


def measured(
    code: anyk.AnalogLagrange,
    trials: int,
    liars: int = 0,
    powers: tuple[float, float] = (-10.0, 6.0),
) -> NDArray[np.float64]:
    """The four figures of each trial, ndarray (4, trials)."""
    rng = np.random.default_rng([code.workers, int(1000 * code.radius)])
    return np.array([trial(code, rng, liars, powers) for _ in range(trials)]).T


def main() -> int:
    """Print both tables, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000, help="a row")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    trials = 20 if options.tiny else options.trials
    good = True
    print(f"{WORKERS} workers, {trials} trials a row; limits in brackets\n")
    heads = ("bits, worst pair", "keys last", "relative error")
    print(f"radius   sigma  {heads[0]:<19}{heads[1]:<10}{heads[2]:<42}in estimate")
    for radius, sigma, most, worst in ROWS:
        code = scheme(radius, sigma)
        bits = code.guarantee.leakage or 0.0
        errors, estimates, _, _ = measured(code, trials)
        covered = float(np.mean(errors <= estimates))
        good &= bits <= most and float(np.median(errors)) <= worst and covered >= COVERED
        told = f"{bits:.3g} [{most:.3g}]"
        print(
            f"{radius:6} {sigma:7.0e}  {told:<19}{published(radius, sigma):<10.3g}"
            f"{f'{interval(errors)} [{worst:.2g}]':<42}{covered:.3f}"
        )
    print(f"\n{WITH_LIARS} workers, two lie\n")
    print(f"  sigma  {'named':<14}{'innocents':<11}{heads[2]:<34}{'of 9 honest':<13}in estimate")
    for sigma in (1e2, 1e4, 1e6):
        honest = float(np.median(measured(scheme(1.5, sigma), trials)[0]))
        code = scheme(1.5, sigma, WITH_LIARS, 2)
        errors, estimates, named, innocents = measured(code, trials, 2)
        covered, times = float(np.mean(errors <= estimates)), float(np.median(errors)) / honest
        good &= named.min() == 2 and not innocents.any() and covered >= COVERED and times <= TIMES
        told = f"{int(named.sum())} of {2 * trials}"
        print(
            f"{sigma:7.0e}  {told:<14}{int(innocents.sum()):<11}{interval(errors)!s:<34}"
            f"{f'{times:.2f} times':<13}{covered:.3f}"
        )
    print(f"\n{WITH_LIARS} workers, two lie by a little; sigma = 1e4\n")
    print(f"{'relative size':<18}{'named':<14}{'innocents':<11}in estimate")
    for power in (-15.0, -14.0, -13.0, -12.0, -11.0):
        found = measured(scheme(1.5, 1e4, WITH_LIARS, 2), trials, 2, (power, power + 1.0))
        errors, estimates, named, innocents = found
        covered = float(np.mean(errors <= estimates))
        good &= covered >= COVERED and not innocents.any()
        told = f"{int(named.sum())} of {2 * trials}"
        sizes = f"1e{power:.0f} to 1e{power + 1:.0f}"
        print(f"{sizes:<18}{told:<14}{int(innocents.sum()):<11}{covered:.3f}")
    print("\n" + ("the claims hold" if good else "a claim does not hold"))
    return 0 if options.tiny or good else 1


if __name__ == "__main__":
    sys.exit(main())
