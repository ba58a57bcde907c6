"""A rack of neighbouring workers costs no more than as many workers anywhere.

S workers never answer, or A workers lie: in one run of neighbouring numbers, a rack, or at random
numbers. Every scheme decodes the same batches both ways. The functions are the demo's digits
network (scores, and probabilities), and analytic ones of random vectors; none of them was used to
choose where workers stand. Printed are:

- the root mean square error over all batches when S are late in a rack, over that when S are late
  anywhere, for each function and in the geometric mean, for `Spline`, `Spline(ordering=None)`,
  `Berrut`, `FilledReplication` and `VeiledReplication`. An error below a hundredth of the value's
  size counts as that: nearly nothing was lost;
- for `AnalogLagrange`, which computes polynomials to rounding, the same ratio of the condition
  numbers of the recoveries, in the geometric mean over all racks and as many random sets;
- the share of liars that are named, in a rack and anywhere, for `Spline` and
  `VeiledReplication`: random answers of honest size, and answers with the sign turned. `Berrut`
  leaves liars out and names few: for it, the share that is left out.

Intervals are 95 %, by bootstrap over batches; of liars, half as many batches are drawn.

    python benchmarks/rack_like_scattered.py [--tiny] [--batches 40]

It exits with 1 if, for a scheme, a function's ratio is above 1.3, or liars in a rack are named
less often than those anywhere by more than 5 points.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.demo.digits import held_out
from anyk.demo.network import logits
from anyk.schemes.approximate.berrut.recovery import BerrutRecovery

Floats = NDArray[np.float64]
Make = Callable[..., anyk.AbstractScheme]

RATIO, POINTS = 1.3, 0.05
NEGLIGIBLE = 0.01
WIDTH = 6  # numbers in a block of the analytic functions
CURVES: dict[str, Make] = {
    "Spline": anyk.Spline,
    "Spline(ordering=None)": partial(anyk.Spline, ordering=None),
    "Berrut": anyk.Berrut,
}
SHAPES = ((60, 20, 5), (40, 12, 6), (100, 30, 25))
COPIES = ((40, 40, 8), (36, 24, 18), (50, 20, 33))
POLYNOMIALS = ((3, 2, 20, 4), (5, 2, 40, 8), (4, 3, 30, 6), (8, 1, 64, 12))
LIARS = ((60, 20, 5), (40, 10, 4), (100, 30, 8))
VEILED = ((60, 4, 4), (48, 8, 3))
VEILED_LATE = ((60, 4, 15), (48, 8, 12), (40, 2, 16))
BITS = 1.0


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function, and batches of blocks for it."""

    compute: Callable[[Floats], Floats]
    draw: Callable[[np.random.Generator, int], Floats]
    data_std: float = 1.0


def veiled(f: Function) -> Make:
    """`VeiledReplication` for the data of a function."""
    return partial(anyk.VeiledReplication, colluders=1, leakage=BITS, data_std=f.data_std)


def digits(rng: np.random.Generator, blocks: int) -> Floats:
    """Digits that the network was not taught with, ink from 0 to 1."""
    images, _ = held_out()
    return np.asarray(images[rng.choice(len(images), blocks, replace=False)])


def vectors(rng: np.random.Generator, blocks: int) -> Floats:
    """Standard normal vectors."""
    return rng.normal(size=(blocks, WIDTH))


def probabilities(images: Floats) -> Floats:
    """The softmax of the network's scores."""
    raised = np.exp((scores := logits(images)) - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def functions() -> dict[str, Function]:
    """The functions of this benchmark."""
    images, _ = held_out()
    ink = float(np.sqrt(np.mean((images - images.mean(axis=0)) ** 2)))
    mix = np.random.default_rng(77).normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH)
    analytic: dict[str, Callable[[Floats], Floats]] = {
        "x arctan(x)": lambda x: x @ mix * np.arctan(x @ mix),
        "cosine of a mixture": lambda x: np.cos(1.5 * x @ mix + np.arange(WIDTH)),
        "1 / (1 + |x|^2)": lambda x: 1.0 / (1.0 + (x[..., None, :] - mix) ** 2).sum(axis=-1),
        "log(1 + exp(2x))": lambda x: np.logaddexp(0.0, 2.0 * x @ mix),
    }
    network = {
        "digits, scores": Function(compute=logits, draw=digits, data_std=ink),
        "digits, probabilities": Function(compute=probabilities, draw=digits, data_std=ink),
    }
    return network | {name: Function(compute=f, draw=vectors) for name, f in analytic.items()}


