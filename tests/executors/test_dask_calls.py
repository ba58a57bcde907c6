"""Dask: calls on any items are tasks of the cluster's, and constants lie in its store."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from calls import LONG, eventually, pids_of
from gates import Gate

import anyk
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.calls import AbstractCalls, Batch, Returned
from anyk.executors.core.task_id import TaskId
from anyk.executors.engines.dask import Dask
from anyk.executors.engines.dask_constants import with_handles
from anyk.executors.engines.dask_session import DaskSession

distributed = pytest.importorskip("distributed")
quiet = partial(anyk.map, progress=False)


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


@pytest.fixture
def client(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster, set_as_default=False) as connected:
        connected.wait_for_workers(3, timeout=LONG)
        yield connected


@pytest.fixture
def trio(client: Any) -> Iterator[Dask]:
    with Dask(client) as executor:
        yield executor


@pytest.fixture
def near() -> Iterator[Any]:
    """A client of a cluster in this process."""
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            dashboard_address=":0",
            memory_limit=0,
            silence_logs=50,
        ) as started,
        distributed.Client(started, set_as_default=False) as connected,
    ):
        yield connected


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


def batch(ticket: int, *items: Any, worker: int = 0) -> Batch:
    ids = tuple(TaskId(ticket, place, worker) for place in range(len(items)))
    return Batch(ticket, tuple((item,) for item in items), ids)


def coming(calls: AbstractCalls, number: int) -> dict[int, Returned]:
    found = [calls.receive(LONG) for _ in range(number)]
    return {each.ticket: each for each in found if each is not None}


def test_any_value_goes_in_and_comes_out_with_its_type(trio: Dask) -> None:
    values = [
        None, 2**60 + 1, "text", (1, "a"), {"a": {1: 2}}, {1, 2}, np.float32(0.1), np.arange(3),
        np.ones((500, 500), np.float32), np.array([1, None], dtype=object), range(3),
    ]  # fmt: skip
    outcome = quiet(lambda value: value, values, trio)
    for value, came in zip(values, outcome.value, strict=True):
        assert type(value) is type(came)
        assert np.array_equal(value, came) if isinstance(value, np.ndarray) else value == came
        assert not isinstance(came, np.ndarray) or came.flags.writeable
    seen = quiet(lambda _: (anyk.task_id(), os.getpid()), range(30), trio).value
    assert [each.item for each, _ in seen] == list(range(30))
    assert {pid for _, pid in seen} <= set(pids_of(trio))


def test_what_a_function_raises_comes_back_with_its_traceback(trio: Dask) -> None:
    def inverse_of(x: Any) -> Any:
        return 1 / x

    with pytest.raises(anyk.FunctionRaised, match=r"ZeroDivisionError.* on item 2") as caught:
        quiet(inverse_of, [4, 2, 0, 1], trio)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "in inverse_of" in str(caught.value.__cause__.__cause__)
    outcome = quiet(inverse_of, [4, 2, 0, 1], trio, on_failure="return")
    assert outcome.value == [0.25, 0.5, None, 1.0]

    def lock(_: Any) -> Any:
        return threading.Lock()

    with pytest.raises(anyk.FunctionRaised, match="returned a lock, which can't be sent back"):
        quiet(lock, [1], trio)


def test_a_share_s_traceback_comes_back(trio: Dask) -> None:
    def inverse_of(x: Any) -> Any:
        return np.linalg.inv(x)

    placement = trio.place([np.zeros((1, 2, 2))])
    answer = trio.dispatch(inverse_of, placement, []).receive(LONG)
    assert answer is not None
    assert answer.failure == "LinAlgError: Singular matrix"
    assert "in inverse_of" in answer.traceback
    assert answer.traceback.endswith("Singular matrix")


def test_what_can_not_be_sent_is_refused(trio: Dask) -> None:
    lock = threading.Lock()
    with pytest.raises(InvalidArgument, match="function: got one that"):
        trio.calls(lock.acquire)
    with pytest.raises(InvalidArgument, match="items: got one that"):
        quiet(abs, [lock], trio)
    with pytest.raises(InvalidArgument, match="value: got one that"):
        trio.broadcast(lock)
    assert quiet(abs, [-1], trio).value == [1]
    trio.close()
    for use in (lambda: trio.calls(abs), lambda: trio.broadcast(1)):
        with pytest.raises(ExecutorError, match="closed"):
            use()


def test_a_batch_is_one_task_and_is_taken_back_before_it_begins(near: Any, gate: Gate) -> None:
    with Dask(near) as executor:
        calls = executor.calls(gate)
        assert calls.ahead >= 1
        for ticket in range(3):
            calls.post(0, batch(ticket, 5, 6))
        calls.post(1, batch(3, 7, worker=1))
        assert eventually(lambda: len(gate.begun) == 2)
        assert eventually(lambda: sum(map(len, near.processing().values())) == 4)
        assert not calls.withdraw(0, 0)
        assert not calls.withdraw(1, 3)
        assert not calls.withdraw(1, 17)
        assert eventually(lambda: calls.withdraw(0, 2))
        assert not calls.withdraw(0, 2)
        assert eventually(lambda: sum(map(len, near.processing().values())) == 3)
        gate.open.set()
        found = coming(calls, 3)
        assert [result.value for result in found[1].results] == [5, 6]
        assert set(found) == {0, 1, 3}
        assert calls.receive(None) is None
        assert len(gate.begun) == 5
        calls.post(0, batch(4, 8))
        calls.abandon()
        calls.abandon()
        assert calls.receive(None) is None


def test_closing_wakes_who_waits_and_begins_nothing(near: Any, gate: Gate) -> None:
    executor = Dask(near)
    calls = executor.calls(gate)
    for ticket in range(2):
        calls.post(0, batch(ticket, 5))
    assert eventually(lambda: len(gate.begun) == 1)
    threading.Timer(0.1, executor.close).start()
    with pytest.raises(ExecutorError, match="closed"):
        calls.receive(None)
    gate.open.set()
    assert eventually(lambda: not any(near.processing().values()))
    assert len(gate.begun) == 1


def test_items_and_values_are_the_task_s_own_in_a_cluster_of_this_process(near: Any) -> None:
    buffer = np.zeros(4)

    def spoil(row: Any) -> Any:
        row += 1.0
        buffer[:] = row
        return buffer

    items = [np.full(4, number) for number in np.arange(20.0)]
    with Dask(near) as executor:
        values = quiet(spoil, items, executor, agree=2).value
    assert [value.tolist() for value in values] == [[number + 1.0] * 4 for number in range(20)]
    assert [item[0] for item in items] == list(range(20))


def test_a_worker_that_dies_fails_what_it_ran_and_what_was_behind_goes_on(trio: Dask) -> None:
    def die_of_0(x: Any) -> Any:
        if x == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return os.getpid()

    before = pids_of(trio)
    calls = trio.calls(die_of_0)
    for ticket in range(3):
        calls.post(1, batch(ticket, ticket))
    found = coming(calls, 3)
    assert found[0].failure == "Dask worker died, or can't be reached"
    assert found[0].results == ()
    after = {found[ticket].results[0].value for ticket in (1, 2)}
    assert len(after) == 1
    assert not after & set(before)
    outcome = quiet(lambda x: x + 1, range(50), trio)
    assert outcome.value == list(range(1, 51))


def test_a_map_survives_a_worker_that_is_killed_and_one_that_is_stopped(trio: Dask) -> None:
    pids = pids_of(trio)

    def trouble() -> None:
        os.kill(pids[1], signal.SIGSTOP)
        os.kill(pids[2], signal.SIGKILL)

    timer = threading.Timer(0.3, trouble)
    timer.start()

    def nap(x: Any) -> Any:
        time.sleep(0.02)
        return x * x

    try:
        outcome = quiet(nap, range(100), trio)
    finally:
        timer.join()
        os.kill(pids[1], signal.SIGCONT)
    assert outcome.value == [x * x for x in range(100)]
    assert quiet(nap, range(10), trio).value == [x * x for x in range(10)]


def test_what_a_stopped_worker_gives_back_too_late_is_given_to_it_again(trio: Dask) -> None:
    def nap(x: Any) -> Any:
        time.sleep(0.2)
        return x

    pid = pids_of(trio)[0]
    calls = trio.calls(nap)
    for ticket in range(2):
        calls.post(0, batch(ticket, ticket))
    time.sleep(0.1)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert not calls.withdraw(0, 1)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert {ticket: each.results[0].value for ticket, each in coming(calls, 2).items()} == {
        0: 0,
        1: 1,
    }


def test_what_was_behind_on_a_worker_that_retires_goes_on(near: Any, gate: Gate) -> None:
    with Dask(near, 1) as executor:
        calls = executor.calls(gate)
        for ticket in range(3):
            calls.post(0, batch(ticket, ticket))
        assert eventually(lambda: len(gate.begun) == 1)
        (leaves,) = gate.begun
        retiring = threading.Thread(target=lambda: near.retire_workers([leaves]))
        retiring.start()
        assert eventually(lambda: len(gate.begun) == 2)
        gate.open.set()
        retiring.join(LONG)
        found = coming(calls, 3)
        assert {found[ticket].failure for ticket in (1, 2)} == {None}
        assert gate.begun[1] != leaves


def test_a_function_is_sent_once_to_a_worker(trio: Dask, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    write = DaskSession.write

    async def counted(self: DaskSession, message: dict[str, Any]) -> None:
        sent.append(message.get("what", ""))
        await write(self, message)

    monkeypatch.setattr(DaskSession, "write", counted)
    large = np.random.default_rng(0).standard_normal(100_000)

    def first(x: Any) -> Any:
        time.sleep(0.002)
        return large[0] * x

    assert quiet(first, range(200), trio).value == [large[0] * x for x in range(200)]
    assert sent.count("function") == 3
    assert sent.count("batch") > 6
    assert eventually(lambda: sent.count("forget") == 3)


# Constants, and futures of the user's


def constants_in(client: Any) -> dict[str, int]:
    """How many constants each worker process has by its handles."""

    def count() -> int:
        from anyk.executors.core import broadcast  # noqa: PLC0415 - there

        return len(broadcast._values)

    return dict(client.run(count))


def test_a_constant_is_sent_once_and_comes_with_a_worker_that_is_new(
    client: Any, trio: Dask
) -> None:
    large = np.random.default_rng(0).standard_normal(200_000)
    with trio.broadcast({"weights": large, "name": "m"}) as model:

        def use(x: Any, given: Any) -> Any:
            return id(given["weights"]), given["name"], x + given["weights"][0]

        def enclosed(x: Any) -> Any:
            return id(model.value["weights"]), x

        assert model.value["weights"] is large
        found = quiet(use, range(60), trio, kwargs={"given": model}).value
        assert [value for *_, value in found] == [x + large[0] for x in range(60)]
        again = quiet(enclosed, range(60), trio).value
        assert {where for where, _ in again} <= {where for where, *_ in found}
        shares = trio.place([np.arange(3)])
        dispatch = trio.dispatch(lambda x, given: x + given["weights"][0], shares, [model])
        answers = [dispatch.receive(LONG) for _ in range(3)]
        assert sorted(float(each.value) for each in answers) == [x + large[0] for x in range(3)]  # type: ignore[union-attr, arg-type]
        os.kill(pids_of(trio)[0], signal.SIGKILL)
        assert eventually(lambda: len(client.nthreads()) == 3)
        found = quiet(use, range(60), trio, kwargs={"given": model}).value
        assert [value for *_, value in found] == [x + large[0] for x in range(60)]
        assert set(constants_in(client).values()) <= {0, 1}
        assert any(constants_in(client).values())
    assert eventually(lambda: not any(constants_in(client).values()))
    assert eventually(lambda: not client.who_has())
    with pytest.raises(ExecutorError, match="released"):
        _ = model.value


def test_a_constant_that_was_lost_is_sent_again_and_ends_with_the_executor(client: Any) -> None:
    def look_up(x: Any, table: Any) -> Any:
        return table[x]

    with Dask(client) as executor:
        table = executor.broadcast([5, 6])
        for _ in range(2):
            assert quiet(look_up, [0, 1], executor, kwargs={"table": table}).value == [5, 6]
            for pid in pids_of(executor):
                os.kill(pid, signal.SIGKILL)
        assert quiet(look_up, [0, 1], executor, kwargs={"table": table}).value == [5, 6]
    assert eventually(lambda: not any(constants_in(client).values()))
    assert eventually(lambda: not client.who_has())


def test_a_batch_that_was_taken_back_has_brought_no_constant(client: Any, trio: Dask) -> None:
    table = trio.broadcast([5, 6])
    busy = [
        client.submit(time.sleep, 2.0, workers=[address], pure=False)
        for address in client.nthreads()
    ]
    calls = trio.calls(lambda x: table.value[x])
    for worker in range(3):
        calls.post(worker, batch(worker, 0, worker=worker))
    assert eventually(lambda: sum(map(len, client.processing().values())) == 6)
    assert all(eventually(partial(calls.withdraw, worker, worker)) for worker in range(3))
    client.gather(busy)
    for worker in range(3):
        calls.post(worker, batch(worker, 1, worker=worker))
    assert [each.results[0].value for each in coming(calls, 3).values()] == [6, 6, 6]


def test_a_constant_in_this_process_is_the_master_s(near: Any) -> None:
    with Dask(near) as executor:
        model = executor.broadcast(np.arange(3))
        assert quiet(lambda x: int(model.value[x]), range(3), executor).value == [0, 1, 2]
        near.retire_workers([min(near.nthreads())])
        assert model.value.tolist() == [0, 1, 2]


def test_futures_of_dask_s_arrive_as_their_values(cluster: Any, client: Any, trio: Dask) -> None:
    squares = client.map(lambda x: x * x, range(6))
    assert quiet(lambda x: x + 1, squares, trio).value == [1, 2, 5, 10, 17, 26]
    table = client.submit(dict, a=1)
    in_keywords = quiet(lambda k, table: table[k], ["a"], trio, kwargs={"table": table})
    assert in_keywords.value == [1]
    nested = quiet(lambda pair: pair[0] + pair[1]["x"], [(squares[2], {"x": squares[3]})], trio)
    assert nested.value == [13]
    scheme = anyk.Replication(blocks=2, workers=3)
    with anyk.distribute(scheme, [1.0, 2.0], trio) as data:
        outcome = data.run(lambda x, y, z: x + y + z["z"], squares[5], {"z": squares[1]})
    assert outcome.value.tolist() == [27.0, 28.0]
    failing = client.submit(lambda: 1 / 0)
    with pytest.raises(anyk.NotEnoughAnswers, match="ZeroDivisionError"):
        quiet(abs, [failing], trio)
    with distributed.Client(cluster, set_as_default=False) as other:
        theirs = other.submit(abs, -1)
        with pytest.raises(InvalidArgument, match="future of another client"):
            quiet(abs, [theirs], trio)


def test_tasks_of_many_threads_are_used(gate: Gate) -> None:
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=3,
            processes=False,
            dashboard_address=":0",
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
        Dask(client) as executor,
    ):
        calls = executor.calls(gate)
        assert calls.at_once == 3
        for ticket in range(calls.at_once + calls.ahead):
            calls.post(0, batch(ticket, ticket))
        assert eventually(lambda: len(gate.begun) == 3)
        gate.open.set()
        coming(calls, calls.at_once + calls.ahead)
        assert set(gate.most.values()) == {3}


def test_what_is_in_itself_is_no_endless_search_for_futures() -> None:
    value: list[object] = [1]
    value.append(value)
    handed, found = with_handles(value, None)
    assert handed is value
    assert not found
