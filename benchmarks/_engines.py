"""Executors for benchmarks, by the name of their engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyk


@contextmanager
def engine(name: str, workers: int) -> Iterator[anyk.AbstractExecutor]:
    """So many workers of "dask", "threads" or "processes"."""
    if name == "dask":
        from dask.distributed import Client, LocalCluster  # noqa: PLC0415 - an extra

        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, processes=False, dashboard_address=":0"
            ) as cluster,
            Client(cluster) as client,
            anyk.Dask(client) as executor,
        ):
            yield executor
    else:
        with {"threads": anyk.Threads, "processes": anyk.Processes}[name](workers) as executor:
            yield executor
