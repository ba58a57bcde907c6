"""Sums in turn, of which each may take some rounds."""

import copy
import itertools
import time
from dataclasses import dataclass

import numpy as np
import pytest

import anyk
from anyk.delays import Fixed
from anyk.faults import AbstractFault, Crash, Faulty, Rubbish
from anyk.works.mini_tasks import MiniTasks

FIELD = anyk.PrimeField(10007)
SMALL = [(3, 1, 2, 1), (3, 2, 3, 1), (3, 1, 3, 2), (4, 1, 3, 2), (2, 1, 4, 2), (2, 1, 4, 3)]


def follows(plan: anyk.SequentialGradient, history: list[frozenset[int]]) -> bool:
    """The model of bursts, by its definition: in every W rounds, and of each worker."""
    for start in range(max(len(history) - plan.window, 0) + 1):
        rounds = history[start : start + plan.window]
        if len(frozenset().union(*rounds)) > plan.stragglers:
            return False
        for who in range(plan.workers):
            late = [place for place, those in enumerate(rounds) if who in those]
            if late and late[-1] - late[0] >= plan.burst:
                return False
    return True


@pytest.mark.parametrize("numbers", SMALL)
def test_every_pattern_of_late_workers_gives_each_sum_in_time(
    numbers: tuple[int, int, int, int],
) -> None:
    plan = anyk.SequentialGradient(*numbers, domain=FIELD)
    rng = np.random.default_rng(0)
    X = rng.integers(0, FIELD.modulus, plan.blocks)
    parts = (X[plan.held].astype(object) * plan.weights).sum(axis=2) % FIELD.modulus
    whole, known, refused = int(X.sum()), 0, 0
    subsets = [frozenset(late) for size in range(plan.stragglers + 2)
               for late in itertools.combinations(range(plan.workers), size)]  # fmt: skip
    rounds = plan.delay + 2

    def visit(course: anyk.schemes.sums.sequential_gradient.Course, sums, history) -> None:
        nonlocal known, refused
        if len(history) == rounds:
            return
        job = course.begin()
        sums = {**sums, job: 0}
        for late in subsets:
            bearable = course.bearable(late)
            assert bearable == follows(plan, [*history, late])
            if not bearable:
                refused += 1
                with pytest.raises(anyk.InvalidArgument):
                    copy.deepcopy(course).close(late)
                continue
            here, own = copy.deepcopy(course), dict(sums)
            on_time = [who for who in range(plan.workers) if who not in late]
            for place, each in enumerate(here.active):
                for part in set(here.asked[on_time, place].tolist()):
                    who = [n for n in on_time if here.asked[n, place] == part]
                    row = plan.combination(part, who)
                    own[each] += (each + 1) * int(row @ parts[who, part])
            for each in here.close(late):
                assert own[each] % FIELD.modulus == (each + 1) * whole % FIELD.modulus
                known += 1
            visit(here, own, [*history, late])

    visit(plan.course(), {}, [])
    assert known > 10
    assert refused > 10


def test_one_more_late_worker_has_no_combination() -> None:
    plan = anyk.SequentialGradient(5, 2, 3)
    for late in itertools.combinations(range(5), 3):
        rows = plan.coded.code.matrix[[who for who in range(5) if who not in late]]
        _, left, *_ = np.linalg.lstsq(rows.T, np.ones(5), rcond=None)
        assert left[0] > 1e-6


def test_the_load_is_the_papers() -> None:
    plan = anyk.SequentialGradient(256, 27, 2, 1)
    assert plan.load / 256 == pytest.approx(0.007543, abs=1e-6)  # as in its experiments
    assert plan.delay == 1


@pytest.mark.parametrize("domain", [anyk.Values(finite=True), anyk.Complex(), FIELD])
def test_sums_in_turn_while_others_are_late(domain: anyk.AbstractDomain) -> None:
    plan = anyk.SequentialGradient(5, 2, 3, 2, domain=domain)
    X = np.arange(2 * plan.blocks).reshape(-1, 2)
    X = X if domain.exact else X.astype(domain.dtype)
    delays = Fixed({1: 5.0, 3: 4.0})
    with anyk.Simulated(5, delays=delays, compute=1.0) as executor:
        done = list(anyk.sequential(plan, lambda x, w: x * w, X, executor, [[w] for w in range(7)]))
    assert [each.job for each in done] == list(range(7))
    assert [each.round for each in done] == [job + plan.delay for job in range(7)]
    assert {who for each in done for who in each.late} == {1, 3}
    assert any(not each.late for each in done)  # who was late before is waited for
    for each in done:
        right = X.sum(axis=0) * each.job
        if domain.exact:
            assert np.array_equal(each.value, right % FIELD.modulus)
        else:
            off = np.linalg.norm(each.value - right)
            assert off <= each.error_estimate * max(np.linalg.norm(right), 1e-300) < 1e-6


def slow(block: np.ndarray, model: np.ndarray) -> np.ndarray:
    time.sleep(0.001)
    return block @ model * block


