"""What an answer costs does not grow with the workers: lines of Python are counted, not seconds."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import anyk
from anyk.answers import Answer
from anyk.delays import AbstractDelays, Fixed, Occasional, ShiftedExponential
from anyk.executors.core.calls import Batch
from anyk.executors.core.task_id import TaskId
from anyk.faults import Corrupt, Crash, Faulty, Rubbish
from anyk.observe.live import _View
from anyk.running import collection
from anyk.running.mapping.crowd import Crowd
from anyk.running.mapping.flights import Flight, Flights
from anyk.running.mapping.helping import Helping
from anyk.running.mapping.item import Item
from anyk.running.mapping.loads import Loads
from anyk.running.mapping.pace import Pace

FEW, MANY = 80, 400
GROWTH = 1.6 * MANY / FEW  # a loop in a loop makes it 5 times as much


def lines(do: Callable[[], Any]) -> int:
    """How many lines of anyk are run; each turn of a loop or a comprehension counts."""
    counted = 0

    def line(_frame: Any, event: str, _: Any) -> Any:
        nonlocal counted
        counted += event == "line"
        return line

    def begin(frame: Any, _event: str, _: Any) -> Any:
        return line if "anyk" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(begin)
    try:
        do()
    finally:
        sys.settrace(before)
    return counted


def executor_of(kind: str, workers: int) -> anyk.AbstractExecutor:
    if kind == "Inline":
        return anyk.Inline(workers)
    late = np.random.default_rng(0).exponential(1.0, workers)
    return anyk.Simulated(workers, delays=Fixed(late.tolist()), compute=0.1)


def test_a_loop_in_a_loop_is_noticed() -> None:
    code = "def square(n):\n    return [[m for m in range(n)] for _ in range(n)]"
    found: dict[str, Any] = {}
    exec(compile(code, "anyk", "exec"), found)  # noqa: S102 - our own
    assert lines(lambda: found["square"](MANY)) > GROWTH * lines(lambda: found["square"](FEW))


def mapped(kind: str, workers: int, trouble: str) -> Callable[[], Any]:
    broken = dict.fromkeys(range(0, workers, 8), Crash()) if trouble == "crash" else {}
    executor = Faulty(executor_of(kind, workers), broken)
    agree = 2 if trouble == "agree" else 1
    return lambda: anyk.map(
        lambda x: -x,
        range(2 * workers if trouble == "twice" else workers),
        executor,
        agree=agree,
        retries=9,
        on_failure="return",
        progress=False,
    )


@pytest.mark.parametrize("kind", ["Inline", "Simulated"])
@pytest.mark.parametrize("trouble", ["", "crash", "agree", "twice"])
def test_an_item_of_a_map_costs_the_same_among_many(kind: str, trouble: str) -> None:
    few, many = (lines(mapped(kind, workers, trouble)) for workers in (FEW, MANY))
    assert many <= GROWTH * few


FAULTS: dict[str, Callable[[int], dict[int, Any]]] = {
    "": lambda _: {},
    "half crash": lambda workers: dict.fromkeys(range(workers // 2), Crash()),
    "shapes": lambda workers: dict.fromkeys(range(0, workers, 9), Rubbish("shape")),
    "liars": lambda workers: {
        worker: Corrupt(seed=worker) for worker in range(0, workers, max(workers // 10, 1))
    },
}


@pytest.mark.parametrize(
    ("name", "fault", "kind"),
    [
        ("Replication", "", "Inline"),
        ("Replication", "half crash", "Simulated"),
        ("Replication", "shapes", "Simulated"),
        ("Replication", "liars", "Simulated"),
        ("liars", "liars", "Simulated"),
        ("reactive", "half crash", "Simulated"),
        ("FractionalRepetition", "half crash", "Inline"),
        ("FractionalRepetition", "liars", "Simulated"),
        ("PartialWork", "", "Inline"),
        ("PartialWork", "half crash", "Simulated"),
    ],
)
def test_an_answer_of_a_run_costs_the_same_among_many(name: str, fault: str, kind: str) -> None:
    def running(workers: int) -> Callable[[], Any]:
        blocks = workers // 4
        made = {
            "Replication": lambda: anyk.Replication(blocks, workers),
            "reactive": lambda: anyk.Replication(blocks, workers, adversaries=1, reactive=True),
            "liars": lambda: anyk.Replication(blocks, workers, adversaries=1),
            "FractionalRepetition": lambda: anyk.FractionalRepetition(workers, workers, 1),
            "PartialWork": lambda: anyk.PartialWork(workers, stragglers=1, blocks=workers),
        }
        scheme: Any = made[name]()
        X = np.ones((scheme.problem.blocks, 2))
        executor = Faulty(executor_of(kind, workers), FAULTS[fault](workers))
        return lambda: anyk.run(
            scheme, np.negative, X, executor, on_failure="return", progress=False
        )

    few, many = (lines(running(workers)) for workers in (FEW, MANY))
    assert many <= GROWTH * few


def test_answers_beyond_the_promise_are_not_decoded_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded = 0

    def judge(*arguments: Any, **named: Any) -> Any:
        nonlocal decoded
        decoded += 1
        return original(*arguments, **named)

    original = collection.judge
    monkeypatch.setattr(collection, "judge", judge)
    workers = 400
    executor = Faulty(
        executor_of("Simulated", workers), {w: Corrupt(seed=w) for w in range(0, workers, 7)}
    )
    scheme = anyk.Replication(workers // 8, workers, adversaries=1)
    outcome = anyk.run(
        scheme, np.negative, np.ones((workers // 8, 2)), executor, on_failure="return"
    )
    assert outcome.status is anyk.Status.TOO_MANY_ERRORS
    assert decoded <= 40


def test_a_report_of_many_workers_looks_each_up_once() -> None:
    class Looked(int):
        compared = 0

        def __eq__(self, other: object) -> bool:
            Looked.compared += 1
            return int(self) == other

        def __hash__(self) -> int:
            return int(self)

    half = MANY // 2
    outcome = anyk.Outcome(
        value=np.ones(2),
        status=anyk.Status.EXACT,
        used=tuple(map(Looked, range(half))),
        missing=tuple(range(half, MANY)),
        late=tuple(map(Looked, range(half, MANY, 2))),
    )
    assert f"workers {half}, {half + 2}" in str(outcome)
    assert Looked.compared <= 4 * MANY


@pytest.mark.parametrize(
    "delays",
    [
        Fixed([0.5, 1.5, 2.5]),
        Fixed({1: 1.5, 2: 2.5, 0: 0.5}),
        ShiftedExponential(shift=1.0, mean=0.0),
        Occasional(probability=1.0, seconds=2.0),
    ],
)
def test_the_delay_of_one_worker_is_of_the_same_model(delays: AbstractDelays) -> None:
    generator = np.random.default_rng(0)
    alone = [delays.of_worker(generator, worker) for worker in range(3)]
    assert alone == delays.sample(generator, 3).tolist()
    assert alone == [AbstractDelays.of_worker(delays, generator, each) for each in range(3)]


def test_a_worker_without_a_delay_is_refused_alone_too() -> None:
    with pytest.raises(anyk.InvalidArgument):
        Fixed([1.0]).of_worker(np.random.default_rng(0), 1)


def test_a_random_delay_of_one_worker_is_drawn_anew() -> None:
    model, generator = ShiftedExponential(shift=1.0, mean=2.0), np.random.default_rng(0)
    alone = np.array([model.of_worker(generator, 9) for _ in range(4000)])
    assert abs(alone.mean() - 3.0) < 0.2
    assert len(set(alone.tolist())) > 3990


def test_a_share_that_was_skipped_is_not_computed_and_another_one_is() -> None:
    with anyk.Inline(3) as executor:
        dispatch = executor.dispatch(np.negative, executor.place([np.arange(6)], pieces=2), [])
        assert dispatch.skip(2)
        assert not dispatch.skip(2)
        assert dispatch.again(2, 0)
        told = [dispatch.receive(None) for _ in range(7)]
        assert not dispatch.skip(0)  # it has begun
    heard = [each for each in told if each is not None]
    assert [(each.worker, each.piece, each.share) for each in heard] == [
        (0, 0, None), (0, 1, None), (1, 1, None), (2, 0, None), (2, 1, None), (0, 0, 2),
    ]  # fmt: skip


def test_a_batch_that_was_withdrawn_is_not_computed() -> None:
    with anyk.Inline(2) as executor:
        calls = executor.calls(abs)
        for ticket in range(3):
            calls.post(0, Batch(ticket, ((-ticket,),), (TaskId(ticket, 0, 0),)))
        assert calls.withdraw(0, 1)
        assert not calls.withdraw(0, 1)
        assert [getattr(calls.receive(None), "ticket", None) for _ in range(3)] == [0, 2, None]


def test_loads_are_what_a_look_at_all_workers_finds() -> None:
    rng = np.random.default_rng(0)
    barred: set[int] = set()
    loads, truth = Loads(9, lambda worker: worker not in barred), [0] * 9
    for _ in range(400):
        worker, load = int(rng.integers(9)), int(rng.integers(3))
        if rng.random() < 0.02 and not truth[worker]:
            barred.add(worker)
        loads.change(worker, load)
        truth[worker] = load
        below = [w for less in range(2) for w in range(9) if truth[w] == less and w not in barred]
        assert loads.below(2) == below
        assert loads.any_below(2) == bool(below)
        visited: list[int] = []
        loads.each(0, lambda who: visited.append(who) or len(visited) < 3)  # noqa: B023 - at once
        assert visited == [w for w in below if not truth[w]][:3]


def test_who_strikes_out_or_is_barred_is_not_in_the_crowd() -> None:
    crowd = Crowd(4, without=[0])
    for failed in (True, True, False, True, True, True):
        crowd.heard(1, failed=failed)
    assert crowd.bar(2)
    assert not crowd.bar(2)
    assert ([*crowd], len(crowd), 1 in crowd) == ([3], 1, False)
    crowd.heard(1, failed=False)
    assert ([*crowd], len(crowd)) == ([1, 3], 2)


def helping(workers: int) -> tuple[Helping, Flights, list[int]]:
    """All workers but the first have an item since time 0; who doubles one is noted."""
    pace, doubled = Pace(workers, anyk.Lateness()), []
    flights = Flights(workers, pace, at_once=1)
    for worker in range(1, workers):
        flights.add(Flight(worker, worker, (Item(worker, (), 1),), (0,), 0.0))
    made = Helping(
        flights, Crowd(workers, ()), pace, 2,
        at_once=1,
        may_take=lambda *_: True,
        take_back=lambda _: False,
        give=lambda _: False,
        double=lambda _, items: doubled.append(items[0].place),
    )  # fmt: skip
    for _ in range(3):
        pace.note(0, 1.0, 1)
    return made, flights, doubled


def test_what_is_late_among_many_is_noticed_in_time() -> None:
    made, _, doubled = helping(1000)
    late = 2.0 + 0.2  # twice the median and the margin
    wake = made.help(1.0, wrong=False)
    assert wake == pytest.approx(late)
    assert not doubled
    made.help(wake, wrong=False)
    assert doubled == [1]  # one worker is idle


def test_many_batches_are_looked_at_only_after_many_came() -> None:
    made, _, _ = helping(1000)
    made.help(1.0, wrong=False)
    looks = 0
    for came in range(500):
        made.heard(0)
        looks += made.looks(1.0)
        made.help(1.0, wrong=False)
        assert made.looks(2.3), came  # one is late
    made.heard(0)
    assert not made.looks(1.04)
    assert made.looks(1.5)  # and a few times before
    assert 2 <= looks <= 4


def test_many_workers_are_counted_in_a_terminal_not_drawn() -> None:
    view = _View(5000, 4000)
    for worker in range(30):
        failure = "it died" if worker < 7 else None
        view.heard(
            Answer(worker=worker, value=None, failure=failure, sent=0.0, answered=1.0, seconds=0.1)
        )
    told = view.picture().plain
    assert "7 failed" in told
    assert "23 answered" in told
    assert "4970 at work" in told
    assert len(told) < 200
    assert len(_View(300, 200).picture().plain) > 300
