"""A scheme meets an executor: what run and distribute promise."""

import contextlib
import gc
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest

import anyk
from anyk.executors.core.base import PerWorker
from anyk.executors.wrappers.wrapper import AbstractWrapper
from anyk.faults import Collude, Corrupt, Crash, Delay, Faulty, Rubbish
from anyk.randomness.entropy import SystemSource
from anyk.running import distributed
from anyk.schemes.base import AbstractRecovery

FIELD = anyk.PrimeField()


def gram(x):
    return x.T @ x


def product(x, w):
    return x @ w


def hostile(_):
    raise ValueError("no")


SCHEME = anyk.Lagrange(blocks=2, degree=2, workers=9, adversaries=1, colluders=1)
X = np.arange(12).reshape(2, 2, 3)
TRUTH = np.stack([block.T @ block for block in X])


@pytest.fixture(params=["Inline", "Threads", "Simulated"])
def executor(request):
    with getattr(anyk, request.param)(9) as made:
        yield made


def test_exact_and_the_rest_is_abandoned(executor):
    outcome = anyk.run(SCHEME, gram, X, executor)
    assert outcome.status is anyk.Status.EXACT
    assert np.array_equal(outcome.value, TRUTH)
    assert outcome.value.dtype == np.int64
    assert len(outcome.used) == SCHEME.guarantee.least < SCHEME.guarantee.threshold
    assert set(outcome.used) | set(outcome.missing) == set(range(9))
    assert [timing.worker for timing in outcome.timings] == list(range(9))
    assert outcome.error_estimate is None
    assert "exact" in str(outcome)


def test_a_liar_is_named_and_failures_cost_stragglers(executor):
    faults = {3: Corrupt(modulus=FIELD.modulus), 5: Crash()}
    outcome = anyk.run(SCHEME, gram, X, Faulty(executor, faults))
    assert np.array_equal(outcome.value, TRUTH)
    assert set(outcome.suspects) == {3} & set(outcome.used)
    assert 5 in outcome.missing
    if 5 in outcome.failures:
        assert "Crash" in outcome.failures[5] or "crash" in outcome.failures[5]


@pytest.mark.parametrize(
    "kind", ["shape", "dtype", "nan", "inf", "huge", "empty", "objects", "text", "none"]
)
def test_rubbish_is_one_failed_answer(kind):
    with anyk.Inline(9) as executor:
        outcome = anyk.run(SCHEME, gram, X, Faulty(executor, {0: Rubbish(kind)}))
    assert np.array_equal(outcome.value, TRUTH)
    assert outcome.missing == (0, 7, 8)
    assert list(outcome.failures) == [0]


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Replication(1, 7, adversaries=2),
        anyk.AnalogLagrange(1, 1, 7, adversaries=2),
        anyk.Spline(1, 7, stragglers=2, adversaries=2),
    ],
    ids=repr,
)
def test_as_many_as_may_lie_in_one_wrong_shape_are_set_aside_and_more_may_prevail(scheme):
    with anyk.Inline(7) as executor:  # the first come first
        two = Faulty(executor, dict.fromkeys(range(2), Rubbish("shape")))
        outcome = anyk.run(scheme, np.tanh, [[0.5, 1.0]], two)
        assert outcome.value.shape == (1, 2)
        assert list(outcome.failures) == [0, 1]
        five = Faulty(executor, dict.fromkeys(range(5), Rubbish("shape")))
        assert anyk.run(scheme, np.tanh, [[0.5, 1.0]], five).value.shape == (1, 2, 2)


def test_two_who_lie_are_one_too_many(executor):
    faults = {1: Collude(seed=1, modulus=FIELD.modulus), 2: Collude(seed=1, modulus=FIELD.modulus)}
    tight = anyk.Lagrange(blocks=2, degree=2, workers=5, adversaries=1)
    with pytest.raises(anyk.TooManyErrors) as caught:
        anyk.run(tight, gram, X, Faulty(executor, faults))
    outcome = caught.value.outcome
    assert outcome.status is anyk.Status.TOO_MANY_ERRORS
    assert outcome.value is None
    assert not outcome.status.ok


