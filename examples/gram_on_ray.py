"""An exact Gram matrix on Ray actors, one of which lies and one of which is killed.

X^T X of data in four blocks, on twelve actors. Any nine answers are enough; one of them may be
wrong, and is named.

    pip install '.[ray]'
    python examples/gram_on_ray.py
"""

from __future__ import annotations

import numpy as np
import ray

import anyk
from anyk.faults import Corrupt, Die, Faulty

BLOCKS, WORKERS = 4, 12


def gram(x):
    """What a worker runs; x is a FieldArray, so that it is exact."""
    return x.T @ x


def main() -> None:
    """Compute it on the actors, and compare."""
    X = np.random.default_rng(0).integers(0, 100, (BLOCKS, 500, 6))
    scheme = anyk.Lagrange(blocks=BLOCKS, degree=2, workers=WORKERS, adversaries=1)
    print(scheme.guarantee)
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    faults = {3: Corrupt(modulus=2**31 - 1), 7: Die()}
    with Faulty(anyk.Ray(WORKERS, num_cpus=0.01), faults) as executor:
        for call in (1, 2):
            outcome = anyk.run(scheme, gram, X, executor)
            right = np.array_equal(outcome.value, np.einsum("kni,knj->kij", X, X))
            print(f"\ncall {call}: {'right' if right else 'WRONG'}\n{outcome}")
    ray.shutdown()


if __name__ == "__main__":
    main()
