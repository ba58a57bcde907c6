"""Calls on workers that are processes: values of any type, failures, death, constants."""

import itertools
import linecache
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import LONG, call, eventually

import anyk
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.core.broadcast import kept
from anyk.executors.core.calls import AbstractCalls, Batch, Returned
from anyk.executors.core.raised import LONGEST_TRACEBACK
from anyk.executors.core.task_id import TaskId
from anyk.executors.processes import link, pipe
from anyk.executors.processes.pipe import Pipe

POOL = partial(ProcessPoolExecutor, 1, mp_context=multiprocessing.get_context("forkserver"))
ENGINES: dict[str, Callable[[], AbstractExecutor]] = {
    "processes": lambda: anyk.Processes(2),
    "pools": lambda: anyk.Futures([POOL] * 2),
    "threads": lambda: anyk.Futures([partial(ThreadPoolExecutor, 1)] * 2),
}
_tickets = itertools.count()


@pytest.fixture(scope="module", params=ENGINES)
def pair(request: pytest.FixtureRequest) -> Iterator[AbstractExecutor]:
    with ENGINES[request.param]() as executor:
        yield executor


@pytest.fixture(scope="module")
def processes() -> Iterator[anyk.Processes]:
    with anyk.Processes(2) as executor:
        yield executor


def post(calls: AbstractCalls, worker: int, items: Sequence[Any]) -> int:
    ids = tuple(TaskId(place, 0, worker) for place in range(len(items)))
    batch = Batch(next(_tickets), tuple((item,) for item in items), ids)
    calls.post(worker, batch)
    return batch.ticket


def receive(calls: AbstractCalls) -> Returned:
    returned = calls.receive(LONG)
    assert returned is not None
    return returned


def results(executor: AbstractExecutor, function: Any, items: Sequence[Any]) -> Any:
    calls = executor.calls(function)
    post(calls, 1, items)
    returned = receive(calls)
    assert (returned.worker, returned.failure) == (1, None)
    return returned.results


def values(executor: AbstractExecutor, function: Any, items: Sequence[Any]) -> list[Any]:
    found = results(executor, function, items)
    assert [each.raised for each in found] == [None] * len(items)
    return [each.value for each in found]


class Point:
    def __init__(self, x: float) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return type(other) is Point and other.x == self.x

    __hash__ = None  # type: ignore[assignment]


def test_values_of_any_type_come_and_go(pair: AbstractExecutor) -> None:
    items = [
        None,
        "text",
        b"bytes",
        True,
        2**70,
        float("nan"),
        {"a": [1, {2}], ("b", 3): np.float32(0.5)},
        np.arange(3, dtype=np.int8),
        np.array([[1.5 + 2j]], dtype=np.complex64),
        np.array(["2020-01-01"], dtype="M8[D]"),
        np.array([None, "x"], dtype=object),
        np.zeros((300, 300), order="F"),
        Point(3.0),
        (Point(1.0), [Point(2.0)]),
    ]
    back = values(pair, lambda each: each, items)
    assert [type(each) for each in back] == [type(each) for each in items]
    for came, went in zip(back, items, strict=True):
        if isinstance(went, np.ndarray):
            assert came.dtype == went.dtype
            assert np.array_equal(came, went)
        else:
            assert repr(came) == repr(went) or came == went


def test_frames_and_tensors_come_and_go(processes: anyk.Processes) -> None:
    pandas, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
    tensor = torch.arange(4, dtype=torch.float32)
    first, second = values(processes, lambda each: each, [frame, tensor])
    assert first.equals(frame)
    assert second.dtype == tensor.dtype
    assert torch.equal(second, tensor)


def deep(item: Any) -> Any:
    return {"a": 1}[item]


def test_what_is_raised_costs_its_item_alone_and_says_where(pair: AbstractExecutor) -> None:
    first, second, third = results(pair, lambda item: deep(item), ["a", "b", "a"])
    assert (first.value, third.value) == (1, 1)
    assert second.raised.reason == "KeyError: 'b'"
    assert isinstance(second.raised.error, KeyError)
    assert "in deep" in second.raised.traceback
    assert Path(__file__).name in second.raised.traceback


