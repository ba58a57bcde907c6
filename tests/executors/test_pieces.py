"""Several shares a worker: in order, answered one by one, abandoned after any of them."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import executor_tasks as tasks
import numpy as np
import pytest
from calls import LONG

import anyk
from anyk import Paced
from anyk.answers import Answer
from anyk.delays import Fixed
from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractDispatch, PerWorker
from anyk.executors.core.health import Ledger
from anyk.executors.engines.worker_state import RunRequest
from anyk.executors.processes import link
from anyk.executors.processes.wire import send_message
from anyk.faults import Crash, Faulty


def answers(dispatch: AbstractDispatch) -> list[Answer]:
    return list(iter(lambda: dispatch.receive(LONG), None))


def values(dispatch: AbstractDispatch) -> list[int]:
    return [int(answer.value) for answer in answers(dispatch)]


def test_what_makes_no_sense_is_refused() -> None:
    with anyk.Threads(2) as executor:
        for pieces in (0, 1.5, True):
            with pytest.raises(InvalidArgument, match="pieces: got"):
                executor.place([np.zeros(2)], pieces)
        with pytest.raises(InvalidArgument, match="3 workers, one for each 2 shares"):
            executor.place([np.zeros(5)], 2)
        with pytest.raises(InvalidArgument, match="one or more"):
            executor.place([np.zeros(0)])
        assert executor.place([np.zeros(3)], 2).workers == 2


def test_a_simulated_worker_has_one_delay_in_equal_parts() -> None:
    delays = Fixed([6.0, 0.0, 3.0])
    with anyk.Simulated(3, delays=delays, compute=1.0) as executor:
        placement = executor.place([np.arange(8)], 3)  # the last worker has two
        got = answers(executor.dispatch(np.square, placement, []))
        assert executor.clock() == 9.0
    when = {(answer.worker, answer.piece): answer.answered for answer in got}
    assert [when[0, piece] for piece in range(3)] == [3.0, 6.0, 9.0]
    assert [when[1, piece] for piece in range(3)] == [1.0, 2.0, 3.0]
    assert [when[2, piece] for piece in range(2)] == [2.5, 5.0]
    assert [int(answer.value) for answer in got] == [
        (3 * answer.worker + answer.piece) ** 2 for answer in got
    ]


def test_a_simulated_worker_is_free_after_the_piece_that_it_computed() -> None:
    with anyk.Simulated(1, compute=1.0) as executor:
        placement = executor.place([np.arange(4)], 4)
        first = executor.dispatch(np.square, placement, [])
        assert first.receive(None).answered == 1.0
        assert first.receive(0.5) is None  # the second has begun
        first.abandon()
        assert answers(executor.dispatch(np.square, placement, []))[0].answered == 3.0


def test_what_is_put_around_a_task_is_the_workers_for_each_piece() -> None:
    inner = anyk.Simulated(2, compute=0.0)
    paced = Paced(inner, Fixed([4.0, 0.0]), np.random.default_rng(0))
    with Faulty(paced, {1: Crash()}) as executor:
        got = answers(executor.dispatch(np.square, executor.place([np.arange(4)], 2), []))
    assert [(answer.worker, answer.piece) for answer in got] == [(1, 0), (1, 1), (0, 0), (0, 1)]
    assert [str(answer.failure) for answer in got[:2]] == [
        "RuntimeError: worker 1 crashed on purpose"
    ] * 2
    assert [answer.answered for answer in got] == [0.0, 0.0, 2.0, 4.0]


def test_the_master_keeps_pieces_of_its_own() -> None:
    with anyk.WithMaster(anyk.Threads(2)) as executor:
        placement = executor.place([np.arange(5.0)], 2)
        own = PerWorker(np.array([0.0, 10.0, 20.0, 30.0, 40.0]))
        got = answers(executor.dispatch(np.add, placement, [own]))
        assert [(answer.worker, answer.piece) for answer in got[:2]] == [(0, 0), (0, 1)]
        found = {2 * answer.worker + answer.piece: float(answer.value) for answer in got}
        assert found == {share: 11.0 * share for share in range(5)}
        alone = executor.place([np.arange(2)], 2)
        assert [int(each.value) for each in answers(executor.dispatch(np.square, alone, []))] == [
            0,
            1,
        ]


def test_a_process_killed_between_two_pieces_costs_one_of_them() -> None:
    with anyk.Processes(2) as executor:
        placement = executor.place([np.arange(6)], 3)
        pids = executor.pids
        got = answers(executor.dispatch(tasks.die_of, placement, [1]))
        assert {answer.worker * 3 + answer.piece: answer.failure for answer in got} == {
            share: "process died: signal 9" if share == 1 else None for share in range(6)
        }
        assert executor.pids[0] != pids[0]
        assert executor.pids[1] == pids[1]


def test_shares_are_sent_once_for_all_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    large: list[int] = []

    def noting(connection: Any, *payloads: Any) -> None:
        large.extend(len(frame) for payload in payloads for frame in payload[1:])
        send_message(connection, *payloads)

    monkeypatch.setattr(link, "send_message", noting)
    with anyk.Processes(1) as executor:
        placement = executor.place([np.zeros((3, 50_000))], 3)
        for _ in range(2):
            assert values(executor.dispatch(np.size, placement, [])) == [50_000] * 3
    assert large == [3 * 50_000 * 8]


class Noted(ThreadPoolExecutor):
    """Notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(1)
        self.requests: list[RunRequest] = []

    def submit(self, function: Any, /, *arguments: Any, **others: Any) -> Future[Any]:
        self.requests += [each for each in arguments if isinstance(each, RunRequest)]
        return super().submit(function, *arguments, **others)


