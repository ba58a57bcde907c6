"""Remote workers, as processes of this machine: what they compute, and what becomes of them."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from calls import LONG, eventually, gone, sums_and_products
from hypothesis import given
from hypothesis import strategies as st
from in_place import change_nothing_for_others, ways

import anyk
from anyk.answers import Answer
from anyk.connections.broken import BrokenAnswer
from anyk.connections.tls import parse_address
from anyk.executors.core.answer_header import LONGEST_HEADER
from anyk.executors.core.base import PerWorker
from anyk.executors.remote.arguments import pack, unpack
from anyk.executors.remote.executor import Remote
from anyk.executors.remote.frames import Channel
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.request import described, domain_of, make_request
from anyk.executors.remote.server import Server
from anyk.executors.remote.session import Session
from anyk.testing import Trial
from anyk.work import Plain, WorkerTask

HERE = Path(__file__).parent
LAGRANGE = anyk.Lagrange(blocks=1, degree=2, workers=4, adversaries=0, colluders=1)
X = np.array([[[1, 2], [3, 4]]])


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial("remote_tasks", workers=4, directory=HERE) as started:
        yield started


@pytest.fixture
def four(trial: Trial) -> Iterator[Remote]:
    with Remote(trial.addresses, tls=trial.master) as executor:
        yield executor


def received(
    executor: Remote, task: Any, shares: Any, *arguments: Any
) -> dict[int, tuple[Any, str | None]]:
    """Value and failure of each worker."""
    placement = executor.place((np.asarray(shares),))
    got = answers(executor, task, placement, *arguments)
    executor.release(placement)
    return {who: (answer.value, answer.failure) for who, answer in got.items()}


def answers(executor: Remote, task: Any, placement: Any, *arguments: Any) -> dict[int, Answer]:
    dispatch = executor.dispatch(task, placement, arguments)
    got = {}
    for _ in range(placement.workers):
        answer = dispatch.receive(LONG)
        assert answer is not None
        got[answer.worker] = answer
    return got


def named(name: str) -> Any:
    return WorkerTask(Plain(name), anyk.Reals())


def sessions(process: subprocess.Popen[str]) -> list[int]:
    """The processes of a worker that hold a master's shares."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in path.read_text(encoding="utf-8").split()]


def test_what_a_task_writes_changes_nothing_for_others(four: Remote) -> None:
    for way in ways():
        change_nothing_for_others(four, "spoil", way)


def test_it_is_an_executor_like_any_other(four: Remote) -> None:
    anyk.testing.check_executor(four)


def test_functions_by_name_on_every_domain(four: Remote) -> None:
    assert np.array_equal(anyk.run(LAGRANGE, "gram", X, four).value, X[0].T[None] @ X[0])
    smooth = anyk.FilledReplication(1, 4)
    assert anyk.run(smooth, "exponential", [[0.5]], four).value == pytest.approx(np.exp(0.5))
    fixed = anyk.FixedPoint(fraction_bits=20, magnitude=10.0, degree=2, summands=3, primes=3)
    outcome = anyk.run(LAGRANGE, "gram", X[..., :1] / 4, four, embedding=fixed)
    assert outcome.value == pytest.approx(10 / 16)
    got = received(
        four, WorkerTask(Plain("scaled"), anyk.Complex(), (False,)), np.ones((4, 1)) * 1j, 2j
    )
    assert all(value == np.array([-2.0]) for value, _ in got.values())


@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "i8", "f2", "f4", "c8"])
def test_types_of_numbers_survive_the_way(four: Remote, dtype: str) -> None:
    data = np.array([[0, 1], [1, 1]]).astype(dtype)
    value = anyk.run(anyk.Replication(2, 4), "same", data, four).value
    assert value.dtype == dtype
    assert np.array_equal(value, data)


def test_sums_keep_single_precision_on_the_way(four: Remote) -> None:
    data = np.linspace(0.0, 1.0, 8, dtype=np.float32).reshape(4, 2)
    outcome = anyk.run(anyk.CyclicRepetition(4, 1), "exponential", data, four)
    assert outcome.value.dtype == np.float32
    assert outcome.value == pytest.approx(np.exp(data).sum(axis=0), rel=1e-5)


