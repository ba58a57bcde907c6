"""Sort records by the processes of an MPI program, with coded multicasts.

Each process has the files that its node holds, and gets its range of the keys.

    pip install '.[mpi]'
    mpiexec -n 4 python -m mpi4py examples/sort_on_mpi.py
"""

import numpy as np

from anyk import shuffle


def file_of(number):
    """Records of one file; a program of its own would read it."""
    return np.random.default_rng(number).integers(0, 256, (1000, 100), dtype=np.uint8)


def main():
    nodes = shuffle.MPINodes()
    world = nodes.communicator
    plan = shuffle.Coded(nodes=world.size, copies=2)
    files = {file: file_of(file) for file in plan.held(world.rank)}
    done = shuffle.sort(files, plan, transport=nodes)
    print(f"node {world.rank} has {len(done.parts[world.rank])} records", flush=True)
    if world.rank == 0:
        counts = done.counts
        print(f"{counts.multicast} bytes as multicasts, {counts.unicast} as unicasts", flush=True)


if __name__ == "__main__":
    main()
