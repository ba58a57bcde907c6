"""Simulated: the virtual clock, who is busy until when, and that nothing sleeps."""

import math
import time
from typing import Any

import numpy as np
import pytest
from calls import sums_and_products

import anyk
from anyk.delays import Fixed, NoDelay, Occasional, ShiftedExponential
from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractDispatch
from anyk.executors.core.calls import Batch
from anyk.executors.core.run_task import pause
from anyk.executors.core.task_id import TaskId
from anyk.executors.local.simulated import Simulated
from anyk.faults import Delay, Faulty
from anyk.testing.tasks import gram


def arrivals(dispatch: AbstractDispatch) -> list[tuple[int, float]]:
    found = []
    while (answer := dispatch.receive(None)) is not None:
        found.append((answer.worker, answer.answered))
    return found


def test_answers_arrive_by_virtual_time_and_move_the_clock() -> None:
    with Simulated(3, delays=Fixed([3.0, 1.0, 2.0]), compute=0.5) as executor:
        placement = executor.place([np.arange(3)])
        dispatch = executor.dispatch(np.square, placement, [])
        assert executor.clock() == 0.0
        assert arrivals(dispatch) == [(1, 1.5), (2, 2.5), (0, 3.5)]
        assert executor.clock() == 3.5


def test_a_timeout_moves_the_clock_by_itself() -> None:
    with Simulated(1, delays=Fixed([3.0]), compute=0.0) as executor:
        dispatch = executor.dispatch(np.square, executor.place([np.ones(1)]), [])
        assert dispatch.receive(1.0) is None
        assert dispatch.receive(-5.0) is None
        assert executor.clock() == 1.0
        answer = dispatch.receive(2.0)
        assert answer is not None
        assert (answer.sent, answer.answered, executor.clock()) == (0.0, 3.0, 3.0)
        assert dispatch.receive(10.0) is None
        assert executor.clock() == 3.0  # nobody is left to wait for


def test_a_worker_stays_busy_with_an_abandoned_task() -> None:
    with Simulated(2, delays=Fixed({0: 10.0}), compute=1.0) as executor:
        placement = executor.place([np.arange(2)])
        first = executor.dispatch(np.square, placement, [])
        assert first.receive(None).worker == 1  # type: ignore[union-attr]
        first.abandon()
        assert first.receive(None) is None
        second = executor.dispatch(np.square, placement, [])
        assert arrivals(second) == [(1, 2.0), (0, 22.0)]  # 11 for the first, then 11 more


def test_tasks_abandoned_before_they_began_cost_nothing() -> None:
    with Simulated(2, delays=Fixed({0: 10.0}), compute=1.0) as executor:
        placement = executor.place([np.arange(2)])
        executor.dispatch(np.square, placement, []).abandon()
        for _ in range(1000):
            executor.dispatch(np.square, placement, []).abandon()
        assert sum(len(jobs) for jobs in executor._time._jobs) <= 2
        last = executor.dispatch(np.square, placement, [])
        assert arrivals(last) == [(1, 2.0), (0, 22.0)]


def test_tasks_behind_a_withdrawn_one_move_up() -> None:
    with Simulated(1, compute=1.0) as executor:
        placement = executor.place([np.zeros(1)])
        first, second, third = (executor.dispatch(np.square, placement, []) for _ in range(3))
        second.abandon()
        assert arrivals(third) == [(0, 2.0)]
        assert arrivals(first) == [(0, 1.0)]
        assert executor.clock() == 2.0  # time does not run back


def test_a_worker_that_never_answers_does_not_stop_the_clock_for_good() -> None:
    with Simulated(2, delays=Fixed({1: math.inf}), compute=1.0) as executor:
        dispatch = executor.dispatch(np.square, executor.place([np.arange(2)]), [])
        assert arrivals(dispatch) == [(0, 1.0)]
        assert dispatch.receive(5.0) is None
        assert executor.clock() == 6.0


