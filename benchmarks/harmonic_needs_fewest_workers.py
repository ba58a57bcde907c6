"""One sum of K blocks, private or public, by every scheme of the catalogue that computes it.

Claims, on three sums, each exact in this run from as few answers as the scheme waits for:

- a private gradient of linear regression, degree 2: `Harmonic` takes K + 2 workers, `Lagrange`
  2K + 1 and `Shamir` 3K; each single worker learns nothing.
- a private sum of p-th powers in GF(p^m), linear in their residues: `Frobenius` takes 2 workers for
  any K and p, also where the field has no room for any other code.
- a public gradient, of any function: gradient codes take K workers of whom S may be late. A worker
  sees the blocks that it holds.

The schemes of each sum are those of `anyk.schemes_for`, with the fewest workers for a private sum,
and with K for a public one. Columns: workers; how many answers are enough, whoever they come from;
load, in blocks a worker computes of; what any one worker and any two learn at most, in symbols a
coordinate of the data, or in whole blocks of a public sum; bytes of the shares, and of the answers
of all but S workers, for every set of these. "A guess": without some S workers the value is an
estimate. Last comes the time to
encode and decode the private gradient.

    python benchmarks/harmonic_needs_fewest_workers.py [--blocks 12] [--stragglers 2] [--tiny]

It exits with 1 if a sum is wrong or a claim fails.
"""

import argparse
import dataclasses
import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import anyk
from anyk.bench.measure import compare, interval, table
from anyk.work import WorkerTask

FEATURES = 50
LARGEST = 20  # of the data and the weights: sums of gradients stay far below the modulus
FIELD = anyk.PrimeField()
SETS = 200  # of late workers that are tried
GUESS = 1e-6  # an error estimate from which on a value is one


@dataclass(frozen=True)
class Job:
    """A sum to compute.

    Args:
        X: the blocks, ndarray of residues.
        function: of one block.
        truth: the sum, as residues.
        field: of these.
    """

    X: np.ndarray
    function: Callable[[Any], Any]
    truth: np.ndarray
    field: anyk.PrimeField


def gradient(block, w):
    """X^T (X w - y) of one block, whose last column is y."""
    x, y = block[:, :-1], block[:, -1]
    return x.T @ (x @ w - y)


def regression(blocks: int, rows: int) -> Job:
    """The gradient of a linear regression, by Python's integers."""
    generator = np.random.default_rng(blocks)
    w = generator.integers(0, LARGEST, FEATURES)
    X = generator.integers(0, LARGEST, (blocks, rows, FEATURES + 1))
    whole = sum(gradient(block.astype(object), w.astype(object)) for block in X)
    return Job(X, partial(gradient, w=w), (whole % FIELD.modulus).astype(np.int64), FIELD)


def powers(blocks: int, prime: int, degree: int) -> Job:
    """Weighted p-th powers of elements of GF(p^m), by repeated products."""
    extension = anyk.ExtensionField(anyk.PrimeField(prime), degree)
    generator = np.random.default_rng(blocks)
    X, A = (generator.integers(0, prime, (*shape, degree)) for shape in ((blocks, 64), (64,)))
    product = X
    for _ in range(prime - 1):
        product = extension.multiply(product, X)
    truth = extension.multiply(A, product).sum(axis=0) % prime
    return Job(X, lambda x: extension.multiply(A, extension.frobenius(x)), truth, extension.field)


def fewest(problem: anyk.Sum, field: anyk.PrimeField) -> dict[str, anyk.AbstractScheme | str]:
    """Each scheme that hides the data from any one worker, with the fewest workers; or why none."""
    found: dict[str, Any] = {}
    for workers in range(1, 3 * problem.blocks * (problem.degree or 1) + 2):
        threat = anyk.Threat(workers=workers, colluders=1)
        for each in anyk.schemes_for(problem, threat, field=field).candidates:
            if not isinstance(found.get(each.name), anyk.AbstractScheme):
                found[each.name] = each.scheme or each.reason
    return found


