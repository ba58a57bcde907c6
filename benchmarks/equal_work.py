"""One job, every code for products: what is sent, received, computed, and waited for.

Three jobs: one product A @ B, a batch of six, and A @ A.T. Every scheme for products in the
catalogue runs each job that it computes, cut so that a worker computes a quarter of the one product
(or what its code needs more), with two workers to spare, on `Simulated` workers whose delays are
random. Printed are the numbers in all parts of all shares (B~ counts for every worker, also where
all get the same), the numbers in all answers that were waited for, and multiplications in all
shares, and in those that were answered when the value was there. One is the data, the value, and
the product as one machine computes it. Each value is compared with the product.

Run: python benchmarks/equal_work.py [--tiny] [--runs 25]

It exits with 1 if a value is wrong, or these are not what was found, for six products: Lagrange
coding of degree 2 waits for 11 answers and 11 products, CSA in two groups for 8 answers of 16
products, in three groups for 7 of 21; or FoldedGram does not wait for pm(m + 1)/2 answers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.bench.measure import table
from anyk.schemes.base import AbstractScheme
from anyk.work import WorkerTask

Array = NDArray[Any]
FIELD = anyk.PrimeField()
SPARE = 2
BATCH = 6
DELAYS = anyk.delays.ShiftedExponential(shift=1.0, mean=1.0)
QUARTERS = ((4, 1, 1), (2, 1, 2), (1, 4, 1), (2, 2, 1))
CLOSE = 1e-6  # relative, of floats
MOST = 64  # workers


@dataclass(frozen=True)
class Job:
    """What is computed, and by which schemes.

    Args:
        name: for the table.
        numbers: how many the data are.
        data: of a scheme's domain.
        schemes: by the name in the table.
    """

    name: str
    numbers: int
    data: Callable[[AbstractScheme], Any]
    schemes: dict[str, AbstractScheme]


@dataclass(frozen=True)
class Counted:
    """What one scheme did on one job."""

    workers: int
    waited: float
    sent: tuple[int, int]
    received: tuple[float, float]
    products: tuple[float, float]


def entries(scheme: AbstractScheme, shape: tuple[int, ...], seed: int) -> Array:
    """Random entries of the scheme's domain."""
    generator = np.random.default_rng(seed)
    domain = scheme.domain
    if isinstance(domain, anyk.PrimeField):
        return generator.integers(0, domain.modulus, shape)
    if isinstance(domain, (anyk.Reals, anyk.Complex)):
        return generator.uniform(-1.0, 1.0, shape)
    return generator.integers(-(1 << 20), 1 << 20, shape)  # of integers that do not wrap


def product(scheme: AbstractScheme, X: Any) -> Array:
    """What the scheme is to find, in its domain."""
    each = [product_of(scheme, a, b) for a, b in pairs(X)]
    return each[0] if len(each) == 1 else np.stack(each)


def product_of(scheme: AbstractScheme, A: Array, B: Array) -> Array:
    """A @ B."""
    if isinstance(scheme.domain, anyk.PrimeField):
        value: Array = scheme.domain.matmul(np.ascontiguousarray(A), np.ascontiguousarray(B))
        return value
    return np.asarray(A @ B)


def pairs(X: Any) -> list[tuple[Array, Array]]:
    """What one machine would multiply: A and B, or A and A.T, or those of a batch."""
    if isinstance(X, tuple):
        A, B = X
        return [(A, B)] if A.ndim == 2 else list(zip(A, B, strict=True))
    return [(X, X.T)] if X.ndim == 2 else [(pair[0], pair[1]) for pair in X]


def least(build: Callable[[int], AbstractScheme], spare: int = SPARE) -> AbstractScheme:
    """With as few workers as its threshold takes, and some to spare."""
    for workers in range(1, MOST):
        try:
            scheme = build(workers)
        except anyk.InvalidArgument:
            continue
        if scheme.guarantee.stragglers >= spare:
            return scheme
    raise SystemExit("no number of workers does")


def of_catalogue(known: set[str]) -> Iterator[tuple[str, AbstractScheme]]:
    """Schemes for one product that are not in the table by hand, as their rows size them."""
    for row in anyk.CATALOGUE:
        if row.solves is not anyk.MatMul or row.name in known:
            continue
        found = (
            (partition, scheme)
            for partition in QUARTERS
            for workers in range(SPARE, MOST)
            for scheme in anyk.schemes_for(
                anyk.MatMul(partition=partition),
                anyk.Threat(workers=workers, stragglers=SPARE),
                catalogue=(row,),
            )
        )
        for partition, scheme in found:
            yield f"{row.name} {partition}", scheme
            break


