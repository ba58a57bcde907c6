"""Ways to share arrays out among processes: anyk's executors, and what else there is."""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from _sharing_tasks import (
    TEXT,
    behind_a_pipe,
    behind_a_socket,
    behind_tls,
    certificate,
    first,
    from_memory_file,
    full,
    receive_bytes,
    secured,
    send_bytes,
    to_memory_file,
)

import anyk
from anyk.testing import Trial

__all__ = ["SIDES", "Side", "bare_pipe", "serve_mpi"]

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Side:
    """One way.

    Args:
        out: sends each row to a process of its own, and takes the first number of each back.
        back: has one process send so many numbers of 4 bytes.
        executor: for anyk's; None for others.
        beside: what does the same on the same workers, or under the same cipher, turn by turn.
    """

    out: Callable[[np.ndarray], Any]
    back: Callable[[int], Any]
    executor: anyk.AbstractExecutor | None = None
    beside: Side | None = None


@contextmanager
def bare_pipe(workers: int) -> Iterator[Side]:
    """`multiprocessing.Pipe`: `send_bytes` of a row's memory, a thread for each."""
    context = multiprocessing.get_context("spawn")
    pairs = [context.Pipe() for _ in range(workers)]
    processes = [context.Process(target=behind_a_pipe, args=(end,)) for _, end in pairs]
    for process in processes:
        process.start()
    ours = [end for end, _ in pairs]

    def one(end: Any, row: np.ndarray) -> Any:
        end.send_bytes(row)
        return end.recv_bytes()

    def back(numbers: int) -> Any:
        ours[0].send_bytes(str(numbers).encode())
        return np.frombuffer(ours[0].recv_bytes(), np.uint32)

    with ThreadPoolExecutor(workers) as threads:
        yield Side(lambda rows: list(threads.map(one, ours, rows)), back)
    for end in ours:
        end.send_bytes(b"")
    for process in processes:
        process.join()


@contextmanager
def memory_files(workers: int) -> Iterator[Side]:
    """`memfd_create`: a row is written to memory that one worker alone is given."""
    context = multiprocessing.get_context("spawn")
    pairs = [socket.socketpair() for _ in range(workers)]
    processes = [context.Process(target=behind_a_socket, args=(end,)) for _, end in pairs]
    for process in processes:
        process.start()
    ours = [end for end, _ in pairs]

    def one(end: socket.socket, row: np.ndarray) -> Any:
        end.sendall(b"take".ljust(TEXT))
        to_memory_file(row, end)
        return end.recv(4)

    def back(numbers: int) -> Any:
        ours[0].sendall(str(numbers).encode().ljust(TEXT))
        return from_memory_file(ours[0]).max()  # looks at all of it: pages come when they are read

    with ThreadPoolExecutor(workers) as threads:
        yield Side(lambda rows: list(threads.map(one, ours, rows)), back)
    for mine, theirs in pairs:
        theirs.close()
        mine.close()
    for process in processes:
        process.join()


def by_anyk(executor: anyk.AbstractExecutor) -> Side:
    """Shares are placed, a function runs on each, they are released."""
    few = executor.place([np.zeros((1, 1), np.uint32)])

    def called(task: Any, placement: Any, arguments: tuple[Any, ...] = ()) -> list[Any]:
        named: Any = task.__name__ if executor.by_name else task
        dispatch = executor.dispatch(named, placement, arguments)
        answers = [dispatch.receive(None) for _ in range(placement.shares)]
        if any(each is None or each.failure for each in answers):
            raise SystemExit(f"{executor!r}: {answers}")
        return answers

    def out(rows: np.ndarray) -> Any:
        placement = executor.place([rows])
        answers = called(first, placement)
        executor.release(placement)
        return answers

    return Side(out, lambda numbers: called(full, few, (numbers,)), executor)


@contextmanager
def processes(workers: int) -> Iterator[Side]:
    """`anyk.Processes`."""
    with anyk.Processes(workers) as executor:
        yield by_anyk(executor)


@contextmanager
def remote(workers: int) -> Iterator[Side]:
    """`anyk.Remote`: `anyk worker`s behind mutual TLS."""
    with (
        Trial("_sharing_tasks", workers=workers, directory=HERE) as trial,
        anyk.Remote(trial.addresses, tls=trial.master, largest_answer=1 << 30) as executor,
        bare_tls(workers) as beside,
    ):
        yield replace(by_anyk(executor), beside=beside)


@contextmanager
def bare_tls(workers: int) -> Iterator[Side]:
    """`ssl.SSLSocket`: `sendall` of a row's memory, a thread for each, as by the pipe."""
    context = multiprocessing.get_context("spawn")
    with TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as threads:
        files = certificate(Path(folder))
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            processes = [
                context.Process(target=behind_tls, args=(port, files)) for _ in range(workers)
            ]
            for process in processes:
                process.start()
            ours = [secured(listening.accept()[0], files, server=True) for _ in processes]

        def one(end: Any, row: np.ndarray) -> Any:
            send_bytes(end, row)
            return receive_bytes(end)

        def back(numbers: int) -> Any:
            send_bytes(ours[0], str(numbers).encode())
            return receive_bytes(ours[0])

        yield Side(lambda rows: list(threads.map(one, ours, rows)), back)
        for end in ours:
            send_bytes(end, b"")
            end.close()
        for process in processes:
            process.join()


