"""A lie is found when it comes: all of them over a field, and above the promised size in floats.

Claims: over a prime field all liars of 2,000 random attacks are named, with A workers fewer, at no
more than 6 % of the product. In double and single precision no column of a million honest ones is
accused, on twelve kinds of numbers and six orders of addition that the check was not tuned on, and
all lies of the promised size are found.

Run: python benchmarks/checked_on_arrival.py [--tiny]
"""

import argparse
import itertools
from typing import Any

import numpy as np
from _honest_products import HOSTS, Array, factors

import anyk
from anyk.bench.measure import compare, interval, share, table
from anyk.codes.checks.floats import FloatKeys
from anyk.codes.checks.keys import least_lie, product_keys

PRECISIONS = {"double": np.float64, "single": np.float32}


def field_attacks(
    rng: np.random.Generator, field: anyk.PrimeField, encoded: anyk.Encoded, answers: Array
) -> dict[str, Any]:
    """What a liar may answer, by name: called with the liar's place."""
    left, right = encoded.parts
    p = field.modulus

    def changed(liar: int, *, count: int) -> Array:
        wrong = answers[liar].copy()
        places = rng.choice(wrong.size, count, replace=False)
        wrong.ravel()[places] = (wrong.ravel()[places] + rng.integers(1, p, count)) % p
        return wrong

    def plus_one(liar: int) -> Array:
        wrong = answers[liar].copy()
        at = rng.integers(wrong.size)
        wrong.ravel()[at] = (wrong.ravel()[at] + 1) % p
        return wrong

    def pair(liar: int) -> Array:
        wrong, by = answers[liar].copy(), int(rng.integers(1, p))
        wrong[:2, 0] = (wrong[:2, 0] + [by, p - by]) % p
        return wrong

    other_left = rng.integers(0, p, left.shape[1:])
    noise = rng.integers(0, p, (2, *answers.shape[1:]))
    return {
        "random numbers": lambda _: rng.integers(0, p, answers.shape[1:]),
        "one entry, plus 1": plus_one,
        "two entries that cancel": pair,
        "three entries": lambda liar: changed(liar, count=3),
        "another product, agreed": lambda liar: field.matmul(other_left, right[liar]),
        "signs turned": lambda liar: -answers[liar] % p,
        "rows swapped": lambda liar: np.roll(answers[liar], 1, axis=0),
        "columns swapped": lambda liar: np.roll(answers[liar], 1, axis=1),
        "zeros": lambda liar: np.zeros_like(answers[liar]),
        "another worker's answer": lambda liar: answers[liar - 1],
        "twice the answer": lambda liar: 2 * answers[liar] % p,
        "a wrong codeword": lambda liar: (answers[liar] + noise[0] + (liar + 1) * noise[1]) % p,
    }


def show_field(rng: np.random.Generator, attacks: int) -> bool:
    """2,000 attacks on answers that are checked, by one liar or two."""
    checked = anyk.Polynomial((2, 1, 2), 6, adversaries=2, verified=True)
    print(f"{checked}: {checked.guarantee.threshold} answers; without checks", end=" ")
    print(
        f"{anyk.Polynomial((2, 1, 2), 8, adversaries=2).guarantee.threshold}\n{checked.guarantee}"
    )
    field, named, right = checked.domain, 0, 0
    for turn in range(attacks):
        A, B = rng.integers(0, field.modulus, (20, 30)), rng.integers(0, field.modulus, (30, 16))
        encoded = checked.encode((A, B))
        answers = np.stack([field.matmul(a, b) for a, b in zip(*encoded.parts, strict=True)])
        kinds = field_attacks(rng, field, encoded, answers)
        attack = list(kinds.values())[turn % len(kinds)]
        liars = sorted(rng.choice(6, rng.integers(1, 3), replace=False).tolist())
        told = answers.copy()
        for liar in liars:
            told[liar] = attack(liar)
        recovered = encoded.decode(told, range(6))
        named += recovered.suspects == tuple(liars)
        right += np.array_equal(recovered.value, field.matmul(A, B))
    print(
        f"all liars named: {share(named, attacks)}, value right: {share(right, attacks)} of "
        f"{attacks:,} attacks of {len(kinds)} kinds\n"
    )
    return named == right == attacks


def show_honest(rng: np.random.Generator, columns: int) -> bool:
    """Honest columns, of all numbers, hosts and precisions."""
    seen = dict.fromkeys(PRECISIONS, 0)
    accused: list[str] = []
    shapes = itertools.cycle([(24, 64, 400), (24, 500, 300), (16, 3000, 120), (200, 300, 60)])
    few = itertools.cycle([1, 1, 8])
    while min(seen.values()) < columns:
        rows, inner, width = next(shapes)
        for (name, (A, B)), narrow in zip(factors(rng, rows, inner, width), few, strict=False):
            for (host, product), (precision, dtype) in itertools.product(
                HOSTS.items(), PRECISIONS.items()
            ):
                keys = FloatKeys.of(A[None], single=precision == "single")
                C = product(A.astype(dtype), B.astype(dtype)).astype(float)
                test, some = keys.against(B[None]), keys.against(B[None, :, :narrow])
                if not (test.passes(0, C) and some.passes(0, C[:, :narrow])):
                    accused.append(f"{name}, {host}, {precision}")
                seen[precision] += width
    for precision, number in seen.items():
        wrong = sum(each.endswith(precision) for each in accused)
        print(f"honest columns in {precision} precision: {number:,}; answers accused: {wrong}")
    print(*accused, sep="\n")
    return not accused


