"""Sharing out large arrays: the memory of the master and the speed, beside what else there is.

Each side is measured in a process of its own, in which a bare pipe (`multiprocessing.Pipe`,
`send_bytes`) does the same turn by turn:

- Memory: 8 shares of 50 MB, of data under `anyk.Lagrange` with a colluder (without on Ray, whose
  actors are on one node), are distributed, and a function runs on each. By how much has the
  master's resident memory grown at most (VmHWM, from before the data are made), as a multiple of
  shares and data together? With anyk, encoding counts too; the others are given the shares that
  anyk has encoded. What joblib and Ray put in /dev/shm is not in it, unless the master looks at it.
- Out: seconds until the first number of each of 8 shares is back.
- There and back: of one share of 100 MB to one worker, and of an answer of 100 MB.
- CPU seconds a GB of the master and of the processes below it, and in the same turns by bare pipe.
- Dask and Remote take turns with what does the same on their ground, too: `client.scatter`
  and a direct gather on the same cluster, and bare TLS sockets (`ssl`, the same cipher). The last
  columns have how fast they are of that, and the CPU seconds of that.

Memory that a machine has not used before may be much slower than all of this: compare within a row.

Claims: anyk on Processes, Remote and Dask takes at most 1.3 times shares and data; Processes is at
least half as fast as a bare pipe, and Dask half as fast as its own scatter and gather, in both
directions.

    python benchmarks/sharing_out.py [--side NAME] [--rounds 7] [--tiny]

It exits with 1 if a claim fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _sharing_sides import SIDES, bare_pipe, serve_mpi
from _sharing_tasks import first

import anyk
from anyk.bench.measure import Interval, interval, table
from anyk.executors.core.family import descendants

MOST = 1.3
LEAST = 0.5
QUICK = ("anyk.Processes", "concurrent.futures")  # for the gate
Sizes = tuple[int, int]  # MB of each of many shares, and of a single one


def status(field: str) -> int:
    """Bytes that this process has, or had at most."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) << 10


def distributed(side: Any, X: np.ndarray, scheme: anyk.Lagrange) -> int:
    """Distribute data, and run something on them; how many bytes the shares have."""
    executor = side.executor
    if executor is None:
        shares = scheme.encode(X).parts[0]
        side.out(shares)
        return int(shares.nbytes)
    with anyk.distribute(scheme, X, executor) as data:
        data.run("first" if executor.by_name else first)
        return sum(part.nbytes for part in data.encoded.parts)


