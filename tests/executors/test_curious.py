"""Curious workers: on Remote each knows its own share alone; on Dask one can read another's."""

import asyncio
import contextlib
import itertools
import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import anyk
from anyk.executors.core.family import descendants
from anyk.executors.engines.dask import Dask
from anyk.executors.remote.executor import Remote
from anyk.testing import Trial

HERE = Path(__file__).parent
LONG = 30.0  # seconds: a test that waits this long has failed
SCHEME = anyk.Lagrange(blocks=2, degree=1, workers=3, colluders=1)
KNOWN = {
    "verb",
    "serial",
    "key",
    "piece",
    "arrays",
    "promise",
    "function",
    "module",
    "domain",
    "per_worker",
    "work",
    "arguments",
}


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial("remote_tasks", workers=3, directory=HERE) as started:
        yield started


def data_of(seed: int) -> Any:
    """Blocks of numbers, of which none occurs by chance anywhere else."""
    return np.random.default_rng(seed).integers(1 << 24, SCHEME.field.modulus, size=(2, 2, 16))


def messages(heard: bytes) -> list[tuple[dict[str, Any], list[Any]]]:
    """Headers and arrays that a master has sent; all of it, to the last byte, but a torn end."""
    found = []
    while len(heard) >= 4:
        (length,) = struct.unpack(">I", heard[:4])
        header, heard = json.loads(heard[4 : 4 + length]), heard[4 + length :]
        arrays = []
        for name, shape in header.get("arrays", ()):
            size = int(np.prod(shape)) * np.dtype(name).itemsize
            arrays.append(np.frombuffer(heard[:size], name).reshape(shape))
            heard = heard[size:]
        found.append((header, arrays))
    assert not heard
    return found