def lies(rng: np.random.Generator, A: Array, B: Array, C: Array) -> dict[str, Array]:
    """Errors of a product, of any size, by name."""
    rows, columns = C.shape
    zero = np.zeros_like(C)

    def at(places: Any, values: Any) -> Array:
        error = zero.copy()
        error[places] = values
        return error

    i, j = int(rng.integers(rows - 1)), int(rng.integers(columns))
    few = np.linalg.svd(B, full_matrices=False)[0][:, -1]  # what B hardly sees
    return {
        "one entry": at((i, j), 1.0),
        "two equal entries": at((slice(i, i + 2), j), 1.0),
        "two opposite entries": at((slice(i, i + 2), j), [1.0, -1.0]),
        "a whole column": at((slice(None), j), rng.normal(size=rows)),
        "all of it": rng.normal(size=C.shape),
        "rank one": np.outer(rng.normal(size=rows), rng.normal(size=columns)),
        "another A where B is small": np.outer(rng.normal(size=rows), few) @ B,
        "a larger answer": C.copy(),
        "more than half of the columns": rng.normal(size=C.shape) * (rng.random(columns) < 0.6),
        "its rows swapped": np.roll(C, 1, axis=0) - C,
        "another answer, half of it": np.where(rng.random(columns) < 0.5, A[:, ::-1] @ B - C, 0.0),
    }


def show_lies(rng: np.random.Generator, number: int) -> bool:
    """Lies whose largest column has the promised size, and how small they may be in few columns."""
    shapes = itertools.cycle([(40, 200, 100), (64, 64, 64), (30, 800, 60), (50, 300, 1)])
    rows = []
    good = True
    for precision, dtype in PRECISIONS.items():
        found: dict[str, list[bool]] = {}
        small: list[float] = []
        while sum(map(len, found.values())) < number:
            for _, (A, B) in factors(rng, *next(shapes)):
                if B.shape[1] == 1 and not B.any():
                    continue
                keys = FloatKeys.of(A[None], single=precision == "single")
                test = keys.against(B[None])
                C = (A.astype(dtype) @ B.astype(dtype)).astype(float)
                sizes = np.linalg.norm(A, axis=0) @ np.abs(B)
                kinds = lies(rng, A, B, C)
                for name, error in kinds.items():
                    error[:, sizes == 0.0] = 0.0
                    relative = np.linalg.norm(error, axis=0) / np.where(sizes > 0.0, sizes, 1.0)
                    if not relative.max() > 0.0:
                        continue
                    scaled = error * (keys.smallest_lie / relative.max())
                    told = A @ B + scaled
                    if precision == "single":  # so that it has the room of single precision
                        told = told.astype(np.float32).astype(float)
                    found.setdefault(name, []).append(not test.passes(0, told))
                if B.shape[1] > 50:
                    small.append(_smallest(test, C, kinds["one entry"], sizes, dtype))
        total, caught = sum(map(len, found.values())), sum(map(sum, found.values()))
        good = good and total == caught
        rows.append(
            [
                precision,
                f"{least_lie(anyk.Reals(), single=precision == 'single'):.0e}",
                share(caught, total),
                total,
                interval(small),
            ]
        )
    print(
        table(
            [
                "precision",
                "promised, n = 1000",
                "found at the promised size",
                "lies",
                "smallest found in one column of many",
            ],
            rows,
        )
    )
    print("sizes: of a column, relative to what it is at most if nothing in it cancels\n")
    return good


def _smallest(test: Any, C: Array, error: Array, sizes: Array, dtype: Any) -> float:
    """From which size on a lie in one column is found, to a factor of 2."""
    column = int(np.argmax(np.abs(error).max(axis=0)))
    if sizes[column] == 0.0:
        return 0.0
    size = 1.0
    while size > 1e-18:
        told = (C + error * size * sizes[column]).astype(dtype).astype(float)
        if test.passes(0, told):
            break
        size /= 2
    return 2 * size


def show_cost(rng: np.random.Generator, sizes: list[tuple[int, int, int]], rounds: int) -> None:
    """Check and keys beside the product, over the field and in double precision."""
    rows = []
    for domain, size in itertools.product([anyk.PrimeField(), anyk.Reals()], sizes):
        height, inner, width = size
        if domain.exact:
            A, B = (rng.integers(0, domain.modulus, s) for s in [(height, inner), (inner, width)])
        else:
            A, B = rng.normal(size=(height, inner)), rng.normal(size=(inner, width))
        C, keys = domain.matmul(A, B), product_keys(domain, A[None])
        test = keys.against(B[None])
        seconds = compare(
            {
                "product": lambda A=A, B=B, domain=domain: domain.matmul(A, B),
                "check": lambda test=test, C=C: test.passes(0, C),
                "keys": lambda A=A, domain=domain: product_keys(domain, A[None]),
            },
            rounds=rounds,
        )
        product = seconds["product"]
        rows.append(
            [f"{domain!r}, {height} x {inner} x {width}", interval(1e3 * product)]
            + [interval(100 * seconds[side] / product) for side in ("check", "keys")]
        )
    print(table(["", "product, ms", "check, % of it", "keys, once, % of it"], rows))


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng, tiny = np.random.default_rng(given.seed), given.tiny

    fine = [
        show_field(rng, 36 if tiny else 2000),
        show_honest(rng, 20_000 if tiny else 1_000_000),
        show_lies(rng, 300 if tiny else 2000),
    ]
    show_cost(
        rng, [(64, 64, 64)] if tiny else [(512, 512, 512), (1000, 4000, 1000)], 3 if tiny else 11
    )
    if not all(fine):
        raise SystemExit("a claim fails")


if __name__ == "__main__":
    main()
