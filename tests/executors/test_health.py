"""What an executor tells of its workers after the calls that they were in."""

import threading
import time

import numpy as np
import pytest

import anyk
from anyk.delays import Fixed
from anyk.faults import Corrupt, Crash, Faulty

SCHEME = anyk.Lagrange(blocks=2, degree=1, workers=6, adversaries=1)


def conditions(executor):
    return [health.condition.name for health in executor.health]


def test_a_new_executor_has_nothing_to_tell():
    with anyk.Threads(3) as executor:
        assert conditions(executor) == ["IDLE"] * 3
        assert [health.calls for health in executor.health] == [0, 0, 0]


def test_late_failed_and_lying_workers_are_told_apart_and_counted():
    inner = anyk.Simulated(
        6, delays=Fixed([0.1, 0.2, 0.3, 0.4, 0.5, 9.0]), generator=np.random.default_rng(0)
    )
    with Faulty(inner, {1: Crash(), 3: Corrupt(modulus=2**31 - 1)}) as executor:
        for _ in range(3):
            anyk.run(SCHEME, np.negative, [1, 2], executor)
        health = executor.health
        assert conditions(executor) == ["IDLE", "FAILED", "IDLE", "LIED", "IDLE", "SPARE"]
        assert [each.spare for each in health] == [0, 0, 0, 0, 0, 3]
        assert [each.late for each in health] == [0] * 6
        assert [each.failed for each in health] == [0, 3, 0, 0, 0, 0]
        assert [each.lied for each in health] == [0, 0, 0, 3, 0, 0]
        assert [each.calls for each in health] == [3] * 6
        assert "crashed on purpose" in health[1].failure


def test_a_worker_that_comes_back_is_late_no_more():
    released, first = threading.Event(), threading.Semaphore(1)

    def negative(x):
        if x == 2.0 and first.acquire(blocking=False):  # by worker 2; then by another one
            released.wait(60)
        return -x

    with anyk.Threads(6) as executor:
        executor.lateness = anyk.Lateness(margin=0.2)
        outcome = anyk.run(anyk.Replication(6, 6), negative, np.arange(6.0), executor)
        assert (outcome.late, outcome.again) == ((2,), (2,))  # another one computed its block
        assert executor.health[2].condition is anyk.Condition.LATE
        released.set()
        executor.lateness = anyk.Lateness(margin=60.0)  # it is waited for now
        for _ in anyk.stream(anyk.Berrut(1, 6), negative, [1.0], executor):
            time.sleep(0.01)
        assert executor.health[2].condition is anyk.Condition.IDLE
        assert executor.health[2].late == 1


def test_workers_of_a_call_that_goes_on_are_busy():
    with anyk.Inline(4) as executor:
        stream = anyk.stream(anyk.Berrut(1, 4), np.negative, [1.0], executor)
        next(stream)
        assert set(conditions(executor)) == {"IDLE", "BUSY"}
        stream.close()
        assert set(conditions(executor)) == {"IDLE", "SPARE"}


def test_a_dead_process_is_dead_until_it_is_replaced():
    scheme = anyk.Berrut(1, 3)
    with anyk.Processes(3) as executor, anyk.distribute(scheme, [1.0], executor) as data:
        assert len(list(data.stream(np.negative))) == 3  # all answer, and none is busy
        executor.kill(1)
        assert executor.health[1].condition is anyk.Condition.DEAD
        assert len(list(data.stream(np.negative))) == 3
        assert executor.health[1].condition is anyk.Condition.IDLE


@pytest.mark.parametrize("condition", anyk.Condition)
def test_a_condition_says_what_it_means(condition):
    assert len(condition.value) > 10


@pytest.mark.parametrize("measure", ["2.0", 3, None, anyk.Lateness])
def test_what_is_no_measure_of_lateness_is_refused_at_once(measure):
    for executor in (anyk.Inline(2), Faulty(anyk.Inline(2), {})):
        with executor, pytest.raises(anyk.InvalidArgument, match="lateness"):
            executor.lateness = measure


def test_a_wrapper_passes_the_measure_of_lateness_on():
    within = anyk.Inline(2)
    with Faulty(within, {}) as executor:
        executor.lateness = anyk.Lateness(medians=3.0)
        assert within.lateness.medians == 3.0


def test_a_record_is_a_line_that_leaves_out_what_never_happened():
    with Faulty(anyk.Inline(6), {1: Crash()}) as executor:
        anyk.run(SCHEME, np.negative, [1, 2], executor)
        executor.quarantine.put(2, "its memory fails")
        told = [str(each) for each in executor.health]
    assert told[0] == "worker 0: IDLE, has answered, and waits for work; 1 call"
    assert told[1].startswith("worker 1: FAILED, failed in its last call; 1 call, 1 failed; failed")
    assert told[2].startswith("worker 2: QUARANTINED, is not used until executor.quarantine")