def rack(rng: np.random.Generator, workers: int, size: int) -> NDArray[np.intp]:
    """A run of neighbouring workers."""
    return np.arange(size) + rng.integers(workers - size + 1)


def anywhere(rng: np.random.Generator, workers: int, size: int) -> NDArray[np.intp]:
    """As many workers at random."""
    return np.asarray(rng.choice(workers, size, replace=False))


PLACES = (rack, anywhere)


def late_errors(make: Make, f: Function, shape: tuple[int, int, int], batches: int) -> Floats:
    """Mean square errors by that of the value, ndarray (batches, 2): rack and anywhere."""
    workers, blocks, late = shape
    rng = np.random.default_rng([23, *shape])
    errors = np.empty((batches, 2))
    for batch in range(batches):
        X = f.draw(rng, blocks)
        encoded, truth = make(blocks, workers, stragglers=late).encode(X), f.compute(X)
        answers, size = f.compute(encoded.shares), float(np.mean(truth**2))
        for side, place in enumerate(PLACES):
            answered = np.setdiff1d(np.arange(workers), place(rng, workers, late))
            value = encoded.decode(answers[answered], answered.tolist()).value
            errors[batch, side] = float(np.mean((value - truth) ** 2)) / size
    return errors


def resampled(samples: list[Floats], figure: Callable[[list[Floats]], float]) -> tuple[float, ...]:
    """A figure of samples (batches, ..), and its 95 % interval by bootstrap over batches."""
    rng = np.random.default_rng(0)
    figures = [
        figure([each[rng.integers(len(each), size=len(each))] for each in samples])
        for _ in range(1000)
    ]
    low, high = np.quantile(figures, [0.025, 0.975])
    return figure(samples), float(low), float(high)


def ratio(samples: list[Floats]) -> float:
    """Of root mean square errors, the geometric mean over the samples."""
    sides = np.array([np.sqrt(each.mean(axis=0)) for each in samples])
    sides = np.maximum(sides, NEGLIGIBLE)
    return float(np.exp(np.mean(np.log(sides[:, 0] / sides[:, 1]))))


def judged_ratio(name: str, samples: dict[str, list[Floats]]) -> bool:
    """Print the ratios of a scheme; whether that of every function is small enough."""
    good = True
    for title, each in samples.items():
        found, low, high = resampled(each, ratio)
        good &= found <= RATIO
        print(f"    {title:<26}{found:6.2f}  ({low:.2f} to {high:.2f})")
    found, low, high = resampled([each for one in samples.values() for each in one], ratio)
    print(f"{name:<30}{found:6.2f}  ({low:.2f} to {high:.2f})\n", flush=True)
    return good


def late_workers(chosen: dict[str, Function], batches: int) -> bool:
    """Print the table of late workers; whether no ratio is too large."""
    print("error when S are late in a rack / anywhere\n")
    good = True
    sides = [(name, make, SHAPES) for name, make in CURVES.items()]
    sides.append(("FilledReplication", anyk.FilledReplication, COPIES))
    for name, make, shapes in [*sides, ("VeiledReplication", None, VEILED_LATE)]:
        samples = {
            title: [late_errors(make or veiled(f), f, shape, batches) for shape in shapes]
            for title, f in chosen.items()
        }
        good &= judged_ratio(name, samples)
    return good