@pytest.mark.parametrize("kind", [anyk.Threads, anyk.Processes])
def test_models_trained_in_turn(kind: type[anyk.Threads]) -> None:
    """A job is a step of the next model, which has seen all its own steps before."""
    plan = anyk.SequentialGradient(4, 1, 2, 1)
    X = np.random.default_rng(0).normal(size=(plan.blocks, 3))
    models = [np.eye(3)[0], np.ones(3)][: plan.delay + 1]
    alone = [model.copy() for model in models]
    for place, _ in itertools.product(range(len(alone)), range(3)):
        alone[place] -= 0.01 * (X * (X @ alone[place])[:, None]).sum(axis=0)

    def jobs():
        for step in range(3 * len(models)):
            yield [models[step % len(models)].copy()]

    with kind(4) as executor:
        for done in anyk.sequential(plan, slow, X, executor, jobs()):
            models[done.job % len(models)] -= 0.01 * done.value
    assert np.allclose(models, alone, rtol=1e-10)


def test_what_can_not_be_borne_is_an_error() -> None:
    plan = anyk.SequentialGradient(4, 1, 3, 1)
    X = np.ones(plan.blocks)
    for fault in (Crash(), Rubbish("shape"), Rubbish("nan")):
        with (
            Faulty(anyk.Threads(4), {2: fault}) as executor,
            pytest.raises(anyk.NotEnoughAnswers) as caught,
        ):
            list(anyk.sequential(plan, np.multiply, X, executor, [[1.0]] * 3))
        assert set(caught.value.failures) <= {2}
        assert caught.value.missing == (2,)


@dataclass
class OddOnce(AbstractFault):
    """One answer has an axis too many."""

    which: int
    calls: int = 0

    def around(self, run, worker):  # noqa: ARG002 - one worker alone
        truth, self.calls = run(), self.calls + 1
        return np.stack([truth] * len(truth)) if self.calls == self.which else truth


@pytest.mark.parametrize("which", [1, 2, 3])
@pytest.mark.parametrize("worker", [0, 3])
def test_an_answer_of_another_shape_is_no_answer(which: int, worker: int) -> None:
    plan = anyk.SequentialGradient(4, 1, 3, 1)
    X = np.ones((plan.blocks, 2))
    with Faulty(anyk.Inline(4), {worker: OddOnce(which)}) as executor:
        done = list(anyk.sequential(plan, np.multiply, X, executor, [[1.0]] * 5))
    assert [each.late for each in done if each.late] in ([], [(worker,)])
    assert all(np.allclose(each.value, [plan.blocks] * 2) for each in done)


def test_numbers_keep_their_type() -> None:
    plan = anyk.SequentialGradient(3, 1, 2)
    with anyk.Inline(3) as executor:
        for dtype in (np.float32, np.float64, np.complex64):
            X = np.ones((plan.blocks, 2), dtype=dtype)
            (done,) = anyk.sequential(plan, np.positive, X, executor, [[]])
            assert done.value.dtype == dtype
            assert np.allclose(done.value, plan.blocks, rtol=1e-5)


def test_a_plan_is_refused() -> None:
    for wrong in ((3, 3, 2, 1), (3, 1, 2, 2), (200, 1, 2, 1)):
        with pytest.raises(anyk.Unachievable):
            anyk.SequentialGradient(*wrong, domain=anyk.PrimeField(101))
    plan = anyk.SequentialGradient(3, 1, 2)
    with anyk.Inline(3) as executor:
        for jobs in ([[1], [1, 2]], 5, [5]):
            with pytest.raises(anyk.InvalidArgument):
                list(anyk.sequential(plan, np.multiply, np.ones(plan.blocks), executor, jobs))


def test_a_function_that_writes_in_its_block_does_not_change_the_next_job():
    def spoil(x, factor):
        x *= factor
        return x.copy()

    blocks, ones = np.array([[[1.0], [2.0]], [[3.0], [4.0]]]), np.ones((2, 2))
    asked = np.array([0, 0])  # both jobs the same part
    assert MiniTasks(spoil)([blocks, ones], [asked, 10.0, 100.0]).tolist() == [[30.0], [300.0]]


@pytest.mark.parametrize("scale", [1e300, 1e160, 1e-160, 1e-300, 1e-320])
def test_the_estimate_holds_for_huge_and_tiny_numbers(scale: float) -> None:
    plan = anyk.SequentialGradient(4, 1, 3)
    X = (1.0 + np.arange(2.0 * plan.blocks).reshape(plan.blocks, 2)) * scale
    truth = (X / scale).sum(axis=0)
    with anyk.Threads(4) as executor:
        for done in anyk.sequential(plan, np.positive, X, executor, [[]] * 3):
            off = np.linalg.norm(done.value / scale - truth) / np.linalg.norm(truth)
            assert off <= done.error_estimate < 0.1
            assert done.error_estimate < 1e-12 or scale < 1e-310
