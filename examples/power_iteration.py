"""The largest eigenvalue of a matrix that stays on processes, two of them slow and one a liar.

The Gram matrix of 1,797 handwritten digits, cut in eight blocks of rows on twelve workers. Any
eight good answers are enough for A @ x, and each answer is checked when it comes; who lies is not
asked again.

    pip install '.[learn]'
    python examples/power_iteration.py
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

import anyk
from anyk.faults import Corrupt, Delay, Faulty

STEPS, WORKERS = 30, 12


def power_iteration(multiply, start, steps):
    """The eigenvector of the largest eigenvalue."""
    x = start / np.linalg.norm(start)
    for _ in range(steps):
        y = multiply(x)
        x = y / np.linalg.norm(y)
    return x, x @ multiply(x)


def main() -> float:
    """Compute it on the workers and by numpy, and compare."""
    images = load_digits().data
    A = images @ images.T
    start = np.ones(len(A))
    scheme = anyk.MDS(
        partition=(8, 1, 1), workers=WORKERS, domain=anyk.Reals(), adversaries=1, verified=True
    )
    print(scheme.guarantee)
    faults = {0: Delay(0.3), 5: Delay(0.3), 7: Corrupt(scale=10.0)}
    with Faulty(anyk.Processes(WORKERS), faults) as executor:
        executor.quarantine.automatic = True
        with anyk.distribute(scheme, A, executor) as resident:
            found, value = power_iteration(
                lambda x: resident.matmul(x, progress=False).value, start, STEPS
            )
        print(f"not asked any more: workers {sorted(executor.quarantine.workers)}")
    right, _ = power_iteration(lambda x: A @ x, start, STEPS)
    off = float(np.abs(found - right).max())
    print(f"eigenvalue {value:.6g}; eigenvector as numpy's, but for {off:.1e}")
    return off


if __name__ == "__main__":
    main()