def test_slices_of_complex_and_single_numbers_on_the_way(four: Remote) -> None:
    data = np.linspace(0.0, 1.0, 12, dtype=np.float32).reshape(4, 3)
    for domain, kind in ((anyk.Values(finite=True), np.float32), (anyk.Complex(), np.complex128)):
        outcome = anyk.run(anyk.YeAbbe(4, 1, 2, domain), "exponential", data, four)
        assert outcome.value.dtype == kind
        assert outcome.value == pytest.approx(np.exp(data).sum(axis=0), rel=1e-5)


def test_bits_are_summed_on_two_of_them(four: Remote) -> None:
    bits = np.array([[1, 0], [1, 1], [1, 0]])
    scheme = anyk.Frobenius(blocks=3, field=anyk.PrimeField(2))
    assert np.array_equal(anyk.run(scheme, "same", bits, four).value, [1, 1])


def test_sums_in_turn(four: Remote) -> None:
    plan = anyk.SequentialGradient(4, 1, 2)
    data = np.linspace(0.0, 1.0, 2 * plan.blocks).reshape(-1, 2)
    done = list(anyk.sequential(plan, "exponential", data, four, [[]] * 3))
    assert [each.job for each in done] == [0, 1, 2]
    assert all(np.allclose(each.value, np.exp(data).sum(axis=0)) for each in done)


def test_workers_check_the_degree_of_their_functions(four: Remote) -> None:
    with pytest.raises(anyk.DegreeTooHigh, match="degree=3, which takes the 4 workers") as caught:
        anyk.run(LAGRANGE, "power_three", X, four)
    assert (caught.value.degree, caught.value.promised) == (3, 2)
    one = anyk.Lagrange(blocks=1, degree=1, workers=4, colluders=1)
    three = anyk.Lagrange(blocks=1, degree=3, workers=4, colluders=1)
    assert np.array_equal(anyk.run(three, "power_three", X, four).value, X**3 + X)
    with anyk.distribute(one, X, four) as data:
        with pytest.raises(anyk.DegreeTooHigh, match="degree=2, which takes the 4 workers"):
            data.run("scaled", data.encode(X**2), progress=False)
    assert np.array_equal(anyk.run(LAGRANGE, "squares_by_hand", X, four).value, X**2)
    with pytest.raises(anyk.DegreeTooHigh, match="degree=2, which takes the 4 workers"):
        anyk.run(one, "squares_by_hand", X, four)


def test_reals_by_name_have_a_budget_that_workers_check(four: Remote) -> None:
    three = anyk.Lagrange(blocks=1, degree=3, workers=4, colluders=1)
    reals = X / 4 - 0.3
    fixed = anyk.FixedPoint(fraction_bits=20, magnitude=1.0)
    for embedding in (fixed, replace(fixed, degree=3), replace(fixed, summands=2)):
        outcome = anyk.run(three, "power_three", reals, four, embedding=embedding)
        error = np.abs(outcome.value - reals**3 - reals).max()
        assert error <= outcome.quantisation_error < 1
    for embedding in (replace(fixed, summands=1), replace(fixed, degree=1)):
        with pytest.raises(anyk.NotEnoughAnswers, match=r"of the budget\. Leave degree, summands"):
            anyk.run(three, "power_three", reals, four, embedding=embedding)
    with pytest.raises(anyk.NotEnoughAnswers, match="Pass summands= to FixedPoint"):
        anyk.run(LAGRANGE, "squares_by_hand", reals, four, embedding=fixed)
    stated = replace(fixed, degree=2, summands=1)
    outcome = anyk.run(LAGRANGE, "squares_by_hand", reals, four, embedding=stated)
    assert np.abs(outcome.value - reals**2).max() <= outcome.quantisation_error < 1e-5


def test_a_function_that_the_worker_has_too_is_named(four: Remote) -> None:
    assert anyk.run(LAGRANGE, anyk.testing.tasks.gram, X, four).value[0, 0, 0] == 10