def test_on_failure_return_gives_an_outcome(executor):
    outcome = anyk.run(SCHEME, hostile, X, executor, on_failure="return")
    assert outcome.status is anyk.Status.NOT_ENOUGH_ANSWERS
    assert outcome.value is None
    assert outcome.missing == tuple(range(9))
    assert set(outcome.failures.values()) == {"ValueError: no"}
    with pytest.raises(anyk.NotEnoughAnswers, match=r"the function raised ValueError: no"):
        anyk.run(SCHEME, hostile, X, executor)


def test_a_deadline_on_a_virtual_clock():
    with anyk.Simulated(9) as executor:
        slow = Faulty(executor, {worker: Delay(100.0) for worker in range(4)})
        with pytest.raises(anyk.NotEnoughAnswers) as caught:
            anyk.run(SCHEME, gram, X, slow, deadline=5.0)
        outcome = caught.value.outcome
        assert outcome.missing == (0, 1, 2, 3)
        assert not outcome.failures
        assert outcome.elapsed == pytest.approx(5.0, abs=0.5)
        late = anyk.run(SCHEME, gram, X, slow, deadline=500.0)
        assert np.array_equal(late.value, TRUTH)


def test_an_approximate_scheme_answers_at_the_deadline_with_what_it_has():
    scheme = anyk.FilledReplication(blocks=3, workers=12, stragglers=1)
    data = np.linspace(0, 1, 6).reshape(3, 2)
    with anyk.Simulated(12) as executor:
        slow = Faulty(executor, dict.fromkeys(range(12), Delay(0.0)) | {2: Delay(100.0)})
        outcome = anyk.run(scheme, np.sin, data, slow, deadline=5.0)
    assert outcome.known.all()
    assert outcome.elapsed < 1.0
    lonely = anyk.FilledReplication(blocks=3, workers=4)
    with anyk.Simulated(4) as executor:
        slow = Faulty(
            executor, dict.fromkeys(range(4), Delay(100.0)) | {0: Delay(0.0), 1: Delay(0.0)}
        )
        outcome = anyk.run(lonely, np.sin, data, slow, deadline=5.0, on_failure="return")
    assert outcome.missing == (2, 3)


def test_tolerance_waits_for_more_and_then_refuses():
    scheme = anyk.Spline(blocks=4, workers=12, stragglers=6)
    data = np.linspace(-3, 3, 4)[:, None]
    with anyk.Inline(12) as executor:
        free = anyk.run(scheme, np.sin, data, executor)
        assert len(free.used) == 6
        tight = anyk.run(scheme, np.sin, data, executor, tolerance=free.error_estimate * 0.99)
        assert len(tight.used) > 6
        with pytest.raises(anyk.NotAccurateEnough) as caught:
            anyk.run(scheme, np.sin, data, executor, tolerance=1e-12)
    assert caught.value.outcome.value is None
    assert caught.value.outcome.error_estimate > 1e-12


def test_distributed_data_stay_and_weights_travel(executor):
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=9, adversaries=1, colluders=1)
    w = np.array([1, 2, 3])
    with anyk.distribute(scheme, X, executor) as data:
        for factor in range(3):
            assert np.array_equal(data.run(product, w * factor).value, X @ (w * factor))
    with pytest.raises(anyk.ExecutorError, match="released"):
        data.run(product, w)
    data.release()


def test_each_worker_receives_its_own_of_an_encoded_argument(executor):
    weights = np.array([[1, 2, 3], [4, 5, 6]])
    with anyk.distribute(SCHEME, X, executor) as data:
        outcome = data.run(product, SCHEME.encode(weights))
    assert np.array_equal(outcome.value, np.stack([X[0] @ weights[0], X[1] @ weights[1]]))


