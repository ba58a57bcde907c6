"""WithMaster: one worker more, who is the one that asks."""

import os

import numpy as np
import pytest
from executor_tasks import pid_and_inputs

import anyk
from anyk.executors.core.base import PerWorker


@pytest.mark.parametrize("make", [anyk.Inline, anyk.Threads, anyk.Processes, anyk.Simulated])
def test_conformance(make):
    with anyk.WithMaster(make(3)) as executor:
        assert executor.workers == 4
        anyk.testing.check_executor(executor)


def test_the_first_share_stays_at_home():
    with anyk.WithMaster(anyk.Processes(2)) as executor:
        placement = executor.place([np.array([[10], [11], [12]])])
        dispatch = executor.dispatch(pid_and_inputs, placement, [PerWorker(np.array([7, 8, 9]))])
        answers = {answer.worker: answer.value.tolist() for answer in iter(receive(dispatch), None)}
    pids = [answers[worker][0] for worker in range(3)]
    assert pids[0] == os.getpid()
    assert len(set(pids)) == 3
    assert [answers[worker][1:] for worker in range(3)] == [[10, 7], [11, 8], [12, 9]]


def receive(dispatch):
    return lambda: dispatch.receive(60.0)


def test_one_share_alone_needs_no_other_worker():
    with anyk.WithMaster(anyk.Threads(1)) as executor:
        scheme = anyk.Replication(blocks=1, workers=1)
        assert anyk.run(scheme, np.square, [3.0], executor).value == [9.0]


def test_an_answer_is_timed_on_the_clock_of_the_others():
    with anyk.WithMaster(anyk.Simulated(2)) as executor:
        outcome = anyk.run(anyk.Harmonic(blocks=1, degree=2), np.square, [3], executor)
    assert outcome.value == [9]
    assert all(timing.answered >= timing.sent >= 0 for timing in outcome.timings)


def test_what_is_no_executor_is_refused():
    with pytest.raises(anyk.InvalidArgument, match="executor"):
        anyk.WithMaster(3)