def public(blocks: int, stragglers: int) -> dict[str, anyk.AbstractScheme | str]:
    """Each scheme for the sum of any function, of whose K workers S may be late; over a field."""
    problem = anyk.Sum(blocks=blocks)
    threat = anyk.Threat(workers=blocks, stragglers=stragglers)
    found: dict[str, Any] = {}
    for each in anyk.schemes_for(problem, threat).candidates:
        found[each.name] = each.scheme or each.reason
        if isinstance(each.scheme, anyk.YeAbbe):
            for message in (2, 4):
                name = f"{each.name}, 1/{message} of the bytes"
                found[name] = dataclasses.replace(each.scheme, message=message)
            del found[each.name]
    return {
        name: scheme if isinstance(scheme, str) else over_field(scheme)
        for name, scheme in found.items()
    }


def over_field(scheme: anyk.AbstractScheme) -> anyk.AbstractScheme:
    """The same over the field, where it can be made so: exact, whatever it combines."""
    try:
        return scheme.over(FIELD)
    except anyk.InvalidArgument:
        within: Any = scheme
        try:
            return dataclasses.replace(within, domain=FIELD)
        except anyk.InvalidArgument:
            return scheme


def answers_of(encoded: anyk.Encoded, job: Job) -> np.ndarray:
    """What honest workers answer."""
    scheme = encoded.scheme
    task = WorkerTask(scheme.work(job.function), scheme.domain, (), len(encoded.parts))
    return np.stack([task(*share) for share in zip(*encoded.parts, strict=True)])