def test_a_function_of_another_module_is_refused_by_the_worker(four: Remote) -> None:
    def gram(x: Any) -> Any:
        return x @ x.T

    with pytest.raises(
        anyk.NotEnoughAnswers, match=r"gram is of anyk\.testing\.tasks here, not of"
    ):
        anyk.run(LAGRANGE, gram, X, four)


@pytest.mark.parametrize("name", ["_private", "os", "Path", "eval", "__import__", "missing"])
def test_what_the_module_does_not_export_is_not_run(four: Remote, name: str) -> None:
    for _, failure in received(four, named(name), np.ones((2, 1))).values():
        assert failure is not None
        assert failure.startswith(f"no function {name!r} here, but bytes_each, everything")


@pytest.mark.parametrize(
    "function",
    [lambda x: x, partial(np.sum, axis=0), "", "two words", "a.b", str.upper, np.ones(2)],
)
def test_what_has_no_name_is_refused(four: Remote, function: Any) -> None:
    with pytest.raises(anyk.InvalidArgument, match=r"^function: got .*; needed: "):
        anyk.run(LAGRANGE, function, X, four)


def test_other_executors_take_no_names(four: Remote) -> None:
    for executor in (anyk.Inline(4), anyk.Threads(4), anyk.Simulated(4), anyk.WithMaster(four)):
        with executor, pytest.raises(anyk.InvalidArgument, match='function: got the name "gram"'):
            anyk.run(LAGRANGE, "gram", X, executor)


def test_arguments_arrive(four: Remote) -> None:
    sent = (None, True, 7, -0.5, 1j, "a\nb", [1, [2]], (1, "x"), {"k": (None,)}, 2**200, np.int8(3))
    value, failure = received(four, "everything", np.ones((1, 1)), *sent)[0]
    assert failure is None
    assert value.tobytes().decode() == repr(sent)
    rows = np.arange(8.0).reshape(4, 2)
    got = received(four, "scaled", np.ones((4, 2)), PerWorker(rows))
    assert all(np.array_equal(value, rows[who]) for who, (value, _) in got.items())


def test_each_worker_receives_its_own_of_encoded_weights(four: Remote) -> None:
    scheme = anyk.Lagrange(blocks=1, degree=2, workers=4, colluders=1)
    with anyk.distribute(scheme, [[3, 4]], four) as data:
        for weight in (2, 5):
            outcome = data.run("scaled", data.encode([[weight, weight]]))
            assert np.array_equal(outcome.value, [[3 * weight, 4 * weight]])


@pytest.mark.parametrize(
    "argument",
    [object(), {1: 2}, {2}, np.array(["a"]), np.array([None]), np.zeros(2, np.longdouble),
     np.ma.array([1]), b"x", [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]], "x" * (1 << 22),
     10**5000, PerWorker([np.array(["a"])] * 4)],
    ids=lambda argument: type(argument).__name__,
)  # fmt: skip
def test_arguments_that_can_not_travel_are_refused(four: Remote, argument: Any) -> None:
    placement = four.place((np.ones((4, 1)),))
    with pytest.raises(anyk.InvalidArgument, match=r"^arguments: got .*; needed: "):
        four.dispatch(named("same"), placement, (argument,))


def test_shares_that_can_not_travel_are_refused(four: Remote) -> None:
    with pytest.raises(anyk.InvalidArgument, match=r"^parts: got an array of dtype"):
        four.place((np.array([["a"]] * 4),))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.complex_numbers(allow_nan=False),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)  # fmt: skip


@given(PLAIN)
def test_plain_values_survive_the_way(value: Any) -> None:
    said = json.loads(json.dumps([pack(value, [])]))
    assert repr(unpack(said, [])) == repr([value])


@pytest.mark.parametrize(
    "said", [{"array": 0}, {"array": True}, {"array": -1}, {"scalar": "0"}, {"dict": []}, {},
             {"tuple": {}}, {"complex": 3}, {"call": "os.system"}, {"array": 0, "tuple": []}],
    ids=repr,
)  # fmt: skip
def test_arguments_that_nobody_says_are_refused(said: Any) -> None:
    with pytest.raises(BrokenAnswer):
        unpack([said], [])


