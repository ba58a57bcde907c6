"""Lanes of jobs: few threads for many tiny jobs, and one for each that takes its time."""

import threading

import numpy as np
import pytest

import anyk
from anyk.errors import ExecutorError
from anyk.executors.local.lanes import Lanes

LONG = 30.0  # seconds: a test that waits this long has failed


def nothing() -> None:
    pass


def test_thousands_of_tiny_jobs_take_few_threads() -> None:
    before = threading.active_count()
    lanes = Lanes("tiny", 3000, at_start=nothing)
    done = threading.Semaphore(0)
    for _ in range(3):
        for lane in lanes.each:
            lane.post("call", done.release)
        for _ in lanes.each:
            assert done.acquire(timeout=LONG)
    assert threading.active_count() - before < 300
    lanes.stop()


def test_jobs_that_wait_for_each_other_all_have_a_thread() -> None:
    lanes = Lanes("slow", 40, at_start=nothing)
    together = threading.Barrier(41)
    for _ in range(3):
        for lane in lanes.each:
            lane.post("call", lambda: together.wait(LONG))  # nobody passes before all are there
        together.wait(LONG)
    lanes.stop()


def test_a_lane_does_one_job_at_a_time_and_in_their_order() -> None:
    lanes = Lanes("order", 5, at_start=nothing)
    busy, done = [threading.Lock() for _ in lanes.each], [[] for _ in lanes.each]
    over = threading.Semaphore(0)

    def job(lane: int, number: int) -> None:
        assert busy[lane].acquire(blocking=False)
        done[lane].append(number)
        busy[lane].release()
        over.release()

    for number in range(200):
        for lane, each in enumerate(lanes.each):
            each.post("call", lambda lane=lane, number=number: job(lane, number))
    for _ in range(200 * len(lanes.each)):
        assert over.acquire(timeout=LONG)
    assert done == [list(range(200))] * len(lanes.each)
    lanes.stop()


def test_stopped_lanes_take_no_jobs_and_leave_no_thread() -> None:
    before = set(threading.enumerate())
    lanes = Lanes("end", 8, at_start=nothing)
    together = threading.Barrier(9)
    for lane in lanes.each:
        lane.post("call", lambda: together.wait(LONG))
    together.wait(LONG)
    lanes.stop()
    lanes.each[0].post("late", lambda: pytest.fail("it ran"))
    for thread in set(threading.enumerate()) - before:
        thread.join(LONG)
    assert set(threading.enumerate()) <= before


def test_lanes_that_are_stopped_by_a_job_of_theirs() -> None:
    lanes = Lanes("end", 2, at_start=nothing)
    done = threading.Event()

    def stop() -> None:
        lanes.stop()
        done.set()

    lanes.each[0].post("call", stop)
    assert done.wait(LONG)


def test_a_stop_in_the_middle_of_a_post_leaves_nothing_waiting() -> None:
    """As the collector may, which ends an executor in any line."""
    lanes = Lanes("end", 2, at_start=nothing)
    done = threading.Event()
    lanes.each[0].post("call", done.set)
    assert done.wait(LONG)
    with lanes._lock:
        lanes.stop()
        lanes.each[1].post("late", nothing)
    assert not lanes.each[1].waiting


def test_a_machine_that_starts_no_thread_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with anyk.Threads(2) as executor, pytest.raises(ExecutorError, match="ulimit -u"):
        anyk.run(anyk.Replication(2, 2), np.negative, [1.0, 2.0], executor, progress=False)


def test_fewer_threads_than_lanes_do_all_jobs_after_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, started = threading.Thread.start, []

    def only_one(self: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(self)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", only_one)
    with anyk.Threads(9) as executor:
        outcome = anyk.run(
            anyk.Replication(9, 9), np.negative, np.arange(9.0), executor, progress=False
        )
    assert outcome.value.tolist() == (-np.arange(9.0)).tolist()