def test_an_argument_encoded_at_other_points_is_refused(executor):
    other = anyk.Lagrange(blocks=2, degree=2, workers=9, colluders=2)
    with anyk.distribute(SCHEME, X, executor) as data:
        with pytest.raises(anyk.InvalidArgument, match="same points"):
            data.run(product, other.encode(np.ones((2, 3), int)))


def test_answers_are_seen_as_they_come(executor):
    seen = []
    outcome = anyk.run(SCHEME, gram, X, executor, on_answer=seen.append)
    assert {answer.worker for answer in seen} == set(outcome.used)


def test_more_workers_than_shares_and_fewer(executor):
    small = anyk.Lagrange(blocks=2, degree=2, workers=3)
    assert np.array_equal(anyk.run(small, gram, X, executor).value, TRUTH)
    large = anyk.Lagrange(blocks=2, degree=2, workers=10)
    with pytest.raises(anyk.InvalidArgument, match="10 workers"):
        anyk.run(large, gram, X, executor)


@pytest.mark.parametrize(
    "limits",
    [{"deadline": 0}, {"deadline": float("nan")}, {"tolerance": -1.0}, {"on_failure": "ignore"}],
)
def test_limits_that_make_no_sense_are_refused(executor, limits):
    with pytest.raises(anyk.InvalidArgument, match=next(iter(limits))):
        anyk.run(SCHEME, gram, X, executor, **limits)


def test_a_function_that_leaves_the_field_fails_on_every_worker(executor):
    with pytest.raises(anyk.NotEnoughAnswers, match="only polynomials"):
        anyk.run(SCHEME, np.exp, X, executor)


def test_recovery_errors_survive_pickle():
    with anyk.Inline(9) as executor:
        try:
            anyk.run(SCHEME, hostile, X, executor)
        except anyk.NotEnoughAnswers as error:
            copy, text = pickle.loads(pickle.dumps(error)), str(error)
    assert str(copy) == text
    assert set(copy.outcome.failures.values()) == {"ValueError: no"}


def test_arguments_per_worker_reach_their_worker():
    with anyk.Inline(3) as executor:
        placement = executor.place((np.zeros((3, 1)),))
        dispatch = executor.dispatch(np.add, placement, (PerWorker(np.array([10.0, 20.0, 30.0])),))
        values = [dispatch.receive(None).value.item() for _ in range(3)]
    assert values == [10.0, 20.0, 30.0]


def test_a_deadline_of_any_width_is_as_exact_as_the_clock(monkeypatch):
    with anyk.Inline(9) as executor:
        monkeypatch.setattr(executor, "clock", lambda: 40_010.0)  # float16 makes it 40,000
        assert anyk.run(SCHEME, gram, X, executor, deadline=np.float16(1)).status.ok


def test_shares_of_reals_in_another_format_are_refused(executor):
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=5)
    coarse, fine, weights = (
        anyk.FixedPoint(fraction_bits=bits, magnitude=8.0, degree=degree)
        for bits, degree in ((4, 2), (6, 2), (3, 1))
    )
    mixed = replace(coarse, degree=1, factors=(weights,))
    with (
        anyk.distribute(scheme, [1.5, 2.5], executor, embedding=coarse) as data,
        anyk.distribute(scheme, [0.5, 0.25], executor, embedding=fine) as other,
        anyk.distribute(scheme, [0.5, 0.25], executor, embedding=coarse) as same,
        anyk.distribute(scheme, [1.5, 2.5], executor, embedding=mixed) as weighed,
    ):
        with pytest.raises(anyk.InvalidArgument, match="arguments: got shares of reals as"):
            data.run(np.multiply, other.encoded)
        assert data.run(np.multiply, same.encoded).value.tolist() == [0.75, 0.625]
        weighing = weighed.encode([0.5, 0.25], weights)
        assert weighed.run(np.multiply, weighing).value.tolist() == [0.75, 0.625]
        with pytest.raises(anyk.InvalidArgument, match="embedding: got array"):
            data.encode([1.0, 2.0], np.ones(2))