@pytest.mark.parametrize(
    "domain",
    [
        *(anyk.PrimeField(101), anyk.Reals(), anyk.Complex(), None, anyk.Reals(dtype=np.float32)),
        *(anyk.Complex(dtype=np.complex64), anyk.Values(), anyk.Values(finite=True), anyk.Torch()),
        anyk.Torch(anyk.Reals(dtype=np.float32)),
    ],
    ids=repr,
)
def test_domains_survive_the_way(domain: Any) -> None:
    assert domain_of(None if domain is None else described(domain)) == domain


@pytest.mark.parametrize(
    "said", ["naturals", {"field": 10}, {"field": "7"}, {"ring": [5, 5]}, {"ring": 5}, {}, 3,
             {"field": 7, "ring": [5]}, {"module": "os"}, "torch", {"tensors": "integers"},
             {"tensors": ["values"]}, {"tensors": None}],
    ids=repr,
)  # fmt: skip
def test_domains_that_nobody_says_are_refused(said: Any) -> None:
    with pytest.raises(BrokenAnswer, match="domain"):
        domain_of(said)


def test_a_task_that_fails_says_why(four: Remote) -> None:
    assert received(four, "text", np.ones((1, 1)))[0][1] == "returned dtype <U10, not numbers"
    assert "does not travel" in str(received(four, "wide", np.ones((1, 1)))[0][1])


@pytest.mark.parametrize(
    "values",
    [np.array([True]), np.arange(2, dtype=">i2"), np.zeros((1, 0)), np.float16([1.5]),
     np.array([1 + 2j], np.complex64), np.asfortranarray(np.arange(6).reshape(2, 3)),
     np.arange(6)[::-2], np.uint64([2**64 - 1]), np.array(7)],
    ids=repr,
)  # fmt: skip
def test_arrays_survive_the_way(four: Remote, values: Any) -> None:
    got, failure = received(four, "same", values[None])[0]
    assert failure is None
    assert got.dtype == values.dtype.newbyteorder("<")
    assert np.array_equal(got, values)
    assert got.shape == values.shape


# What becomes of workers


def test_a_session_that_dies_costs_one_answer_and_is_replaced(four: Remote) -> None:
    shares = np.arange(4.0)[:, None]
    placement = four.place((shares,))
    for _ in range(2):
        got = answers(four, named("killed"), placement)
        assert "onnection" in str(got[0].failure)  # closed, or reset
        assert all(got[who].failure is None for who in (1, 2, 3))
        again = answers(four, named("same"), placement)
        assert all(np.array_equal(again[who].value, shares[who]) for who in range(4))


def test_an_interrupt_that_a_task_raises_costs_its_answer_alone(trial: Trial, four: Remote) -> None:
    placement = four.place((np.arange(4.0)[:, None],))
    answers(four, named("same"), placement)
    before = sessions(trial.processes[0])
    got = answers(four, named("interrupted"), placement)
    assert [got[who].failure for who in range(4)] == ["KeyboardInterrupt", None, None, None]
    assert sessions(trial.processes[0]) == before


def test_a_worker_that_is_killed_and_comes_back_is_used_again() -> None:
    with Trial("remote_tasks", workers=2, directory=HERE) as trial:
        with Remote(trial.addresses, tls=trial.master) as executor:
            placement = executor.place((np.array([[5.0], [6.0]]),))
            assert answers(executor, named("same"), placement)[1].value == [6.0]
            assert executor.alive == (True, True)
            (session,) = sessions(trial.processes[1])
            with trial.processes[1] as victim:
                victim.kill()
            assert eventually(lambda: gone(session))
            assert eventually(lambda: answers(executor, named("same"), placement)[1].failure)
            got = answers(executor, named("same"), placement)
            assert str(got[1].failure).startswith("ConnectionError: can't be reached: Connection")
            assert got[0].value == [5.0]
            assert executor.alive == (True, False)
            port = int(trial.addresses[1].rpartition(":")[2])
            trial.processes[1] = trial.start("worker-1", port)
            assert eventually(lambda: answers(executor, named("same"), placement)[1].value == [6.0])
            assert executor.alive == (True, True)


