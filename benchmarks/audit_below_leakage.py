"""What an attack finds never exceeds what `anyk.leakage` says, and comes close to it.

Random private schemes over the reals and the complex numbers: `VeiledReplication`, `AnalogLagrange`
and `Berrut`, of 1 to 3 colluders and 0.01 to 3 bits. For each, `anyk.leakage` of the worst
coalition by the matrices, and `anyk.audit` of fresh shares of random data, which is a lower bound
with confidence 1 - 1e-9.

    python benchmarks/audit_below_leakage.py [--tiny] [--schemes 200]

It exits with 1 if an attack finds more than the leakage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np
from rich.progress import track

import anyk
from anyk.bench.measure import interval, table


def veiled(rng: np.random.Generator, leakage: float, colluders: int) -> anyk.AbstractScheme:
    """Any function, by copies under veils."""
    blocks = int(rng.integers(1, 6))
    workers = blocks * int(rng.integers(colluders + 2, colluders + 10))
    std = float(10 ** rng.uniform(-1, 1))
    return anyk.VeiledReplication(
        blocks, workers, colluders=colluders, leakage=leakage, data_std=std
    )


def analog(rng: np.random.Generator, leakage: float, colluders: int) -> anyk.AbstractScheme:
    """A polynomial over the complex numbers."""
    blocks, degree = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    workers = (blocks + colluders - 1) * degree + 1 + int(rng.integers(0, 4))
    return anyk.AnalogLagrange(
        blocks=blocks, degree=degree, workers=workers, colluders=colluders, leakage=leakage
    )


def berrut(rng: np.random.Generator, leakage: float, colluders: int) -> anyk.AbstractScheme:
    """The published curve with noise nodes."""
    blocks = int(rng.integers(1, 5))
    workers = blocks * int(rng.integers(colluders + 2, 9))
    return anyk.Berrut(blocks, workers, colluders=colluders, leakage=leakage)


Make = Callable[[np.random.Generator, float, int], anyk.AbstractScheme]
KINDS: dict[str, Make] = {
    "VeiledReplication": veiled,
    "AnalogLagrange": analog,
    "Berrut": berrut,
}


def achievable(make: Make, rng: np.random.Generator, colluders: int) -> anyk.AbstractScheme:
    """The first that does not say that its noise would drown everything."""
    while True:
        try:
            return make(rng, float(10 ** rng.uniform(-2, 0.5)), colluders)
        except anyk.Unachievable:
            continue


def main() -> int:
    """Print, by kind of scheme, how close the attack comes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--schemes", type=int, default=200)
    options = parser.parse_args()
    number = 9 if options.tiny else options.schemes
    found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    names = [list(KINDS)[place % len(KINDS)] for place in range(number)]
    for place, kind in enumerate(track(names, disable=not sys.stdout.isatty())):
        rng = np.random.default_rng(place)
        colluders = int(rng.integers(1, 4))
        scheme = achievable(KINDS[kind], rng, colluders)
        encoded = scheme.encode(np.zeros((scheme.problem.blocks, 1)))
        upper = anyk.leakage(encoded, colluders=colluders)
        attack = anyk.audit(
            encoded, colluders=colluders, samples=20_000, confidence=1 - 1e-9, generator=rng
        )
        if upper > scheme.guarantee.leakage * (1 + 1e-9):
            print(f"{scheme} leaks {upper}, more than it says")
            return 1
        found[kind].append((upper, attack.amount))
    rows = []
    for kind, pairs in found.items():
        upper, lower = np.array(pairs).T
        rows.append([
            kind, len(pairs), int(np.sum(lower > upper)), interval(upper), interval(upper - lower),
        ])  # fmt: skip
    print("bits a coordinate: what the worst coalition learns at most, and what an attack misses")
    print(table(["scheme", "tried", "attack above", "leakage", "leakage - attack"], rows))
    return int(any(row[2] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