def one_product() -> dict[str, AbstractScheme]:
    """Of every kind; a quarter of the product a worker, where the code can."""
    rows, both, inner, mixed = QUARTERS
    field: dict[str, Any] = {"domain": FIELD}
    made = {
        "uncoded": least(lambda n: anyk.Uncoded(both, n, **field), spare=0),
        "replicated, 2 copies": anyk.Uncoded(both, 8, **field),
        f"MDS {rows}": least(lambda n: anyk.MDS(rows, n, **field)),
        f"Polynomial {both}": least(lambda n: anyk.Polynomial(both, n)),
        f"MatDot {inner}": least(lambda n: anyk.MatDot(inner, n)),
        f"PolyDot {mixed}": least(lambda n: anyk.PolyDot(mixed, n)),
        f"Entangled {mixed}": least(lambda n: anyk.Entangled(mixed, n)),
        f"GCSA {mixed}": least(lambda n: anyk.GCSA(mixed, n)),
        f"Polynomial {both}, T = 1": least(lambda n: anyk.Polynomial(both, n, colluders=1)),
        f"MatDot {inner}, T = 1": least(lambda n: anyk.MatDot(inner, n, colluders=1)),
        f"GCSA {mixed}, T = 1": least(lambda n: anyk.GCSA(mixed, n, colluders=1)),
        "Residues": least(anyk.Residues),
        f"MDS {rows}, reals": least(lambda n: anyk.MDS(rows, n, domain=anyk.Reals())),
        f"OrthoMatDot {inner}": least(lambda n: anyk.OrthoMatDot(inner, n)),
        f"OrthoPolynomial {both}": least(lambda n: anyk.OrthoPolynomial(both, n)),
        "Rotation (8, 1, 1)": least(lambda n: anyk.Rotation((8, 1, 1), n)),
        "Rotation (4, 1, 4)": least(lambda n: anyk.Rotation((4, 1, 4), n)),
        "Circulant (24, 1, 1)": anyk.Circulant((24, 1, 1), 6),
        "ShortDot (3, 1, 1)": anyk.ShortDot((3, 1, 1), 8, domain=anyk.Reals(), threshold=6),
    }
    known = {type(scheme).__name__ for scheme in made.values()} | {"CSA", "FoldedGram"}
    return made | dict(of_catalogue(known))


def batches() -> dict[str, AbstractScheme]:
    """Six products: as a map of pairs, and by cross subspace alignment."""
    one, rows = (1, 1, 1), (2, 1, 1)
    made: dict[str, AbstractScheme] = {
        "uncoded": anyk.Replication(BATCH, BATCH, domain=FIELD),
        "replicated, 2 copies": anyk.Replication(BATCH, 2 * BATCH, domain=FIELD),
        "Lagrange": anyk.Lagrange(BATCH, 2, 2 * BATCH - 1 + SPARE),
        "Lagrange, T = 1": anyk.Lagrange(BATCH, 2, 2 * BATCH + 1 + SPARE, colluders=1),
    }
    for groups in (1, 2, 3, 6):
        made[f"CSA, {groups} groups"] = least(csa(one, groups))
    for groups in (2, 3):
        made[f"CSA, {groups} groups, T = 1"] = least(csa(one, groups, colluders=1))
        made[f"GCSA {rows}, {groups} groups"] = least(csa(rows, groups))
    return made


def csa(
    partition: tuple[int, int, int], groups: int, colluders: int = 0
) -> Callable[[int], AbstractScheme]:
    """For so many workers."""
    kind = anyk.CSA if partition == (1, 1, 1) else anyk.GCSA
    return lambda workers: kind(partition, workers, colluders=colluders, batch=BATCH, groups=groups)


def grams() -> dict[str, AbstractScheme]:
    """A @ A.T, by codes for it and for any product."""
    made: dict[str, AbstractScheme] = {}
    for partition in ((2, 1, 2), (1, 4, 1), (2, 2, 2), (3, 1, 3)):
        m, p, _ = partition
        other = anyk.Polynomial if p == 1 else anyk.MatDot if m == 1 else anyk.Entangled
        made[f"{other.__name__} {partition}"] = least(
            lambda n, other=other, own=partition: other(own, n)  # type: ignore[misc]
        )
        made[f"FoldedGram {partition}"] = least(lambda n, own=partition: anyk.FoldedGram(own, n))  # type: ignore[misc]
    return made


def pair_product(pair: Any) -> Any:
    """A @ B, of a block that is both."""
    return pair[0] @ pair[1]


