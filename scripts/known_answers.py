"""Make tests/known/field.json: answers from python-flint, a tool independent of anyk.

Run from the root of the repository: python scripts/known_answers.py
"""

import json
import random
from pathlib import Path

import flint

PRIMES = (2, 13, 65537, 15485863, 2**31 - 1)
TARGET = Path("tests/known/field.json")


def matrix(generator: random.Random, rows: int, columns: int, prime: int) -> list[list[int]]:
    """A random matrix of residues."""
    return [[generator.randrange(prime) for _ in range(columns)] for _ in range(rows)]


def plain(product: flint.nmod_mat) -> list[list[int]]:
    """A FLINT matrix as lists of Python integers."""
    return [[int(entry) for entry in row] for row in product.tolist()]


def main() -> None:
    """Write products, ranks and Lagrange interpolations."""
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


if __name__ == "__main__":
    main()
