"""Workers that are processes of MPI.

Each is a pool of mpi4py's, which the program starts itself.

    pip install '.[mpi]'
    python examples/negative_on_mpi.py
"""

import numpy as np
from mpi4py.futures import MPIPoolExecutor

import anyk


def main():
    pools = [MPIPoolExecutor(1) for _ in range(3)]
    for pool in pools:
        pool.bootup()  # one after the other: Open MPI does not start several at once
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=3)
    with anyk.Futures(pools) as executor, anyk.distribute(scheme, [5, 6], executor) as data:
        print(data.run(np.negative).value.tolist(), data.run(np.positive).value.tolist())
    for pool in pools:
        pool.shutdown()
    print("done")


if __name__ == "__main__":
    main()
