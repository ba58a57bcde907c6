"""Whether error estimates and `tolerance` keep their word where functions are rare, rough or wild.

In each run a scheme with 4 to 60 random blocks (`VeiledReplication`: 4 to 8) and its workers, some
of them late at random, computes a function. A run is silently wrong if its relative error (root
mean square, by the value's, as `error_estimate` is defined) is above 0.5 and its estimate below
0.1. A tolerance is drawn for each run, its logarithm uniform between 1e-3 and 0.5: the run keeps
its word if the estimate is above it, so that no value is returned, or the error is at most the
tolerance. Printed are both, with 95 % intervals (Wilson), for

- the functions that the claim is about: flags, thresholds, a rare ReLU, floor parity, exp(20 x);
- functions that no constant of the estimates was chosen by: one-hot classes, saturated and cold
  exponentials, poles, spikes, stairs, teeth, regimes, alarms on top of what varies;
- smooth ones and a digits network, where it is asked what caution costs: how many times the
  estimate is the error, in the median over the runs that err.

    python benchmarks/estimates_keep_their_word.py [--tiny] [--runs 2000]

It exits with 1 if any run of the first group is silently wrong, if more than 1 in 200 of the second
is, if less than 95 % keep their word in one of these for some scheme, or if the estimates of some
scheme for smooth functions are more than 10 times the errors, in the median.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.bench.measure import share
from anyk.demo.digits import held_out
from anyk.demo.network import logits
from anyk.randomness.entropy import InsecureTestSource
from anyk.schemes.base import AbstractScheme

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

WRONG, TINY = 0.5, 0.1  # an error above the one under an estimate below the other is silent
KEPT, SILENT, TIMES = 0.95, 1 / 200, 10.0
SIZES = (4, 6, 8, 12, 20, 32, 60)
WEIGHTS = np.random.default_rng(7).normal(size=(3, 10, 16))


def score(x: Floats) -> Floats:
    """One number a block, of variance 1: (n, d) to (n, 1)."""
    total: Floats = x.sum(axis=1, keepdims=True) / math.sqrt(x.shape[1])
    return total


def softmax(x: Floats, coldness: float) -> Floats:
    """Probabilities, nearly all of them 0 or 1 where cold."""
    raised = np.exp(coldness * (x - x.max(axis=1, keepdims=True)))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def views(x: Floats) -> Floats:
    """Four linear scores a block, which belong to four classes: (n, 4)."""
    return x @ WEIGHTS[0, : x.shape[1], :4] + np.array([1.0, 0.0, -0.5, -1.0])


CLAIMED: Mapping[str, Function] = {
    "flag, 1 in 9": lambda x: (score(x) > 1.2) * 1.0,
    "flag, 1 in 44": lambda x: (score(x) > 2.0) * 1.0,
    "five flags": lambda x: (score(x) + np.linspace(-1, 1, 5) > 1.5) * 1.0,
    "threshold, 1 or 3": lambda x: np.where(score(x) > 1.5, 3.0, 1.0),
    "threshold, a sign": lambda x: np.where(score(x) > 1.5, -1.0, 1.0),
    "rare ReLU": lambda x: np.maximum(score(x) - 1.5, 0.0),
    "floor parity": lambda x: np.floor(3.0 * score(x)) % 2.0,
    "floor parity, 1 or 2": lambda x: np.floor(score(x)) % 2.0 + 1.0,
    "exp(20 x)": lambda x: np.exp(20.0 * score(x)),
}
HELD_OUT: Mapping[str, Function] = {
    "class, one-hot": lambda x: np.eye(4)[views(x).argmax(axis=1)],
    "class, cold softmax": lambda x: softmax(views(x), 30.0),
    "saturated sigmoid": lambda x: 0.5 + 0.5 * np.tanh(30.0 * (score(x) + 1.3)),
    "spike": lambda x: np.exp(-100.0 * (score(x) - 1.0) ** 2),
    "pole": lambda x: 1.0 / (score(x) ** 2 + 1e-3),
    "stairs": lambda x: np.round(0.8 * score(x)),
    "teeth": lambda x: 2.0 * score(x) % 1.0,
    "clipped": lambda x: np.clip(score(x), -0.3, 0.3),
    "alarm of 100 on 20": lambda x: 20.0 + 80.0 * (np.abs(score(x)) > 1.8),
    "alarm on a sine": lambda x: np.sin(score(x)) + 3.0 * (score(x) > 1.7),
    "power of 30": lambda x: (score(x) + 1.0) ** 30,
    "three dead ReLUs": lambda x: np.maximum(
        score(x) * np.array([[1.0, -1.0, 0.5]]) - np.array([[1.8, 1.8, 0.9]]), 0.0
    ),
    "two regimes": lambda x: np.where(score(x) > 1.0, 5.0 * x[:, :1], 1.0),
    "distance to a wall": lambda x: np.maximum(1.0 - np.abs(score(x) - 1.5), 0.0),
    "digits of a hash": lambda x: np.floor(1e4 * np.sin(1e4 * score(x))) % 10.0,
    "logarithm of a hinge": lambda x: np.log(np.maximum(score(x), 1e-6)),
}
SMOOTH: Mapping[str, Function] = {
    "sin": np.sin,
    "tanh": np.tanh,
    "square": np.square,
    "ReLU network": lambda x: (
        np.maximum(np.maximum(x @ WEIGHTS[1, : x.shape[1]], 0.0) @ WEIGHTS[2].T, 0.0)
        @ WEIGHTS[0, :, :5]
    ),
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One decoding.

    Args:
        error: by the value's root mean square.
        estimate: of it.
        tolerance: that is asked for.
    """

    error: float
    estimate: float
    tolerance: float

    @property
    def silent(self) -> bool:
        """Whether it is far off and says nothing of it."""
        return self.error > WRONG and self.estimate < TINY

    @property
    def met(self) -> bool:
        """Whether a value is returned for this tolerance."""
        return self.estimate <= self.tolerance

    @property
    def kept(self) -> bool:
        """Whether no value is returned that is further off than the tolerance."""
        return not self.met or self.error <= self.tolerance