def test_lines_of_a_notebook_are_in_the_traceback(processes: anyk.Processes) -> None:
    cell = "def f(x):\n    table = {}\n    return table[x]\n"
    linecache.cache["cell 7"] = (len(cell), None, cell.splitlines(keepends=True), "cell 7")
    space = {"__name__": "__main__"}
    exec(compile(cell, "cell 7", "exec"), space)  # noqa: S102 - as a notebook does
    told = 'File "cell 7", line 3, in f\n    return table[x]\n'
    assert told in results(processes, space["f"], [0])[0].raised.traceback
    assert told in call(processes, space["f"], [0])[0].traceback


def test_a_traceback_is_limited(pair: AbstractExecutor) -> None:
    def fail(_: Any) -> None:
        raise ValueError("x" * 100_000)

    (only,) = results(pair, fail, [0])
    assert len(only.raised.traceback) <= LONGEST_TRACEBACK


class LoadsOnlyHere:
    """Is unpickled in the process in which it was made alone."""

    def __init__(self) -> None:
        self.made = os.getpid()

    def __reduce__(self) -> Any:
        return _load_in, (self.made,)


def _load_in(made: int) -> Any:
    if os.getpid() != made:
        raise ValueError("not here")
    return LoadsOnlyHere()


class OddError(Exception):
    """Can be pickled, and not unpickled."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


class Number(float):
    """A number that may have more to it."""


@pytest.mark.parametrize("name", ["processes", "pools"])
def test_what_can_not_travel_costs_its_item_alone(name: str) -> None:
    def odd(item: Any) -> Any:
        if item == "lock":
            return threading.Lock()
        if item == "there":
            return LoadsOnlyHere()
        if item == "error":
            raise OddError(1, 2)
        if item == "array":
            return np.array([threading.Lock()])
        if item == "number":
            number = Number()
            number.lock = threading.Lock()
            return number
        return item

    with ENGINES[name]() as executor:
        good, lock, there, error, here, array, number = results(
            executor, odd, [1, "lock", "there", "error", LoadsOnlyHere(), "array", "number"]
        )
        (alone,) = results(executor, odd, ["array"])
    assert good.value == 1
    for kind, each in {"ndarray": array, "Number": number}.items():
        assert each.raised.reason.startswith(f"returned a {kind}, which can't be sent back")
    assert alone.raised.reason == array.raised.reason
    assert lock.raised.reason.startswith("returned a lock, which can't be sent back (TypeError")
    assert there.raised.reason == "returned what can't be unpickled here (ValueError: not here)"
    assert error.raised.reason == "OddError: 1 and 2"
    assert "in odd" in error.raised.traceback
    assert here.raised.reason == "ValueError: not here"


def test_what_can_not_be_sent_is_refused(processes: anyk.Processes) -> None:
    lock = threading.Lock()
    with pytest.raises(anyk.InvalidArgument, match=r"function: .*_thread\.lock"):
        processes.calls(lambda _: lock)
    calls = processes.calls(abs)
    with pytest.raises(anyk.InvalidArgument, match="item 1, which pickle can't send"):
        post(calls, 0, [3, lock])
    assert calls.receive(0.0) is None
    with pytest.raises(anyk.InvalidArgument, match=r"value: .*_thread\.lock"):
        processes.broadcast(lock)
    (only,) = results(processes, LoadsOnlyHere(), [3])
    assert "can't be unpickled on the worker (ValueError: not here)" in only.raised.reason


def test_what_pools_can_not_be_sent_is_a_failure_of_its_items() -> None:
    lock = threading.Lock()
    with ENGINES["pools"]() as executor:
        good, bad = results(executor, abs, [-3, lock])
        assert good.value == 3
        assert bad.raised.reason.startswith("was given an item that can't be sent (TypeError")
        (only,) = results(executor, lambda _: lock, [3])
        assert only.raised.reason.startswith("can't be sent (TypeError")
        (only,) = results(executor, LoadsOnlyHere(), [3])
        assert "can't be unpickled" in only.raised.reason


def test_items_and_values_are_nobody_elses(pair: AbstractExecutor) -> None:
    buffer = np.zeros(2)
    rows: list[int] = []

    def fill(item: Any) -> Any:
        item += 1
        buffer[:] = item
        rows.append(int(item[0]))
        return buffer if item[1] else rows

    shared = np.array([1.0, 1.0])
    first, second, third = values(pair, fill, [shared, shared, np.array([7.0, -1.0])])
    assert [first.tolist(), second.tolist(), third] == [[2.0, 2.0], [2.0, 2.0], [2, 2, 8]]
    assert shared.tolist() == [1.0, 1.0]


def test_a_row_of_a_buffer_is_what_it_was(processes: anyk.Processes) -> None:
    table = np.zeros(1, dtype=[("a", int), ("b", float)])

    def fill(item: Any) -> Any:
        table["a"] = item
        return table[0]

    assert [each["a"] for each in values(processes, fill, [1, 2, 3])] == [1, 2, 3]


def test_each_call_knows_which_it_is(pair: AbstractExecutor) -> None:
    assert values(pair, lambda _: anyk.task_id(), "ab") == [TaskId(0, 0, 1), TaskId(1, 0, 1)]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes went to worker processes."""
    counts = [0]
    lock = threading.Lock()

    def counted(original: Any) -> Any:
        def send(self: Pipe, *buffers: Any) -> None:
            with lock:
                counts[0] += sum(memoryview(each).nbytes for each in buffers)
            original(self, *buffers)

        return send

    for name in ("send", "push"):
        monkeypatch.setattr(Pipe, name, counted(getattr(Pipe, name)))
    return counts


