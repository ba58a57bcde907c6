"""Data larger than the master's memory: what it holds while a memmap is distributed in slabs.

Each row runs in a process of its own: it maps a file, starts workers, and distributes the file to
them, at once (the array is read, and encoded whole) or in slabs. Its peak is what the kernel says
(VmHWM) from the start of `anyk.distribute` on, less what the process held before. The baseline in
one line of numpy is the loop that a sceptic would write: scatter the file's blocks with Dask,
`client.scatter(np.array(block))`, without any code.

A second table is of data that lie on a Dask cluster: bytes that pass this process while the workers
encode among themselves, against `np.asarray(X)` brought here and distributed from here.

Claims: in slabs the peak is at most 4 times what one slab and its shares take at eight bytes a
number, and a run on the shares gives what the whole array gives; among themselves, less than 1 % of
the data's bytes pass the master.

    python benchmarks/more_data_than_memory.py [--megabytes 512] [--tiny]

It exits with 1 if a claim fails.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import anyk
from anyk.bench.measure import table

BLOCKS, WORKERS, REST = 2, 4, 64
SLABS = 16
TIMES, SHARE = 4, 0.01
MIB = 2**20
SCHEMES = {
    "copies": anyk.Replication(BLOCKS, WORKERS),
    "coded": anyk.Lagrange(blocks=BLOCKS, degree=1, workers=WORKERS),
    "private": anyk.Lagrange(blocks=BLOCKS, degree=1, workers=WORKERS, colluders=1),
}


def status(name: str) -> float:
    """MiB, as the kernel says of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (each for each in lines if each.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024


def ends(block: Any) -> Any:
    """What is asked of the shares: some of their numbers, a linear function."""
    return block[:: len(block) - 1]


@contextmanager
def workers_of(engine: str) -> Iterator[anyk.AbstractExecutor]:
    """Workers in processes of their own."""
    if engine == "Processes":
        with anyk.Processes(WORKERS) as executor:
            yield executor
        return
    with dask_client() as client, anyk.Dask(client) as executor:
        yield executor


@contextmanager
def dask_client() -> Iterator[Any]:
    """A local cluster of processes; its scheduler is in this one, and counts as the master's."""
    from distributed import Client, LocalCluster  # noqa: PLC0415 - in some rows alone

    with (
        LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
            silence_logs=60,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(WORKERS)
        yield client


def right(X: Any) -> Any:
    """The value of `ends` on all blocks."""
    return np.array(X[:, :: X.shape[1] - 1])


def measured(path: str, engine: str, way: str, name: str, columns: int) -> dict[str, Any]:
    """One row of the first table."""
    X = np.load(path, mmap_mode="r")
    if engine == "Dask scatter":
        return scattered(X)
    scheme = SCHEMES[name]
    with workers_of(engine) as executor:
        small = X[:, :2].copy()
        with anyk.distribute(scheme, small, executor) as data:  # workers have started, and tables
            data.run(ends)
        start, before = begun()
        given = np.load(path) if way == "at once" else X  # read here, or mapped
        step = columns if way == "in slabs" else None
        with anyk.distribute(scheme, given, executor, columns=step) as data:
            data.run(ends)  # the shares are there
            seconds, peak = time.perf_counter() - start, status("VmHWM") - before
            good = np.array_equal(data.run(ends).value, right(X))
    return {"seconds": seconds, "peak": peak, "right": bool(good)}


def scattered(X: Any) -> dict[str, Any]:
    """The baseline: each block, as it is, on two workers."""
    with dask_client() as client:
        names = [*client.scheduler_info(n_workers=-1)["workers"]]
        start, before = begun()
        held = [
            client.scatter(np.array(X[place % BLOCKS]), workers=[name], direct=True, hash=False)
            for place, name in enumerate(names)
        ]
        seconds, peak = time.perf_counter() - start, status("VmHWM") - before
        good = np.array_equal(client.submit(ends, held[1]).result(), right(X)[1])
    return {"seconds": seconds, "peak": peak, "right": bool(good)}


def begun() -> tuple[float, float]:
    """The time, and MiB that are held now, from where on the peak is counted."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return time.perf_counter(), status("VmRSS")


class Wire:
    """Bytes that this process has sent and received on all connections of Dask's."""

    def __init__(self) -> None:
        from tornado.iostream import IOStream  # noqa: PLC0415 - in some rows alone

        self.bytes = 0
        read, write = IOStream.read_from_fd, IOStream.write_to_fd

        def reading(stream: Any, buffer: Any) -> Any:
            came = read(stream, buffer)
            self.bytes += came or 0
            return came

        def writing(stream: Any, data: Any) -> Any:
            gone = write(stream, data)
            self.bytes += gone or 0
            return gone

        changed: Any = IOStream
        changed.read_from_fd, changed.write_to_fd = reading, writing


def on_cluster(way: str, megabytes: int, columns: int) -> dict[str, Any]:
    """One row of the second table: data that workers have made."""
    import dask.array as da  # noqa: PLC0415 - in some rows alone

    width = megabytes * MIB // (8 * BLOCKS * REST)
    scheme, wire = SCHEMES["coded"], Wire()
    with dask_client() as client, anyk.Dask(client) as executor:
        X = da.arange(BLOCKS * width * REST, chunks=columns * REST)
        X = X.reshape(BLOCKS, width, REST).rechunk((1, columns, REST)).persist()
        client.gather(client.submit(len, client.compute(X[0, :1])))
        with anyk.distribute(scheme, right(np.ones((2, 9, 2), int)), executor) as data:
            data.run(ends)
        (start, before), passed = begun(), wire.bytes
        given = X if way == "among workers" else X.compute()
        with anyk.distribute(scheme, given, executor) as data:
            value = data.run(ends).value
            seconds, peak = time.perf_counter() - start, status("VmHWM") - before
            passed = wire.bytes - passed
        good = value[1, 1, -1] == BLOCKS * width * REST - 1 and value[0, 0, 0] == 0
    return {"seconds": seconds, "peak": peak, "bytes": passed, "right": bool(good)}


def apart(*row: object) -> dict[str, Any]:
    """A row, measured in a process of its own."""
    command = [sys.executable, __file__, "--row", *map(str, row)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)  # noqa: S603 - our own command
    if done.returncode:
        raise SystemExit(f"{row}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def write_file(path: str, width: int, columns: int) -> None:
    """The file, slab by slab."""
    file = np.lib.format.open_memmap(path, "w+", np.int64, (BLOCKS, width, REST))
    for at in range(0, width, columns):
        some = file[:, at : at + columns]
        some[:] = np.arange(some.size).reshape(some.shape) % 1_000_003
    file.flush()


def of_a_file(megabytes: int, *, tiny: bool) -> list[str]:
    """Print the first table; what does not hold."""
    width = megabytes * MIB // (8 * BLOCKS * REST)
    columns = width // SLABS
    slab = 8 * columns * REST * (BLOCKS + WORKERS) / MIB
    sides = [("Processes", "in slabs", "private")]
    if not tiny:
        sides = [
            (engine, way, name)
            for engine, names in (("Processes", [*SCHEMES]), ("Dask", ["copies", "private"]))
            for name in names
            for way in ("at once", "in slabs")
        ]
        sides.append(("Dask scatter", "by block", "no code"))
    rows, broken = [], []
    with tempfile.TemporaryDirectory(prefix="anyk-") as folder:
        path = str(Path(folder) / "X.npy")
        write_file(path, width, columns)
        for engine, way, name in sides:
            found = apart("file", path, engine, way, name, columns)
            peak, seconds = found["peak"], found["seconds"]
            rows.append(
                [engine, name, way, f"{peak:.0f}", f"{peak / megabytes:.2f}",
                 f"{seconds:.2f}", f"{megabytes / seconds:.0f}"]
            )  # fmt: skip
            if not found["right"] or (way == "in slabs" and peak > TIMES * slab):
                broken.append(f"{engine}, {name}, {way}: {found}")
    print(
        f"a file of {megabytes} MiB, {BLOCKS} blocks on {WORKERS} workers, in {SLABS} slabs; one "
        f"and its shares take {slab:.0f} MiB at eight bytes a number"
    )
    head = ["workers", "code", "distributed", "peak MiB", "of the file", "seconds", "MiB/s"]
    print(table(head, rows))
    return broken


def of_a_cluster(megabytes: int) -> list[str]:
    """Print the second table; what does not hold."""
    columns = megabytes * MIB // (8 * BLOCKS * REST) // SLABS
    rows, broken = [], []
    for way in ("through the master", "among workers"):
        found = apart("cluster", way, megabytes, columns)
        rows.append(
            [way, f"{found['bytes'] / MIB:.2f}", f"{found['peak']:.0f}", f"{found['seconds']:.2f}"]
        )
        passed = found["bytes"] / MIB / megabytes
        if not found["right"] or (way == "among workers" and passed > SHARE):
            broken.append(f"on Dask, {way}: {found}")
    print(f"\n{megabytes} MiB that lie on a Dask cluster, by {SCHEMES['coded']!r}")
    print(table(["encoded", "MiB through the master", "peak MiB", "seconds"], rows))
    return broken


def main() -> None:
    """Measure both tables, and say what does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--megabytes", type=int, default=512, help="MiB of the data")
    parser.add_argument("--row", nargs="+", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.row:
        kind, *given = parsed.row
        if kind == "cluster":
            way, megabytes, columns = given
            print(json.dumps(on_cluster(way, int(megabytes), int(columns))))
        else:
            path, engine, way, name, columns = given
            print(json.dumps(measured(path, engine, way, name, int(columns))))
        return
    broken = of_a_file(64 if parsed.tiny else parsed.megabytes, tiny=parsed.tiny)
    if not parsed.tiny:
        broken += of_a_cluster(parsed.megabytes)
    if broken:
        raise SystemExit("the claims do not hold: " + "; ".join(broken))


if __name__ == "__main__":
    main()
