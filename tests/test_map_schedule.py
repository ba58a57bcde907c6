"""The scheduler of anyk.map on a virtual clock: who is given what, how often, and what comes of it.

What is promised of the answers, with agree=a:

- of those who answered for an item, if at most a - 1 lie, its value is right, or there is an error
  that says that too few workers were left to ask; no wrong value, whatever they say together;
- if more lie, and no a of them tell the same lie, its value is right or there is an error;
- only where a of them tell the same lie may that be the value; honest workers may be named then.
"""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anyk
from anyk.delays import Fixed
from anyk.executors.core.calls import AbstractCalls, Batch, Returned
from anyk.executors.core.run_task import pause
from anyk.executors.wrappers.wrapper import AbstractWrapper
from anyk.faults import Collude, Corrupt, Crash, Faulty


@dataclass
class Log:
    """What the workers were given."""

    having: defaultdict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """By item: who has it now, and how often."""
    given: defaultdict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """By item: who was given it, and has not had it taken back."""
    lost: Counter[int] = field(default_factory=Counter)
    """By item: how often its worker died or raised."""
    most: Counter[int] = field(default_factory=Counter)
    """By item: how many had it at a time."""
    ahead: int = 0
    """Batches that one worker had at a time, at most."""
    largest: int = 0
    """Items of a batch, at most."""


class Watched(AbstractWrapper):
    """An executor whose calls are logged, and whose workers die with some batches.

    Args:
        executor: virtual.
        dying: (worker, how manieth of its batches).
    """

    def __init__(self, executor: anyk.AbstractExecutor, dying: frozenset[tuple[int, int]]) -> None:
        self._executor, self._dying, self.log = executor, dying, Log()

    @property
    def within(self) -> anyk.AbstractExecutor:
        return self._executor

    def dispatch(self, *_: Any) -> Any:
        raise NotImplementedError

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        return WatchedCalls(self._executor.calls(function), self.log, self._dying)


class WatchedCalls(AbstractCalls):
    def __init__(self, calls: AbstractCalls, log: Log, dying: frozenset[tuple[int, int]]) -> None:
        self._calls, self._log, self._dying = calls, log, dying
        self._batches: dict[int, tuple[int, list[int]]] = {}
        self._back: Counter[int] = Counter()

    @property
    def at_once(self) -> int:
        return self._calls.at_once

    @property
    def ahead(self) -> int:
        return self._calls.ahead

    def post(self, worker: int, batch: Batch) -> None:
        items = [each.item for each in batch.ids]
        assert all(each.worker == worker for each in batch.ids)
        assert len(set(items)) == len(items)
        self._batches[batch.ticket] = worker, items
        for item in items:
            self._log.having[item][worker] += 1
            self._log.given[item][worker] += 1
            self._log.most[item] = max(self._log.most[item], self._log.having[item].total())
        held = sum(other == worker for other, _ in self._batches.values())
        self._log.ahead = max(self._log.ahead, held)
        self._log.largest = max(self._log.largest, len(items))
        self._calls.post(worker, batch)

    def receive(self, timeout: float | None) -> Returned | None:
        returned = self._calls.receive(timeout)
        if returned is None:
            return None
        worker, items = self._batches.pop(returned.ticket)
        assert worker == returned.worker
        self._back[worker] += 1
        died = (worker, self._back[worker]) in self._dying
        for place, item in enumerate(items):
            self._log.having[item][worker] -= 1
            self._log.lost[item] += died or returned.results[place].raised is not None
        if not died:
            return returned
        return Returned(
            worker, returned.ticket, (), "died on purpose", returned.sent, returned.answered
        )

    def withdraw(self, worker: int, ticket: int) -> bool:
        taken = self._calls.withdraw(worker, ticket)
        if taken:
            _, items = self._batches.pop(ticket)
            for item in items:
                self._log.having[item][worker] -= 1
                self._log.given[item][worker] -= 1
        return taken

    def wake(self) -> None:
        self._calls.wake()

    def abandon(self) -> None:
        self._calls.abandon()


def truth(item: int) -> str:
    return f"the value of {item}"