def test_a_function_travels_once_a_worker(processes: anyk.Processes, sent: list[int]) -> None:
    table = np.zeros(500_000)
    calls = processes.calls(lambda item: item + table.size)
    for turn in range(6):
        post(calls, turn % 2, [turn])
        assert receive(calls).results[0].value == turn + 500_000
        if turn == 1:
            assert 2 * table.nbytes < sent[0] < 2.1 * table.nbytes
            sent[0] = 0
    assert sent[0] < 10_000


def test_a_worker_that_died_fails_its_batch_and_no_other(processes: anyk.Processes) -> None:
    calls = processes.calls(lambda item: os.kill(os.getpid(), 9) if item == "die" else item)
    for _ in range(5):  # short batches, so that some are sent ahead
        tickets = [post(calls, 0, [item]) for item in (1, 2, "die", 3, "die", 4)]
        came = {each.ticket: each for each in (receive(calls) for _ in tickets)}
        told = [came[ticket].failure for ticket in tickets]
        died = "process died: signal 9"
        assert told == [None, None, died, None, died, None]
        good = [came[ticket] for ticket in tickets if came[ticket].failure is None]
        assert [each.results[0].value for each in good] == [1, 2, 3, 4]


def test_a_pool_that_breaks_fails_its_batch_and_is_replaced() -> None:
    with ENGINES["pools"]() as executor:
        calls = executor.calls(lambda item: os.kill(os.getpid(), 9) if item == "die" else item)
        tickets = [post(calls, 0, [item]) for item in (1, "die", 2)]
        came = {each.ticket: each for each in (receive(calls) for _ in tickets)}
        assert [came[ticket].failure is None for ticket in tickets] == [True, False, True]
        assert "BrokenProcessPool" in str(came[tickets[1]].failure)


def test_a_worker_that_is_stopped_or_slow_fails_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "LOOK", 0.2)

    def stop(item: Any) -> Any:
        if item == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        if item == "slow":
            time.sleep(300)
        return item

    with anyk.Processes(2, patience=3.0) as executor:
        calls = executor.calls(stop)
        post(calls, 0, ["stop"])
        post(calls, 1, ["slow"])
        told = {each.worker: str(each.failure) for each in (receive(calls) for _ in range(2))}
        assert told[0].startswith("was stopped by a signal")
        assert told[1] == "gave no answer within 3 s"
        post(calls, 0, ["next"])
        assert receive(calls).results[0].value == "next"


def test_large_batches_may_be_sent_ahead_of_large_results(
    processes: anyk.Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "_SHORT", LONG)
    calls = processes.calls(lambda item: item + 1)
    large = np.zeros(1_000_000)
    for turn in range(12):
        post(calls, 0, [large + turn])
    for turn in range(12):
        assert receive(calls).results[0].value[-1] == turn + 1


