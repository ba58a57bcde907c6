"""Functions of remote workers on any items: what travels, what fails, and what is refused."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import LONG, eventually

import anyk
from anyk.errors import ExecutorError, FunctionRaised, InvalidArgument
from anyk.executors.core.calls import AbstractCalls, Batch, Returned
from anyk.executors.core.task_id import TaskId
from anyk.executors.remote.executor import Remote
from anyk.executors.remote.frames import Channel
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.session import Session
from anyk.testing import Trial

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial("remote_tasks", workers=3, directory=HERE) as started:
        yield started


@pytest.fixture
def three(trial: Trial) -> Iterator[Remote]:
    with Remote(trial.addresses, tls=trial.master) as executor:
        yield executor


def batch(ticket: int, *items: tuple[Any, ...]) -> Batch:
    return Batch(ticket, items, tuple(TaskId(ticket, 0, 0) for _ in items))


def came(calls: AbstractCalls) -> Returned:
    returned = calls.receive(LONG)
    assert returned is not None
    return returned


def test_items_are_what_arguments_can_be_and_results_are_arrays(three: Remote) -> None:
    items = [1, 2.5, True, 1j, [1, 2], np.ones((2, 2), np.float32), np.int16(3), [[True]]]
    values = anyk.map("same", items, three, progress=False).value
    for item, value in zip(items, values, strict=True):
        np.testing.assert_array_equal(value, item)
        assert value.dtype == np.asarray(item).dtype
    pairs = [(np.arange(3.0), 2.0), (3, 4)]
    first, second = anyk.starmap("scaled", pairs, three, progress=False).value
    assert (first.tolist(), second) == ([0.0, 2.0, 4.0], 12)
    said = [({"a": [None, "text"]}, (1, "b")), ("x",)]
    texts = anyk.starmap("everything", [(0, *each) for each in said], three, progress=False).value
    assert [each.tobytes().decode() for each in texts] == [repr(each) for each in said]


def test_shares_and_calls_do_not_disturb_each_other(three: Remote) -> None:
    X = np.array([[[1, 2], [3, 4]]])
    scheme = anyk.Lagrange(blocks=1, degree=2, workers=3)
    with anyk.distribute(scheme, X, three) as data:
        for _ in range(2):
            assert anyk.map("same", [1, 2], three, progress=False).value == [1, 2]
            outcome = data.run("gram", progress=False)
            assert outcome.value.tolist() == [[[10, 14], [14, 20]]]


def test_what_a_worker_says_that_it_raised_is_text_and_of_one_item(three: Remote) -> None:
    calls = three.calls("fragile")
    calls.post(0, batch(0, (np.array([2]),), (np.array([0]),), (np.array([2]),)))
    results = came(calls).results
    assert [each.raised is None for each in results] == [True, False, True]
    assert results[1].raised.reason == "ArithmeticError: zero"
    assert (results[1].raised.traceback, results[1].raised.error) == ("", None)
    with pytest.raises(FunctionRaised, match="returned dtype <U10, not numbers"):
        anyk.map("text", [1], three, progress=False)
    with pytest.raises(FunctionRaised, match="no function 'nobody' here"):
        anyk.map("nobody", [1], three, progress=False)


def test_what_can_not_travel_is_refused_here(three: Remote) -> None:
    with pytest.raises(InvalidArgument, match="arguments: got a object"):
        anyk.map("same", [object()], three, progress=False)
    with pytest.raises(InvalidArgument, match="function: got"):
        anyk.map(lambda x: x, [1], three, progress=False)
    with pytest.raises(InvalidArgument, match="kwargs"):
        anyk.map("scaled", [1], three, progress=False, kwargs={"factor": 2})
    with pytest.raises(ExecutorError, match="hold no constants"):
        three.broadcast(5)


def test_an_answer_that_is_too_large_and_a_dead_worker_are_failed_batches(trial: Trial) -> None:
    with Remote(trial.addresses, tls=trial.master, largest_answer=1000) as executor:
        calls = executor.calls("same")
        calls.post(0, batch(0, (1,), (np.ones(1000),)))
        returned = came(calls)
        assert "more than largest_answer=1000" in returned.failure
        assert returned.results == ()
        dead = executor.calls("killed")
        dead.post(1, batch(0, (np.zeros(1),)))
        assert "closed the connection" in came(dead).failure
        calls.post(0, batch(1, (1,)))  # a new connection each
        calls.post(1, batch(2, (2,)))
        assert sorted(came(calls).results[0].value for _ in range(2)) == [1, 2]


def test_a_batch_that_nobody_waits_for_is_not_gone_on_with(three: Remote, tmp_path: Path) -> None:
    calls = three.calls("put_off")
    place = tmp_path / "pid"
    calls.post(0, batch(0, (np.zeros(1), str(place)), (np.ones(1), str(tmp_path / "other"))))
    calls.post(0, batch(1, (np.ones(1), str(place))))
    assert eventually(lambda: place.exists() and bool(place.read_text()))
    assert calls.withdraw(0, 1)
    assert not calls.withdraw(0, 0)
    calls.abandon()
    assert calls.receive(None) is None
    os.kill(int(place.read_text()), signal.SIGKILL)  # it would hang for long
    assert anyk.map("same", [1], three, progress=False).value == [1]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"piece": True}, "no such share here"),
        ({"piece": "0"}, "no such share here"),
        ({"piece": None, "work": ["product"]}, "work"),
        ({"piece": None, "work": ["product"], "domain": "reals", "function": None}, ""),
        ({"piece": None, "work": ["plain"]}, "its work has no domain"),
    ],
)
def test_odd_requests_without_a_share_are_failed_answers(wrong: dict[str, Any], why: str) -> None:
    ours, theirs = (Channel(end) for end in socket.socketpair())
    session = Session(theirs, Offer("anyk.testing.tasks"), memory=1 << 20)
    thread = threading.Thread(target=session.serve)
    thread.start()
    plain = {
        "verb": "run",
        "key": 0,
        "serial": 1,
        "piece": None,
        "function": "gram",
        "module": None,
        "work": None,
        "promise": None,
        "domain": None,
        "per_worker": [False],
        "arguments": [{"array": 0}],
        "arrays": [["<f8", [1, 2]]],
    }
    failures = []
    for header in (plain | wrong, plain):
        ours.send(header, [np.ones((1, 2))], None)
        answer = ours.receive_header(1 << 13, time.monotonic() + LONG)
        failures.append(answer)
    ours.close()
    thread.join()
    assert b'"failure": "' in failures[0]
    assert why.encode() in failures[0]
    assert b'"failure": null' in failures[1]
