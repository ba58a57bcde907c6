"""Ray: functions of any items in the actors' queues, constants and references in its store."""

import gc
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import LONG, eventually, put_off

import anyk
from anyk.errors import ExecutorError, FunctionRaised, InvalidArgument
from anyk.executors.core import run_task
from anyk.executors.core.calls import AbstractCalls, Batch, Returned
from anyk.executors.core.task_id import TaskId
from anyk.executors.engines.ray import Ray

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # Ray's own plans
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of Ray's, when it is shut down
]
ray = pytest.importorskip("ray")

WORKERS = 3


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    ray.init(
        address="local",  # and no other that runs here
        num_cpus=4,
        object_store_memory=80 << 20,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
    )
    yield
    ray.shutdown()
    gc.collect()  # while warnings of Ray's are ignored


@pytest.fixture(scope="module")
def trio(cluster: None) -> Iterator[Ray]:  # noqa: ARG001 - only there to be used
    with Ray(WORKERS) as executor:
        anyk.map(abs, range(WORKERS), executor, progress=False)
        yield executor


def batch(ticket: int, *items: Any) -> Batch:
    ids = tuple(TaskId(ticket, 0, 0) for _ in items)
    return Batch(ticket, tuple((item,) for item in items), ids)


def came(calls: AbstractCalls) -> Returned:
    returned = calls.receive(LONG)
    assert returned is not None
    return returned


def values(calls: AbstractCalls, worker: int, *items: Any) -> list[Any]:
    calls.post(worker, batch(0, *items))
    results = came(calls).results
    assert [each.raised for each in results] == [None] * len(items)
    return [each.value for each in results]