SECONDS = st.sampled_from([0.0, 1e-4, 0.003, 0.05, 0.4, 3.0, 100.0])
SPEEDS = st.sampled_from([0.0, 0.001, 0.05, 1.0, 50.0, math.inf])


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    workers = draw(st.integers(1, 7))
    agree = draw(st.integers(1, min(3, workers)))
    liars = draw(st.integers(0, agree - 1)) if workers >= 2 * agree - 1 else 0
    number = draw(st.integers(0, 40))
    spare = max(0, workers - (2 * agree - 1))
    late = draw(st.dictionaries(st.integers(0, workers - 1), SPEEDS, max_size=min(2, spare)))
    dying = st.tuples(st.integers(0, workers - 1), st.integers(1, 3))
    return {
        "workers": workers,
        "agree": agree,
        "copies": draw(st.integers(1, 4)),
        "liars": dict.fromkeys(draw(st.permutations(range(workers)))[:liars]),
        "seconds": draw(st.lists(SECONDS, min_size=number, max_size=number)),
        "late": late,
        "dying": draw(st.frozensets(dying, max_size=2)) if spare else frozenset(),
        "together": draw(st.booleans()),
        "lazy": draw(st.booleans()),
        "retries": draw(st.integers(0, 2)),
        "raises": draw(st.dictionaries(st.integers(0, 39), st.integers(1, 4), max_size=3)),
        "seed": draw(st.integers(0, 3)),
    }


@given(cases())
@settings(max_examples=300, deadline=None)
def test_every_item_is_done_once_and_by_no_more_than_it_takes(case: dict[str, Any]) -> None:
    workers, agree, seconds = case["workers"], case["agree"], case["seconds"]
    fault = Collude(seed=case["seed"]) if case["together"] else Corrupt(seed=case["seed"])
    simulated = anyk.Simulated(workers, delays=Fixed(case["late"]), compute=0.0)
    watched = Watched(Faulty(simulated, dict.fromkeys(case["liars"], fault)), case["dying"])
    drawn = []

    def items() -> Iterator[int]:
        for each in range(len(seconds)):
            drawn.append(each)
            yield each

    def task(item: int) -> str:
        pause(seconds[item])
        asked = anyk.task_id()
        assert asked is not None
        if asked.copy < case["raises"].get(item, 0):
            raise ValueError("not yet")
        return truth(item)

    bad = {item for item, times in case["raises"].items() if times > case["retries"]}
    hung = sum(math.isinf(each) for each in case["late"].values())
    outcome = anyk.map(
        task,
        items() if case["lazy"] else range(len(seconds)),
        watched,
        agree=agree,
        copies=case["copies"],
        retries=case["retries"],
        on_failure="return",
        progress=False,
    )
    left = set(range(len(seconds))) - set(outcome.unanswered) - set(np.flatnonzero(outcome.known))
    if left or len(outcome.value) < len(seconds):
        assert max(case["copies"], agree) <= hung  # one item may be with all who hang
    for item, value in enumerate(outcome.value):
        assert value == (truth(item) if outcome.known[item] else None)
    assert set(outcome.unanswered) <= bad
    assert set(outcome.suspects) <= set(case["liars"])
    assert drawn == list(range(len(drawn)))
    judge(watched.log, case)


def judge(log: Log, case: dict[str, Any]) -> None:
    agree, at_a_time = case["agree"], max(case["copies"], case["agree"])
    for item, who in log.given.items():
        for worker, times in who.items():
            assert times <= 1 + log.lost[item], (item, worker)  # nobody vouches twice
        honest = sum(times for worker, times in who.items() if worker not in case["liars"])
        assert honest <= at_a_time + (2 * agree - 2) + log.lost[item]
        assert log.most[item] <= at_a_time + len(case["liars"])


def patterns(liars: int, items: int) -> Iterator[tuple[tuple[bool, ...], ...]]:
    """All ways in which so many liars may lie on each of the items, or not."""
    return itertools.product(itertools.product((True, False), repeat=items), repeat=liars)


@pytest.mark.parametrize("order", [*itertools.permutations((0.01, 0.02, 0.05))])
@pytest.mark.parametrize("liar", range(3))
def test_one_liar_of_three_is_outvoted_in_every_pattern(
    order: tuple[float, ...], liar: int
) -> None:
    for (lying,) in patterns(1, 4):

        def task(item: int, lying: tuple[bool, ...] = lying) -> str:
            asked = anyk.task_id()
            assert asked is not None
            return "a lie" if asked.worker == liar and lying[item] else truth(item)

        delays = Fixed(dict(enumerate(order)))
        simulated = Watched(anyk.Simulated(3, delays=delays, compute=0.0), frozenset())
        outcome = anyk.map(task, range(4), simulated, agree=2, progress=False)
        assert outcome.value == [truth(each) for each in range(4)]
        lied = any(lying[item] and simulated.log.given[item][liar] for item in range(4))
        assert outcome.suspects in ({(), (liar,)} if lied else {()})
        assert outcome.calls <= 12


