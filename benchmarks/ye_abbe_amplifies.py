"""By how much `YeAbbe` amplifies rounding, by its points: the worst set of workers that answer.

N workers and blocks, any N - S answers, each of 1/m of a result. Points: as published (1, -1, 1.5,
-1.5, ..), the Chebyshev nodes, the roots of unity in order, and those of `YeAbbe`: the roots of
unity, with the workers who hold one block far from each other. For m = 1 also `CyclicMDS`, which
has the same load and bytes.

Columns: sets of late workers that were tried, all of them (*) or all runs of neighbours, of workers
and of points, and 2,000 at random; sqrt(sum_n |a_n B_n|^2 / N) of the worst slice, by which errors
of answers weigh more in the sum than in a plain one, worst and median ("lost" where the decoder
errs by more than 1e-3); the worst relative error of sums of 64 x N normal numbers.

    python benchmarks/ye_abbe_amplifies.py [--tiny]

It exits with 1 if `YeAbbe` does not amplify least on a line (but for S = m = 1, where `CyclicMDS`
amplifies not at all), or one of its sums errs by more than 1e-12.
"""

from __future__ import annotations

import argparse
import math
import sys

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.bench.measure import table
from anyk.codes.analog.gradient import Decoder, late_sets
from anyk.codes.exact.slices import SliceCode, published_points, spread_points
from anyk.works.slices import packed, sliced

SIZES = [
    (12, 1, 1), (12, 3, 1), (12, 1, 2), (12, 2, 2), (12, 3, 2), (12, 3, 3), (12, 2, 4), (24, 3, 1),
    (24, 6, 1), (24, 3, 2), (24, 6, 2), (24, 2, 3), (48, 3, 1), (48, 12, 1), (48, 3, 2), (48, 6, 2),
    (48, 3, 4),
]  # fmt: skip
LIMIT = 1e-12
WIDTH = 64
FEW = 200  # sets of which errors are measured
LOST = 1e-3  # an error from which on the decoder is wrong, and so is its amplification


def points_of(workers: int, stragglers: int, message: int) -> dict[str, NDArray]:
    """All sets of points that are compared."""
    places = np.arange(workers)
    return {
        "published": published_points(workers),
        "Chebyshev": np.cos((2 * places + 1) * np.pi / (2 * workers)),
        "roots of unity": np.exp(2j * np.pi * places / workers),
        "YeAbbe": spread_points(workers, stragglers + message - 1, message),
    }


def sets_of(points: NDArray, stragglers: int) -> NDArray[np.intp]:
    """Sets of late workers: all, or neighbours by number and by point, and some at random."""
    late = late_sets(len(points), stragglers)
    if len(late) == math.comb(len(points), stragglers):
        return late
    order = np.argsort(np.angle(points) if np.iscomplexobj(points) else points)
    runs = (np.arange(len(points))[:, None] + np.arange(stragglers)) % len(points)
    return np.concatenate([late, order[runs]])


def measured(points: NDArray, stragglers: int, message: int) -> tuple[int, float, float, float]:
    """How many sets; the worst and the median amplification; the worst error."""
    workers = len(points)
    code, late = SliceCode(points, stragglers, message), sets_of(points, stragglers)
    f = np.random.default_rng(workers).standard_normal((workers, WIDTH))
    truth = f.sum(axis=0)
    rows = [sliced(packed(each, f.dtype), message) for each in f]
    answers = code.matrix @ np.concatenate(rows)
    amplified, worst = [], 0.0
    for place, missing in enumerate(late):
        answered = np.delete(np.arange(workers), missing).tolist()
        amplified.append(code.amplification(answered))
        if place % max(1, len(late) // FEW) == 0:
            sums = code.decoder(answered) @ answers[answered]
            value = np.ascontiguousarray(sums).view(float).ravel()[:WIDTH]
            worst = max(worst, float(np.linalg.norm(value - truth) / np.linalg.norm(truth)))
    return len(late), max(amplified), float(np.median(amplified)), worst


def main() -> int:
    """Print the table, and say whether the claims hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a few seconds")
    options = parser.parse_args()
    lines, held = [], True
    for workers, stragglers, message in SIZES[:5] if options.tiny else SIZES:
        scheme = anyk.YeAbbe(workers, stragglers, message)
        found = {
            name: measured(points, stragglers, message)
            for name, points in points_of(workers, stragglers, message).items()
        }
        if message == 1:
            code, late = anyk.CyclicMDS(workers, stragglers).code, late_sets(workers, stragglers)
            amplified = Decoder(code.matrix, workers - stragglers).amplified(late)
            worst, median = float(amplified.max()), float(np.median(amplified))
            found["CyclicMDS"] = (len(late), worst, median, math.nan)
        for name, (sets, worst, median, error) in found.items():
            every = "*" if sets == math.comb(workers, stragglers) else ""
            size = f"{workers}, {stragglers}, {message}" if name == "published" else ""
            load = f"{scheme.guarantee.load:g}" if size else ""
            told = "-" if math.isnan(error) else f"{error:.1e}"
            numbers = ["lost", "lost", told]
            if not error > LOST:
                numbers = [f"{worst:.3g}", f"{median:.3g}", told]
            lines.append([size, load, name, f"{sets:,}{every}", *numbers])
        ours = found["YeAbbe"]
        best = min(worst for name, (_, worst, _, error) in found.items() if not error > LOST)
        held = held and ours[3] <= LIMIT and (ours[1] <= best or (message == 1 and stragglers == 1))
    print(table(["N, S, m", "load", "points", "sets", "worst", "median", "error"], lines))
    print("* all sets there are")
    print(f"\nclaim: the points of YeAbbe amplify least, and err by at most {LIMIT:g}: {held}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
