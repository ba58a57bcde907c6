"""Workers that die under `anyk.map`: a bad worker is done without, a bad item is told."""

import os
import signal
import time

import pytest

import anyk


def dies_on_one_worker(n):
    if anyk.task_id().worker == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return n


def dies_of_one_item(n):
    if n == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return n


def test_a_worker_that_dies_again_and_again_spoils_no_item():
    with anyk.Processes(4) as executor:
        outcome = anyk.map(dies_on_one_worker, range(12), executor, progress=False)
    assert outcome.value == list(range(12))
    assert list(outcome.failures) == [2]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_an_item_that_kills_its_workers_is_named(workers):
    with anyk.Processes(workers) as executor:
        with pytest.raises(anyk.NotEnoughAnswers, match=r"item 5: 3 did not.*signal 9"):
            anyk.map(dies_of_one_item, range(9), executor, progress=False)
        outcome = anyk.map(
            dies_of_one_item, range(9), executor, on_failure="return", progress=False
        )
    assert outcome.known.tolist() == [n != 5 for n in range(9)]
    assert "needed: a worker that survives item 5" in outcome.unanswered[5]
    assert "Missing" not in outcome.unanswered[5]
