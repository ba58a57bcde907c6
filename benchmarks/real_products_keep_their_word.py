"""Products in floating point: is the error within the estimate that comes with the value?

1,000 draws a code, of sizes from 1 to 512 for the inner dimension, vectors among them, and of sets
of answers: in half of the draws as many as are enough, in the others up to three more. The truth is
the product in extended precision. The factors are, in turn: positive numbers far from 0; a product
that nearly cancels; rows of scales from 1e-8 to 1e8; columns of such scales, and the rows of B of
the opposite; Cauchy's distribution; numbers of single precision; small integers. These were looked
at while the estimate was made. A second table has draws that were not: lognormal numbers over many
decades; nearly rank one; sparse; a Hilbert matrix; rows of alternating signs; groups of columns of
scales from 1e-10 to 1e10; smooth functions.

    python benchmarks/real_products_keep_their_word.py [--tiny] [--draws 1000]

It exits with 1 if the error is within its estimate in less than 95 % of the draws of any code, or
the median of estimate / error is not between 1 and 30.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.bench.measure import wilson
from anyk.schemes.products.base import AbstractProduct

R, C = anyk.Reals(), anyk.Complex()
CODES: tuple[AbstractProduct, ...] = (
    anyk.MDS((8, 1, 1), 10, R),
    anyk.MDS((40, 1, 1), 12, R, pieces=4),
    anyk.MDS((10, 1, 1), 30, R),
    anyk.MDS((6, 1, 1), 9, C),
    anyk.Polynomial((2, 1, 3), 8, R),
    anyk.Polynomial((4, 1, 4), 17, R),
    anyk.Polynomial((3, 1, 3), 20, R),
    anyk.Polynomial((5, 1, 6), 9, R, pieces=5),
    anyk.Polynomial((3, 1, 3), 12, C),
    anyk.MatDot((1, 4, 1), 10, R),
    anyk.Entangled((2, 2, 2), 12, R),
    anyk.OrthoMatDot((1, 4, 1), 10),
    anyk.OrthoPolynomial((3, 1, 3), 12),
    anyk.Rotation((8, 1, 1), 7),
    anyk.Rotation((4, 1, 6), 9),
    anyk.Circulant((12, 1, 1), 5),
)
LONGEST = 9  # the inner dimension is up to 2 to the power of this

Factors = tuple[NDArray[np.float64], NDArray[np.float64]]


def positive(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """Far from 0."""
    return rng.exponential(1.0, (r, d)) + 5.0, rng.exponential(1.0, (d, c)) + 5.0


def cancelling(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """A product a million times smaller than its terms, if there are more of these than rows."""
    A, B = rng.standard_normal((r, d)), rng.standard_normal((d, c))
    return A, B - (1.0 - 1e-6) * np.linalg.pinv(A) @ (A @ B) if d > r else B


def rows_of_any_scale(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """From 1e-8 to 1e8."""
    return 10.0 ** rng.uniform(-8, 8, (r, 1)) * rng.standard_normal((r, d)), rng.random((d, c))


def columns_of_any_scale(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """Made up for by the rows of B."""
    scale = 10.0 ** rng.uniform(-8, 8, d)
    return scale * rng.standard_normal((r, d)), rng.standard_normal((d, c)) / scale[:, None]


def heavy(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """Without a variance."""
    return rng.standard_cauchy((r, d)), rng.standard_cauchy((d, c))


def single(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """What float32 holds."""
    A, B = (rng.standard_normal(shape).astype(np.float32) for shape in ((r, d), (d, c)))
    return A.astype(np.float64), B.astype(np.float64)


def integers(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """Small ones."""
    return rng.integers(-9, 10, (r, d)).astype(float), rng.integers(1, 10, (d, c)).astype(float)


def lognormal(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """Over many decades."""
    signs = rng.choice(np.array([-1.0, 1.0]), (d, c))
    return rng.lognormal(0, 3, (r, d)), rng.lognormal(0, 3, (d, c)) * signs


def nearly_rank_one(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """A is, up to a millionth."""
    A = np.outer(rng.standard_normal(r), rng.standard_normal(d))
    return A + 1e-6 * rng.standard_normal((r, d)), rng.standard_normal((d, c))


def sparse(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """One entry in twenty."""
    return rng.standard_normal((r, d)) * (rng.random((r, d)) < 0.05), rng.standard_normal((d, c))


def hilbert(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """1 / (1 + i + j)."""
    A: NDArray[np.float64] = np.asarray(1.0 / (1.0 + np.arange(r)[:, None] + np.arange(d)), float)
    return A, rng.standard_normal((d, c))


def alternating(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """1, -1, 1, .. nearly, and positive numbers."""
    signs: NDArray[np.float64] = np.asarray(1.0 - 2.0 * (np.arange(d) % 2), float)
    return signs + 0.01 * rng.random((r, d)), 1.0 + rng.random((d, c))


def groups_of_any_scale(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """Columns of A in groups of eight."""
    scale = 10.0 ** np.repeat(rng.uniform(-10, 10, -(-d // 8)), 8)[:d]
    return rng.standard_normal((r, d)) * scale, rng.standard_normal((d, c))


def smooth(rng: np.random.Generator, r: int, d: int, c: int) -> Factors:
    """Sines and exponentials."""
    t = np.linspace(0, 3 + rng.random(), d)
    return np.sin(np.outer(1 + np.arange(r), t)), np.exp(-np.outer(t, 1 + np.arange(c)))


Draws = tuple[Callable[[np.random.Generator, int, int, int], Factors], ...]
SEEN: Draws = (
    positive,
    cancelling,
    rows_of_any_scale,
    columns_of_any_scale,
    heavy,
    single,
    integers,
)
FRESH: Draws = (
    lognormal,
    nearly_rank_one,
    sparse,
    hilbert,
    alternating,
    groups_of_any_scale,
    smooth,
)


def draw(
    scheme: AbstractProduct, kinds: Draws, number: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The relative error of one product, and its estimate."""
    m, p, n = scheme.partition
    r, c = m * int(rng.integers(1, 5)), n * int(rng.integers(1, 5))
    d = p * int(2.0 ** rng.uniform(0, LONGEST))
    A, B = kinds[number % len(kinds)](rng, r, d, c)
    given: NDArray[np.generic] = A
    if isinstance(scheme.domain, anyk.Complex):
        given = A * np.exp(2j * np.pi * rng.random(A.shape))
    if n == 1 and number % 3 == 0:
        B = B[:, 0]
    encoded = scheme.encode((given, B))
    shares = scheme.workers * scheme.pieces
    spare = 0 if number % 2 else int(rng.integers(0, 4))
    who = rng.permutation(shares)[: min(scheme.enough + spare, shares)]
    answers = np.stack([encoded.parts[0][i] @ encoded.parts[1][i] for i in who])
    recovered = encoded.decode(answers, who.tolist())
    wide = np.clongdouble if np.iscomplexobj(given) else np.longdouble
    truth = given.astype(wide) @ B.astype(wide)
    size = float(np.sqrt(np.mean(np.abs(truth) ** 2)))
    if size == 0.0:
        return 0.0, 1.0
    error = float(np.sqrt(np.mean(np.abs(recovered.value - truth) ** 2))) / size
    estimate = recovered.error_estimate
    return error, 0.0 if estimate is None else estimate