def test_a_worker_without_end_is_given_up_and_made_to_stop(trial: Trial, tmp_path: Path) -> None:
    with Remote(trial.addresses[:2], tls=trial.master, patience=1.0) as executor:
        placement = executor.place((np.array([[0.0], [1.0]]),))
        file = tmp_path / "pid"
        task = WorkerTask(Plain("put_off"), anyk.Reals(), (False,))
        got = answers(executor, task, placement, str(file))
        assert got[0].failure == "gave no answer within 1 s"
        assert got[1].value == [1.0]
        pid = int(file.read_text(encoding="utf-8"))
        assert eventually(lambda: gone(pid))
        assert answers(executor, named("same"), placement)[0].value == [0.0]


def test_close_ends_tasks_and_threads_and_files(trial: Trial, tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    files = {entry.name for entry in Path("/proc/self/fd").iterdir()}
    executor = Remote(trial.addresses, tls=trial.master)
    placement = executor.place((np.arange(4.0)[:, None],))
    file = tmp_path / "pid"
    dispatch = executor.dispatch(
        WorkerTask(Plain("put_off"), anyk.Reals(), (False,)), placement, (str(file),)
    )
    heard = {answer.worker for answer in (dispatch.receive(LONG) for _ in range(3)) if answer}
    assert heard == {1, 2, 3}
    assert eventually(lambda: file.exists() and file.read_text(encoding="utf-8"))
    executor.close()
    executor.close()
    assert dispatch.receive(None) is None
    assert set(threading.enumerate()) == threads
    assert {entry.name for entry in Path("/proc/self/fd").iterdir()} == files
    assert eventually(lambda: not any(sessions(process) for process in trial.processes))
    assert gone(int(file.read_text(encoding="utf-8")))
    with pytest.raises(anyk.ExecutorError, match="closed"):
        executor.place((np.ones((4, 1)),))


def test_a_master_that_is_gone_is_forgotten(trial: Trial) -> None:
    script = f"""
import os, numpy as np
from anyk.executors.remote.executor import Remote
executor = Remote({trial.addresses!r}, tls={str(trial.master)!r})
placement = executor.place((np.ones((4, 1)),))
dispatch = executor.dispatch("same", placement, ())
print([dispatch.receive({LONG}).value[0] for _ in range(4)], flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.count(b"1.0") == 4
    assert eventually(lambda: not any(sessions(process) for process in trial.processes))


def test_what_a_task_leaves_behind_ends_with_its_session(trial: Trial) -> None:
    for _ in range(6):  # more than there may be sessions at once
        with Remote(trial.addresses[:1], tls=trial.master) as executor:
            left = answers(executor, "leave_behind", executor.place((np.zeros((1, 1)),)))[0]
        assert left.value is not None, left.failure
        pid = int(left.value[0])
        assert eventually(lambda pid=pid: gone(pid))


def test_shares_without_numbers_take_memory_too() -> None:
    ours, theirs = (Channel(end) for end in socket.socketpair())
    session = Session(theirs, Offer("anyk.testing.tasks"), memory=1 << 20)
    thread = threading.Thread(target=session.serve)
    thread.start()

    def failure(key: int) -> str | None:
        ours.send({"verb": "run", "key": key, "arrays": [], "serial": 1}, (), None)
        return str(json.loads(ours.receive_header(LONGEST_HEADER, None))["failure"])

    for key in range(2000):
        ours.send({"verb": "hold", "key": key, "arrays": []}, (), None)
    ours.send({"verb": "hold", "key": -1, "arrays": [["<i8", [0]]] * 2000}, (), None)
    assert "no memory" in str(failure(0))
    assert len(session._held) <= 1024
    for key in range(2000):
        ours.send({"verb": "forget", "key": key}, (), None)
    assert "no function" in str(failure(0))  # there is room for it again
    assert session._taken == 0
    ours.close()
    thread.join(LONG)


def test_a_worker_that_can_not_start_a_process_serves_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fork() -> int:
        raise BlockingIOError("no more processes")

    listen = parse_address("127.0.0.1:0", "listen")
    server = Server(listen, Offer("anyk.testing.tasks"), None)
    monkeypatch.setattr(os, "fork", fork)
    with socket.create_connection(("127.0.0.1", server.port), LONG) as connection:
        before = len(list(Path("/proc/self/fd").iterdir()))
        server._accept()
        assert connection.recv(1) == b""
        assert len(list(Path("/proc/self/fd").iterdir())) == before
    server.close()


def test_shares_beyond_the_memory_are_refused_and_room_comes_back() -> None:
    options = ("--memory", "1", "--sessions", "1")
    with Trial("remote_tasks", workers=1, directory=HERE, options=options) as trial:
        with Remote(trial.addresses, tls=trial.master) as executor:
            small = executor.place((np.ones((1, 1000)),))
            large = executor.place((np.ones((1, 200_000)),))
            assert "no memory for 1600000 bytes" in str(answers(executor, "same", large)[0].failure)
            assert answers(executor, "same", small)[0].value is not None
            much = answers(executor, "scaled", small, np.ones(200_000))[0]
            assert "raise --memory" in str(much.failure)
            executor.release(large)
            for _ in range(5):  # each would be too much with the last one
                placement = executor.place((np.ones((1, 80_000)),))
                assert answers(executor, "same", placement)[0].failure is None
                executor.release(placement)
            with Remote(trial.addresses, tls=trial.master) as second:
                failure = answers(second, "same", second.place((np.ones((1, 1)),)))[0].failure
                assert failure is not None
            assert answers(executor, "same", small)[0].failure is None
        assert "refused a master: 1 session already (--sessions)" in trial.said("worker-0")


def test_masters_do_not_see_each_others_shares(trial: Trial, four: Remote) -> None:
    mine = four.place((np.full((4, 1), 7.0),))
    assert answers(four, "same", mine)[0].value == [7.0]
    with Remote(trial.addresses, tls=trial.master) as other:
        theirs = other.place((np.full((4, 1), 8.0),))
        assert theirs.key == mine.key
        assert answers(other, "same", theirs)[0].value == [8.0]
        assert answers(four, "same", mine)[0].value == [7.0]


def test_answers_larger_than_allowed_are_refused(trial: Trial) -> None:
    with Remote(trial.addresses, tls=trial.master, largest_answer=8000) as executor:
        placement = executor.place((np.ones((4, 1001)),))
        failure = answers(executor, "same", placement)[0].failure
        assert failure == (
            "sent something that is no answer: it has 8008 bytes, more than largest_answer=8000"
        )
        fine = executor.place((np.ones((4, 1000)),))
        assert answers(executor, "same", fine)[0].failure is None


def test_without_certificates_on_this_machine_alone() -> None:
    offered = sorted(name for name in anyk.testing.tasks.__all__ if name.islower())
    command = [sys.executable, "-m", "anyk", "worker", "--listen", "127.0.0.1:0", "--no-tls"]
    with subprocess.Popen(
        [*command, "--tasks", "anyk.testing.tasks"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.endswith(f"offers {', '.join(offered)}\n")
            address = line.partition(" on ")[2].partition(",")[0]
            with Remote([address], tls=None) as executor:
                scheme = anyk.Replication(blocks=1, workers=1)
                assert anyk.run(scheme, "gram", X.astype(float), executor).value[0, 0, 0] == 10
            process.send_signal(signal.SIGINT)
            assert process.wait(LONG) == 130
        finally:
            process.kill()  # where something failed, nobody else ends it


@pytest.mark.parametrize(
    ("addresses", "tls", "argument"),
    [
        (["10.0.0.5:7000"], None, "tls"),
        (["example.org:7000"], None, "tls"),
        (["[::2]:7000"], None, "tls"),
        (["x@127.0.0.1:7000"], None, "addresses"),
        (["127.0.0.1:7000", "127.0.0.1:7000"], None, "addresses"),
        (["127.0.0.1:0"], None, "addresses"),
        ([], None, "addresses"),
        ("127.0.0.1:7000", None, "addresses"),
        (["a@b@127.0.0.1:7000"], None, "addresses"),
        (["127.0.0.1"], None, "addresses"),
        (["127.0.0.1:70000"], None, "addresses"),
        (["::1:7000"], None, "addresses"),
        (["[127.0.0.1]:7000"], None, "addresses"),
        ([":7000"], None, "addresses"),
        (["@h:7000"], None, "addresses"),
        ([7000], None, "addresses"),
        (["127.0.0.1:7000"], "missing", "tls"),
    ],
)
def test_addresses_that_can_not_be_used(addresses: Any, tls: Any, argument: str) -> None:
    with pytest.raises(anyk.InvalidArgument, match=rf"^{argument}: got .*; needed: "):
        Remote(addresses, tls=tls)


def test_two_workers_of_one_name_are_refused(trial: Trial) -> None:
    for pair in (["h:1", "h:2"], ["w@h:1", "W@g:1"], ["[::1]:1", "[0:0::1]:2"]):
        with pytest.raises(anyk.InvalidArgument, match="another name for each"):
            Remote(pair, tls=trial.master)


def test_what_is_said_of_it(four: Remote, trial: Trial) -> None:
    assert repr(four) == f"Remote({trial.addresses!r}, tls={str(trial.master)!r})"
    assert "offers everything" not in trial.said("worker-0")
    assert make_request("same", [], 1).header["module"] is None


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Remote([f"127.0.0.1:{port}"], tls=None) as executor:
        scheme = anyk.Replication(blocks=1, workers=1)
        with pytest.raises(anyk.NotEnoughAnswers, match="can't be reached: ConnectionRefused"):
            anyk.run(scheme, "gram", np.ones((1, 1, 1)), executor)
        assert executor.health[0].condition is anyk.Condition.DEAD


def test_sums_of_outputs_and_products_are_ordinary_schemes(four: Remote) -> None:
    sums_and_products(four, "gram")


def test_a_matrix_stays_and_is_multiplied(four: Remote) -> None:
    whole = np.arange(12).reshape(4, 3)
    reals = whole / 7.0
    schemes = (
        (anyk.MDS((3, 1, 1), 4), whole),
        (anyk.Polynomial((2, 1, 1), 4, adversaries=1), whole),
        (anyk.MDS((2, 1, 1), 4, domain=anyk.Reals(), adversaries=1, verified=True), reals),
        (anyk.Polynomial((1, 1, 2), 4, domain=anyk.Reals()), reals),
        (anyk.MDS((3, 1, 1), 4, domain=anyk.Complex()), reals * 1j),
        (anyk.MDS((5, 1, 1), 4, domain=anyk.Reals(), pieces=2), reals),
        (anyk.Uncoded((2, 1, 1), 4, domain=anyk.Reals()), reals),
    )
    for scheme, A in schemes:
        with anyk.distribute(scheme, A, four) as resident:
            for x in (A[0], A.T, A[:2].T):
                if x.ndim == 1 and scheme.partition[2] > 1:
                    continue
                value = resident.matmul(x, progress=False).value
                np.testing.assert_allclose(value, A @ x, atol=1e-9)
    np.testing.assert_allclose(
        anyk.matmul(reals, reals.T, four, stragglers=1).value, reals @ reals.T
    )
    assert (anyk.matmul(whole, whole.T, four, colluders=1).value == whole @ whole.T).all()
    assert (
        anyk.matmul(whole << 27, whole.T << 27, four).value == (whole << 27) @ (whole.T << 27)
    ).all()


@pytest.mark.parametrize("domain", [anyk.PrimeField(101), anyk.Reals()], ids=repr)
def test_shares_that_are_sparse_travel_as_numbers_and_stay(four: Remote, domain: Any) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(1, 101, (9, 300)) * (rng.random((9, 300)) < 0.1)
    A, x = scipy.sparse.csr_array(numbers), rng.integers(0, 101, 300)  # more columns than residues
    scheme = anyk.Sparse((3, 1, 1), 4, domain=domain)
    with anyk.distribute(scheme, A, four) as held:
        for factor in (x, x[::-1]):
            value, truth = held.matmul(factor).value, numbers @ factor
            assert np.allclose(value, truth % 101 if domain.exact else truth)
