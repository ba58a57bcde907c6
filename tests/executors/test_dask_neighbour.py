"""Dask: a share is a task of the cluster's, which waits for its turn, is seen, and may move."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from calls import LONG, call, eventually, pids_of, receive
from gates import Gate

import anyk
from anyk.errors import InvalidArgument
from anyk.executors.engines.dask import Dask

distributed = pytest.importorskip("distributed")


@pytest.fixture
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=3,
        threads_per_worker=1,
        processes=False,
        dashboard_address=":0",
        resources={"GPU": 1},
        memory_limit=0,  # nothing but a test pauses a worker
        silence_logs=50,
    ) as started:
        yield started


@pytest.fixture
def client(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster) as connected:
        yield connected


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


def waiting_at(gate: Gate) -> Callable[[Any], Any]:
    def named_task(share: Any) -> Any:
        return gate(share)

    return named_task


def seen(client: Any) -> list[str]:
    return [key for keys in client.processing().values() for key in keys]


def test_a_share_takes_a_thread_of_its_worker_and_is_seen(client: Any, gate: Gate) -> None:
    with Dask(client, shares_per_worker=3) as executor:
        placement = executor.place([np.arange(9)])
        dispatch = executor.dispatch(waiting_at(gate), placement, [])
        assert eventually(lambda: len(gate.begun) == 3 and len(seen(client)) == 9)
        assert {distributed.utils.key_split(key) for key in seen(client)} == {"named_task-anyk"}
        stacks = [stack for stacks in client.call_stack().values() for stack in stacks.values()]
        assert sum("in named_task" in "".join(stack) for stack in stacks) == 3
        theirs = client.submit(abs, -3)
        time.sleep(0.1)
        assert theirs.status == "pending"  # it waits for its turn, as behind any task
        gate.open.set()
        assert all(each.failure is None for each in receive(dispatch, 9).values())
        assert theirs.result(LONG) == 3
        assert set(gate.most.values()) == {1}
        assert eventually(lambda: not seen(client))


def test_a_share_takes_its_resources(cluster: Any, client: Any, gate: Gate) -> None:
    cluster.scale(4)  # the fourth is like the others
    for resources in ({"GPU": 2}, {"TPU": 1}):
        with pytest.raises(InvalidArgument, match=r"0 Dask workers that have \{'.PU': .\}"):
            Dask(client, 1, resources=resources)
    for amount in (0, -1, "1"):
        with pytest.raises(InvalidArgument, match="resources"):
            Dask(client, 1, resources={"GPU": amount})  # type: ignore[dict-item]
    gate.open.set()
    with Dask(client, 2, shares_per_worker=2, resources={"GPU": 1}) as executor:
        placement = executor.place([np.arange(2)])
        answers = receive(executor.dispatch(waiting_at(gate), placement, []), 2)
        assert [answers[worker].failure for worker in range(2)] == [None, None]
        assert set(gate.most.values()) == {1}


def test_a_call_that_is_over_leaves_no_task_behind(client: Any, gate: Gate) -> None:
    others = [
        client.submit(gate, 0, workers=[address], pure=False) for address in client.nthreads()
    ]
    assert eventually(lambda: len(gate.begun) == 3)
    with Dask(client) as executor:
        placement = executor.place([np.arange(3)])
        dispatch = executor.dispatch(waiting_at(gate), placement, [])
        assert eventually(lambda: len(seen(client)) == 6)
        dispatch.abandon()
        assert eventually(lambda: len(seen(client)) == 3)
        gate.open.set()
        client.gather(others)
        assert set(call(executor, np.square, np.arange(3))) == {0, 1, 2}
        assert len(gate.begun) == 3  # what was withdrawn has not run


def set_status(client: Any, address: str, name: str) -> None:
    async def change(dask_worker: Any) -> None:
        dask_worker.status = distributed.core.Status[name]

    client.run(change, workers=[address])


def test_a_paused_worker_gets_none(client: Any, gate: Gate) -> None:
    gate.open.set()
    with Dask(client, 2) as executor:
        placement = executor.place([np.arange(2)])
        receive(executor.dispatch(waiting_at(gate), placement, []), 2)
        paused = gate.begun[0]
        set_status(client, paused, "paused")
        dispatch = executor.dispatch(waiting_at(gate), placement, [])
        first = dispatch.receive(LONG)
        assert first is not None
        assert dispatch.receive(0.2) is None  # it is late, and that is all
        assert gate.begun.count(paused) == 1
        set_status(client, paused, "running")
        last = dispatch.receive(LONG)
        assert last is not None
        assert {first.failure, last.failure} == {None}


def test_a_worker_that_holds_a_share_can_retire_and_is_replaced(client: Any, gate: Gate) -> None:
    gate.open.set()
    with (
        Dask(client, 2) as executor,
        anyk.distribute(anyk.Replication(2, 2), [1.0, 2.0], executor) as data,
    ):
        data.run(waiting_at(gate))
        leaves = gate.begun[0]
        assert list(client.retire_workers([leaves])) == [leaves]
        assert eventually(lambda: not all(executor.alive))
        assert data.run(lambda x: x + 1).value.tolist() == [2.0, 3.0]
        gate.begun.clear()
        data.run(waiting_at(gate))
        assert leaves not in gate.begun
        assert len(set(gate.begun)) == 2


def test_what_has_not_begun_on_a_worker_that_leaves_is_done_by_the_next(
    client: Any, gate: Gate
) -> None:
    gate.open.set()
    with Dask(client, 1) as executor:
        placement = executor.place([np.arange(1)])
        receive(executor.dispatch(waiting_at(gate), placement, []), 1)
        (leaves,) = gate.begun
        set_status(client, leaves, "paused")
        dispatch = executor.dispatch(waiting_at(gate), placement, [])
        assert dispatch.receive(0.2) is None
        client.retire_workers([leaves])
        answer = dispatch.receive(LONG)
        assert answer is not None
        assert answer.failure is None
        assert gate.begun[1] != leaves
        assert len(gate.begun) == 2


def test_a_restart_of_all_workers_is_no_hang() -> None:
    def hang(share: Any) -> Any:
        time.sleep(LONG)
        return share

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
        before = pids_of(executor)
        placement = executor.place([np.arange(2)])
        dispatch = executor.dispatch(hang, placement, [])
        assert eventually(lambda: str(client.call_stack()).count("in hang") == 2)
        client.restart(wait_for_workers=False)
        answers = receive(dispatch, 2)
        assert all(answer.failure is not None for answer in answers.values())
        assert not set(before) & set(pids_of(executor))
