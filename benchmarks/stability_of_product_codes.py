"""Codes for matrix products in floating point: condition numbers and errors by who is missing.

n workers, s of them missing, k = n - s unknowns; for 2,000 sets of workers that answer (all of
them, where there are fewer, and else sets at random with all gaps of s neighbours among them): the
condition number of what is solved, and the relative error of k blocks of 64 random numbers that are
encoded and solved for in double precision. Points are in their natural order, so that gaps are
gaps. Vandermonde's matrix on integers and on [-1, 1], Chebyshev polynomials (OrthoPolynomial, and
orthonormal), roots of unity (complex), their real form (Polynomial over the reals), Rotation,
Circulant (for n up to 31: its matrices are n - 1 times as large), and random parities with the
blocks themselves (MDS and Polynomial where many shares are spare). Then pieces: k = 200 and 400 of
1.2 k, over 200 sets at random and all gaps.

    python benchmarks/stability_of_product_codes.py [--tiny] [--sets 2000] [--picture PATH.png]

It exits with 1 if the worst condition numbers of n = 31, s = 2 are not the published ones (3e13,
1.2e4, 55 and 55), if the real form of roots of unity is not as stable as roots of unity, or if
random parities err by more than 1e-10 anywhere.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyk.bench.reproduce.picture import (
    BACC,
    CURVE,
    INK,
    LETCC,
    OURS,
    QUIET,
    SPARE,
    Picture,
    draw,
    require_matplotlib,
    tidy,
)
from anyk.codes.analog.chebyshev import chebyshev, chebyshev_points
from anyk.codes.analog.circle import circle
from anyk.codes.analog.circulant import prime_from, shifts
from anyk.codes.analog.parities import parities
from anyk.codes.analog.rotation import rotations, turns
from anyk.codes.analog.trigonometric import trigonometric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 64
LIMIT = 1e-10  # of the errors of random parities
LARGEST_CIRCULANT = 31
LARGEST, SMALL = 100, {"integers", "[-1, 1]", "orthonormal Chebyshev", "Rotation"}
PIECES = ((240, 40), (480, 80))
PUBLISHED = {"[-1, 1]": 2.95e13, "Chebyshev": 1.22e4, "Rotation": 55.0, "Circulant": 55.0}


def plain_chebyshev(n: int, k: int) -> NDArray[Any]:
    """T_0, .., T_(k-1) at Chebyshev's points."""
    return np.cos(np.arccos(chebyshev_points(n))[:, None] * np.arange(k))


def random_parities(n: int, k: int) -> NDArray[Any]:
    """The blocks, and random combinations."""
    return np.vstack([np.eye(k), parities(n - k, k, 1)[0]])


CODES: dict[str, tuple[str, Callable[[int, int], NDArray[Any]]]] = {
    "integers": (QUIET, lambda n, k: np.vander(np.arange(1.0, n + 1), k, increasing=True)),
    "[-1, 1]": (SPARE, lambda n, k: np.vander(np.linspace(-1, 1, n), k, increasing=True)),
    "Chebyshev": (LETCC, plain_chebyshev),
    "orthonormal Chebyshev": ("#b07800", lambda n, k: chebyshev(np.arange(n), n, np.arange(k))),
    "roots of unity": (CURVE, lambda n, k: np.vander(circle(n), k, increasing=True)),
    "trigonometric": (OURS, lambda n, k: trigonometric(np.arange(n), n, k)),
    "Rotation": (INK, lambda n, k: rotations(np.outer(np.arange(n), np.arange(k)), turns(n))),
    "Circulant": (
        "#7a7ab8",
        lambda n, k: shifts(np.outer(np.arange(n), np.arange(k)), prime_from(n)),
    ),
    "random parities": (BACC, random_parities),
}


@dataclass(frozen=True)
class Measured:
    """What one code did.

    Args:
        conditions: of all sets, ndarray.
        errors: relative, ndarray.
        every: whether these are all the sets there are.
    """

    conditions: NDArray[np.float64]
    errors: NDArray[np.float64]
    every: bool


def sets_of(
    n: int, k: int, most: int, rng: np.random.Generator
) -> tuple[list[NDArray[np.intp]], bool]:
    """Sets of k workers that answer, and whether they are all."""
    if math.comb(n, k) <= most:
        return [np.array(each) for each in itertools.combinations(range(n), k)], True
    missing = n - k
    gaps = [np.delete(np.arange(n), (np.arange(missing) + first) % n) for first in range(n)]
    drawn = [np.sort(rng.permutation(n)[:k]) for _ in range(most - len(gaps))]
    return gaps + drawn, False