@contextmanager
def cluster(workers: int) -> Iterator[Any]:
    """A Dask cluster of processes on this machine, and its client."""
    from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra

    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
            silence_logs=60,
        ) as made,
        Client(made) as client,
    ):
        yield client


@contextmanager
def dask(workers: int) -> Iterator[Side]:
    """`anyk.Dask`, beside `client.scatter` on the same cluster."""
    with cluster(workers) as client, anyk.Dask(client) as executor:
        yield replace(by_anyk(executor), beside=by_scatter(client))


@contextmanager
def dask_scatter(workers: int) -> Iterator[Side]:
    """`client.scatter`, a row to each worker, then `client.submit`."""
    with cluster(workers) as client:
        yield by_scatter(client)


def by_scatter(client: Any) -> Side:
    """The ways of a Dask client."""
    addresses = list(client.scheduler_info(n_workers=-1)["workers"])

    def out(rows: np.ndarray) -> Any:
        there = [
            client.scatter(row, workers=[address], hash=False, direct=True)
            for row, address in zip(rows, addresses, strict=False)
        ]
        return client.gather([client.submit(first, each, pure=False) for each in there])

    def back(numbers: int) -> Any:
        made = client.submit(full, None, numbers, pure=False, workers=addresses[0])
        return client.gather(made, direct=True)

    return Side(out, back)


@contextmanager
def ray(workers: int) -> Iterator[Side]:
    """`anyk.Ray`."""
    import ray as library  # noqa: PLC0415 - an extra

    library.init(
        address="local",
        num_cpus=workers,
        object_store_memory=1 << 30,
        include_dashboard=False,
        log_to_driver=False,
    )
    with anyk.Ray(workers) as executor:
        yield by_anyk(executor)
    library.shutdown()


@contextmanager
def futures(workers: int) -> Iterator[Side]:
    """`ProcessPoolExecutor`: a row is an argument."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield Side(
            lambda rows: list(pool.map(first, rows)),
            lambda numbers: pool.submit(full, None, numbers).result(),
        )


def by_joblib(workers: int, **options: Any) -> Side:
    """`joblib.Parallel`, with loky's processes."""
    from joblib import Parallel, delayed  # noqa: PLC0415 - an extra

    parallel = Parallel(workers, **options)
    return Side(
        lambda rows: parallel(delayed(first)(row) for row in rows),
        lambda numbers: parallel([delayed(full)(None, numbers)]),
    )


@contextmanager
def joblib_pickle(workers: int) -> Iterator[Side]:
    """Rows are pickled."""
    yield by_joblib(workers, max_nbytes=None)


@contextmanager
def joblib_memmap(workers: int) -> Iterator[Side]:
    """Rows are files in memory, which every process of this user can read; joblib's default."""
    yield by_joblib(workers)


@contextmanager
def mpi(workers: int) -> Iterator[Side]:
    """`mpi4py`: `Isend` of a row's memory to each rank; the others are in `serve_mpi`."""
    from mpi4py import MPI  # noqa: PLC0415 - an extra

    world = MPI.COMM_WORLD

    def out(rows: np.ndarray) -> Any:
        took = np.zeros(len(rows), np.uint32)
        for rank, row in enumerate(rows, 1):
            world.send(row.size, rank)
        sent = [world.Isend(row, rank) for rank, row in enumerate(rows, 1)]
        for rank in range(1, len(rows) + 1):
            world.Recv(took[rank - 1 : rank], rank)
        MPI.Request.Waitall(sent)
        return took

    def back(numbers: int) -> Any:
        world.send(-numbers, 1)
        took = np.empty(numbers, np.uint32)
        world.Recv(took, 1)
        return took

    yield Side(out, back)
    for rank in range(1, workers + 1):
        world.send(0, rank)


def serve_mpi() -> None:
    """What all ranks do but the first."""
    from mpi4py import MPI  # noqa: PLC0415 - an extra

    world = MPI.COMM_WORLD
    while size := world.recv(source=0):
        if size > 0:
            row = np.empty(size, np.uint32)
            world.Recv(row, 0)
            world.Send(first(row), 0)
        else:
            world.Send(full(None, -size), 0)


SIDES: dict[str, Callable[[int], AbstractContextManager[Side]]] = {
    "anyk.Processes": processes,
    "anyk.Remote": remote,
    "anyk.Dask": dask,
    "anyk.Ray": ray,
    "concurrent.futures": futures,
    "joblib, pickled": joblib_pickle,
    "joblib, memmap": joblib_memmap,
    "Dask scatter": dask_scatter,
    "mpi4py": mpi,
    "bare memory file": memory_files,
    "bare pipe": bare_pipe,
}