@pytest.mark.parametrize("together", [True, False])
def test_two_liars_of_five_are_outvoted_in_every_pattern(together: bool) -> None:  # noqa: FBT001
    for liars in itertools.combinations(range(5), 2):
        for lying in patterns(2, 3):

            def task(item: int, liars: Any = liars, lying: Any = lying) -> str:
                asked = anyk.task_id()
                assert asked is not None
                if asked.worker in liars and lying[liars.index(asked.worker)][item]:
                    return "a lie" if together else f"a lie of {asked.worker}"
                return truth(item)

            simulated = anyk.Simulated(5, compute=0.01)
            outcome = anyk.map(task, range(3), simulated, agree=3, progress=False)
            assert outcome.value == [truth(each) for each in range(3)]
            assert set(outcome.suspects) <= set(liars)


def test_more_liars_than_promised_are_no_silent_error_unless_they_agree() -> None:
    for workers, agree in ((3, 2), (4, 2), (5, 2), (5, 3), (6, 3)):
        for liars in range(agree, workers + 1):
            for who in itertools.combinations(range(workers), liars):

                def task(item: int, who: Any = who) -> str:
                    asked = anyk.task_id()
                    assert asked is not None
                    return f"a lie of {asked.worker}" if asked.worker in who else truth(item)

                simulated = anyk.Simulated(workers, compute=0.01)
                try:
                    value = anyk.map(task, range(3), simulated, agree=agree, progress=False).value
                except (anyk.TooManyErrors, anyk.NotEnoughAnswers):
                    continue
                assert value == [truth(each) for each in range(3)]


def test_as_many_liars_as_must_agree_get_no_value_but_their_own_or_the_truth() -> None:
    for who in itertools.combinations(range(4), 2):

        def task(item: int, who: Any = who) -> str:
            asked = anyk.task_id()
            assert asked is not None
            return "the same lie" if asked.worker in who else truth(item)

        try:
            value = anyk.map(task, range(5), anyk.Simulated(4, compute=0.01), agree=2).value
        except (anyk.TooManyErrors, anyk.NotEnoughAnswers):
            continue
        assert all(each in ("the same lie", truth(item)) for item, each in enumerate(value))


@given(
    workers=st.integers(1, 6),
    agree=st.integers(1, 2),
    seconds=st.sampled_from([0.0001, 0.005, 0.5, 2.0]),
    taken=st.integers(0, 60),
)
@settings(max_examples=60, deadline=None)
def test_a_generator_is_drawn_no_further_than_workers_need(
    workers: int, agree: int, seconds: float, taken: int
) -> None:
    agree = min(agree, workers)
    watched = Watched(anyk.Simulated(workers, compute=seconds), frozenset())
    drawn = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        for each in itertools.count():
            drawn += 1
            yield each

    results = anyk.map_unordered(truth, items(), watched, agree=agree, progress=False)
    for _ in range(taken):
        next(results)
    results.close()
    log = watched.log
    assert drawn <= taken + workers * (1 + 1) * log.largest + log.largest
    assert log.ahead <= 2
    assert (taken > 0) == (drawn > 0)


@pytest.mark.parametrize("agree", [1, 2])
def test_items_that_raise_once_are_done_elsewhere(agree: int) -> None:
    faulty = Faulty(anyk.Simulated(5, compute=0.01), {0: Crash(), 3: Crash()})
    watched = Watched(faulty, frozenset())
    outcome = anyk.map(truth, range(50), watched, agree=agree, retries=2, progress=False)
    assert outcome.value == [truth(each) for each in range(50)]
    assert all(who.total() <= agree + 2 for who in watched.log.given.values())


@pytest.mark.parametrize("number", [1, 7, 100])
def test_nobody_hears_of_hung_workers_again_and_the_rest_is_done(number: int) -> None:
    delays = Fixed({0: math.inf, 4: math.inf})
    watched = Watched(anyk.Simulated(6, delays=delays, compute=0.01), frozenset())
    outcome = anyk.map(truth, range(number), watched, copies=3, progress=False)
    assert outcome.value == [truth(each) for each in range(number)]
    assert outcome.elapsed < (60 if number > 1 else 310)  # nobody tells that one item is not long


