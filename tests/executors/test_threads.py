"""Worker threads, Threads and Inline."""

import ctypes
import gc
import math
import threading
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from calls import sums_and_products

import anyk
from anyk.answers import Answer
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.base import AbstractExecutor, PerWorker
from anyk.executors.core.run_task import pause
from anyk.executors.local.inline import Inline
from anyk.executors.local.simulated import Simulated
from anyk.executors.local.threads import Threads
from anyk.testing.tasks import gram

Kind = type[Inline] | type[Threads] | type[Simulated]
IN_PROCESS: list[Kind] = [Inline, Threads, Simulated]
LONG = 30.0  # seconds: a test that waits this long has failed


def answers_of(
    executor: AbstractExecutor, task: Any, shares: Any, arguments: Sequence[Any] = ()
) -> list[Answer]:
    placement = executor.place([np.asarray(shares)])
    dispatch = executor.dispatch(task, placement, arguments)
    found = [dispatch.receive(LONG) for _ in range(placement.workers)]
    return [answer for answer in found if answer is not None]


@pytest.mark.parametrize("kind", IN_PROCESS)
def test_every_worker_computes_on_its_own_share(kind: Kind) -> None:
    with kind(4) as executor:
        answers = answers_of(executor, np.square, [1, 2, 3])
        assert sorted((a.worker, int(a.value)) for a in answers) == [(0, 1), (1, 4), (2, 9)]
        assert all(a.failure is None and a.sent <= a.answered for a in answers)


@pytest.mark.parametrize("kind", IN_PROCESS)
def test_parts_plain_and_per_worker_arguments_arrive_in_order(kind: Kind) -> None:
    with kind(2) as executor:
        placement = executor.place([np.array([1, 2]), np.array([10, 20])])
        own = PerWorker(np.array([[100], [200]]))
        dispatch = executor.dispatch(
            lambda *values: np.concatenate([np.ravel(value) for value in values]),
            placement,
            [np.array([7, 8]), own],
        )
        values = {a.worker: a.value.tolist() for a in (dispatch.receive(LONG) for _ in range(2))}
        assert values == {0: [1, 10, 7, 8, 100], 1: [2, 20, 7, 8, 200]}
        assert dispatch.receive(0.0) is None
        assert dispatch.receive(None) is None


@pytest.mark.parametrize("kind", IN_PROCESS)
def test_a_worker_that_raises_or_returns_no_numbers_is_a_failed_answer(kind: Kind) -> None:
    def task(share: Any) -> Any:
        if share == 0:
            raise ZeroDivisionError("of all things")
        if share == 1:
            raise SystemExit(3)
        return "text" if share == 2 else None if share == 3 else share

    with kind(5) as executor:
        failures = {a.worker: a.failure for a in answers_of(executor, task, range(5))}
    assert failures[0] == "ZeroDivisionError: of all things"
    assert failures[1].startswith("SystemExit")
    assert "dtype" in failures[2]
    assert "dtype" in failures[3]
    assert failures[4] is None


@pytest.mark.parametrize("kind", IN_PROCESS)
def test_a_task_may_write_in_all_that_it_gets_and_spoils_nothing(kind: Kind) -> None:
    def task(share: Any, own: Any, common: Any) -> Any:
        ctypes.memset(share.ctypes.data, 255, share.nbytes)  # as torch, which asks no flag
        own += 1
        common["more"][0] += 1
        common["more"].append(common)
        common["same"] += own
        return np.array([common["same"][0], common["more"][0][0]])

    shares, rows = np.zeros((2, 3)), np.array([[10.0], [20.0]])
    rows.flags.writeable = False  # their copies can be written in nevertheless
    array = np.ones(2)
    common: dict[str, Any] = {"more": [array], "same": array}
    common["itself"] = common
    with kind(2) as executor:
        for _ in range(2):
            found = {
                a.worker: a.value.tolist()
                for a in answers_of(executor, task, shares, [PerWorker(rows), common])
            }
            assert found == {0: [13.0, 13.0], 1: [23.0, 23.0]}
    assert not shares.any()
    assert rows.tolist() == [[10.0], [20.0]]
    assert array.tolist() == [1.0, 1.0]
    assert len(common["more"]) == 1


@pytest.mark.parametrize("kind", IN_PROCESS)
def test_more_shares_than_workers_are_refused(kind: Kind) -> None:
    with kind(2) as executor:
        with pytest.raises(InvalidArgument, match="3 workers"):
            executor.place([np.zeros(3)])
        with pytest.raises(InvalidArgument, match="same number"):
            executor.place([np.zeros(2), np.zeros(1)])


@pytest.mark.parametrize("kind", IN_PROCESS)
def test_after_release_or_close_shares_are_gone(kind: Kind) -> None:
    executor = kind(2)
    kept, gone = executor.place([np.zeros(2)]), executor.place([np.zeros(2)])
    executor.release(gone)
    executor.release(gone)
    with pytest.raises(ExecutorError, match="released"):
        executor.dispatch(np.square, gone, [])
    dispatch = executor.dispatch(np.square, kept, [])
    executor.close()
    executor.close()
    assert dispatch.receive(0.0) is None
    with pytest.raises(ExecutorError, match="closed"):
        executor.dispatch(np.square, kept, [])
    with pytest.raises(ExecutorError, match="closed"):
        executor.place([np.zeros(2)])


