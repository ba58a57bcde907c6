"""A master of its own for `chaos_on_engines`: interrupted, it should end and leave nothing.

Run as `_chaos_master.py ENGINE ADDRESS UNRULY`, of which the last are tasks beside those that do
their work, with commas between them. It says "ready" after its first call, and "interrupted"
at its end.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator

import numpy as np
from _chaos_grounds import WORKERS, fork_server_pool
from _chaos_tasks import ORDERS, work

import anyk
from anyk import AbstractExecutor


@contextlib.contextmanager
def made(engine: str, address: str) -> Iterator[AbstractExecutor]:
    """Workers on an engine, which is there already where it has an address."""
    if engine == "Processes":
        with anyk.Processes(WORKERS, patience=5.0) as executor:
            yield executor
    elif engine == "Futures":
        with anyk.Futures([fork_server_pool] * WORKERS) as executor:
            yield executor
    elif engine == "Remote":
        tls, *addresses = address.split(",")
        with anyk.Remote(addresses, tls=tls) as executor:
            yield executor
    elif engine == "Dask":
        from distributed import Client  # noqa: PLC0415 - one engine at a time

        with Client(address) as client:
            client.wait_for_workers(WORKERS, timeout=60)
            with anyk.Dask(client, WORKERS) as executor:
                yield executor
    else:
        import ray  # noqa: PLC0415 - one engine at a time

        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        try:
            with anyk.Ray(WORKERS) as executor:
                yield executor
        finally:
            ray.shutdown()


def main() -> None:
    """Make calls until somebody presses Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # else not in the background
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=WORKERS, adversaries=1)
    engine, address, unruly = sys.argv[1:]
    well = np.zeros(2, int)
    rng = np.random.default_rng()
    orders = [ORDERS.index(what) for what in ("well", *filter(None, unruly.split(",")))]
    with made(engine, address) as executor:
        function = "work" if executor.by_name else work
        with anyk.distribute(scheme, np.arange(20).reshape(2, 10), executor) as data:
            data.run(function, 0, 0.0, well)
            print("ready", flush=True)
            while True:
                order = np.array([rng.choice(orders), rng.integers(1000)])
                data.run(function, 0, 0.005, order, deadline=0.4, on_failure="return")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
