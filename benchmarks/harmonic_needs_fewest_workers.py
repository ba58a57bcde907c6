"""One private sum on three schemes: the gradient of a linear regression, exactly.

Claim: for K blocks and degree 2, Harmonic takes K + 2 workers, Lagrange 2K + 1 and Shamir 3K, all
hiding the data from each single worker; all three sums are the integers' own. Bytes are those of
the shares that are sent and of the answers that come back; the weights w come on top.

Run: python benchmarks/harmonic_needs_fewest_workers.py [--tiny]
"""

import argparse
from functools import partial

import numpy as np

import anyk
from anyk.bench.measure import compare, interval, table

FEATURES = 50
LARGEST = 20  # of the data and the weights: sums of gradients stay far below the modulus


def gradient(block, w):
    """X^T (X w - y) of one block, whose last column is y."""
    x, y = block[:, :-1], block[:, -1]
    return x.T @ (x @ w - y)


def schemes(blocks: int) -> dict[str, anyk.AbstractScheme]:
    """The three of them, with as few workers as each can do with."""
    return {
        "Harmonic": anyk.Harmonic(blocks=blocks, degree=2),
        "Lagrange": anyk.Summed(
            anyk.Lagrange(blocks=blocks, degree=2, workers=2 * blocks + 1, colluders=1)
        ),
        "Shamir": anyk.Summed(anyk.Shamir(blocks=blocks, degree=2)),
    }


def main() -> None:
    """Run all three on each number of blocks, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    tiny = parser.parse_args().tiny
    rows, rounds = (10, 3) if tiny else (400, 11)
    numbers = (2, 3) if tiny else (2, 3, 5, 8, 12, 16, 20, 25, 30, 35, 40)

    field = anyk.PrimeField()
    generator = np.random.default_rng(0)
    w = generator.integers(0, LARGEST, FEATURES)
    lines = []
    for blocks in numbers:
        X = generator.integers(0, LARGEST, (blocks, rows, FEATURES + 1))
        truth = sum(gradient(block.astype(object), w.astype(object)) for block in X)
        every = schemes(blocks)
        answers, recoveries = {}, {}
        for name, scheme in every.items():
            encoded = scheme.encode(X)
            shares = [field.array(share) for share in encoded.shares]
            answers[name] = np.stack([gradient(share, w).values for share in shares])
            recoveries[name] = encoded.recovery(range(scheme.guarantee.workers))
            value = recoveries[name].recover(answers[name]).value
            signed = np.where(value > field.modulus // 2, value - field.modulus, value)
            if not np.array_equal(signed, truth):
                raise SystemExit(f"{name} is wrong at K = {blocks}")
        encoding = compare(
            {name: partial(scheme.encode, X) for name, scheme in every.items()}, rounds=rounds
        )
        decoding = compare(
            {name: partial(recoveries[name].recover, answers[name]) for name in every},
            rounds=rounds,
        )
        for name, scheme in every.items():
            workers = scheme.guarantee.workers
            lines.append(
                [
                    f"{blocks:2d}  {name}",
                    workers,
                    f"{X[0].nbytes * workers:,}",
                    f"{answers[name].nbytes:,}",
                    interval(1e3 * encoding[name]),
                    interval(1e3 * decoding[name]),
                ]
            )
    print(
        f"gradients of linear regression, {rows} x {FEATURES} numbers a block; every sum equals "
        "the integers' own\nmedian (95 % interval)"
    )
    header = ["K   scheme", "workers", "bytes sent", "bytes received", "encode, ms", "decode, ms"]
    print(table(header, lines))
    print("\nclaim: K + 2, 2K + 1 and 3K workers")


if __name__ == "__main__":
    main()