@pytest.mark.parametrize(
    "hidden", [lambda w: [[w]], lambda w: {"a": {"b": (1, w)}}, lambda w: ({w: 1},)]
)
def test_shares_deep_inside_an_argument_are_not_sent_to_everybody(executor, hidden):
    with anyk.distribute(SCHEME, X, executor) as data:
        around = [[1, 2], hidden(data.encode(X))]
        around.append(around)
        with pytest.raises(anyk.InvalidArgument, match="got an Encoded inside a list"):
            data.run(product, around)


def test_distributed_data_are_no_argument_of_others(executor):
    with anyk.distribute(SCHEME, X, executor) as data, anyk.distribute(SCHEME, X, executor) as w:
        with pytest.raises(anyk.InvalidArgument, match=r"Pass its \.encoded"):
            data.run(np.multiply, w)


class Counted(AbstractWrapper):
    """Knows what is placed and not released, dispatched and not abandoned."""

    def __init__(self):
        self.inside, self.placed, self.running = anyk.Inline(4), set(), set()

    @property
    def within(self):
        return self.inside

    def place(self, parts, pieces=1):
        placement = self.inside.place(parts, pieces)
        self.placed.add(placement)
        return placement

    def release(self, placement):
        self.placed.discard(placement)
        self.inside.release(placement)

    def calls(self, function):
        return self.within.calls(function)

    def dispatch(self, task, placement, arguments, without=()):
        dispatch = self.inside.dispatch(task, placement, arguments, without)
        self.running.add(dispatch)
        abandon = dispatch.abandon
        dispatch.abandon = lambda: (self.running.discard(dispatch), abandon())
        return dispatch


def interrupted(work, after):
    """Do some work, with Ctrl-C at one of the places where Python looks for it; whether it came."""
    left = iter(range(after, -1, -1))

    files = anyk.run.__globals__["__file__"], distributed.__file__, contextlib.__file__

    def press(frame, event, _):
        if frame.f_code.co_filename in files and event in ("call", "c_return") and next(left) == 0:
            sys.setprofile(None)
            raise KeyboardInterrupt

    before = sys.getprofile()
    sys.setprofile(press)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(before)
    return False


@pytest.mark.parametrize("call", [anyk.run, lambda *given: list(anyk.stream(*given))])
def test_ctrl_c_leaves_nothing_on_the_workers(call):
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=4)
    after, came = 0, True
    while came:
        with Counted() as executor:
            came = interrupted(lambda at=executor: call(scheme, np.square, [3, 4], at), after)
            gc.collect()
            assert not executor.placed, after
            assert not executor.running, after
        after += 1
    assert after > 15


@dataclass(frozen=True)
class Careless(anyk.AbstractScheme):
    """An outsider's scheme with one fault."""

    within: anyk.AbstractScheme
    parts: int = 1
    rows: int = 4
    plain: bool = True

    problem = property(lambda self: self.within.problem)
    domain = property(lambda self: self.within.domain)
    guarantee = property(lambda self: self.within.guarantee)

    def encode(self, X, *, source=SystemSource()):
        shares = self.within.encode(X, source=source).shares
        return anyk.Encoded(self, (shares[: self.rows],) * self.parts, None)

    def work(self, function, per_worker=()):
        return self.within.work(function, per_worker) if self.plain else function

    def sufficient(self, answered):
        return self.within.sufficient(answered)

    def encoder(self, layout, operand=0):
        return self.within.encoder(layout, operand)

    def recovery(self, layout, answered):
        return self.within.recovery(layout, answered)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rows": 3}, r"scheme: got .* parts of \[3\] shares; needed: 4 in each"),
        ({"parts": 0}, r"scheme: got .* parts of \[\] shares; needed: 4 in each"),
        ({"plain": False}, "work: got .*; needed: a work"),
    ],
)
def test_a_fault_of_a_scheme_is_said_to_be_one(change, told):
    scheme = Careless(anyk.Replication(4, 4), **change)
    with anyk.Inline(4) as executor, pytest.raises(anyk.InvalidArgument, match=told):
        anyk.run(scheme, np.sqrt, np.ones(4), executor)


