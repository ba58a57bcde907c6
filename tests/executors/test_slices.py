"""Large shares on engines: sent slice by slice, so that the master never has a copy of them all."""

import multiprocessing
import os
import pickle
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from typing import Any

import executor_tasks as tasks
import numpy as np
import pytest
from calls import LONG, call, eventually, gone, receive

import anyk
from anyk.executors.engines.slices import Slice, Slices, sliced
from anyk.executors.engines.worker_state import RunRequest, WorkerState, this_process

FORKSERVER = multiprocessing.get_context("forkserver")
LARGE = np.arange(2 * 900_000.0).reshape(2, 3, 300_000)  # 7.2 MB a share


class Weighed(ProcessPoolExecutor):
    """Notes how much is on its way, by the pickles of what it was given."""

    def __init__(self, **others: Any) -> None:
        super().__init__(1, mp_context=FORKSERVER, **others)
        self.names: list[str] = []
        self.now = self.most = 0

    def submit(self, function: Any, /, *arguments: Any, **others: Any) -> Future[Any]:
        weight = len(pickle.dumps(arguments))
        self.names.append(function.__name__)
        self.now += weight
        self.most = max(self.most, self.now)
        future = super().submit(function, *arguments, **others)
        future.add_done_callback(lambda _: self.lighten(weight))
        return future

    def lighten(self, weight: int) -> None:
        self.now -= weight


def test_little_of_a_large_share_is_on_its_way_at_once() -> None:
    pools = [Weighed(), Weighed()]
    with anyk.Futures(pools) as executor:
        placement = executor.place([LARGE])
        for _ in range(2):
            answers = receive(executor.dispatch(np.sum, placement, []), 2)
            assert [float(answers[worker].value) for worker in range(2)] == [*LARGE.sum((1, 2))]
    for pool in pools:
        assert pool.most < 0.2 * LARGE[0].nbytes  # 1 MB of 7.2
        assert pool.names.count("_take") == 7  # once, for both calls
        pool.shutdown()


def test_a_small_share_travels_with_its_task() -> None:
    with Weighed() as pool, anyk.Futures([pool]) as executor:
        assert call(executor, np.sum, np.ones((1, 9)))[0].value == 9
        assert "_take" not in pool.names


def test_all_parts_of_a_share_arrive_whatever_their_order_in_memory() -> None:
    left = np.asfortranarray(LARGE[:, :, ::2])
    right = np.arange(2 * 400_000, dtype=np.int32).reshape(2, 400_000)
    with anyk.Futures([partial(ProcessPoolExecutor, 1, FORKSERVER)] * 2) as executor:
        placement = executor.place([left, right, np.ones((2, 0))])
        answers = receive(executor.dispatch(tasks.first_and_last, placement, []), 2)
    for worker in range(2):
        expected = [left[worker, 0, 0], left[worker, -1, -1], right[worker, 0], right[worker, -1]]
        assert answers[worker].value.tolist() == expected


@pytest.mark.parametrize("life", [1, 3, 8])
def test_a_pool_that_starts_its_process_anew_gets_a_large_share_again(life: int) -> None:
    with Weighed(max_tasks_per_child=life) as pool, anyk.Futures([pool]) as executor:
        placement = executor.place([LARGE[:1]])
        for _ in range(3):
            answer = receive(executor.dispatch(np.sum, placement, []), 1)[0]
            assert answer.failure is None
            assert answer.value == LARGE[0].sum()


def test_a_process_that_dies_between_slices_is_replaced_in_the_same_call() -> None:
    made: list[Weighed] = []

    class Mortal(Weighed):
        def submit(self, function: Any, /, *arguments: Any, **others: Any) -> Future[Any]:
            if len(made) == 1 and self.names.count("_take") == 3:
                pid = super().submit(os.getpid).result(LONG)
                os.kill(pid, signal.SIGKILL)
                assert eventually(lambda: gone(pid))
            return super().submit(function, *arguments, **others)

    def make() -> Weighed:
        made.append(Mortal())
        return made[-1]

    with anyk.Futures([make]) as executor:
        assert call(executor, np.sum, LARGE[:1])[0].value == LARGE[0].sum()
    assert len(made) == 2


def test_slices_out_of_turn_are_no_share() -> None:
    state = WorkerState(this_process())
    first, second, *others = sliced(5, (LARGE[:1],))
    assert not state.take(second)
    assert state.take(first)
    assert not any(state.take(each) for each in others)
    assert state.take(second)
    state.keep(())
    assert not state.take(others[0])
    report = state.run(RunRequest(5, 0, None, (5,)), np.sum, [], {})
    assert (report.value, report.failure) == (None, None)


@pytest.mark.parametrize("sizes", [(1,), (1, 5), (2_000_000, 3), (0, 70_001, 0, 69_999, 1)])
def test_slices_make_the_share_again(sizes: tuple[int, ...]) -> None:
    generator = np.random.default_rng(0)
    parts = tuple(generator.random(size) for size in sizes)
    pieces: list[Slice] = list(sliced(0, parts))
    if not pieces:
        assert sum(part.nbytes for part in parts) <= 1 << 20
        return
    slices = Slices(pieces[0].layout)
    assert [slices.complete for each in pieces if slices.add(each)] == [False] * (
        len(pieces) - 1
    ) + [True]
    for part, again in zip(parts, slices.parts, strict=True):
        np.testing.assert_array_equal(part, again)
