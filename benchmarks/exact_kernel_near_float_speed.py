"""The exact product modulo 2**31 - 1 costs a few float64 products of the same shape.

Claims: at most 4.5 times numpy's float64 product, at least 100 times faster than galois, at least
2 times faster than python-flint's nmod_mat (conversion not counted); masks at 1 GB/s or more.

Run: python benchmarks/exact_kernel_near_float_speed.py [--tiny]     (needs anyk[bench])
"""

import argparse

import flint
import galois
import numpy as np

import anyk
from anyk.bench.measure import compare, interval, table
from anyk.randomness.entropy import SystemSource, residues


def main() -> None:
    """Measure all sides in one run, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    tiny = parser.parse_args().tiny
    columns, rounds = (20_000, 3) if tiny else (1_000_000, 15)

    field = anyk.PrimeField()
    generator = np.random.default_rng(0)
    small = generator.integers(0, field.modulus, (32, 16))
    big = generator.integers(0, field.modulus, (16, columns))
    floats = small.astype(np.float64), big.astype(np.float64)
    mats = [flint.nmod_mat(operand.tolist(), field.modulus) for operand in (small, big)]
    masks = 8 * 10**6

    seconds = compare(
        {
            "numpy float64": lambda: floats[0] @ floats[1],
            "anyk": lambda: field.matmul(small, big),
            "python-flint": lambda: mats[0] * mats[1],
            "masks": lambda: residues(SystemSource(), field.modulus, (masks,)),
        },
        rounds=rounds,
    )
    gf = galois.GF(field.modulus)  # once: it is too slow for more, and a sample of the columns
    share = min(columns, 20_000)  # is enough, for its time is proportional to their number
    left, right = gf(small), gf(big[:, :share])
    slow = compare({"galois": lambda: left @ right}, rounds=1)["galois"] * (columns / share)

    product = np.array((mats[0] * mats[1]).tolist()[0][:1000], dtype=np.int64)
    if not np.array_equal(product, field.matmul(small, big)[0, :1000]):
        raise SystemExit("python-flint and anyk disagree")

    ours = seconds["anyk"]
    rows = [
        [name, interval(1e3 * sample), interval(sample / ours)]
        for name, sample in (
            ("anyk", ours),
            ("numpy float64 (inexact)", seconds["numpy float64"]),
            ("python-flint nmod_mat", seconds["python-flint"]),
            (f"galois (from {share:,} columns)", np.full(len(ours), slow[0])),
        )
    ]
    print(f"(32 x 16) @ (16 x {columns:,}) modulo {field.modulus}; median (95 % interval)")
    print(table(["", "milliseconds", "times anyk's"], rows))
    ratio = interval(ours / seconds["numpy float64"])
    print(f"\nanyk / numpy float64: {ratio}; claim: at most 4.5")
    rate = interval(8e-9 * masks / seconds["masks"])
    print(f"masks (int64 residues): {rate} GB/s; claim: at least 1")


if __name__ == "__main__":
    main()