def measure(
    matrix: NDArray[Any], n: int, sets: list[NDArray[np.intp]], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Condition numbers and errors of a code over sets of workers."""
    each = len(matrix) // n
    unknown = rng.standard_normal((matrix.shape[1], WIDTH))
    values = matrix @ unknown
    conditions, errors = [], []
    for who in sets:
        rows = (who[:, None] * each + np.arange(each)).ravel()
        own = matrix[rows]
        conditions.append(float(np.linalg.cond(own)))
        try:
            found = np.linalg.solve(own, values[rows])
        except np.linalg.LinAlgError:
            errors.append(math.inf)
            continue
        errors.append(float(np.linalg.norm(found - unknown) / np.linalg.norm(unknown)))
    return np.array(conditions), np.array(errors)


def measured(n: int, s: int, most: int) -> dict[str, Measured]:
    """All codes for one number of workers, of whom s are missing."""
    rng = np.random.default_rng([n, s])
    sets, every = sets_of(n, n - s, most, rng)
    found = {}
    for name, (_, code) in CODES.items():
        if (name == "Circulant" and n > LARGEST_CIRCULANT) or (n > LARGEST and name in SMALL):
            continue
        few, all_of_them = sets, every
        if name == "Circulant" and len(sets) > 2 * n:  # large matrices: gaps, which are the worst
            few, all_of_them = sets_of(n, n - s, 2 * n, rng)
        found[name] = Measured(*measure(code(n, n - s), n, few, rng), every=all_of_them)
    return found


def table(n: int, s: int, results: dict[str, Measured]) -> str:
    """The results for one setting."""
    lines = [f"n = {n}, s = {s}", f"{'':24}{'sets':>7}{'condition number':>22}{'error':>20}"]
    lines.append(f"{'':31}{'worst':>12}{'median':>10}{'worst':>12}{'median':>10}")
    for name, one in results.items():
        many = f"{len(one.errors):,}" + "*" * one.every
        numbers = [one.conditions.max(), np.median(one.conditions)]
        numbers += [one.errors.max(), np.median(one.errors)]
        told = "".join(f"{number:{12 - 2 * (at % 2)}.1e}" for at, number in enumerate(numbers))
        lines.append(f"{name:24}{many:>7}{told}")
    return "\n".join(lines) + "\n"


def picture(results: dict[tuple[int, int], dict[str, Measured]]) -> Picture:
    """Condition numbers and errors by the number of workers, for each redundancy."""
    kinds = ("2 missing", "3 missing", "25 % missing")

    def missing(kind: str, n: int) -> int:
        return quarter(n) if "%" in kind else int(kind[0])

    def paint(figure: Figure) -> None:
        grid = figure.subplots(2, len(kinds), sharex=True, sharey="row")
        for column, kind in enumerate(kinds):
            known = {n: found for (n, s), found in sorted(results.items()) if s == missing(kind, n)}
            above, below = grid[0, column], grid[1, column]
            tidy(above, kind, x="", y="" if column else "condition number")
            tidy(below, "", x="workers", y="" if column else "relative error")
            for name, (colour, _) in CODES.items():
                there = [n for n in known if name in known[n]]
                for axes, what in ((above, "conditions"), (below, "errors")):
                    sets = [getattr(known[n][name], what) for n in there]
                    worst, middle = [one.max() for one in sets], [np.median(one) for one in sets]
                    axes.plot(there, worst, "o-", color=colour, ms=3, lw=1.4, label=name)
                    axes.plot(there, middle, ":", color=colour, lw=1.0)
            above.set(yscale="log", ylim=(1, 1e20))
            below.set(yscale="log", ylim=(1e-16, 1e4))
        lines, names = grid[0, 0].get_legend_handles_labels()
        style = {"fontsize": 7, "frameon": False, "columnspacing": 1.2, "ncols": len(names)}
        figure.legend(lines, names, loc="upper left", bbox_to_anchor=(0.03, 0.935), **style)
        figure.subplots_adjust(0.06, 0.11, 0.985, 0.85, wspace=0.05, hspace=0.14)

    return Picture(
        title="Which points keep their digits when workers are missing",
        caption="Worst (lines) and median (dots) of up to 2,000 sets of answers, all gaps of "
        "neighbours among them. Beyond a condition number of 1e16 no digit is left.",
        size=(11.0, 6.6),
        paint=paint,
    )


def quarter(n: int) -> int:
    """25 % of n, rounded."""
    return round(n / 4)


def held(results: dict[tuple[int, int], dict[str, Measured]]) -> bool:
    """Whether the claims hold."""
    good = True
    if (31, 2) in results:
        for name, number in PUBLISHED.items():
            one = results[31, 2][name]
            worst = one.conditions.max()
            close = abs(worst / number - 1.0) < 0.02
            print(f"{name}: published for n = 31, s = 2: {number:.3g}; here {worst:.4g}")
            good = good and close
    for found in results.values():
        real, roots = found["trigonometric"].conditions, found["roots of unity"].conditions
        exact = roots < 1e10  # beyond, condition numbers are rounding
        good = good and bool(np.allclose(real[exact], roots[exact], rtol=1e-4))
        good = good and bool(found["random parities"].errors.max() < LIMIT)
    return good


def main() -> int:
    """Print the tables, draw the picture, and say whether the claims hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=2000, help="of workers that answer, at most")
    parser.add_argument("--picture", type=Path, help="where to write the picture, a PNG")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    if options.picture is not None:
        require_matplotlib()
    sizes = (8, 12) if options.tiny else (12, 24, 31, 40, 60)
    most = 100 if options.tiny else options.sets
    results, good = {}, True
    for n in sizes:
        for s in sorted({2, 3, quarter(n)}):
            results[n, s] = measured(n, s, most)
            print(table(n, s, results[n, s]), flush=True)
    for n, s in ((36, 6),) if options.tiny else PIECES:
        pieces = measured(n, s, min(most, 200) + n)
        print("pieces: " + table(n, s, pieces), flush=True)
        held_there = pieces["random parities"].errors.max() < LIMIT
        good = good and bool(held_there)
    print("* all sets there are\n")
    if options.picture is not None:
        draw(picture(results), options.picture)
    return 0 if options.tiny or (held(results) and good) else 1


if __name__ == "__main__":
    sys.exit(main())
