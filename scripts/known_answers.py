"""Make tests/known/*.json: answers from python-flint, a tool independent of anyk.

Run from the root of the repository: python scripts/known_answers.py
"""

import itertools
import json
import math
import random
from pathlib import Path

import flint

PRIMES = (2, 13, 65537, 15485863, 2**31 - 1)
TARGET = Path("tests/known/field.json")
HARMONIC = Path("tests/known/harmonic.json")
EXTENSION = Path("tests/known/extension.json")
FIELDS = ((2, 1), (2, 8), (2, 61), (3, 5), (13, 4), (65537, 2), (2**31 - 1, 3), (2**31 - 1, 8))


def matrix(generator: random.Random, rows: int, columns: int, prime: int) -> list[list[int]]:
    """A random matrix of residues."""
    return [[generator.randrange(prime) for _ in range(columns)] for _ in range(rows)]


def plain(product: flint.nmod_mat) -> list[list[int]]:
    """A FLINT matrix as lists of Python integers."""
    return [[int(entry) for entry in row] for row in product.tolist()]


def harmonic(blocks: int, degree: int) -> dict[str, object]:
    """Shares of a harmonic code over the rationals, and the weights that all monomials demand.

    The shares are rows over (Z, X_1, .., X_K), from the recursion with c = 1 and b_i = K + 1 + i.
    The weights R are not from a formula: for each monomial m of degree at most d in Z and the X,
    the coefficients of m in sum_n R_n·(share n)^|m| and in sum_k X_k^|m| must be the same.
    """
    unit = [
        [flint.fmpq(int(row == column)) for column in range(blocks + 1)]
        for row in range(blocks + 1)
    ]
    before, rows = unit[0], [unit[0]]
    for block in range(1, blocks + 1):
        for single in range(blocks + 2, blocks + degree + 1):
            pairs = zip(before, unit[block], strict=True)
            rows.append([(block * p + (single - block) * x) / single for p, x in pairs])
        pairs = zip(before, unit[block], strict=True)
        before = [(block * p + x) / (block + 1) for p, x in pairs]
    rows.append(before)
    system = []
    for total in range(degree + 1):
        for places in itertools.combinations_with_replacement(range(blocks + 1), total):
            left = [math.prod((row[i] for i in places), start=flint.fmpq(1)) for row in rows]
            right = blocks if not places else int(len(set(places)) == 1 and places[0] > 0)
            system.append([*left, flint.fmpq(right)])
    reduced, rank = flint.fmpq_mat(system).rref()
    if rank != len(rows):
        raise SystemExit("the weights are not the only ones")
    return {
        "blocks": blocks,
        "degree": degree,
        "shares": [[str(entry) for entry in row] for row in rows],
        "weights": [str(reduced[row, rank]) for row in range(rank)],
    }


def extension(generator: random.Random, prime: int, degree: int) -> dict[str, object]:
    """Products and powers of two elements of GF(p^m), modulo an irreducible polynomial of FLINT's.

    Elements are their coefficients, the constant one first.
    """
    gf = flint.fq_default_ctx(prime, degree, var="a")
    modulus = [int(each) for each in gf.modulus().coeffs()]
    x, y = (gf([generator.randrange(prime) for _ in range(degree)]) for _ in range(2))
    exponents = (0, 1, prime, prime + 1, generator.randrange(10**6))

    def residues(element: flint.fq_default) -> list[int]:
        told = [int(each) for each in element.to_list()]
        return told + [0] * (degree - len(told))

    return {
        "prime": prime,
        "degree": degree,
        "polynomial": modulus,
        "x": residues(x),
        "y": residues(y),
        "product": residues(x * y),
        "conjugates": [residues(x.frobenius(times)) for times in range(degree + 1)],
        "powers": [[exponent, residues(x**exponent)] for exponent in exponents],
    }


def main() -> None:
    """Write products, ranks, Lagrange interpolations, harmonic codes and extension fields."""
    generator = random.Random(2026)  # noqa: S311 - test data
    products, ranks, interpolations = [], [], []
    for prime in PRIMES:
        for rows, inner, columns in ((2, 3, 2), (3, 70, 2), (1, 130, 1)):
            left = matrix(generator, rows, inner, prime)
            right = matrix(generator, inner, columns, prime)
            product = flint.nmod_mat(left, prime) * flint.nmod_mat(right, prime)
            products.append(
                {"prime": prime, "left": left, "right": right, "product": plain(product)}
            )
        tall = matrix(generator, 6, 3, prime)
        wide = matrix(generator, 3, 7, prime)
        low = flint.nmod_mat(tall, prime) * flint.nmod_mat(wide, prime)
        ranks.append({"prime": prime, "matrix": plain(low), "rank": int(low.rank())})
        if prime < 64:  # noqa: PLR2004 - too few points
            continue
        nodes = generator.sample(range(prime), 9)
        values = [generator.randrange(prime) for _ in nodes]
        targets = generator.sample(range(prime), 5)
        vandermonde = flint.nmod_mat([[pow(x, j, prime) for j in range(9)] for x in nodes], prime)
        solution = vandermonde.solve(flint.nmod_mat([[y] for y in values], prime))
        polynomial = flint.nmod_poly([int(row[0]) for row in solution.tolist()], prime)
        interpolations.append(
            {
                "prime": prime,
                "nodes": nodes,
                "values": values,
                "targets": targets,
                "interpolated": [int(polynomial(target)) for target in targets],
            }
        )
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(
        json.dumps(
            {
                "provenance": f"python-flint {flint.__version__}, scripts/known_answers.py",
                "products": products,
                "ranks": ranks,
                "interpolations": interpolations,
            }
        )
        + "\n"
    )
    sizes = [(1, 1), (1, 3), (2, 1), (2, 2), (2, 4), (3, 2), (3, 3), (4, 2), (5, 3)]
    HARMONIC.write_text(
        json.dumps(
            {
                "provenance": f"python-flint {flint.__version__}, scripts/known_answers.py",
                "codes": [harmonic(blocks, degree) for blocks, degree in sizes],
            }
        )
        + "\n"
    )
    EXTENSION.write_text(
        json.dumps(
            {
                "provenance": f"python-flint {flint.__version__}, scripts/known_answers.py",
                "fields": [extension(generator, prime, degree) for prime, degree in FIELDS],
            }
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