def measured(name: str, workers: int, sizes: Sizes, rounds: int) -> dict[str, Any]:
    """One side, beside a bare pipe."""
    many, single = (size * 10**6 // 4 for size in sizes)
    with SIDES[name](workers) as side, bare_pipe(workers) as pipe:
        apart = side.executor is None or side.executor.shares_per_machine == 1
        scheme = anyk.Lagrange(workers // 2, degree=1, workers=workers, colluders=int(apart))
        warm = np.ones((workers, 1 << 12), np.uint32)
        side.out(warm)
        distributed(side, np.ones((scheme.blocks, 100), np.int64), scheme)
        Path("/proc/self/clear_refs").write_text("5", "ascii")  # forgets how much there was
        before = status("VmHWM")
        X = np.random.default_rng(0).integers(scheme.field.modulus, size=(scheme.blocks, many))
        shares = distributed(side, X, scheme)
        peak = (status("VmHWM") - before) / (X.nbytes + shares)
        del X
        rng = np.random.default_rng(1)  # nothing that can be compressed
        rows, one = (
            rng.integers(1 << 32, size=size, dtype=np.uint32)
            for size in ((workers, many), (1, single))
        )
        found: dict[str, Any] = {"peak": peak}
        for what, size, call in (
            ("out", rows.nbytes, lambda each: each.out(rows)),
            ("there", one.nbytes, lambda each: each.out(one)),
            ("back", one.nbytes, lambda each: each.back(single)),
        ):
            sides = [each for each in (side, pipe, side.beside) if each is not None]
            took = [[timed(call, each) for each in sides] for _ in range(rounds + 1)][1:]
            seconds, busy = np.moveaxis(np.array(took), 2, 0)
            found[what] = (size / 1e6 / seconds[:, 0]).tolist()
            found[f"{what} by pipe"] = (seconds[:, 1] / seconds[:, 0]).tolist()
            if side.beside is not None:
                found[f"{what} by own"] = (seconds[:, 2] / seconds[:, 0]).tolist()
            found[f"{what}, CPU"] = (busy.sum(axis=0) / rounds / size * 1e9).tolist()
    return found


def timed(call: Callable[[Any], object], side: Any) -> tuple[float, float]:
    """Seconds that a call takes, and CPU seconds of this process and all below it."""
    before, begun = busy(), time.perf_counter()
    call(side)
    took = time.perf_counter() - begun
    return took, busy() - before


def busy() -> float:
    """CPU seconds so far of this process and all below it."""
    me = os.getpid()
    processes = {me, *descendants(me)}
    if "OMPI_COMM_WORLD_RANK" in os.environ:  # the other ranks are beside it
        processes |= descendants(os.getppid())
    ticks = 0
    for process in processes:
        try:
            text = Path(f"/proc/{process}/stat").read_text("ascii")
        except OSError:
            continue  # it has ended
        ticks += sum(map(int, text.rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def apart(name: str, workers: int, arguments: list[str]) -> dict[str, Any] | None:
    """The same in a process of its own; None where MPI is not there."""
    command = [sys.executable, __file__, "--side", name, *arguments, "--workers", str(workers)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    if name == "mpi4py":
        folder = str(Path(sys.executable).parent)
        mpiexec = shutil.which("mpiexec", path=f"{folder}:{os.environ['PATH']}")
        if mpiexec is None:
            return None
        command = [mpiexec, "-n", str(workers + 1), *command]
        allowed = [f"{a}_ALLOW_RUN_AS_ROOT{b}" for a in ("OMPI", "PRTE") for b in ("", "_CONFIRM")]
        environment |= dict.fromkeys(allowed, "1")
        environment |= {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
        }
    done = subprocess.run(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, text=True, check=False, env=environment, timeout=1800
    )
    if done.returncode:
        raise SystemExit(f"{name} failed")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def broken(name: str, found: dict[str, Any]) -> list[str]:
    """Claims that fail."""
    failing = []
    if name in {"anyk.Processes", "anyk.Remote", "anyk.Dask"} and found["peak"] > MOST:
        failing.append(f"{name}: {found['peak']:.2f} times shares and data")
    others = {"anyk.Processes": "pipe", "anyk.Dask": "own"}
    for way in ("there", "back") if name in others else ():
        ratio = interval(found[f"{way} by {others[name]}"])
        if ratio.median < LEAST:
            failing.append(f"{name}, {way}: {ratio} of {others[name]}")
    return failing


def rate(found: Interval) -> str:
    """Megabytes a second."""
    return f"{found.median:,.0f} ({found.low:,.0f} to {found.high:,.0f})"


def main() -> int:
    """Print the table, and say whether the claims hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", choices=SIDES, help="this one alone, as JSON")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--megabytes", type=int, default=50, help="of a share; one has twice that")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    rounds, size = (2, 2) if options.tiny else (options.rounds, options.megabytes)
    workers = 2 if options.tiny else options.workers
    if options.side:
        rank = int(os.environ.get("OMPI_COMM_WORLD_RANK", "0")) if options.side == "mpi4py" else 0
        if rank:
            serve_mpi()
            return 0
        print(json.dumps(measured(options.side, workers, (size, 2 * size), rounds)))
        return 0
    rows, failing = [], []
    for name in QUICK if options.tiny else SIDES:
        found = apart(name, workers, ["--rounds", str(rounds), "--megabytes", str(size)])
        if found is None:
            print(f"no mpiexec: {name} is not measured")
            continue
        failing += broken(name, found)
        ways = ("out", "there", "back")
        rows.append([name, f"{found['peak']:.2f}", *(rate(interval(found[way])) for way in ways)])
        rows[-1] += [str(interval(found[f"{way} by pipe"])) for way in ways]
        rows[-1] += [
            str(interval(found[f"{way} by own"])) if f"{way} by own" in found else ""
            for way in ways
        ]
        rows[-1] += ["/".join(f"{each:.2f}" for each in found[f"{way}, CPU"]) for way in ways]
        print(*rows[-1], sep=" | ", flush=True)
    head = ["by", "peak", "all out, MB/s", "1 there, MB/s", "1 back, MB/s"]
    head += [f"{way} / pipe's" for way in ("all out", "there", "back")]
    head += [f"{way} / own ground's" for way in ways]
    head += [f"CPU s/GB {way}" for way in ("out", "there", "back")]
    print(f"\n{workers} shares of {size} MB, one of {2 * size} MB; {rounds} rounds")
    print(table(head, rows))
    if options.tiny:
        return 0
    print(f"claims that fail: {failing}" if failing else "the claims hold")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