def test_pauses_are_charged_and_not_slept() -> None:
    def task(share: Any) -> Any:
        pause(1800.0)
        pause(1800.0)
        return share

    started = time.monotonic()
    with Simulated(2, compute=0.0) as executor:
        placement = executor.place([np.arange(2)])
        late = Faulty(executor, {1: Delay(3600.0)}).dispatch(task, placement, [])
        assert arrivals(late) == [(0, 3600.0), (1, 7200.0)]
    assert time.monotonic() - started < 60


def test_measured_time_is_charged_to_each_worker_as_if_alone() -> None:
    def task(share: Any) -> Any:
        time.sleep(0.02)
        return share

    with Simulated(5) as executor:
        found = arrivals(executor.dispatch(task, executor.place([np.arange(5)]), []))
    times = [when for _, when in found]
    assert min(times) >= 0.02
    assert times[2] < 0.06  # the median, which is 0.06 where workers wait for each other


def test_the_same_seed_gives_the_same_run() -> None:
    def run(seed: int) -> list[tuple[int, float]]:
        delays = ShiftedExponential(shift=1.0, mean=0.5)
        generator = np.random.default_rng(seed)
        with Simulated(8, delays=delays, generator=generator, compute=0.1) as executor:
            placement = executor.place([np.arange(8)])
            return [
                arrival
                for _ in range(3)
                for arrival in arrivals(executor.dispatch(np.square, placement, []))
            ]

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_delays_follow_their_model() -> None:
    generator = np.random.default_rng(0)
    assert not NoDelay().sample(generator, 4).any()
    exponential = ShiftedExponential(shift=2.0, mean=0.5).sample(generator, 40_000)
    assert exponential.min() >= 2.0
    assert exponential.mean() == pytest.approx(2.5, abs=0.02)
    assert exponential.std() == pytest.approx(0.5, abs=0.02)
    rare = Occasional(probability=0.1, seconds=3.0).sample(generator, 40_000)
    assert set(rare) == {0.0, 3.0}
    assert (rare > 0).mean() == pytest.approx(0.1, abs=0.01)
    assert Fixed([1, 2, 3]).sample(generator, 2).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Fixed({0: -1.0}),
        lambda: Fixed([math.nan]),
        lambda: Fixed({-1: 1.0}),
        lambda: Fixed([1.0]).sample(np.random.default_rng(0), 2),
        lambda: ShiftedExponential(shift=-1.0, mean=1.0),
        lambda: ShiftedExponential(shift=0.0, mean=math.inf),
        lambda: Occasional(probability=1.5, seconds=1.0),
        lambda: Occasional(probability=math.nan, seconds=1.0),
        lambda: Simulated(2, compute=-1.0),
        lambda: Simulated(2, compute=math.inf),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any) -> None:
    with pytest.raises(InvalidArgument):
        make()


@pytest.mark.parametrize(
    "delays",
    [
        NoDelay(),
        Fixed({1: 2.0}),
        Fixed([0.0, 2.0]),
        ShiftedExponential(shift=1.0, mean=0.5),
        Occasional(probability=0.1, seconds=2.0),
    ],
)
def test_repr_rebuilds(delays: Any) -> None:
    assert eval(repr(delays)) == delays
    assert repr(Simulated(3, delays=delays)) == f"Simulated(3, delays={delays!r})"


def test_sums_of_outputs_and_products_are_ordinary_schemes() -> None:
    with anyk.Simulated(3) as executor:
        sums_and_products(executor, gram)


@pytest.mark.parametrize("compute", [None, 1.0])
def test_delays_and_pauses_are_of_the_time_that_an_item_takes(compute: float | None) -> None:
    def task(seconds: float) -> None:
        pause(seconds)

    ids = tuple(TaskId(place, 0, 0) for place in range(2))
    with Simulated(1, delays=Fixed({0: 10.0}), compute=compute) as executor:
        calls = executor.calls(task)
        calls.post(0, Batch(0, ((4.0,), (4.0,)), ids))
        returned = calls.receive(None)
        assert returned is not None
        least = 14.0 + (compute or 0.0)
        assert all(least <= each.seconds < least + 0.5 for each in returned.results)
        assert executor.clock() == sum(each.seconds for each in returned.results)