def counted(scheme: AbstractScheme, X: Any, truth: Array, runs: int) -> Counted:
    """Run a scheme, and count the numbers and bytes that went each way, and multiplications."""
    function = np.matmul if isinstance(scheme.problem, anyk.MatMul) else pair_product
    encoded = scheme.encode(X)
    waited = []
    for seed in range(runs):
        workers = scheme.guarantee.workers
        executor = anyk.Simulated(
            workers, delays=DELAYS, generator=np.random.default_rng(seed), compute=0.0
        )
        with executor:
            outcome = anyk.run(scheme, function, X, executor)
        value = outcome.value
        right = value is not None and (
            np.array_equal(value, truth) if scheme.domain.exact else close(value, truth)
        )
        if not right:
            raise SystemExit(f"{scheme!r}: a wrong value")
        waited.append(len(outcome.shares))
    share = [part[0] for part in encoded.parts]
    answer = WorkerTask(scheme.work(function), scheme.domain, (), len(share))(*share)
    each, mean = multiplications(share), float(np.mean(waited))
    return Counted(
        workers,
        mean,
        (sum(part.size for part in encoded.parts), sum(part.nbytes for part in encoded.parts)),
        (mean * answer.size, mean * answer.nbytes),
        (each * len(encoded.parts[0]), each * mean),
    )


def close(value: Array, truth: Array) -> bool:
    """Whether floats are right but for rounding."""
    return bool(np.linalg.norm(value - truth) <= CLOSE * np.linalg.norm(truth))


def multiplications(share: list[Array]) -> float:
    """Of the one product that a worker computes: of its last two parts, or of the one pair."""
    left, right = share[0] if len(share) == 1 else share[-2:]
    rows, inner = left.shape
    return float(rows * inner * right.shape[-1])


def shown(job: Job, runs: int) -> dict[str, Counted]:
    """The table of one job."""
    found, lines = {}, []
    for name, scheme in job.schemes.items():
        X = job.data(scheme)
        value, whole = product(scheme, X), sum(multiplications(list(each)) for each in pairs(X))
        own = found[name] = counted(scheme, X, value, runs)
        lines.append(
            [
                name,
                own.workers,
                f"{own.waited:.1f}".removesuffix(".0"),
                f"{own.sent[0]:,}",
                f"{own.sent[0] / job.numbers:.2f}",
                f"{own.sent[1] / 1e6:.3f}",
                f"{own.received[0]:,.0f}",
                f"{own.received[0] / value.size:.2f}",
                f"{own.received[1] / 1e6:.3f}",
                f"{own.products[0] / whole:.2f}",
                f"{own.products[1] / whole:.2f}",
            ]
        )
    header = [
        "scheme", "workers", "waits for", "sent", "/ data", "MB", "received", "/ value", "MB",
        "work in all", "until decoded",
    ]  # fmt: skip
    print(f"\n{job.name}")
    print(table(header, lines))
    return found


def main() -> int:
    """The three tables, and what must hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--runs", type=int, default=25, help="with other delays; the mean is told")
    options = parser.parse_args()
    size, runs = (48, 2) if options.tiny else (240, options.runs)
    print(f"{runs} runs each; matrices of {size} x {size}; work: 1 is the job on one machine")

    def two(scheme: AbstractScheme) -> Any:
        return entries(scheme, (size, size), 0), entries(scheme, (size, size), 1)

    def six(scheme: AbstractScheme) -> Any:
        stacked = entries(scheme, (2, BATCH, size, size), 2)
        if isinstance(scheme.problem, anyk.MatMul):
            return stacked[0], stacked[1]
        return np.ascontiguousarray(stacked.swapaxes(0, 1))

    def gram(scheme: AbstractScheme) -> Any:
        A = entries(scheme, (size, size), 3)
        own = isinstance(scheme.problem, anyk.MatMul) and scheme.problem.gram
        return A if own else (A, np.ascontiguousarray(A.T))

    shown(Job("one product", 2 * size**2, two, one_product()), runs)
    batch = shown(Job(f"{BATCH} products", 2 * BATCH * size**2, six, batches()), runs)
    folded = shown(Job("A @ A.T", size**2, gram, grams()), runs)
    one_product_each = {
        name: (own.waited, own.waited * own.products[0] / own.workers / size**3)
        for name, own in batch.items()
    }
    claims = {"Lagrange": (11, 11), "CSA, 2 groups": (8, 16), "CSA, 3 groups": (7, 21)}
    right = all(one_product_each[name] == found for name, found in claims.items())
    print("\nanswers and products until decoded, of six products:")
    for name in claims:
        answers, products = one_product_each[name]
        print(f"  {name}: {answers:.0f} answers, {products:.0f} products")
    for name, own in folded.items():
        if name.startswith("FoldedGram"):
            m, p, _ = map(int, name.partition("(")[2].rstrip(")").split(","))
            right = right and own.waited == p * m * (m + 1) // 2
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
