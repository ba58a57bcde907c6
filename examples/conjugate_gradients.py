"""Kernel ridge regression by conjugate gradients, its matrix on workers that are late or lie.

(K + I) a = y for 442 patients, K of a Gaussian kernel. Each step multiplies by the matrix once,
which never leaves the workers. Each worker holds four small pieces of it: the work of slow ones
counts.

    pip install '.[learn]'
    python examples/conjugate_gradients.py
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_diabetes

import anyk
from anyk.faults import Corrupt, Delay, Faulty

WORKERS = 10


def conjugate_gradients(multiply, y, tolerance):
    """The solution of A a = y, and how many steps it took."""
    solution, residual = np.zeros_like(y), y.copy()
    direction, size, steps = residual.copy(), residual @ residual, 0
    while size > tolerance**2 * (y @ y):
        image = multiply(direction)
        step = size / (direction @ image)
        solution += step * direction
        residual -= step * image
        before, size = size, residual @ residual
        direction = residual + size / before * direction
        steps += 1
    return solution, steps


def main() -> float:
    """Solve it on the workers and by numpy, and compare."""
    data, target = load_diabetes(return_X_y=True)
    data = data / data.std(axis=0)
    apart = ((data[:, None] - data[None]) ** 2).sum(axis=-1)
    A = np.exp(-apart / 20.0) + np.eye(len(data))
    y = target - target.mean()
    scheme = anyk.MDS(
        partition=(26, 1, 1),
        workers=WORKERS,
        domain=anyk.Reals(),
        adversaries=1,
        pieces=4,
        verified=True,
    )
    print(scheme.guarantee)
    faults = {2: Delay(0.05), 6: Corrupt(scale=1.0)}
    with (
        Faulty(anyk.Threads(WORKERS), faults) as executor,
        anyk.distribute(scheme, A, executor) as resident,
    ):
        executor.quarantine.automatic = True
        found, steps = conjugate_gradients(
            lambda x: resident.matmul(x, progress=False).value, y, 1e-10
        )
        print(f"not asked any more: workers {sorted(executor.quarantine.workers)}")
    right = np.linalg.solve(A, y)
    off = float(np.linalg.norm(found - right) / np.linalg.norm(right))
    print(f"{steps} steps; the solution as numpy's, but for {off:.1e}")
    return off


if __name__ == "__main__":
    main()