def make(name: str, rng: np.random.Generator) -> AbstractScheme:
    """A scheme of this name, of a random size."""
    blocks = int(rng.choice(SIZES))
    workers = int(blocks * rng.uniform(1.0, 2.5)) + 1
    if name == "FilledReplication":
        return anyk.FilledReplication(blocks, workers)
    if name == "Spline":
        return anyk.Spline(blocks, workers)
    if name == "Berrut":
        return anyk.Berrut(blocks, workers)
    blocks = min(blocks, 8)
    leakage = float(rng.choice([0.5, 1.0, 3.0]))
    workers = blocks * int(rng.integers(4, 10))
    return anyk.VeiledReplication(blocks, workers, colluders=1, leakage=leakage)


SCHEMES = ("FilledReplication", "Spline", "Berrut", "VeiledReplication")


def rms(values: Floats) -> float:
    """Root mean square, without overflow."""
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    return largest * float(np.sqrt(np.mean((values / largest) ** 2)))


def run(name: str, function: Function, rng: np.random.Generator, data: Floats | None) -> Run:
    """One decoding, from as many answers as a run waits for or any number from there on."""
    scheme = make(name, rng)
    blocks, workers = scheme.problem.blocks, scheme.guarantee.workers
    if data is None:
        X = rng.normal(size=(blocks, int(rng.choice([1, 4, 10]))))
    else:
        X = data[rng.choice(len(data), blocks, replace=False)]
    least = scheme.guarantee.threshold
    count = least if rng.random() < 0.5 else int(rng.integers(least, workers + 1))
    answered = np.sort(rng.choice(workers, count, replace=False))
    encoded = scheme.encode(X, source=InsecureTestSource(int(rng.integers(2**32))))
    recovered = encoded.decode(function(encoded.shares[answered]), answered.tolist())
    missed, size = rms(recovered.value - function(X)), rms(recovered.value)
    return Run(
        error=missed / size if size else math.inf if missed else 0.0,
        estimate=recovered.error_estimate,
        tolerance=float(np.exp(rng.uniform(math.log(1e-3), math.log(0.5)))),
    )