def conditions(batches: int) -> bool:
    """Print the ratio of condition numbers; whether it is small enough."""
    samples = []
    for blocks, degree, workers, late in POLYNOMIALS:
        scheme = anyk.AnalogLagrange(blocks, degree, workers, stragglers=late, tolerance=1e3)
        encoded, rng = scheme.encode(np.zeros(blocks)), np.random.default_rng([29, workers])
        pairs = [
            [
                encoded.recovery(np.setdiff1d(np.arange(workers), who).tolist()).condition
                for who in (place(rng, workers, late) for place in PLACES)
            ]
            for _ in range(batches)
        ]
        samples.append(np.log(np.array(pairs)))

    def mean(samples: list[Floats]) -> float:
        return float(np.exp(np.mean([np.mean(each[:, 0] - each[:, 1]) for each in samples])))

    found, low, high = resampled(samples, mean)
    print(f"AnalogLagrange: condition number in a rack / anywhere: {found:.2f} ", end="")
    print(f"({low:.2f} to {high:.2f})\n", flush=True)
    return found <= RATIO


def lie(kind: str, answers: Floats, liars: NDArray[np.intp], rng: np.random.Generator) -> Floats:
    """The answers, with lies in some rows."""
    spoiled = answers.copy()
    if kind == "random":
        spoiled[liars] = answers.std() * rng.standard_normal((len(liars), *answers.shape[1:]))
    else:
        spoiled[liars] *= -1.0
    return spoiled


def told(encoded: anyk.Encoded, answers: Floats) -> set[int]:
    """Whom the decoder names; of Berrut's, whom it leaves out; nobody where it refuses."""
    recovery = encoded.recovery(range(len(answers)))
    if isinstance(recovery, BerrutRecovery):
        return set(recovery.locate(answers).removed)
    try:
        return set(recovery.recover(answers).suspects)
    except anyk.TooManyErrors:
        return set()


def named(make: Make, f: Function, shape: tuple[int, int, int], batches: int) -> Floats:
    """The share of the liars that are named, ndarray (batches, 2): rack and anywhere."""
    workers, blocks, liars = shape
    rng = np.random.default_rng([31, *shape])
    shares = np.empty((batches, 2))
    for batch in range(batches):
        encoded = make(blocks, workers, stragglers=0, adversaries=liars).encode(f.draw(rng, blocks))
        answers, kind = f.compute(encoded.shares), ("random", "sign")[batch % 2]
        for side, place in enumerate(PLACES):
            who = place(rng, workers, liars)
            found = told(encoded, lie(kind, answers, who, rng))
            shares[batch, side] = len(found & set(who.tolist())) / liars
    return shares


def lying_workers(chosen: dict[str, Function], batches: int) -> bool:
    """Print the table of liars; whether those in a rack are named as often."""
    print("share of liars named (Berrut: left out) in a rack, anywhere, and the difference\n")
    good = True

    def side(samples: list[Floats], which: int) -> float:
        return float(np.mean([each[:, which].mean() for each in samples]))

    def less(samples: list[Floats]) -> float:
        return side(samples, 0) - side(samples, 1)

    for name in (*CURVES, "VeiledReplication"):
        samples = []
        for f in chosen.values():
            shapes = VEILED if name == "VeiledReplication" else LIARS
            make = CURVES.get(name) or veiled(f)
            samples += [named(make, f, shape, batches) for shape in shapes]
        found, low, high = resampled(samples, less)
        print(
            f"{name:<24}{side(samples, 0):7.1%}{side(samples, 1):8.1%}  "
            f"{100 * found:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})",
            flush=True,
        )
        good &= found >= -POINTS
    return good


def main() -> int:
    """Print the tables, and say whether the claims hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=40, help="for each function and shape")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    batches = 2 if options.tiny else options.batches
    chosen = functions()
    if options.tiny:
        chosen = dict(list(chosen.items())[::3])
    print(f"{batches} batches for each function and shape; 95 % intervals by bootstrap\n")
    good = late_workers(chosen, batches)
    good &= conditions(10 if options.tiny else 300)
    good &= lying_workers(chosen, max(1, batches // 2))
    print("\n" + ("all claims hold" if good else "a claim does not hold"))
    return 0 if options.tiny or good else 1


if __name__ == "__main__":
    sys.exit(main())
