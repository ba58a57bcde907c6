"""`anyk.map`: any items, any types; late workers are not waited for, and liars are named."""

import asyncio
import itertools
import pickle
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import anyk
from anyk.delays import Fixed
from anyk.faults import Corrupt, Crash, Delay, Faulty
from anyk.running.mapping import here
from anyk.running.mapping.flights import Flight, Flights
from anyk.running.mapping.item import Item
from anyk.running.mapping.pace import Pace
from anyk.running.mapping.same import Same

quiet = partial(anyk.map, progress=False)


@dataclass
class Row:
    name: str
    numbers: np.ndarray


VALUES = [
    None, True, 2**60 + 1, -0.5, 1 + 2j, "text", b"bytes", (1, "a"), [1, [2, None]], {"a": {1: 2}},
    {1, 2}, frozenset("ab"), range(3), np.float32(0.1), np.int8(-3), np.datetime64("2026-11-29"),
    np.array(["a", "bc"]), np.array([1, None], dtype=object), np.arange(3, dtype=np.uint8),
    Row("r", np.ones(2)), float("nan"), float("inf"), int, Ellipsis,
]  # fmt: skip


def alike(one, other):
    """Whether two values are of one type and equal, NaN to NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tolist() == other.tolist()
    if isinstance(one, Row):
        return one.name == other.name and alike(one.numbers, other.numbers)
    return one == other or (one != one and other != other)


def identity(value):
    return value


def square(x):
    return x * x


EXECUTORS = [anyk.Inline, anyk.Threads, anyk.Simulated]


@pytest.mark.parametrize("make", EXECUTORS)
@pytest.mark.parametrize("agree", [1, 2])
def test_any_value_goes_in_and_comes_out(make, agree):
    with make(3) as executor:
        outcome = quiet(identity, VALUES, executor, agree=agree)
        assert len(outcome.value) == len(VALUES)
        assert all(map(alike, outcome.value, VALUES)), outcome.value
        assert outcome.status is anyk.Status.EXACT
        assert outcome.suspects == ()


@pytest.mark.parametrize("make", EXECUTORS)
@pytest.mark.parametrize("number", [0, 1, 2, 7, 500])
@pytest.mark.parametrize("workers", [1, 4])
def test_any_number_of_items_on_any_number_of_workers(make, number, workers):
    with make(workers) as executor:
        outcome = quiet(square, range(number), executor)
        assert outcome.value == [x * x for x in range(number)]
        assert outcome.known.tolist() == [True] * number
        generated = quiet(square, (x for x in range(number)), executor)
        assert generated.value == outcome.value


def test_what_an_item_holds_is_the_tasks_own():
    def spoils(row):
        row["a"][0] += 1
        return row["a"].sum()

    items = [{"a": np.zeros(3)} for _ in range(20)]
    with anyk.Threads(4) as executor:
        assert quiet(spoils, items, executor, agree=2).value == [1.0] * 20
    assert all(not item["a"].any() for item in items)


def test_a_buffer_that_is_returned_again_and_again_is_copied():
    buffer = np.zeros(2)

    def fills(x):
        buffer[:] = x
        return buffer

    value = quiet(fills, range(4), anyk.Inline(2)).value
    assert [each.tolist() for each in value] == [[x, x] for x in range(4)]


def test_star_and_keywords_and_partial():
    with anyk.Threads(2) as executor:
        assert anyk.starmap(pow, [(2, 5), (3, 2)], executor, progress=False).value == [32, 9]
        assert quiet(pow, [2, 3], executor, kwargs={"exp": 3}).value == [8, 27]
        assert quiet(partial(pow, exp=2), [2, 3], executor).value == [4, 9]


def test_what_is_late_is_computed_by_idle_workers_too():
    with anyk.Simulated(4, delays=Fixed({1: 100.0}), compute=0.1) as executor:
        outcome = quiet(square, range(12), executor)
        assert outcome.value == [x * x for x in range(12)]
        assert outcome.elapsed < 2.0
        assert outcome.late == (1,)
        assert len(outcome.again) == 1
        assert outcome.calls == 13


def test_without_copies_everybody_is_waited_for():
    with anyk.Simulated(4, delays=Fixed({1: 100.0}), compute=0.1) as executor:
        outcome = quiet(square, range(12), executor, copies=1)
        assert outcome.elapsed > 100.0
        assert outcome.calls == 12


def test_nobody_is_asked_twice_where_all_are_well():
    with anyk.Simulated(5, delays=Fixed([0.1] * 5), compute=0.01) as executor:
        assert quiet(square, range(200), executor).calls == 200
        assert quiet(square, range(200), executor, agree=2).calls == 400


def test_a_liar_is_outvoted_and_named():
    slow = anyk.Simulated(10, delays=Fixed([0.05] * 10), compute=0.0)
    with Faulty(slow, {4: Corrupt(seed=1)}) as executor:
        outcome = quiet(np.sqrt, np.arange(1.0, 201.0), executor, agree=2)
        assert outcome.value == np.sqrt(np.arange(1.0, 201.0)).tolist()
        assert outcome.suspects == (4,)
        assert outcome.calls <= 2.2 * 200
        assert [each.lied for each in executor.health] == [0] * 4 + [1] + [0] * 5


def test_a_liar_goes_to_quarantine():
    with Faulty(anyk.Inline(4), {2: Corrupt(seed=1)}) as executor:
        executor.quarantine.automatic = True
        assert quiet(np.sqrt, np.arange(9.0), executor, agree=2).suspects == (2,)
        assert executor.quarantine.workers == (2,)
        again = quiet(np.sqrt, np.arange(9.0), executor, agree=2)
        assert again.suspects == ()
        assert 2 not in again.used


def test_one_liar_more_than_promised_is_no_value():
    with Faulty(anyk.Inline(3), {0: Corrupt(seed=1), 1: Corrupt(seed=2)}) as executor:
        with pytest.raises(anyk.TooManyErrors, match="item 0"):
            quiet(np.sqrt, np.arange(1.0, 4.0), executor, agree=2)


def test_a_function_that_never_says_the_same_is_no_liar():
    numbers = iter(range(100))
    with pytest.raises(anyk.TooManyErrors, match="rtol= or equal="):
        quiet(lambda _: next(numbers), range(3), anyk.Inline(3), agree=2)


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_an_error_is_tried_again_elsewhere(retries):
    tries = []

    def flaky(x):
        if x == 3:
            tries.append(anyk.task_id().worker)
            if len(tries) <= retries:
                raise ConnectionError("reset by peer")
        return x

    assert quiet(flaky, range(6), anyk.Inline(4), retries=retries).value == [*range(6)]
    assert len(tries) == len({*tries}) == retries + 1


def test_what_the_function_raises_is_the_cause():
    def deep(x):
        return {"a": 1}["b" if x == 2 else "a"]

    with anyk.Threads(3) as executor, pytest.raises(anyk.FunctionRaised) as caught:
        quiet(deep, range(5), executor)
    error = caught.value
    assert isinstance(error, anyk.NotEnoughAnswers)
    assert isinstance(error.__cause__, KeyError)
    assert "in deep" in str(error.__cause__.__cause__)
    assert "item 2" in str(error)
    assert len(error.workers) == 2
    assert error.outcome.value[2] is None


def test_what_raised_once_is_never_lost_between_two_workers():
    def raises(x):
        if x == 3:
            raise ValueError(x)
        return x

    for _ in range(100):  # it went wrong about once in twenty
        with anyk.Threads(2) as executor:
            outcome = quiet(raises, range(8), executor, on_failure="return")
        assert list(outcome.unanswered) == [3]


def test_what_came_with_an_item_that_raised_counts():
    def raises(x):
        if x == 90:
            raise ValueError(x)
        return x

    with pytest.raises(anyk.FunctionRaised) as caught:
        quiet(raises, range(100), anyk.Inline(1), retries=0)
    assert caught.value.outcome.known.sum() == 90
    results = anyk.map_unordered(raises, range(100), anyk.Inline(1), retries=0, progress=False)
    assert list(itertools.islice(results, 90)) == [*range(90)]
    with pytest.raises(anyk.FunctionRaised):
        next(results)


def test_cancelling_ends_a_call_whose_results_come_all_the_time():
    async def cancelled():
        task = asyncio.create_task(anyk.amap(square, iter(int, 1), executor, progress=False))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with anyk.Threads(2) as executor:
        asyncio.run(asyncio.wait_for(cancelled(), 20))  # waits for its threads, too


def test_what_could_be_computed_is_returned_where_that_is_asked_for():
    def picky(x):
        if x % 3 == 0:
            raise ValueError(x)
        return x

    outcome = quiet(picky, range(7), anyk.Inline(2), on_failure="return")
    assert outcome.value == [None, 1, 2, None, 4, 5, None]
    assert outcome.known.tolist() == [False, True, True, False, True, True, False]
    assert outcome.status is anyk.Status.NOT_ENOUGH_ANSWERS
    assert sorted(outcome.unanswered) == [0, 3, 6]
    report = str(outcome)
    assert "3 of them not known" in report
    assert "no value  item 3: ValueError: 3\n" in report
    assert "workers" not in report.splitlines()[0]


def test_a_report_has_a_line_for_each_reason_as_long_as_they_are_few():
    def picky(x):
        raise ValueError(x % 7)

    outcome = quiet(picky, range(14), anyk.Inline(2), on_failure="return")
    report = str(outcome)
    assert "no value  items 0, 7: ValueError: 0\n" in report
    assert report.count("ValueError") == 5
    assert "and 2 more reasons: see .unanswered" in report


@pytest.mark.parametrize("make", [anyk.Inline, anyk.Threads])
@pytest.mark.parametrize("number", [3, 14, 100])
def test_each_item_is_tried_again_and_none_is_lost_where_the_function_always_raises(make, number):
    def never(x):
        raise ValueError(x)

    with make(2) as executor:
        outcome = quiet(never, range(number), executor, on_failure="return")
    assert list(outcome.unanswered) == [*range(number)]
    assert outcome.used == (0, 1)
    assert str(outcome).startswith(f"{number} items of {number} have no value.")


def test_who_fails_at_once_is_no_measure_of_who_is_late():
    """What worker 0 could not do waits for worker 1, however long worker 0 took to fail."""
    with anyk.Simulated(2, delays=Fixed({0: 0.001, 1: 1.0}), compute=0.0) as simulated:
        outcome = quiet(square, range(9), Faulty(simulated, {0: Crash()}), on_failure="return")
    assert outcome.value == [square(x) for x in range(9)]


def test_a_result_that_cannot_be_sent_is_not_said_to_be_raised():
    with anyk.Processes(2) as executor, pytest.raises(anyk.FunctionRaised) as caught:
        quiet(lambda _: (x for x in ()), range(2), executor)
    assert str(caught.value).startswith("the function returned a generator, which can't be sent")


def test_processes_of_this_machine_are_as_many_as_there_are_cpus_on_any_system(monkeypatch):
    monkeypatch.delattr(here.os, "sched_getaffinity", raising=False)  # as on macOS
    assert here._cpus() == here.os.cpu_count()


def test_a_constant_in_a_closure_says_what_to_write():
    with anyk.Threads(2) as executor:
        table = executor.broadcast({"a": 1})
        with pytest.raises(anyk.FunctionRaised, match=r"write \.value\.get"):
            quiet(lambda key: table.get(key), ["a"], executor)
        assert not hasattr(table, "shape")


def test_a_deadline_is_kept_and_what_came_is_returned():
    with anyk.Simulated(2, compute=1.0) as executor:
        with pytest.raises(anyk.NotEnoughAnswers, match="of 9 items are done") as caught:
            quiet(square, range(9), executor, deadline=2.5)
        assert caught.value.answered == (0, 1, 2, 3)
        assert caught.value.outcome.value[:4] == [0, 1, 4, 9]
    with anyk.Simulated(2, compute=1.0) as executor:
        outcome = quiet(square, range(9), executor, deadline=2.5, on_failure="return")
        assert outcome.known.sum() == 4
        assert outcome.elapsed == 2.5


def test_items_are_drawn_as_workers_are_free():
    drawn = []

    def source():
        for x in range(10**9):
            drawn.append(x)
            yield x

    with anyk.Simulated(3, compute=1.0) as executor:
        results = anyk.map_unordered(square, source(), executor, progress=False)
        assert not drawn
        first = [next(results) for _ in range(5)]
        results.close()
    assert sorted(first) == [0, 1, 4, 9, 16]
    assert len(drawn) <= 5 + 3 * 2


def test_results_come_as_they_are_done():
    with anyk.Simulated(2, delays=Fixed({0: 5.0}), compute=1.0) as executor:
        values = list(anyk.map_unordered(identity, range(4), executor, progress=False))
    assert values.index(0) == 3
    assert sorted(values) == [0, 1, 2, 3]


def test_a_call_whose_results_were_all_asked_for_is_no_failure(caplog):
    with caplog.at_level("INFO", logger="anyk"):
        assert len(list(anyk.map_unordered(square, range(9), anyk.Inline(2), progress=False))) == 9
    assert "EXACT" in caplog.text
    caplog.clear()
    with caplog.at_level("INFO", logger="anyk"):
        next(anyk.map_unordered(square, range(9), anyk.Inline(2), progress=False))
    assert "NOT_ENOUGH_ANSWERS" in caplog.text


def test_asyncio_goes_on_meanwhile_and_cancelling_ends_the_call():
    started = threading.Event()

    def waits(x):
        started.set()
        time.sleep(0.05)
        return x

    async def both():
        with anyk.Threads(2) as executor:
            task = asyncio.create_task(anyk.amap(waits, range(4), executor))
            ticks = 0
            while not task.done():
                await asyncio.sleep(0.005)
                ticks += 1
            endless = asyncio.create_task(anyk.amap(waits, iter(int, 1), executor))
            await asyncio.sleep(0.1)
            endless.cancel()
            with pytest.raises(asyncio.CancelledError):
                await endless
            return (await task).value, ticks

    value, ticks = asyncio.run(both())
    assert value == [0, 1, 2, 3]
    assert ticks > 3
    assert started.is_set()


def test_a_task_knows_which_it_is():
    with anyk.Simulated(3, delays=Fixed({0: 50.0}), compute=0.1) as executor:
        ids = quiet(lambda _: anyk.task_id(), range(6), executor).value
    assert [each.item for each in ids] == [*range(6)]
    assert {each.copy for each in ids} == {0, 1}
    assert anyk.task_id() is None


@pytest.mark.parametrize("make", EXECUTORS)
def test_a_constant_arrives_as_its_value(make):
    with make(2) as executor, executor.broadcast(np.arange(5)) as table:
        assert quiet(lambda x, t: int(t[x]), [4, 1], executor, kwargs={"t": table}).value == [4, 1]
        assert quiet(partial(np.take, table), [4, 1], executor).value == [4, 1]
        assert quiet(lambda x: int(table.value[x]), [4, 1], executor).value == [4, 1]
        assert anyk.starmap(np.take, [(table, 2)], executor, progress=False).value == [2]
        scheme = anyk.Replication(2, 2)
        outcome = anyk.run(scheme, lambda x: x + table.value[1], [1.0, 2.0], executor)
        assert outcome.value.tolist() == [2.0, 3.0]
        with anyk.distribute(scheme, [1.0, 2.0], executor) as data:
            assert data.run(lambda x, t: x + t[4], table).value.tolist() == [5.0, 6.0]
    with make(2) as executor, pytest.raises(anyk.FunctionRaised, match="released"):
        quiet(lambda x, t: t[x], [1], executor, kwargs={"t": table})


def test_faults_of_workers_are_borne():
    faults = {0: Crash(), 3: Delay(float("inf"))}
    with Faulty(anyk.Threads(5), faults) as executor:
        outcome = quiet(square, range(40), executor, agree=2)
        assert outcome.value == [x * x for x in range(40)]
        assert outcome.suspects == ()


def test_an_executor_that_is_closed_meanwhile_ends_the_call():
    executor = anyk.Threads(2)
    threading.Timer(0.2, executor.close).start()
    with pytest.raises(anyk.ExecutorError, match="closed"):
        quiet(lambda _: time.sleep(3600), range(4), executor)


def test_several_calls_at_once_on_one_executor():
    with anyk.Threads(3) as executor:
        found = {}

        def call(number):
            found[number] = quiet(lambda x: x + number, range(50), executor).value

        threads = [threading.Thread(target=call, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {number: [x + number for x in range(50)] for number in range(6)}


@pytest.mark.parametrize("way", [partial, None])
@pytest.mark.parametrize("make", EXECUTORS)
def test_a_constant_arrives_as_its_value_through_wrappers_too(make, way):
    with make(2) as executor, executor.broadcast([3]) as table:
        function, kwargs = (
            (partial(scaled, table=table), None) if way else (scaled, {"table": table})
        )
        for wrapped in (
            Faulty(executor, {0: Delay(0.0)}),
            anyk.Paced(executor, Fixed({}), np.random.default_rng(0)),
        ):
            assert quiet(function, range(4), wrapped, kwargs=kwargs).value == [0, 3, 6, 9]


def scaled(x, table):
    return x * table[0]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("ValueError: no", "the function raised ValueError: no, on item 1"),
        ("KeyError: it was.", "the function raised KeyError: it was, on item 1"),
        ("returned a lock, which can't be sent back", "the function returned a lock, which"),
        ("can't be sent (TypeError: no)", "the function can't be sent (TypeError: no), on item 1"),
        ("was given an item that can't be sent", "the function was given an item that can't be"),
    ],
)
def test_an_error_says_what_the_function_did(reason, told):
    assert str(anyk.FunctionRaised(reason, where="item 1", workers=[0])).startswith(told)


def test_an_outcome_is_gone_through_as_its_value_is():
    outcome = quiet(str.upper, "abc", anyk.Inline(2))
    assert list(outcome) == [*outcome] == ["A", "B", "C"]
    blocks = anyk.run(anyk.Replication(2, 2), np.square, [2.0, 3.0], anyk.Inline(2))
    assert [float(block) for block in blocks] == [4.0, 9.0]


NAN = float("nan")


@dataclass
class Timed:
    value: int
    seconds: float = field(compare=False, default=0.0)


class Named:
    def __init__(self, name):
        self.name = name

    def __reduce__(self):
        return self.name


def travelled(value):
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize(
    "value",
    [
        np.datetime64("NaT"), np.timedelta64("NaT"), np.ma.array([1.0, 2.0], mask=[False, True]),
        Decimal("NaN"), {NAN: 1}, {NAN, 1.0}, SimpleNamespace(a=np.ones(2)), deque([NAN]),
    ],
)  # fmt: skip
def test_what_travelled_on_two_ways_is_the_same(value):
    assert Same()(travelled(value), travelled(value))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.ma.array([1, 2], mask=[False, True]), np.ma.array([1, 2], mask=[True, True])),
        (np.ma.array([1, 2], mask=[False, True]), np.ma.array([3, 2], mask=[False, True])),
        ({NAN: 1}, {NAN: 2}),
        ({NAN, 1.0}, {NAN, 2.0}),
        (Named("red a"), Named("bed b")),
    ],
)
def test_what_differs_a_little_is_not_the_same(one, other):
    assert Same()(one, one)
    assert not Same()(one, other)


def test_frames_and_their_dates_are_compared():
    pd = pytest.importorskip("pandas")
    for value in (
        pd.Timestamp("2026-11-29"),
        pd.Timedelta("1s"),
        pd.Series([1.0, NAN], name="x"),
        pd.DataFrame({"a": [{"k": np.ones(2)}, [1, NAN], None]}),
    ):
        assert Same()(travelled(value), travelled(value))
    for kind in (pd.Series, pd.Index):
        assert not Same()(kind([1.0], name="x"), kind([1.0], name="y"))


def test_there_are_as_many_items_as_come_whatever_their_length_says():
    class Few(list):
        def __len__(self):
            return 3

    class Odd(list):
        def __len__(self):
            raise NotImplementedError

    for items in (Few(range(5)), Few(range(2)), Odd(range(5))):
        assert quiet(square, items, anyk.Inline(2)).value == [x * x for x in items]
    results = anyk.map_unordered(square, range(10**30), anyk.Inline(1), progress=False)
    assert next(results) == 0


def test_what_a_dataclass_does_not_compare_may_differ():
    assert Same()(Timed(1, 0.1), Timed(1, 0.2))
    assert not Same()(Timed(1, 0.1), Timed(2, 0.1))


def test_no_two_copies_of_an_item_have_one_number():
    flights, item = Flights(3, Pace(3, anyk.Lateness()), at_once=1), Item(0, (), agree=3)
    for ticket, number in enumerate((0, 1, 2)):
        assert item.next_copy == number
        flights.add(Flight(ticket, ticket, (item,), (number,), 0.0))
    flights.remove(1)  # it was taken back before it was begun: its number is free
    assert item.next_copy == 1
    flights.remove(0, 5.0)  # it has run: nobody else has its number
    assert item.next_copy == 1