def test_items_that_are_long_for_all_are_not_computed_twice() -> None:
    with anyk.Simulated(6, compute=200.0) as executor:
        assert anyk.map(truth, range(3), executor, progress=False).calls == 3


def test_where_no_answer_will_ever_come_it_is_an_error() -> None:
    delays = Fixed({0: math.inf, 1: math.inf})
    with pytest.raises(anyk.NotEnoughAnswers):
        anyk.map(truth, range(3), anyk.Simulated(2, delays=delays), progress=False)


def test_work_without_trouble_is_what_was_asked_for() -> None:
    generator = np.random.default_rng(0)
    for workers, agree, number in itertools.product((1, 3, 8), (1, 2, 3), (1, 10, 300)):
        if agree > workers:
            continue
        seconds = generator.uniform(0.05, 0.06, number)
        simulated = anyk.Simulated(workers, compute=0.0)
        outcome = anyk.map(lambda item: pause(seconds[item]), range(number), simulated, agree=agree)  # noqa: B023
        assert outcome.calls == agree * number
        ideal = agree * 0.06 * math.ceil(number / workers)
        assert outcome.elapsed <= ideal + 0.2


@pytest.mark.parametrize(("workers", "retries"), [(1, 0), (1, 1), (1, 3), (2, 5), (4, 2)])
def test_what_always_raises_is_tried_again_so_often_and_no_more(workers: int, retries: int) -> None:
    watched = Watched(anyk.Simulated(workers, compute=0.01), frozenset())
    with pytest.raises(anyk.FunctionRaised):
        anyk.map(lambda _: 1 / 0, [0], watched, retries=retries, progress=False)
    assert watched.log.lost[0] == 1 + retries


def test_an_item_that_raised_does_not_wait_for_a_worker_that_hangs() -> None:
    delays = Fixed({0: math.inf})

    def task(item: int) -> int:
        asked = anyk.task_id()
        assert asked is not None
        if item and not asked.copy:
            raise OSError("not now")
        return item

    simulated = anyk.Simulated(2, delays=delays, compute=0.01)
    assert anyk.map(task, range(2), simulated, progress=False).value == [0, 1]
    simulated = anyk.Simulated(2, delays=Fixed({1: math.inf}), compute=0.01)
    assert anyk.map(task, [1], simulated, progress=False).value == [1]  # it is with who hangs


def test_a_worker_on_which_all_raises_makes_nobody_else_seem_late() -> None:
    faulty = Faulty(anyk.Simulated(5, compute=1.0), {2: Crash()})
    outcome = anyk.map(truth, range(60), Watched(faulty, frozenset()), progress=False)
    assert outcome.value == [truth(each) for each in range(60)]
    assert not outcome.again


@pytest.mark.parametrize("make", [anyk.Inline, partial(anyk.Simulated, compute=0.0)])
@pytest.mark.parametrize("retries", [0, 1, 2])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_all_items_but_those_that_raise_are_done_in_every_pattern(
    make: Callable[[int], anyk.AbstractExecutor], retries: int, workers: int
) -> None:
    for raising in itertools.product((False, True), repeat=6):

        def task(item: int, raising: tuple[bool, ...] = raising) -> int:
            if raising[item]:
                raise ValueError(item)
            return item

        watched = Watched(make(workers), frozenset())
        outcome = anyk.map(
            task, range(6), watched, retries=retries, on_failure="return", progress=False
        )
        assert outcome.known.tolist() == [not each for each in raising]
        assert [item in outcome.unanswered for item in range(6)] == list(raising)
        assert all(watched.log.lost[item] == (1 + retries) * raising[item] for item in range(6))


@pytest.mark.parametrize("agree", [1, 2])
def test_what_raised_on_a_worker_goes_to_others_though_they_are_late(agree: int) -> None:
    def task(item: int) -> int:
        pause(0.1 if item % 5 == 4 else 0.01)
        return item

    faulty = Faulty(anyk.Simulated(5, compute=0.0), {1: Crash()})
    outcome = anyk.map(task, range(60), faulty, agree=agree, copies=1, progress=False)
    assert outcome.value == [*range(60)]
