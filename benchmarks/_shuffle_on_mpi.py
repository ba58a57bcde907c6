"""A program of MPI: sorts by several plans in turn, and prints how long each took, as JSON.

mpiexec -n 6 python benchmarks/_shuffle_on_mpi.py RECORDS COPIES ROUNDS
"""

import json
import sys
import time

import numpy as np

from anyk import shuffle


def main() -> None:
    """Sort on all processes."""
    size, copies, rounds = map(int, sys.argv[1:])
    between = shuffle.MPINodes()
    world = between.communicator
    coded = shuffle.Coded(world.size, copies)
    plans = {
        "r = 1": shuffle.Coded(world.size, 1),
        f"r = {copies}, uncoded": shuffle.Uncoded(coded),
        f"r = {copies}, coded": coded,
    }
    records = np.random.default_rng(0).integers(0, 256, (size, 100), dtype=np.uint8)
    took: dict[str, list[list[float]]] = {name: [] for name in plans}
    for _ in range(rounds):
        for name, plan in plans.items():
            files = shuffle.cut(records, plan)
            held = {file: files[file] for file in plan.held(world.rank)}
            world.Barrier()
            start = time.perf_counter()
            done = shuffle.sort(held, plan, transport=between)
            world.Barrier()
            took[name].append([time.perf_counter() - start, done.seconds.send / world.size])
    if world.rank == 0:
        print(json.dumps(took))


if __name__ == "__main__":
    main()
