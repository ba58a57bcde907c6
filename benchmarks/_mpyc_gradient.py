"""MPyC's secure logistic gradient: X^T (c_0 + c_1 X w - y) on secret-shared fixed-point arrays.

Run as a program of its own: python _mpyc_gradient.py ROWS FEATURES -M3 --no-log
Each party is a process; the first prints the seconds of one gradient, after sharing.
"""

import sys
import time

import numpy as np
from mpyc.runtime import mpc


async def main():
    """Share, compute one gradient, open it."""
    rows, features = (int(text) for text in sys.argv[1:3])
    number = mpc.SecFxp(32, 8)
    generator = np.random.default_rng(0)
    X = generator.integers(0, 5, (rows, features)) / 4
    w = generator.integers(-8, 9, features) / 16
    y = generator.integers(0, 2, rows) * 1.0
    await mpc.start()
    x, v, t = (mpc.input(number.array(values), senders=0) for values in (X, w, y))
    await mpc.barrier("shared")
    started = time.perf_counter()
    z = mpc.np_matmul(x, v)
    residual = z * 0.125 + 0.5 - t
    opened = await mpc.output(mpc.np_matmul(x.T, residual))
    seconds = time.perf_counter() - started
    error = np.abs(np.asarray(opened, dtype=float) - X.T @ (0.125 * (X @ w) + 0.5 - y)).max()
    if mpc.pid == 0:
        print(f"seconds {seconds} error {error}", flush=True)
    await mpc.shutdown()


mpc.run(main())