def judge(kind: str, functions: Mapping[str, Function], runs: int, most: float) -> bool:
    """Print the rows of one group of functions; whether the claim holds for it."""
    print(f"\n{kind}")
    print(f"{'scheme':<19}{'function':<23}{'runs':>6}{'silent':>7}  {'met':>6}{'kept':>8}")
    holds = True
    for name in SCHEMES:
        every: list[Run] = []
        for index, (told, function) in enumerate(functions.items()):
            rng = np.random.default_rng([len(kind), SCHEMES.index(name), index])
            each = [run(name, function, rng, None) for _ in range(-(-runs // len(functions)))]
            met = [one for one in each if one.met]
            kept = f"{sum(one.kept for one in met)}" if met else ""
            print(
                f"{name:<19}{told:<23}{len(each):6}{sum(one.silent for one in each):7}  "
                f"{len(met):6}{kept:>8}"
            )
            every += each
        silent, kept_all = sum(one.silent for one in every), sum(one.kept for one in every)
        met = [one for one in every if one.met]
        rates = [
            share(part, whole, digits=2)
            for part, whole in (
                (silent, len(every)),
                (kept_all, len(every)),
                (sum(one.kept for one in met), len(met)),
            )
        ]
        print(
            f"{name:<19}all: silent {silent} of {len(every)}, {rates[0]}\n"
            f"{'':<19}     word kept in {rates[1]} of the runs, "
            f"in {rates[2]} of those that return a value"
        )
        holds &= silent <= most * len(every) and kept_all >= KEPT * len(every)
    return holds


def cost(runs: int) -> bool:
    """Print how many times the estimate is the error; whether it stays useful."""
    print(
        "\nsmooth functions: estimate / error, median (10 % to 90 %); errors below their estimate"
    )
    digits = held_out()[0]
    digits = digits.reshape(len(digits), -1)
    cases = [(told, function, None) for told, function in SMOOTH.items()]
    holds = True
    for name in SCHEMES:
        every: list[float] = []
        for index, (told, function, data) in enumerate([*cases, ("digits", logits, digits)]):
            rng = np.random.default_rng([9, SCHEMES.index(name), index])
            each = [run(name, function, rng, data) for _ in range(runs // 10 + 1)]
            erring = [one for one in each if one.error > 1e-12]
            every += (ratios := [one.estimate / one.error for one in erring])
            low, median, high = np.percentile(ratios, (10, 50, 90))
            below = sum(one.error <= one.estimate for one in erring)
            print(
                f"{name:<19}{told:<14}{len(erring):5} runs {median:7.2f} ({low:.2g} to {high:.2g})"
                f"  {share(below, len(erring), digits=2)}"
            )
        holds &= bool(np.median(every) <= TIMES)
    return holds


def main() -> int:
    """Print all, and judge the claim."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tiny", action="store_true", help="a quick look: few runs")
    parser.add_argument("--runs", type=int, default=2000, help="of each scheme and group")
    options = parser.parse_args()
    runs = 90 if options.tiny else options.runs
    claimed = judge("functions that the claim is about", CLAIMED, runs, 0.0)
    others = judge("functions that nothing was chosen by", HELD_OUT, runs, SILENT)
    useful = cost(runs)
    print(f"\nclaim: {'holds' if claimed and others and useful else 'FAILS'}")
    return 0 if claimed and others and useful else 1


if __name__ == "__main__":
    sys.exit(main())
