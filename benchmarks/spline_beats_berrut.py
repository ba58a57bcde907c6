"""How far `Spline` is ahead of `Berrut`: a digits network on coded batches, with late workers.

A 64-64-32-10 ReLU network reads K images at a time. The images are encoded for N workers, S of
whom (at random) never answer; the logits are decoded from the rest. Compared with the logits of
the images themselves: the root mean square over the K images of the error's norm, and how often
the argmax agrees. All schemes see the same batches and the same stragglers.

    python benchmarks/spline_beats_berrut.py [--tiny] [--batches 30]

It exits with 1 if the geometric mean of RMSE(Berrut) / RMSE(Spline) is below 2.8.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from anyk.schemes.base import AbstractScheme
from anyk.schemes.berrut import Berrut
from anyk.schemes.spline import Spline

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

ROWS = ((100, 60, 20), (60, 20, 10), (60, 20, 35), (20, 8, 3), (100, 20, 40))
NEEDED = 2.8
SCHEMES: dict[str, Callable[[int, int], AbstractScheme]] = {
    "Berrut, given order": Berrut,
    "Spline, ordering=None": partial(Spline, ordering=None),
    "Spline": Spline,
}


def train(images: Floats, labels: NDArray[np.int64], iterations: int) -> Function:
    """A 64-64-32-10 ReLU network; images (n, 64) to logits (n, 10)."""
    network = MLPClassifier(hidden_layer_sizes=(64, 32), max_iter=iterations, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(images, labels)

    def logits(x: Floats) -> Floats:
        for weight, bias in zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True):
            x = np.maximum(x @ weight + bias, 0.0)
        return np.asarray(x @ network.coefs_[-1] + network.intercepts_[-1])

    return logits


def coded(scheme: AbstractScheme, batch: Floats, answered: list[int], f: Function) -> Floats:
    """The logits of a batch by way of coded workers."""
    encoded = scheme.encode(batch)
    return encoded.decode(f(encoded.shares[answered]), answered).value


def rmse(value: Floats, truth: Floats) -> float:
    """Root mean square over the images of the error's norm."""
    return float(np.sqrt(np.mean(np.sum((value - truth) ** 2, axis=1))))


def agreement(value: Floats, truth: Floats) -> float:
    """The share of images whose largest logit is the same."""
    return float(np.mean(value.argmax(axis=1) == truth.argmax(axis=1)))


def replicated(truth: Floats, workers: int, answered: list[int]) -> float:
    """Agreement of replication: worker n has image n mod K; a lost image is a wrong one."""
    alive = np.unique(np.array(answered) % len(truth))
    return len(alive) / len(truth) if workers >= len(truth) else 0.0


def interval(errors: Floats, baseline: Floats) -> tuple[float, float, float]:
    """Ratio of mean errors, and its 95 % bootstrap interval over batches."""
    rng = np.random.default_rng(0)
    picks = rng.integers(len(errors), size=(2000, len(errors)))
    ratios = baseline[picks].mean(axis=1) / errors[picks].mean(axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(baseline.mean() / errors.mean()), float(low), float(high)


def row(
    f: Function, images: Floats, shape: tuple[int, int, int], batches: int
) -> tuple[dict[str, Floats], float]:
    """By scheme an ndarray (batches, 2) of RMSE and agreement; and replication's agreement."""
    workers, blocks, late = shape
    rng = np.random.default_rng([workers, blocks, late])
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in SCHEMES}
    copies = []
    for _ in range(batches):
        batch = images[rng.choice(len(images), blocks, replace=False)]
        answered = sorted(rng.choice(workers, workers - late, replace=False).tolist())
        truth = f(batch)
        for name, make in SCHEMES.items():
            value = coded(make(blocks, workers), batch, answered, f)
            results[name].append((rmse(value, truth), agreement(value, truth)))
        copies.append(replicated(truth, workers, answered))
    return {name: np.array(pairs) for name, pairs in results.items()}, float(np.mean(copies))


def main() -> int:
    """Print the table, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=30, help="batches a row")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    batches = 3 if options.tiny else options.batches
    digits = load_digits()
    images = digits.data / 16.0
    f = train(images, digits.target, iterations=20 if options.tiny else 300)
    print(f"RMSE of the logits and agreement of the argmax, {batches} batches a row; RMSE of")
    print("Berrut divided by RMSE, with its 95 % bootstrap interval over batches\n")
    print(f"{'(N, K, S)':>14}  {'scheme':<22}{'RMSE':>8}{'agrees':>9}{'Berrut / it':>13}")
    ratios = []
    for shape in ROWS:
        results, copies = row(f, images, shape, batches)
        baseline = results["Berrut, given order"][:, 0]
        for name, pairs in results.items():
            ratio, low, high = interval(pairs[:, 0], baseline)
            print(
                f"{shape!s:>14}  {name:<22}{pairs[:, 0].mean():8.3f}{pairs[:, 1].mean():9.3f}"
                f"{ratio:9.2f}  [{low:.2f}, {high:.2f}]"
            )
        print(f"{shape!s:>14}  {'Replication':<22}{'':8}{copies:9.3f}\n")
        ratios.append(ratio)
    mean = float(np.exp(np.mean(np.log(ratios))))
    print(f"geometric mean of RMSE(Berrut) / RMSE(Spline): {mean:.2f}; claimed: {NEEDED}")
    return 0 if options.tiny or mean >= NEEDED else 1


if __name__ == "__main__":
    sys.exit(main())
