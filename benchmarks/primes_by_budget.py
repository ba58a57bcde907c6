"""Small primes, or several of them, cost less than the fewest primes of 31 bits.

For results of so many bits `FixedPoint` takes the set of primes that costs least by the rule of
`anyk.fixed_point.primes`: products of floats a term, a quarter of the bytes of a residue, and half
of one for each prime. Here both sets compute the same, a prime after another: shares of 13 blocks
for 40 workers, a product of two matrices, and a worker's gradient X^T (X w) of residues as they
rest. Seconds of CPU, one thread, the sides in turn; and bytes of a residue modulo all primes.

A ratio below 1 says that the rule's primes take less. Where both sets are the same it is left out.

Run: python benchmarks/primes_by_budget.py [--tiny]
"""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import anyk
from anyk.bench.measure import interval, table
from anyk.fixed_point.budget import enough_primes
from anyk.fixed_point.primes import prime_sets

BUDGETS = (8, 16, 24, 25, 32, 48, 50, 64, 72, 75, 96)  # bits of 2 |v| + 1


def fewest(worst):
    """As few primes of 31 bits as hold it."""
    first = anyk.PrimeField()
    return anyk.domains.ring.further_fields(first, enough_primes(worst, first))


def pieces(generator, shapes, fields):
    """Both factors of each product, at rest, modulo each of the primes."""
    return {
        name: [
            tuple(field.at_rest(generator.integers(0, field.modulus, shape)) for shape in each)
            for field in fields
        ]
        for name, each in shapes.items()
    }


def computed(name, fields, factors):
    """Compute it modulo each of the primes; the gradient from its share and the weights."""
    for field, (left, right) in zip(fields, factors, strict=True):
        if name == "gradient":
            x = field.present(left)
            x.T @ (x @ field.present(right))
        else:
            field.matmul(left, right)


def seconds(run, times):
    """CPU seconds of one run, the least of some."""
    best = np.inf
    for _ in range(times):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    """A row a budget: primes, bytes, and the ratio of seconds for each product."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    tiny = parser.parse_args().tiny
    wide, side, rows, rounds = (2000, 60, 100, 2) if tiny else (200_000, 600, 954, 7)
    shapes = {
        "shares": ((40, 14), (14, wide)),
        "product": ((side, side), (side, side)),
        "gradient": ((rows, 785), (785, 1)),
    }
    generator = np.random.default_rng(0)
    lines = []
    for bits in BUDGETS:
        worst = (1 << bits - 1) - 1 - (bits == 25) * 100  # the largest prime of 25 bits is less
        sets = {"rule": prime_sets(worst)[0], "fewest": fewest(worst)}
        if sets["rule"] == sets["fewest"]:
            continue
        sides = {side: pieces(generator, shapes, fields) for side, fields in sets.items()}
        ratios = []
        for name in shapes:
            found = [
                [
                    seconds(lambda s=side: computed(name, sets[s], sides[s][name]), 3)  # noqa: B023
                    for side in sets
                ]
                for _ in range(rounds)
            ]
            ratios.append(interval(np.divide(*np.transpose(found))))
        told = [
            f"{len(fields)} x {fields[0].modulus.bit_length()} bits, "
            f"{sum(field.rest.itemsize for field in fields)} bytes"
            for fields in sets.values()
        ]
        lines.append([str(bits), *told, *ratios])
    print("seconds with the rule's primes, times those with the fewest primes of 31 bits")
    print(table(["budget", "rule", "fewest", *shapes], lines))


if __name__ == "__main__":
    main()