def test_what_was_sent_ahead_and_given_up_is_in_nobodys_way(
    processes: anyk.Processes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(link, "_SHORT", LONG)
    note = str(tmp_path)

    def mark(item: Any) -> Any:
        Path(note, str(item)).touch()
        time.sleep(0.1)
        return item

    calls = processes.calls(mark)
    post(calls, 0, ["first"])
    receive(calls)
    for item in ("now", "ahead", "never"):
        post(calls, 0, [item])
    assert eventually((tmp_path / "now").exists)
    calls.abandon()
    assert float(call(processes, np.negative, np.arange(2.0))[0].value) == 0.0
    assert {path.name for path in tmp_path.iterdir()} <= {"first", "now", "ahead"}
    other = processes.calls(abs)
    post(other, 0, [-5])
    assert receive(other).results[0].value == 5


def test_what_has_not_begun_is_taken_back(pair: AbstractExecutor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    def wait(item: Any) -> Any:
        while item == "wait" and not gate.exists():
            time.sleep(0.005)
        return item

    calls = pair.calls(wait)
    first = post(calls, 0, ["wait"])
    second, third = post(calls, 0, ["second"]), post(calls, 0, ["third"])
    assert calls.withdraw(0, third)
    assert not calls.withdraw(0, third)
    gate.touch()
    assert [receive(calls).ticket for _ in range(2)] == [first, second]
    assert not calls.withdraw(0, first)
    assert calls.receive(0.0) is None


def test_a_closed_executor_wakes_who_waits() -> None:
    executor = anyk.Processes(1)
    calls = executor.calls(time.sleep)
    post(calls, 0, [300])
    threading.Timer(0.3, executor.close).start()
    with pytest.raises(anyk.ExecutorError, match="closed"):
        calls.receive(LONG)
    with pytest.raises(anyk.ExecutorError, match="closed"):
        executor.calls(abs)
    with pytest.raises(anyk.ExecutorError, match="closed"):
        executor.broadcast(3)


# --- constants


def test_a_constant_is_there_in_calls_and_in_tasks_on_shares(pair: AbstractExecutor) -> None:
    with pair.broadcast({"a": np.arange(3.0)}) as table:
        assert values(pair, lambda key: table.value[key].tolist(), ["a"]) == [[0.0, 1.0, 2.0]]
        found = anyk.map(
            lambda item, table: item + table["a"].sum(), [1, 2], pair, kwargs={"table": table}
        )
        assert found.value == [4.0, 5.0]
        with anyk.distribute(anyk.Replication(2, 2), np.ones((2, 3)), pair) as data:
            outcome = data.run(lambda block, each: block + each["a"], table)
        assert np.array_equal(outcome.value, np.ones((2, 3)) + np.arange(3.0))
    with pytest.raises(anyk.ExecutorError, match="released"):
        table.value  # noqa: B018 - it is what raises


def is_kept(_: Any, *, key: str) -> bool:
    return kept(key)


def test_a_constant_travels_once_and_again_to_a_worker_that_was_replaced(
    processes: anyk.Processes, sent: list[int]
) -> None:
    model = processes.broadcast(np.ones(500_000))
    calls = processes.calls(lambda item: item + model.value[-1])
    for turn in range(6):
        post(calls, turn % 2, [turn])
        assert receive(calls).results[0].value == turn + 1
    assert 8_000_000 < sent[0] < 8_100_000
    sent[0] = 0
    processes.kill(0)
    for worker in (0, 1):
        post(calls, worker, [1])
    assert {receive(calls).results[0].value for _ in range(2)} == {2}
    assert 4_000_000 < sent[0] < 4_100_000
    look = partial(is_kept, key=model.key)
    assert [values(processes, look, [0]), model.release(), values(processes, look, [0])] == [
        [True],
        None,
        [False],
    ]


def test_a_pool_that_starts_its_process_anew_gets_function_and_constant_again() -> None:
    fickle = partial(POOL, max_tasks_per_child=1)
    with anyk.Futures([fickle, fickle]) as executor, executor.broadcast("constant") as constant:
        calls = executor.calls(lambda item: (item, constant.value))
        for turn in range(4):
            post(calls, turn % 2, [turn])
            returned = receive(calls)
            assert returned.results[0].value == (turn, "constant"), returned
        placement = executor.place([np.arange(2)])
        for _ in range(4):
            dispatch = executor.dispatch(lambda _, each: len(each), placement, [constant])
            told = [dispatch.receive(LONG) for _ in range(2)]
            assert [each.value for each in told if each is not None] == [8, 8], told


def test_a_constant_that_can_not_be_unpickled_says_so() -> None:
    for name in ("processes", "pools"):
        with ENGINES[name]() as executor, executor.broadcast(LoadsOnlyHere()) as constant:
            (only,) = results(executor, lambda _: constant.value, [0])
            assert "can't be unpickled here (ValueError: not here)" in only.raised.reason


def test_tracebacks_of_tasks_on_shares_come_back(pair: AbstractExecutor) -> None:
    answers = call(pair, lambda share: deep(str(share)), np.arange(2))
    assert answers[0].failure == "KeyError: '0'"
    assert "in deep" in answers[0].traceback
    assert answers[0].traceback.endswith("KeyError: '0'")