def test_a_scheme_that_has_a_recovery_of_no_answers():
    class Anything(AbstractRecovery):
        answered = ()
        matrix = np.zeros((4, 0))

        def recover(self, values):
            raise NotImplementedError

    class Hopeful(Careless):
        def recovery(self, layout, answered):  # noqa: ARG002 - of any answers, even none
            return Anything()

    scheme = Hopeful(anyk.Replication(4, 4))
    with anyk.Inline(4) as executor, pytest.raises(anyk.NotEnoughAnswers, match="one answer or"):
        anyk.run(scheme, np.linalg.inv, np.ones(4), executor)


@pytest.mark.parametrize(
    ("scheme", "function", "X", "told"),
    [
        (np.square, np.square, [5, 6], r"needed: a scheme\. Make one, such as anyk\.Replication"),
        (anyk.Lagrange(2, 1, 4), np.negative, [0.5, 1.0], r"embedding=anyk\.FixedPoint"),
        (anyk.Lagrange(2, 1, 4), np.negative, [-5, 6], r"anyk\.FixedPoint\(\.\.\) keeps signs"),
        (anyk.Polynomial((1, 1, 1), 4), np.matmul, np.ones((3, 4)), "one ndarray of shape"),
    ],
)
def test_advice_names_what_helps(scheme, function, X, told):
    with anyk.Inline(4) as executor, pytest.raises(anyk.InvalidArgument, match=told):
        anyk.run(scheme, function, X, executor)


def test_an_executor_is_called_by_a_name_that_readers_know():
    with pytest.raises(anyk.InvalidArgument, match=r"got 8; needed: an executor\. Make one"):
        anyk.run(anyk.Replication(2, 8), np.square, [5.0, 6.0], 8)


def test_numbers_and_words_agree():
    with Faulty(anyk.Inline(2), {0: Crash(), 1: Crash()}) as executor:
        with pytest.raises(anyk.NotEnoughAnswers) as caught:
            anyk.run(anyk.Replication(1, 2), np.square, [1.0], executor)
    assert "needed: 1 replica of each of 1 block." in str(caught.value)
    assert "at most 1 liar." in str(anyk.TooManyErrors(answered=[0, 1], adversaries=1))


def test_an_executor_with_too_few_workers_says_how_to_get_more():
    pools = [ThreadPoolExecutor(1) for _ in range(2)]
    for executor, told in (
        (anyk.Threads(2), r"Make it Threads\(4\), or make the scheme smaller"),
        (anyk.Futures(pools), "Pass more executors, or make the scheme smaller"),
        (anyk.Remote(["127.0.0.1:1"], tls=None), "Pass more addresses"),
    ):
        with executor, pytest.raises(anyk.InvalidArgument, match=told):
            anyk.run(anyk.Replication(2, 4), np.square, [5.0, 6.0], executor)


@pytest.mark.parametrize(
    "scheme", [anyk.Replication(2, 4), anyk.Lagrange(blocks=2, degree=1, workers=4)]
)
def test_the_traceback_of_a_function_begins_with_the_function(scheme):
    def broken(block):
        raise ArithmeticError(block.shape)

    with anyk.Threads(4) as executor, pytest.raises(anyk.FunctionRaised) as caught:
        anyk.run(scheme, broken, np.ones((2, 3), int), executor, progress=False)
    first = str(caught.value.__cause__).split("File ")[1]
    assert "in broken" in first
