"""Dask: pinned shares, nothing through the scheduler, and workers that are killed or busy."""

import asyncio
import contextlib
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlparse

import numpy as np
import pytest
from calls import (
    LONG,
    call,
    eventually,
    kill_worker_1,
    pids_of,
    put_off,
    receive,
    sums_and_products,
)
from in_place import change_nothing_for_others, spoil, ways

import anyk
from anyk.errors import ExecutorError, InvalidArgument, NotEnoughAnswers, Unachievable
from anyk.executors.core.base import PerWorker
from anyk.executors.engines.dask import Dask
from anyk.executors.engines.dask_place import DaskRoster
from anyk.executors.wrappers.with_master import WithMaster
from anyk.faults import Die, Faulty
from anyk.testing.tasks import gram

distributed = pytest.importorskip("distributed")

SCHEME = anyk.Lagrange(blocks=2, degree=1, workers=3)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=3,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        memory_limit=0,
        silence_logs=50,
    ) as started:
        yield started
        pids = [nanny.pid for nanny in started.workers.values()]
    gc.collect()  # what Dask leaves open is a warning here, and not in another test
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


@pytest.fixture(scope="module")
def client(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster) as connected:
        yield connected


@pytest.fixture
def trio(client: Any) -> Iterator[Dask]:
    client.wait_for_workers(3, timeout=LONG)
    with Dask(client) as executor:
        yield executor


def held(client: Any) -> list[list[int]]:
    """How many shares there are in each session, by Dask worker."""

    def held_in(session: Any) -> int:
        return sum(len(state._held) for state in session.states.values())

    def look(dask_worker: Any) -> list[int]:
        serving = dask_worker.plugins.get("anyk")
        return [] if serving is None else [held_in(each) for each in serving.open]

    return sorted(client.run(look).values())


def test_what_a_task_writes_changes_nothing_for_others(trio: Dask) -> None:
    for way in ways():
        change_nothing_for_others(trio, spoil, way)


def test_conformance(client: Any) -> None:
    anyk.testing.check_executor(Dask(client))


def test_each_share_stays_on_its_worker_until_released(client: Any, trio: Dask) -> None:
    first = pids_of(trio)
    assert len({os.getpid(), *first}) == 4
    kept, other = trio.place([np.arange(3)]), trio.place([np.ones((3, 2))])
    for placement in (kept, other, kept):
        receive(trio.dispatch(np.square, placement, []), 3)
    assert held(client) == [[2]] * 3
    trio.release(other)
    assert eventually(lambda: held(client) == [[1]] * 3)
    assert pids_of(trio) == first
    trio.close()
    assert eventually(lambda: held(client) == [[]] * 3)
    assert client.submit(abs, -3).result(LONG) == 3  # the client stays open


