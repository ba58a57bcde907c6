"""The master of three remote workers: see README.md beside this file."""

from __future__ import annotations

import sys

import numpy as np

import anyk


def main() -> None:
    """Ask the workers at the addresses given for a Gram matrix, and later for predictions."""
    addresses = sys.argv[1:] or ["localhost:7001", "localhost:7002", "localhost:7003"]
    scheme = anyk.Lagrange(blocks=1, degree=1, workers=len(addresses), colluders=1)
    X = np.arange(12).reshape(1, 4, 3)
    w = np.array([1, 2, 3])
    named = [f"worker-{number}@{address}" for number, address in enumerate(addresses)]
    with (
        anyk.Remote(named, tls="certificates/master") as executor,
        anyk.distribute(scheme, X, executor) as data,
    ):
        outcome = data.run("predict", w, deadline=10.0)
        print(outcome)
        print("\nX w =", outcome.value[0].tolist(), " by numpy:", (X[0] @ w).tolist())


if __name__ == "__main__":
    main()