def report(scheme: AbstractProduct, found: NDArray[np.float64], kinds: int) -> bool:
    """Print a line, and say whether the claim holds."""
    draws, kept = len(found), found[:, 0] <= found[:, 1]
    within = int(np.sum(kept))
    least, most = wilson(within, draws)
    ratios = found[:, 1] / np.maximum(found[:, 0], 1e-17)
    pieces = f", pieces={scheme.pieces}" if scheme.pieces > 1 else ""
    kind = type(scheme.domain).__name__
    name = f"{type(scheme).__name__}{scheme.partition} N={scheme.workers}{pieces} {kind}"
    told = f"{within / draws:.1%} [{least:.1%}, {most:.1%}]"
    hardest = min(float(np.mean(kept[at::kinds])) for at in range(kinds))
    low, middle = np.quantile(ratios, [0.01, 0.5])
    worst = found[:, 0].max()
    print(f"{name:44}{told:>24}{hardest:>12.1%}{middle:8.1f}{low:7.1f}{worst:13.1e}", flush=True)
    return within >= 0.95 * draws and bool(1.0 <= middle <= 30.0)


def main() -> int:
    """Print the table, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=1000, help="of each code")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    draws, held = 21 if options.tiny else options.draws, True
    for told, kinds in (("seen before", SEEN), ("fresh", FRESH)):
        print(f"{told}: {draws} draws a code; within: [95 % interval]; estimate / error\n")
        print(f"{'':44}{'within':>24}{'worst kind':>12}{'median':>8}{'1 %':>7}{'worst error':>13}")
        for at, scheme in enumerate(CODES):
            rng = np.random.default_rng([len(told), at])
            found = np.array([draw(scheme, kinds, number, rng) for number in range(draws)])
            held = report(scheme, found, len(kinds)) and held
        print()
    return 0 if held or options.tiny else 1


if __name__ == "__main__":
    sys.exit(main())