def exact(value: np.ndarray, scheme: anyk.AbstractScheme, job: Job) -> bool:
    """Whether it is the sum: to the bit in a field, up to rounding elsewhere."""
    if scheme.domain == job.field:
        return np.array_equal(value, job.truth)
    signed = np.where(job.truth > job.field.modulus // 2, job.truth - job.field.modulus, job.truth)
    return np.allclose(value, signed, rtol=1e-9)


def learned(encoded: anyk.Encoded, colluders: int) -> str:
    """What so many workers learn at most."""
    if encoded.scheme.guarantee.workers < colluders:
        return "-"
    if encoded.guarantee.colluders:
        return f"{anyk.leakage(encoded, colluders=colluders):g}"
    held = encoded.encoder.data != 0
    per_block = held.reshape(len(held), encoded.scheme.problem.blocks, -1).any(axis=-1)
    per_worker = per_block.reshape(encoded.guarantee.workers, -1, per_block.shape[1]).any(axis=1)
    every = itertools.combinations(per_worker, colluders)
    return f"{max(int(np.any(some, axis=0).sum()) for some in every)} blocks"


def lines(job: Job, schemes: dict[str, Any], *, shown: set[str] | None = None) -> list[list[str]]:
    """A line for each scheme, and the reason for each that can't be."""
    found = []
    for name, scheme in schemes.items():
        if isinstance(scheme, str):
            if shown and name in shown:
                found.append([name, "none", "-", "-", "-", "-", "-", "-"])
            continue
        encoded = scheme.encode(job.X)
        promise = scheme.guarantee
        answers = answers_of(encoded, job)
        every, told = range(promise.workers), name
        for late in itertools.islice(itertools.combinations(every, promise.stragglers), SETS):
            answered = encoded.held_by(worker for worker in every if worker not in late)
            recovered = encoded.decode(answers[answered], answered)
            if exact(recovered.value, scheme, job):
                continue
            if (recovered.error_estimate or 0.0) < GUESS:
                raise SystemExit(f"{name} is wrong without {late}")
            told = f"{name} (a guess)"
        sent = sum(part.nbytes for part in encoded.parts)
        found.append(
            [
                told,
                str(promise.workers),
                f"{promise.waited_for}" + (f" x 1/{promise.pieces}" if promise.pieces > 1 else ""),
                f"{promise.load:g}",
                learned(encoded, 1),
                learned(encoded, 2),
                f"{sent:,}",
                f"{answers[answered].nbytes:,}",
            ]
        )
    return found


def timed(numbers: tuple[int, ...], rows: int, rounds: int) -> list[list[str]]:
    """The private gradient: workers, and the time to encode and decode."""
    found = []
    for blocks in numbers:
        job = regression(blocks, rows)
        schemes = {
            "Harmonic": anyk.Harmonic(blocks=blocks, degree=2),
            "Lagrange": anyk.Summed(anyk.Lagrange(blocks, 2, 2 * blocks + 1, colluders=1)),
            "Shamir": anyk.Summed(anyk.Shamir(blocks=blocks, degree=2)),
        }
        recoveries, answers = {}, {}
        for name, scheme in schemes.items():
            encoded = scheme.encode(job.X)
            answers[name] = answers_of(encoded, job)
            recoveries[name] = encoded.recovery(range(scheme.guarantee.workers))
            if not exact(recoveries[name].recover(answers[name]).value, scheme, job):
                raise SystemExit(f"{name} is wrong at K = {blocks}")
        encoding = {name: partial(each.encode, job.X) for name, each in schemes.items()}
        decoding = {name: partial(recoveries[name].recover, answers[name]) for name in schemes}
        encode, decode = compare(encoding, rounds=rounds), compare(decoding, rounds=rounds)
        found += [
            [
                f"{blocks:2d}  {name}",
                str(scheme.guarantee.workers),
                str(interval(1e3 * encode[name])),
                str(interval(1e3 * decode[name])),
            ]
            for name, scheme in schemes.items()
        ]
    return found


def main() -> int:
    """Print the tables, and say whether the claims hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=12, help="K")
    parser.add_argument("--stragglers", type=int, default=2, help="S, of a public sum")
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    options = parser.parse_args()
    blocks, late, rows = options.blocks, options.stragglers, 400
    numbers, rounds = (2, 3, 5, 8, 12, 16, 20, 25, 30, 35, 40), 11
    if options.tiny:
        blocks, late, rows, numbers, rounds = 6, 1, 10, (2, 3), 3
    header = [
        "scheme", "workers", "answers", "load", "one learns", "two learn", "bytes sent",
        "bytes received",
    ]  # fmt: skip

    print(
        f"private: the gradient of a linear regression, K = {blocks}, degree 2, {rows} rows a block"
    )
    squares = lines(regression(blocks, rows), fewest(anyk.Sum(blocks=blocks, degree=2), FIELD))
    print(table(header, squares), end="\n\n")
    names = {"Harmonic", "Frobenius", "Summed(Lagrange)", "Summed(Shamir)"}
    linear: dict[int, list[list[str]]] = {}
    for prime, degree in ((101, 3), (2, 8)):
        job = powers(blocks, prime, degree)
        print(f"private: weighted p-th powers in GF({prime}^{degree}), K = {blocks}")
        found = fewest(anyk.Sum(blocks=blocks, degree=1), job.field)
        linear[prime] = lines(job, found, shown=names)
        print(table(header, linear[prime]), end="\n\n")
    print(f"public: the gradient as any function, K = {blocks}, S = {late} workers may be late")
    print(table(header, lines(regression(blocks, rows), public(blocks, late))), end="\n\n")
    print(f"private gradients, {rows} x {FEATURES} numbers a block, median (95 % interval)")
    columns = ["K   scheme", "workers", "encode, ms", "decode, ms"]
    print(table(columns, timed(numbers, rows, rounds)))

    claimed = {
        "Harmonic": blocks + 2,
        "Summed(Lagrange)": 2 * blocks + 1,
        "Summed(Shamir)": 3 * blocks,
    }
    held = {line[0]: int(line[1]) for line in squares} == claimed
    for found in linear.values():
        held = held and {line[0]: line[1] for line in found}["Frobenius"] == "2"
    print(f"\nclaim: K + 2, 2K + 1 and 3K workers; 2 for powers of p: {held}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
