"""Encoding and recovery of small blocks over a field, beside float64 products of the same shapes.

Claims: with blocks of 10,000 numbers, encoding takes at most 8 times the float64 product of the
same shapes without masks, and 10 times with one colluder, whatever malloc is told; with blocks of
10 numbers a call takes a few tens of microseconds.

All sides are measured in one run, turn by turn, in CPU time of one process; set OMP_NUM_THREADS=1
to have products on one core. Masks come from a cipher's keystream: "masks" is what they take alone,
below which no encoding with colluders can be.

Run: OMP_NUM_THREADS=1 python benchmarks/small_blocks_near_float_speed.py [--tiny]
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

import anyk
from anyk.bench.measure import interval, table
from anyk.randomness.entropy import SystemSource
from anyk.randomness.masks import uniform_masks

SHAPES = [  # blocks, colluders, workers, numbers a block
    (4, 0, 12, 10),
    (4, 1, 12, 10),
    (4, 0, 12, 1000),
    (4, 1, 12, 1000),
    (4, 0, 12, 10_000),
    (4, 1, 12, 10_000),
    (13, 1, 40, 100_000),
]
SIDES = ("encode", "float64 encode", "masks", "recover", "float64 recover")


def cpu(sides: dict[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Microseconds a call of each side, in each of several rounds."""
    calls = {}
    for name, side in sides.items():  # so many that a round takes a hundredth of a second
        side()
        start = time.perf_counter()
        side()
        calls[name] = max(1, min(1000, int(0.01 / (time.perf_counter() - start))))
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            start = time.process_time()
            for _ in range(calls[name]):
                side()
            taken[name].append(1e6 * (time.process_time() - start) / calls[name])
    return {name: np.array(each) for name, each in taken.items()}


def row(blocks: int, colluders: int, workers: int, length: int, rounds: int) -> list[object]:
    """One shape."""
    scheme = anyk.Lagrange(blocks=blocks, degree=2, workers=workers, colluders=colluders)
    field, generator = scheme.field, np.random.default_rng(0)
    X = generator.integers(0, field.modulus, (blocks, length))
    encoded = scheme.encode(X)
    who = list(range(scheme.guarantee.threshold))
    answers = field.power(encoded.shares, 2)[who]
    recovery = encoded.recovery(who)
    if not np.array_equal(recovery.recover(answers).value, field.power(X, 2)):
        raise SystemExit(f"{scheme}: wrong")
    D, Y = (
        generator.random((workers, blocks + colluders)),
        generator.random((blocks + colluders, length)),
    )
    R, V = generator.random((blocks, len(who))), generator.random((len(who), length))
    masks, source = (colluders, length), SystemSource()
    taken = cpu(
        {
            SIDES[0]: lambda: scheme.encode(X),
            SIDES[1]: lambda: D @ Y,
            SIDES[2]: lambda: uniform_masks(field, masks, source) if colluders else None,
            SIDES[3]: lambda: recovery.recover(answers),
            SIDES[4]: lambda: R @ V,
        },
        rounds,
    )
    encode, plain, masked, recover, bare = (taken[name] for name in SIDES)
    return [
        f"({blocks}, {colluders}, {workers}, {length:,})",
        interval(encode),
        interval(masked) if colluders else "none",
        interval(encode / plain),
        interval(recover),
        interval(recover / bare),
    ]


def main() -> None:
    """Measure each shape."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="the smallest shapes, a few rounds")
    tiny = parser.parse_args().tiny
    rounds = 3 if tiny else 31
    rows = [row(*shape, rounds) for shape in (SHAPES[:2] if tiny else SHAPES)]
    header = ["(K, T, N, L)", "encode us", "masks", "/ float64", "recover us", "/ float64"]
    print(f"CPU time, median (95 % interval) of {rounds} rounds")
    print(table(header, rows))
    print("\nclaim: encode at L = 10,000 at most 8 times float64 where T = 0, and 10 where T = 1")


if __name__ == "__main__":
    main()
