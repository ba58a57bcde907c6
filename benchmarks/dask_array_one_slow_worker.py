"""A product with a dask.array while one worker is slow: what making the shares costs, and gains.

On a cluster of processes on this machine, A lies in one or four chunks of rows a worker. One worker
is late by a delay, spread over its chunks. Of each way, for a dense A and for one of sparse chunks:

- plain: the product with each chunk where it lies, by Dask's own scheduler, put together here
- anyk: `anyk.dask_array.distribute` once, then `.matmul(x)` of shares of S + 1 = 2 blocks

with the bytes that moved between workers while shares were made, and after how many products that
has paid off.

    python benchmarks/dask_array_one_slow_worker.py [--workers 8] [--delay 0.5] [--tiny]

Claims: with the slow worker a product takes at most half as long as plainly, and between workers no
more than twice A moves.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dask.array as da
import distributed
import numpy as np
import scipy.sparse

import anyk
from anyk.bench.measure import table
from anyk.faults import Delay, Faulty

ROUNDS = 7
SLOW = 1  # which of the workers


def late(chunk: Any, x: Any, address: str | None, delay: float) -> Any:
    """The product with one chunk, late on one worker."""
    if distributed.get_worker().address == address:
        time.sleep(delay)
    return chunk @ x


def plain(client: Any, A: Any, x: Any, address: str | None, delay: float) -> Any:
    """A @ x, each chunk where it lies."""
    chunks = [client.submit(late, each, x, address, delay, pure=False) for each in A]
    return np.concatenate(client.gather(chunks))


def moved(client: Any) -> int:
    """Bytes that workers have sent to each other so far."""
    return sum(
        client.run(
            lambda dask_worker: sum(each["total"] for each in dask_worker.transfer_incoming_log)
        ).values()
    )


def seconds(call: Callable[[], Any]) -> float:
    """The median of a few."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def dense(size: int, chunk: int) -> Any:
    """A dense A, drawn on the workers."""
    return da.random.default_rng(0).standard_normal((size, size), chunks=(chunk, size))


def sparse(size: int, chunk: int) -> Any:
    """A sparse A, of ten entries a row."""

    def draw(block: Any, block_info: Any = None) -> Any:
        rows, seed = len(block), block_info[0]["chunk-location"][0]
        shape = (rows, size)
        drawn = scipy.sparse.random_array(shape, density=10 / size, rng=seed, format="csr")
        return scipy.sparse.csr_matrix(drawn)  # of which Dask knows how many bytes it has

    base = da.zeros((size, 1), chunks=(chunk, 1))
    meta = scipy.sparse.csr_matrix((0, 0))
    return base.map_blocks(draw, chunks=((chunk,) * (size // chunk), (size,)), meta=meta)


@contextmanager
def cluster(workers: int) -> Iterator[Any]:
    """Processes of one thread each."""
    with (
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=":0", memory_limit=0,
            silence_logs=50,
        ) as started,
        distributed.Client(started) as client,
    ):  # fmt: skip
        yield client


def measured(
    client: Any, kind: Callable[[int, int], Any], size: int, parts: int, delay: float
) -> list[Any]:
    """A row of the table."""
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    A = client.persist(kind(size, size // (workers * parts)))
    distributed.wait(A)
    x = np.random.default_rng(1).standard_normal(size)
    total = sum(client.gather(client.map(nbytes, distributed.futures_of(A))))
    ordered = sorted(distributed.futures_of(A), key=lambda each: each.key[1])
    with anyk.Dask(client) as executor:
        before, start = moved(client), time.perf_counter()
        with anyk.dask_array.distribute(A, executor) as held:
            making = time.perf_counter() - start
            between = moved(client) - before
            mine = held._executor._made[SLOW]  # noqa: SLF001 - where that worker is
            ((slow, *_),) = client.who_has([mine]).values()
            truth = plain(client, A=ordered, x=x, address=None, delay=delay)
            if not np.allclose(held.matmul(x, progress=False).value, truth, atol=1e-6):
                raise ArithmeticError("another product")
            usual = [
                seconds(lambda: plain(client, ordered, x, None, delay)),
                seconds(lambda: held.matmul(x, progress=False)),
            ]
            held._executor._executor = Faulty(executor, {SLOW: Delay(delay)})  # noqa: SLF001
            troubled = [
                seconds(lambda: plain(client, ordered, x, slow, delay / parts)),
                seconds(lambda: held.matmul(x, progress=False)),
            ]
    gain = troubled[0] - troubled[1]
    return [
        kind.__name__, parts, f"{total / 1e6:.0f}", f"{between / total:.2f}", f"{making:.2f}",
        *(f"{1e3 * each:.0f}" for each in (*usual, *troubled)),
        f"{making / gain:.0f}" if gain > 0 else "never",
        (troubled[1] / troubled[0], between / total),
    ]  # fmt: skip


def nbytes(chunk: Any) -> int:
    """Bytes of a chunk."""
    if scipy.sparse.issparse(chunk):
        return chunk.data.nbytes + chunk.indices.nbytes + chunk.indptr.nbytes
    return chunk.nbytes


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--delay", type=float, default=0.5)
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    workers, delay = (3, 0.3) if options.tiny else (options.workers, options.delay)
    sizes = {dense: 120, sparse: 1200} if options.tiny else {dense: 4000, sparse: 160_000}
    with cluster(workers) as client:
        rows = [
            measured(client, kind, size, parts, delay)
            for kind, size in sizes.items()
            for parts in (1, 4)
        ]
    heads = ["A", "chunks a worker", "A, MB", "moved, by A", "making, s", "plain, ms", "anyk, ms",
             "plain, slow", "anyk, slow", "pays after"]  # fmt: skip
    print(f"{workers} processes; one of them late by {delay} s a product; medians of {ROUNDS}")
    print(table(heads, [row[:-1] for row in rows]))
    kept = all(ratio <= 0.5 and share <= 2.0 for *_, (ratio, share) in rows)
    print("claims hold" if kept else "CLAIMS DO NOT HOLD")
    return 0 if kept or options.tiny else 1


if __name__ == "__main__":
    sys.exit(main())