@contextlib.contextmanager
def curious(trial: Trial, party: str, others: int) -> Iterator[Any]:
    """The program that wants to know more of some workers, with this party's certificate."""
    ports = [address.rpartition(":")[2] for address in trial.addresses[:others]]
    command = [sys.executable, str(HERE / "curious_worker.py"), str(trial.certificates / party)]
    with subprocess.Popen(
        [*command, *ports], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            yield program
        finally:
            program.kill()


def pried(program: Any) -> Any:
    """What it says that it has heard, and got."""
    program.stdin.write("now\n")
    program.stdin.flush()
    return json.loads(program.stdout.readline())


def test_what_the_curious_worker_tries_is_answered_to_the_master(trial: Trial) -> None:
    with curious(trial, "master", 1) as program:
        program.stdout.readline()
        got = [bytes.fromhex(each) for each in pried(program)["got"]]
    assert sum(b"no such share here" in each for each in got) == 2


def test_a_worker_that_tries_everything_gets_its_own_share_alone(trial: Trial) -> None:
    X, factor, calls = data_of(0), np.arange(16) + (1 << 40), 25
    with curious(trial, "worker-2", 2) as program:
        place = f"worker-2@127.0.0.1:{program.stdout.readline().strip()}"
        with Remote([*trial.addresses[:2], place], tls=trial.master) as executor:
            encoded = SCHEME.encode(X)
            placement = executor.place((encoded.shares,))
            for _ in range(calls):
                dispatch = executor.dispatch("scaled", placement, [factor])
                got = {}
                while (answer := dispatch.receive(LONG)) is not None:
                    got[answer.worker] = answer
                assert sorted(got) == [0, 1, 2]
                assert got[0].failure is got[1].failure is None
            report = pried(program)
    assert report["reached"] == 0  # the master listens nowhere
    assert len(report["got"]) == 2 * 3 * 3
    assert not any(report["got"])  # no other worker said a single byte
    heard = [bytes.fromhex(each) for each in report["heard"]]
    told = [each for connection in heard for each in messages(connection)]
    assert sum(header["verb"] == "run" for header, _ in told) == calls
    for header, arrays in told:
        assert header.keys() <= KNOWN
        own = encoded.shares[2:] if header["verb"] == "hold" else factor
        assert header["verb"] in {"hold", "run", "forget"}
        assert len(arrays) == (header["verb"] != "forget")
        assert all(np.array_equal(array, own) for array in arrays)
    everything = b"".join(heard)
    for row in [*encoded.shares[:2].reshape(-1), *X.reshape(-1)]:
        assert int(row).to_bytes(8, "little") not in everything
        assert str(int(row)).encode() not in everything
    serials = [header["serial"] for header, _ in told if header["verb"] == "run"]
    assert len(set(serials)) == calls  # nor anything of which the next could be guessed
    assert len({serial >> 48 for serial in serials}) > calls / 2


def memory_of(process: int) -> bytes:
    """All that a process of ours has in memory and can write in."""
    pieces = []
    ends = (0, 0)
    with Path(f"/proc/{process}/mem").open("rb") as memory:
        for line in Path(f"/proc/{process}/smaps").read_text(encoding="utf-8").splitlines():
            first, *rest = line.split()
            if "-" in first and rest[0].startswith("rw") and "[v" not in line:
                ends = tuple(int(end, 16) for end in first.split("-"))
            elif first == "Rss:" and ends[1] and int(rest[0]):
                memory.seek(ends[0])
                pieces.append(memory.read(ends[1] - ends[0]))
            if first == "Rss:":
                ends = (0, 0)
    return b"".join(pieces)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_what_a_worker_has_in_memory_is_its_own_share_alone(trial: Trial) -> None:
    X = data_of(1)
    encoded = SCHEME.encode(X)
    rows = [share[:1].tobytes() for share in encoded.shares]
    with Remote(trial.addresses, tls=trial.master) as executor:
        placement = executor.place((encoded.shares,))
        dispatch = executor.dispatch("same", placement, [])
        assert sum(dispatch.receive(LONG) is not None for _ in range(3)) == 3
        for worker, listener in enumerate(trial.processes):
            try:
                seen = (listener.pid, *descendants(listener.pid))  # listens, keeps, serves
                memory = b"".join(memory_of(process) for process in seen)
            except PermissionError:
                pytest.skip("this system lets nobody read another process")
            assert rows[worker] in memory
            others = [row for who, row in enumerate(rows) if who != worker]
            assert not any(row in memory for row in others)
            assert not any(block[:1].tobytes() in memory for block in X)


# Dask: what docs/threat-model.md says


def spying() -> Any:
    """What a task on one Dask worker can ask about another one, by Dask's own messages."""

    def look(dask_worker: Any) -> Any:
        (session,) = dask_worker.plugins["anyk"].open
        (state,) = session.states.values()
        return [np.array(part[0]) for parts in state._held.values() for part in parts]

    def spy(_: Any, question: str, others: str) -> Any:
        distributed = pytest.importorskip("distributed")
        dumps = distributed.protocol.pickle.dumps
        worker = distributed.get_worker()
        if worker.address == others:  # it need do nothing: the other one does it all
            return np.zeros(())

        async def ask() -> Any:
            if question == "where":
                return np.array(len(await worker.scheduler.has_what(workers=None)))
            if question == "what":
                held = await worker.scheduler.who_has(keys=None)
                return np.array(["-anyk-" in key for key in held])
            empty = {"args": dumps(()), "kwargs": dumps({})}
            reply = await worker.rpc(others).run(function=dumps(look), **empty)
            return reply["result"][0]

        return asyncio.run_coroutine_threadsafe(ask(), worker.loop.asyncio_loop).result(LONG)

    return spy


def test_on_dask_a_worker_reads_the_share_of_another_one() -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as client,
        Dask(client) as executor,
    ):
        placement = executor.place([np.array([[1, 2, 3], [77, 88, 99]])])
        names = {
            about["name"]: where for where, about in client.scheduler_info()["workers"].items()
        }
        found = {}
        both_are_there = executor.dispatch(np.copy, placement, [])
        assert all(both_are_there.receive(LONG) is not None for _ in range(2))
        for question in ("where", "what", "run"):
            dispatch = executor.dispatch(spying(), placement, [question, names[1]])
            answers = [dispatch.receive(LONG) for _ in range(2)]
            (answer,) = [each for each in answers if each is not None and each.worker == 0]
            assert answer.failure is None
            found[question] = answer.value
        assert found["where"].tolist() == 2  # the scheduler tells where workers are
        assert found["what"].all()  # it knows of no share, but of tasks on them
        assert found["run"].tolist() == [77, 88, 99]  # but whoever asks may run code there


def test_the_readme_and_the_page_promise_the_same() -> None:
    root = Path(__file__).parents[2]
    tables = []
    for page in ("README.md", "docs/threat-model.md"):
        lines = (root / page).read_text(encoding="utf-8").splitlines()
        (start,) = (at for at, line in enumerate(lines) if line.startswith("| executor | a worker"))
        tables.append(list(itertools.takewhile(lambda line: line.startswith("|"), lines[start:])))
    assert len(tables[0]) == 7
    assert tables[0] == tables[1]
