"""Each engine of `chaos_on_engines`, started for real on this machine, tended, and stopped."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import anyk
from anyk import AbstractExecutor
from anyk.executors.processes.starting import parent
from anyk.testing import Trial

HERE = Path(__file__).parent
WORKERS = 6


def fork_server_pool() -> ProcessPoolExecutor:
    """One process; not forked from this one, which has threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["_chaos_tasks", "anyk.executors.engines.worker_state"])
    return ProcessPoolExecutor(1, mp_context=context)


class Ground(ABC):
    """An engine, from its start to its end.

    The word after the engine's name is where a master of its own finds it, if it needs that.
    """

    cuts = True  # whether work goes over TCP, which can be cut
    restart = 0.2  # rate of kills, beside other troubles: lower where a new process takes long
    tidy = True  # whether it leaves no thread and no open file of its own while it runs
    unruly: tuple[str, ...] = ()  # tasks that start others, or that nothing inside can end
    silent = True  # whether its processes say nothing when they too get Ctrl-C
    address = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @abstractmethod
    def executor(self) -> AbstractExecutor:
        """Workers on this engine."""

    def tend(self) -> None:
        """Do what whoever runs the engine does: start what has ended."""
        return

    def settled(self) -> bool:
        """Whether all workers are there, and none is about to leave."""
        return True

    def strike(self, worker: int) -> bool:
        """Kill what listens on a worker's behalf, if there is such a thing."""
        del worker
        return False

    def remains(self) -> list[str]:
        """What is left of executors that were closed, or whose master has ended."""
        return []


class OnProcesses(Ground):
    """Processes of this machine."""

    cuts = False
    unruly = ("hold", "stop", "fork", "child")

    def executor(self) -> AbstractExecutor:
        return anyk.Processes(WORKERS, patience=5.0)

    def remains(self) -> list[str]:
        return [f"process {each}" for each in of_this_campaign() if each not in kept()]


class OnFutures(Ground):
    """Pools of one process each, of the standard library."""

    cuts = False
    silent = False  # each prints a traceback

    def executor(self) -> AbstractExecutor:
        return anyk.Futures([fork_server_pool] * WORKERS)


class OnRemote(Ground):
    """`anyk worker`s, with certificates."""

    unruly = ("hold", "stop", "fork", "child")

    def __init__(self) -> None:
        self._trial = Trial("_chaos_tasks", workers=WORKERS, directory=HERE)
        self._before = set(of_this_campaign())  # of other engines, which keep what starts workers

    def __enter__(self) -> Self:
        self._trial.__enter__()
        self.address = ",".join([str(self._trial.master), *self._trial.addresses])
        return self

    def __exit__(self, *error: object) -> None:
        self._trial.__exit__(*error)

    def executor(self) -> AbstractExecutor:
        return anyk.Remote(self._trial.addresses, tls=self._trial.master, patience=5.0)

    def tend(self) -> None:
        for worker, process in enumerate(self._trial.processes):
            if process.poll() is not None:
                port = int(self._trial.addresses[worker].rpartition(":")[2])
                if process.stdout is not None:
                    process.stdout.close()
                self._trial.processes[worker] = self._trial.start(f"worker-{worker}", port)

    def strike(self, worker: int) -> bool:
        process = self._trial.processes[worker]
        process.kill()
        process.wait()
        return True

    def remains(self) -> list[str]:
        ours = {process.pid for process in self._trial.processes} | self._before
        return [f"process {each}" for each in of_this_campaign() if each not in ours]


class OnDask(Ground):
    """A local cluster of processes; the scheduler and the nannies are in this one."""

    restart = 0.12
    tidy = False

    def __enter__(self) -> Self:
        from distributed import Client, LocalCluster  # noqa: PLC0415 - one engine at a time

        self._cluster = LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
            silence_logs=60,
        )
        self._client = Client(self._cluster)
        self.address = self._cluster.scheduler_address
        self._client.run(_be_quiet)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._cluster.close()

    def executor(self) -> AbstractExecutor:
        return anyk.Dask(self._client, WORKERS)

    def settled(self) -> bool:
        nannies = list(self._cluster.workers.values())
        there = len(self._cluster.scheduler.workers)
        return there == WORKERS and all(nanny.status.name == "running" for nanny in nannies)

    def tend(self) -> None:
        workers = self._cluster.workers
        for name, nanny in list(workers.items()):  # a worker that has lost its scheduler ends,
            if nanny.status.name in {"closed", "failed"}:  # and takes its nanny along
                workers.pop(name, None)
        if len(workers) < WORKERS:  # the cluster drops workers that are gone for long, too
            self._cluster.scale(WORKERS)

    def remains(self) -> list[str]:
        held = self._client.run(_actors)
        return [f"{number} actors on {address}" for address, number in held.items() if number]


class OnRay(Ground):
    """A Ray of this machine's own."""

    restart = 0.12
    tidy = False

    def __enter__(self) -> Self:
        import ray  # noqa: PLC0415 - one engine at a time

        self._ray = ray
        about = ray.init(
            address="local",
            num_cpus=4 * WORKERS,
            include_dashboard=False,
            object_store_memory=100 << 20,
            log_to_driver=False,
            logging_level="ERROR",
        )
        self.address = about.address_info["gcs_address"]
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    def executor(self) -> AbstractExecutor:
        return anyk.Ray(WORKERS)


GROUNDS: dict[str, type[Ground]] = {
    "Processes": OnProcesses,
    "Futures": OnFutures,
    "Remote": OnRemote,
    "Dask": OnDask,
    "Ray": OnRay,
}


def _actors(dask_worker: Any) -> int:
    return len(dask_worker.state.actors)


def _be_quiet() -> None:
    import logging  # noqa: PLC0415 - on the worker

    logging.disable(logging.CRITICAL)


# What other processes do


MARK = "ANYK_CHAOS"  # in the environment of this process, and of all that is started


def of_this_campaign(mark: str | None = None) -> list[int]:
    """Processes that this one or any descendant has started, and that have not ended.

    Args:
        mark: what is in their environment, in whichever session they are; None for this process's.
    """
    mark = os.environ[MARK] if mark is None else mark
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        about = status(int(entry.name))
        if about and about[0] != "Z" and _has(entry, mark) and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def kept() -> set[int]:
    """The parent of worker processes, which stays until this program ends."""
    return {parent()._process.pid}  # noqa: SLF001 - what is looked for is what should be nowhere


def _has(process: Path, mark: str) -> bool:
    try:
        return f"{MARK}={mark}".encode() in (process / "environ").read_bytes()
    except OSError:
        return False


def status(process: int) -> list[str]:
    """What the kernel says of a process after its name: state, parent, group, session."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


@dataclass(frozen=True)
class Process:
    """A process, told from a later one of the same number.

    Args:
        number: of the process.
        began: when, on the kernel's clock.
    """

    number: int
    began: str

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        about = status(self.number)
        return not about or about[0] == "Z" or about[19] != self.began

    def send(self, signum: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        if not self.gone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.number, signum)


def process_of(number: int) -> Process:
    """The process that has this number now."""
    about = status(number)
    return Process(number, about[19] if about else "")


def eventually(condition: Any, seconds: float) -> bool:
    """Whether it comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def open_pipe(command: list[str], mark: str) -> subprocess.Popen[str]:
    """Start a program in a session of its own, with a mark of its own."""
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=HERE,
        env={**os.environ, MARK: mark},
    )