class Toll:
    """Counts the bytes between a client and a scheduler, as a forwarder between them."""

    def __init__(self, address: str) -> None:
        target = urlparse(address)
        self._target = (target.hostname, target.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.bytes = 0
        self._ends = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._ends += [near, far]
                threading.Thread(target=self._forward, args=(near, far), daemon=True).start()

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        with near, far, contextlib.suppress(OSError):
            while True:
                for end in select.select([near, far], [], [], 0.2)[0]:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    self.bytes += len(data)
                    other[end].sendall(data)

    def close(self) -> None:
        for end in self._ends:
            end.close()


def test_shares_arguments_and_answers_do_not_pass_the_scheduler(cluster: Any) -> None:
    toll = Toll(cluster.scheduler_address)
    large = np.ones((3, 1_000_000))  # 8 MB each, of random bytes' size: nothing is compressed
    large[:] = np.random.default_rng(0).standard_normal(1_000_000)
    with distributed.Client(toll.address, set_as_default=False) as client, Dask(client) as executor:
        pids_of(executor)
        before = toll.bytes
        placement = executor.place([large])
        for _ in range(2):
            dispatch = executor.dispatch(
                lambda share, plain, own: share + plain + own,
                placement,
                [large[0], PerWorker(large)],
            )
            answers = receive(dispatch, 3)
            np.testing.assert_array_equal(answers[1].value, 3 * large[0])
        assert toll.bytes - before < 100_000  # heartbeats
        client.scatter(large[0], direct=False, hash=False)
        assert toll.bytes - before > 8_000_000  # what passes is counted
    toll.close()


def test_functions_of_any_kind_and_dask_s_own_context(client: Any, trio: Dask) -> None:
    def address(_: Any) -> Any:
        return np.frombuffer(distributed.get_worker().address.encode(), np.uint8)

    answers = call(trio, address, np.zeros(3))
    found = {answer.value.tobytes().decode() for answer in answers.values()}
    assert found == set(client.nthreads())
    outcome = anyk.run(SCHEME, lambda x: 2 * x, [5, 6], trio)
    assert outcome.value.tolist() == [10, 12]


def test_what_can_not_be_pickled_is_refused_here_or_fails_there(trio: Dask) -> None:
    class LoadsOnlyHere:
        def __reduce__(self) -> Any:
            return int, ("this is no number",)

    placement = trio.place([np.zeros(3)])
    for task, argument in ((threading.Lock().acquire, 1), (np.add, threading.Lock())):
        with pytest.raises(InvalidArgument, match="function: got one that"):
            trio.dispatch(task, placement, [argument])
    answers = receive(trio.dispatch(np.add, placement, [LoadsOnlyHere()]), 3)
    assert all("this is no number" in str(answer.failure) for answer in answers.values())
    assert call(trio, np.square, [1, 2, 3])[2].value == 9


def test_nothing_runs_twice_and_a_dead_worker_is_one_failed_answer(
    trio: Dask, tmp_path: Path
) -> None:
    kill_worker_1(trio, tmp_path, "Dask worker died, or can't be reached")


def test_an_idle_worker_that_was_killed_is_not_missed(trio: Dask) -> None:
    with anyk.distribute(SCHEME, [5, 6], trio) as data:
        assert data.run(np.negative).status is anyk.Status.EXACT
        os.kill(pids_of(trio)[2], signal.SIGKILL)
        assert eventually(lambda: not trio.alive[2])
        assert data.run(lambda x: 3 * x).value.tolist() == [15, 18]
        placement = trio.place([np.arange(3)])
        assert receive(trio.dispatch(np.square, placement, []), 3)[2].value == 4


def test_a_worker_that_is_stopped_or_busy_holds_up_nobody_and_collects_nothing(
    trio: Dask, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    stopped = pids_of(trio)[1]
    placement = trio.place([np.arange(3)])
    first = trio.dispatch(put_off(gate), placement, [])
    assert set(receive(first, 2)) == {1, 2}
    assert eventually(gate.with_suffix(".begun").exists)
    first.abandon()
    os.kill(stopped, signal.SIGSTOP)
    try:
        for _ in range(20):
            dispatch = trio.dispatch(np.square, placement, [])
            assert set(receive(dispatch, 1)) == {2}
            dispatch.abandon()
    finally:
        os.kill(stopped, signal.SIGCONT)
    assert max(trio.crew.waiting) <= 1
    last = trio.dispatch(np.square, placement, [])
    gate.write_text("", encoding="utf-8")
    assert set(receive(last, 3)) == {0, 1, 2}


def test_close_waits_for_no_task(trio: Dask, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    threads = {t for t in threading.enumerate() if t.name.startswith("anyk dask")}
    placement = trio.place([np.arange(3)])
    dispatch = trio.dispatch(put_off(gate), placement, [])
    assert set(receive(dispatch, 2)) == {1, 2}
    assert eventually(gate.with_suffix(".begun").exists)
    trio.close()
    assert dispatch.receive(None) is None
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive()
    with pytest.raises(ExecutorError, match="closed"):
        trio.place([np.zeros(3)])
    gate.write_text("", encoding="utf-8")


def test_an_executor_that_is_forgotten_leaves_no_share(client: Any) -> None:
    executor = Dask(client)
    executor.place([np.zeros(3)])
    pids_of(executor)
    assert eventually(lambda: held(client) == [[0]] * 3)
    del executor
    gc.collect()
    assert eventually(lambda: held(client) == [[]] * 3)


STRAGGLER = """
    import asyncio, os, threading
    import anyk, distributed
    gate, release = os.pipe()

    def task(share):
        if distributed.get_worker().name == 1:
            os.read(gate, 1)
        return share

    options = dict(n_workers=2, processes=False, dashboard_address=":0", silence_logs=50)
    with distributed.Client(**options) as client, anyk.Dask(client) as executor:
        print(anyk.run(anyk.Replication(1, 2), task, [5.0], executor).missing)
        for worker in client.cluster.workers.values():
            closing = worker.close(executor_wait=False)
            asyncio.run_coroutine_threadsafe(closing, client.loop.asyncio_loop).result()
    os.write(release, b"!")
    for thread in threading.enumerate():
        if thread.name.startswith("Dask-Default"):
            thread.join()
"""


def test_a_straggler_that_outlives_its_cluster_ends_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(STRAGGLER), encoding="utf-8")
    command = [sys.executable, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2 * LONG)
    assert (done.stdout, done.stderr) == ("(1,)\n", "")


def test_when_the_master_dies_dask_drops_the_shares(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(
        textwrap.dedent("""
            import os, sys
            import numpy as np
            import anyk
            from distributed import Client

            executor = anyk.Dask(Client(sys.argv[1]))
            data = anyk.distribute(anyk.Replication(1, 3), np.ones((1, 5)), executor)
            data.run(np.square)
            print("there", flush=True)
            sys.stdin.read()
        """),
        encoding="utf-8",
    )
    with subprocess.Popen(
        [sys.executable, str(path), client.scheduler.address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as master:
        assert master.stdout is not None
        assert master.stdout.readline() == "there\n"
        assert eventually(lambda: held(client).count([1]) >= 1)
        master.kill()
    assert eventually(lambda: held(client) == [[]] * 3)


def test_several_shares_a_worker_are_said_openly_and_refused_where_they_count(client: Any) -> None:
    client.wait_for_workers(3, timeout=LONG)
    for workers in (4, 7):
        with pytest.raises(InvalidArgument, match=r"wait_for_workers\(\d\)"):
            Dask(client, workers)
    liars = anyk.Lagrange(blocks=2, degree=1, workers=5, adversaries=1)
    curious = anyk.Lagrange(blocks=2, degree=1, workers=5, colluders=1)
    with Dask(client, 5, shares_per_worker=2) as executor:
        for wrapped in (executor, Faulty(executor, {}), WithMaster(executor)):
            for scheme in (liars, curious):
                with pytest.raises(Unachievable, match="2 shares in one place"):
                    anyk.run(scheme, np.negative, [5, 6], wrapped)
        scheme = anyk.Lagrange(blocks=2, degree=1, workers=5)
        assert anyk.run(scheme, lambda x: 2 * x, [5, 6], executor).value.tolist() == [10, 12]
        assert len(set(pids_of(executor))) == 3
    with Dask(client, 2) as executor:
        assert executor.workers == 2
        with pytest.raises(InvalidArgument, match="3 workers, one for each share"):
            anyk.run(SCHEME, np.negative, [5, 6], executor)


def test_a_worker_that_has_held_a_share_never_gets_another_one() -> None:
    there = {"tcp://a": "A", "tcp://b": "B"}

    async def identity() -> Any:
        return {"workers": {address: {"name": name} for address, name in there.items()}}

    client = SimpleNamespace(scheduler=SimpleNamespace(identity=identity))
    roster = DaskRoster(client, list(there.items()), {})

    def locate(place: int) -> Any:
        return asyncio.run(roster.locate(place))

    assert (locate(0), locate(1)) == ("tcp://a", "tcp://b")
    del there["tcp://a"]
    assert locate(0) is None
    there["tcp://c"] = "C"
    assert locate(0) == "tcp://c"
    there["tcp://a"] = "A"  # it comes back, and has seen share 0
    del there["tcp://b"]
    assert locate(1) is None
    there["tcp://d"] = "D"
    there["tcp://b2"] = "B"  # started anew under its name, which is preferred
    assert locate(1) == "tcp://b2"
    del there["tcp://c"]
    assert locate(0) == "tcp://a"


def test_what_is_no_connected_client_is_refused(cluster: Any) -> None:
    with pytest.raises(InvalidArgument, match="client: got 'tcp"):
        Dask(cluster.scheduler_address)
    with (
        distributed.Client(cluster, set_as_default=False, connection_limit=2) as narrow,
        Dask(narrow) as executor,  # shares have connections of their own
    ):
        assert len(set(pids_of(executor))) == 3
    closed = distributed.Client(cluster, set_as_default=False)
    executor = Dask(closed)
    placement = executor.place([np.zeros(3)])
    receive(executor.dispatch(np.square, placement, []), 3)
    hanging = executor.dispatch(lambda share: time.sleep(1.0) or share, placement, [])
    closed.close()
    answers = receive(hanging, 3)  # nothing hangs
    assert all("Dask client" in str(answer.failure) for answer in answers.values())
    for use in (lambda: executor.dispatch(np.square, placement, []), lambda: Dask(closed)):
        with pytest.raises(ExecutorError, match="client is closed"):
            use()
    executor.close()

    async def asynchronous() -> None:
        async with distributed.Client(
            cluster.scheduler_address, asynchronous=True, set_as_default=False
        ) as client:
            with pytest.raises(InvalidArgument, match="an asynchronous Client"):
                Dask(client)

    asyncio.run(asynchronous())


def test_a_scheduler_that_is_gone_is_an_error() -> None:
    with distributed.LocalCluster(
        n_workers=2, processes=False, dashboard_address=":0", silence_logs=50
    ) as other:
        with (
            distributed.Client(other, set_as_default=False, timeout=1) as client,
            Dask(client) as executor,
        ):
            assert executor.workers == 2
            answers = call(Faulty(executor, {0: Die()}), np.square, [1, 2])
            assert answers[0].failure == "RuntimeError: the worker died"  # not this process
            other.close()
            assert eventually(lambda: client.status != "running")
            with pytest.raises((ExecutorError, NotEnoughAnswers)):
                anyk.run(anyk.Replication(2, 2), np.square, [1.0, 2.0], executor, deadline=LONG)


def test_sums_of_outputs_and_products_are_ordinary_schemes(trio: Dask) -> None:
    sums_and_products(trio, gram)


def test_a_cluster_that_is_too_small_says_how_to_get_more(client: Any) -> None:
    with anyk.Dask(client) as executor:
        scheme = anyk.Replication(blocks=2, workers=executor.workers + 1)
        told = r"Start more Dask workers, pass shares_per_worker= .*, or make the scheme smaller"
        with pytest.raises(anyk.InvalidArgument, match=told):
            anyk.run(scheme, np.square, [5.0, 6.0], executor)
    with anyk.Dask(client, shares_per_worker=2) as executor:
        assert anyk.run(scheme, np.square, [5.0, 6.0], executor).value.tolist() == [25.0, 36.0]