def test_items_and_results_are_of_any_type_and_can_be_written_in(trio: Ray) -> None:
    class Point:
        def __init__(self, x: int) -> None:
            self.x = x

    def twice(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            x *= 2
        return x

    here = [1, "text", None, {"a": [1.5]}, Point(3), np.arange(3), np.ones(100_000)]
    there = values(trio.calls(twice), 1, *here)
    assert there[:4] == here[:4]
    assert (type(there[4]), there[4].x) == (Point, 3)
    for mine, theirs in zip(here[5:], there[5:], strict=True):
        np.testing.assert_array_equal(theirs, 2 * mine)
        theirs[:] = 0
    assert here[5].tolist() == [0, 1, 2]


def test_a_function_may_use_the_memory_of_its_value_again(trio: Ray) -> None:
    memory = np.zeros(100_000)

    def again(x: float) -> Any:
        memory[:] = x
        return memory

    assert [each.max() for each in values(trio.calls(again), 0, 1.0, 2.0, 3.0)] == [1.0, 2.0, 3.0]


def test_what_an_item_raises_and_what_can_not_be_sent_are_its_own(trio: Ray) -> None:
    class OddError(Exception):
        def __init__(self, one: int, two: int) -> None:
            Exception.__init__(self, f"{one} and {two}")

    def odd(x: int) -> Any:
        if x == 0:
            raise OddError(1, 2)
        return (each for each in ()) if x == 1 else 1 / (x - 2)

    calls = trio.calls(odd)
    calls.post(0, batch(0, 0, 1, 2, 3))
    first, second, third, fourth = came(calls).results
    assert first.raised.reason == "OddError: 1 and 2"
    assert first.raised.error is None  # it can be pickled, but not unpickled
    assert "in odd" in first.raised.traceback
    assert "returned a generator, which can't be sent back" in second.raised.reason
    assert type(third.raised.error) is ZeroDivisionError
    assert (fourth.value, fourth.raised) == (1.0, None)
    with pytest.raises(InvalidArgument, match="items: got one that can't be pickled"):
        calls.post(0, batch(1, (each for each in ())))
    with pytest.raises(InvalidArgument, match="function: got one that can't be pickled"):
        trio.calls(partial(odd, (each for each in ())))
    assert calls.receive(0.0) is None


def test_a_function_that_can_not_be_loaded_there_fails_on_each_item(trio: Ray) -> None:
    class LoadsOnlyHere:
        def __reduce__(self) -> Any:
            return int, ("this is no number",)

    calls = trio.calls(partial(max, LoadsOnlyHere()))
    calls.post(0, batch(0, 1, 2))
    assert ["this is no number" in each.raised.reason for each in came(calls).results] == [True] * 2
    assert values(trio.calls(abs), 0, -1) == [1]


def test_what_waits_in_an_actors_queue_is_taken_back_what_runs_is_not(
    trio: Ray, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    wait = put_off(gate)

    def note(x: int) -> Any:
        (tmp_path / str(x)).touch()
        return wait(x)

    calls = trio.calls(note)
    for x in range(4):
        calls.post(0, batch(x, x))
    assert eventually(gate.with_suffix(".begun").exists)
    assert [calls.withdraw(0, ticket) for ticket in (0, 2, 2, 9)] == [False, True, False, False]
    gate.write_text("", encoding="utf-8")
    assert sorted(came(calls).ticket for _ in range(3)) == [0, 1, 3]  # Ray tells in any order
    assert calls.receive(None) is None
    assert not (tmp_path / "2").exists()


def test_what_was_given_up_does_not_begin(trio: Ray, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    wait = put_off(gate)

    def note(x: int) -> Any:
        (tmp_path / str(x)).touch()
        return wait(x)

    calls = trio.calls(note)
    for x in range(3):
        calls.post(0, batch(x, x))
    assert eventually(gate.with_suffix(".begun").exists)
    calls.abandon()
    assert calls.receive(None) is None
    other = trio.calls(abs)
    other.post(0, batch(1, -1))
    assert other.withdraw(0, 1)  # what is asked beside the work has arrived
    gate.write_text("", encoding="utf-8")
    assert values(other, 0, -5) == [5]
    assert not (tmp_path / "1").exists()


def test_an_actor_that_dies_is_one_failed_batch_and_those_behind_it_run_on_the_next(
    trio: Ray,
) -> None:
    def die(x: int) -> int:
        if x == 0:
            run_task.die()
        return os.getpid()

    before = values(trio.calls(die), 1, 1)
    calls = trio.calls(die)
    for x in range(3):
        calls.post(1, batch(x, x))
    returned = {each.ticket: each for each in (came(calls) for _ in range(3))}
    assert (returned[0].failure, returned[0].results) == ("Ray actor died", ())
    after = [returned[x].results[0].value for x in (1, 2)]
    assert after[0] == after[1] != before[0]
    assert values(calls, 1, 1) == after[:1]
    assert trio.alive == (True,) * WORKERS


def test_an_idle_actor_that_was_killed_has_a_successor(trio: Ray) -> None:
    calls = trio.calls(lambda _: os.getpid())
    (pid,) = values(calls, 2, None)
    os.kill(pid, signal.SIGKILL)
    for ticket in range(3):  # the first one may be sent before Ray knows
        calls.post(2, batch(ticket, None))
        returned = came(calls)
        if returned.failure is None:
            break
        assert returned.failure.startswith("Ray actor ")
    assert returned.results[0].value != pid


def test_an_actor_that_dies_with_a_share_and_a_batch_has_one_successor(
    trio: Ray, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    pid = trio.calls(lambda _: os.getpid())
    (before,) = values(pid, 0, None)
    placement = trio.place([np.zeros(1)])
    dispatch = trio.dispatch(put_off(gate), placement, [])
    assert eventually(gate.with_suffix(".begun").exists)
    for ticket in range(2):
        pid.post(0, batch(ticket, None))
    os.kill(before, signal.SIGKILL)
    assert dispatch.receive(LONG).failure == "Ray actor died"
    returned = [came(pid) for _ in range(2)]
    assert [each.failure is None for each in returned] == [False, True]
    after = returned[1].results[0].value
    answer = trio.dispatch(lambda _: os.getpid(), placement, []).receive(LONG)
    assert values(pid, 0, None) == [after] == [answer.value]
    trio.release(placement)


def test_no_room_is_one_failed_batch_each_in_time() -> None:
    with Ray(1, num_cpus=64.0, patience=0.5) as executor:
        calls = executor.calls(abs)
        calls.post(0, batch(0, -1))
        calls.post(0, batch(1, -1))
        assert calls.withdraw(0, 1)
        assert "no Ray actor in 0.5 s" in came(calls).failure
        assert calls.receive(None) is None


def test_a_constant_lies_in_the_store_once_and_is_not_copied(trio: Ray) -> None:
    table = trio.broadcast({"numbers": np.arange(100_000.0), "name": "t"})
    plain = trio.broadcast(ray.put(np.ones(100_000)))
    assert plain.value.sum() == 100_000

    def use(x: int, table: Any, plain: Any) -> tuple[Any, ...]:
        numbers = table["numbers"]
        return x + numbers[x], numbers.flags.writeable, plain.sum(), id(table)

    calls = trio.calls(partial(use, table=table, plain=plain))
    for worker in range(WORKERS):
        first, second = (values(calls, worker, 3)[0] for _ in range(2))
        assert first[:3] == (6.0, False, 100_000)
        assert first == second  # the same object
    with anyk.distribute(anyk.Replication(2, WORKERS), np.ones((2, 1)), trio) as data:
        outcome = data.run(lambda x, t: x + t["numbers"][2], table, progress=False)
    assert outcome.value.tolist() == [[3.0], [3.0]]

    (pid,) = values(trio.calls(lambda _: os.getpid()), 0, None)
    os.kill(pid, signal.SIGKILL)  # the next actor has it too
    assert anyk.map(partial(use, table=table, plain=plain), [1] * 9, trio).value[0][0] == 2.0
    in_closure = trio.calls(lambda x: table.value["numbers"][x])
    assert values(in_closure, 1, 4) == [4.0]
    table.release()
    in_closure.post(1, batch(0, 4))
    assert "it was released" in came(in_closure).results[0].raised.reason


def test_a_constant_that_can_not_be_had_is_told_as_such(trio: Ray) -> None:
    class LoadsOnlyHere:
        def __reduce__(self) -> Any:
            return int, ("this is no number",)

    with pytest.raises(InvalidArgument, match="value: got one that Ray can't take"):
        trio.broadcast(each for each in ())
    with trio.broadcast(LoadsOnlyHere()) as constant:
        calls = trio.calls(partial(max, constant))
        calls.post(2, batch(0, 4))  # another one was killed before
        raised = came(calls).results[0].raised
        assert "this constant can't be unpickled here" in raised.reason
    assert values(trio.calls(abs), 2, -1) == [1]


def test_a_reference_arrives_as_what_it_refers_to(trio: Ray) -> None:
    numbers = np.arange(100_000.0)
    ref = ray.put(numbers)

    def spoil(array: Any) -> float:
        total = float(array.sum())
        array[:] = 0
        return total

    for _ in range(2):
        assert values(trio.calls(spoil), 0, ref, ref) == [numbers.sum()] * 2

    def use(x: Any, nested: Any) -> float:
        return x + spoil(nested[0]["ref"])

    assert values(trio.calls(partial(use, nested=[{"ref": ref}])), 1, 1.0) == [numbers.sum() + 1]
    with anyk.distribute(anyk.Replication(2, WORKERS), np.ones((2, 1)), trio) as data:
        for _ in range(2):
            outcome = data.run(lambda x, a, b: x + spoil(a) + spoil(b[0]), ref, [ref])
            assert outcome.value.tolist() == [[1.0 + numbers.sum()]] * 2

    @ray.remote(num_cpus=0)
    def fails() -> None:
        raise ValueError("upstream")

    calls = trio.calls(type)
    calls.post(0, batch(0, fails.remote(), ref))
    first, second = came(calls).results
    assert first.raised.reason == "ValueError: upstream"
    assert second.value is np.ndarray


def test_a_model_is_made_once_a_worker_and_not_a_call(trio: Ray) -> None:
    class Model:
        def __init__(self) -> None:
            self.weights = np.ones(100_000)
            self.calls = 0

        def __call__(self, x: float) -> float:
            self.calls += 1
            return self.calls + 0 * x

    ref = ray.put(Model())
    calls = trio.calls(partial(lambda model, x: model(x), ref))
    assert values(calls, 0, 0.0, 0.0) + values(calls, 0, 0.0) == [1, 2, 3]
    others = [ray.put(each) for each in range(4)]
    with anyk.distribute(anyk.Replication(1, 1), np.zeros((1, 1)), trio) as data:
        counts = []
        for each in (ref, others[0], ref, *others, ref):
            outcome = data.run(lambda x, model: x + (model(0.0) if callable(model) else 0), each)
            counts.append(int(outcome.value[0, 0]))
    assert counts == [1, 0, 2, 0, 0, 0, 0, 1]


def test_map_gives_everything_back_whatever_actors_do(trio: Ray, tmp_path: Path) -> None:
    def work(x: int) -> int:
        me = anyk.task_id()
        if me.worker == 1 and x > 5:
            with (tmp_path / f"dead-{x}").open("x", encoding="utf-8"):
                os.kill(os.getpid(), signal.SIGKILL)
        if me.worker == 2:
            time.sleep(0.2)
        time.sleep(0.01)
        return x * x

    outcome = anyk.map(work, range(40), trio, progress=False)
    assert outcome.value == [x * x for x in range(40)]
    with pytest.raises(FunctionRaised) as caught:
        anyk.map(lambda x: 1 // x, [1, 0], trio, progress=False)
    assert type(caught.value.__cause__) is ZeroDivisionError


def test_what_a_share_raised_comes_back_with_its_traceback(trio: Ray) -> None:
    def broken(_: Any) -> Any:
        raise KeyError("mine")

    placement = trio.place([np.zeros(2)])
    dispatch = trio.dispatch(broken, placement, [])
    answer = dispatch.receive(LONG)
    assert answer is not None
    assert answer.failure == "KeyError: 'mine'"
    assert "in broken" in answer.traceback
    trio.release(placement)


def test_calls_and_constants_end_with_their_executor() -> None:
    executor = Ray(1)
    calls, constant = executor.calls(time.sleep), executor.broadcast(5)
    calls.post(0, batch(0, LONG))
    executor.close()
    for use in (
        lambda: calls.post(0, batch(1, 0)),
        lambda: calls.receive(None),
        lambda: executor.calls(abs),
        lambda: executor.broadcast(5),
        lambda: constant.value,
    ):
        with pytest.raises(ExecutorError):
            use()
    calls.abandon()
    constant.release()
