"""PageRank of the people in Les Miserables, on workers of whom some are late and one lies.

The graph comes with networkx, which torch brings: 77 people, and how often two of them meet. The
matrix of the random walk stays on eight workers; any five good answers multiply it.

    pip install '.[test]'
    python examples/pagerank.py
"""

from __future__ import annotations

import networkx as nx
import numpy as np

import anyk
from anyk.faults import Corrupt, Delay, Faulty

WORKERS, DAMPING = 8, 0.85


def pagerank(multiply, people, tolerance=1e-12):
    """How often a random walk is with each of them."""
    rank = np.full(people, 1.0 / people)
    while True:
        after = DAMPING * multiply(rank) + (1.0 - DAMPING) / people
        if np.abs(after - rank).sum() < tolerance:
            return after
        rank = after


def main() -> float:
    """Compute it on the workers and by numpy, and compare."""
    graph = nx.les_miserables_graph()
    meetings = nx.to_numpy_array(graph, weight="weight")
    walk = meetings / meetings.sum(axis=0)
    scheme = anyk.MDS(
        partition=(5, 1, 1), workers=WORKERS, domain=anyk.Reals(), adversaries=1, verified=True
    )
    print(scheme.guarantee)
    faults = {1: Delay(0.05), 4: Delay(0.05), 6: Corrupt(scale=0.1)}
    with (
        Faulty(anyk.Threads(WORKERS), faults) as executor,
        anyk.distribute(scheme, walk, executor) as resident,
    ):
        executor.quarantine.automatic = True
        found = pagerank(lambda x: resident.matmul(x, progress=False).value, len(walk))
        print(f"not asked any more: workers {sorted(executor.quarantine.workers)}")
    off = float(np.abs(found - pagerank(lambda x: walk @ x, len(walk))).max())
    names = list(graph)
    first = [f"{names[i]} {found[i]:.4f}" for i in np.argsort(-found)[:3]]
    print(f"{', '.join(first)}; as numpy's, but for {off:.1e}")
    return off


if __name__ == "__main__":
    main()