def test_on_an_engine_too() -> None:
    with Noted() as pool, anyk.Futures([pool]) as executor:
        placement = executor.place([np.arange(3)], 3)
        assert [
            int(each.value) for each in answers(executor.dispatch(np.square, placement, []))
        ] == [
            0,
            1,
            4,
        ]
        assert [request.piece for request in pool.requests] == [0, 1, 2]
        assert [request.parts is None for request in pool.requests] == [False, True, True]


def test_a_slow_workers_first_pieces_count() -> None:
    with anyk.Threads(2) as executor:
        placement = executor.place([np.array([0.0, np.inf, 0.0, 0.0])], 2)
        dispatch = executor.dispatch(tasks.nap, placement, [])
        got = [dispatch.receive(LONG) for _ in range(3)]
        assert {(answer.worker, answer.piece) for answer in got} == {(0, 0), (1, 0), (1, 1)}


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_worker_is_busy_until_it_has_answered_for_all_of_its_shares(pieces: int) -> None:
    def answer(worker: int, piece: int, failure: str | None = None) -> Answer:
        return Answer(
            worker=worker,
            piece=piece,
            value=None if failure else np.zeros(1),
            failure=failure,
            sent=0.0,
            answered=time.perf_counter(),
            seconds=0.0,
        )

    def told(ledger: Ledger) -> list[Any]:
        return [
            (each.condition.name, each.calls, each.late, each.failed)
            for each in ledger.report([True] * 4)
        ]

    ledger = Ledger(4)
    with ledger.call(4, pieces) as call:
        for piece in range(pieces):
            assert told(ledger)[1] == ("BUSY", 1, 0, 0)
            call.heard(answer(1, piece))
            call.heard(answer(2, piece, "full" if piece == 0 else None))
        for piece in range(pieces - 1):
            call.heard(answer(3, piece))
        assert told(ledger)[1:3] == [("IDLE", 1, 0, 0), ("FAILED", 1, 0, 1)]
        assert told(ledger)[3] == ("BUSY", 1, 0, 0)
    call.heard(answer(3, pieces - 1))  # after the end
    assert told(ledger)[0] == ("SPARE", 1, 0, 0)
    assert told(ledger)[3] == ("IDLE", 1, 0, 0)