def test_a_placement_of_another_executor_is_refused() -> None:
    with Inline(2) as one, Inline(2) as other:
        one.place([np.zeros(2)])
        placement = other.place([np.ones(2)])
        with pytest.raises(ExecutorError, match="placed on another"):
            one.dispatch(np.square, placement, [])


@pytest.mark.parametrize("kind", IN_PROCESS)
@pytest.mark.parametrize("workers", [0, -1, 2.0, True])
def test_a_number_of_workers_that_is_none_is_refused(kind: Kind, workers: Any) -> None:
    with pytest.raises(InvalidArgument, match="workers"):
        kind(workers)


def test_inline_runs_in_order_in_this_thread_and_only_what_is_asked_for() -> None:
    ran = []
    with Inline(4) as executor:
        placement = executor.place([np.arange(4)])

        def task(share: Any) -> Any:
            ran.append((int(share), threading.get_ident()))
            return share

        dispatch = executor.dispatch(task, placement, [])
        assert ran == []
        assert dispatch.receive(0.0) is None
        assert [dispatch.receive(None).worker, dispatch.receive(1.0).worker] == [0, 1]
        dispatch.abandon()
        assert dispatch.receive(None) is None
        assert ran == [(0, threading.get_ident()), (1, threading.get_ident())]


def test_a_busy_thread_does_not_hold_up_the_next_call() -> None:
    free = threading.Event()

    def stuck(share: Any) -> Any:
        if share == 0:
            free.wait(LONG)
        return share

    with Threads(3) as executor:
        placement = executor.place([np.arange(3)])
        first = executor.dispatch(stuck, placement, [])
        assert {first.receive(LONG).worker for _ in range(2)} == {1, 2}
        assert first.receive(0.01) is None
        first.abandon()
        second = executor.dispatch(np.square, placement, [])
        assert {second.receive(LONG).worker for _ in range(2)} == {1, 2}
        assert second.receive(0.01) is None
        free.set()  # worker 0 throws its late answer away, and goes on
        assert second.receive(LONG).worker == 0
        assert first.receive(0.0) is None


def test_ten_thousand_abandoned_calls_leave_nothing_behind_a_stuck_thread() -> None:
    free = threading.Event()
    begun = threading.Event()
    ran = []

    def stuck(share: Any) -> Any:
        begun.set()
        free.wait(LONG)
        return share

    with Threads(1) as executor:
        placement = executor.place([np.zeros(1)])
        executor.dispatch(stuck, placement, []).abandon()
        executor.dispatch(stuck, placement, [])
        assert begun.wait(LONG)
        before = executor._dispatcher.inboxes[0].waiting
        for _ in range(10_000):
            executor.dispatch(ran.append, placement, []).abandon()
        assert executor._dispatcher.inboxes[0].waiting == before
        free.set()
    assert ran == []


def test_answers_come_in_the_order_in_which_they_are_ready() -> None:
    gates = [threading.Event() for _ in range(3)]

    def task(share: Any) -> Any:
        gates[int(share)].wait(LONG)
        return share

    with Threads(3) as executor:
        placement = executor.place([np.arange(3)])
        dispatch = executor.dispatch(task, placement, [])
        for worker in (2, 0, 1):
            gates[worker].set()
            assert dispatch.receive(LONG).worker == worker


@pytest.mark.parametrize("timeout", [math.inf, 1e300, -1.0])
def test_any_timeout_is_understood(timeout: float) -> None:
    with Threads(1) as executor:
        placement = executor.place([np.zeros(1)])
        dispatch = executor.dispatch(np.square, placement, [])
        answer = dispatch.receive(timeout)
        assert answer is not None or timeout < 0


def test_close_waits_for_no_task_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    free = threading.Event()
    executor = Threads(3)
    placement = executor.place([np.arange(3)])
    executor.dispatch(lambda share: free.wait(LONG) if share == 0 else share, placement, [])
    hanging = executor.dispatch(lambda _: pause(math.inf), placement, [])
    got = []
    waiter = threading.Thread(target=lambda: got.append(hanging.receive(None)))
    waiter.start()
    executor.close()
    waiter.join(LONG)
    assert got == [None]
    free.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(LONG)
    assert set(threading.enumerate()) <= before


def test_an_executor_that_is_forgotten_stops_its_threads() -> None:
    before = set(threading.enumerate())
    executor = Threads(2)
    executor.place([np.zeros(2)])
    forgotten = weakref.ref(executor)
    mine = set(threading.enumerate()) - before
    del executor
    gc.collect()
    assert forgotten() is None
    for thread in mine:
        thread.join(LONG)
        assert not thread.is_alive()


def test_repr_rebuilds() -> None:
    with Threads(3) as threads, Inline(2) as inline:
        assert repr(threads) == "Threads(3)"
        assert repr(inline) == "Inline(2)"


def test_sums_of_outputs_and_products_are_ordinary_schemes() -> None:
    with anyk.Threads(3) as executor:
        sums_and_products(executor, gram)
