"""Values that get better while answers come."""

import numpy as np
import pytest

import anyk
from anyk.delays import Fixed
from anyk.faults import Corrupt, Crash, Faulty

X = np.linspace(0.0, 2.0, 10).reshape(5, 2)
SCHEME = anyk.Spline(5, 20, ordering=None)


def late(count):
    """Simulated workers of which the n-th answers after n + 1 seconds."""
    return anyk.Simulated(
        count, delays=Fixed(tuple(float(n + 1) for n in range(count))),
        generator=np.random.default_rng(0),
    )  # fmt: skip


def test_each_outcome_is_what_a_run_would_make_of_the_same_answers():
    encoded = SCHEME.encode(X)
    answers = np.sin(encoded.shares)
    with anyk.Inline(20) as executor:
        outcomes = list(anyk.stream(SCHEME, np.sin, X, executor))
    assert [len(outcome.used) for outcome in outcomes] == list(range(2, 21))
    for outcome in outcomes:
        decoded = encoded.decode(answers[list(outcome.used)], outcome.used)
        assert outcome.value == pytest.approx(decoded.value, rel=1e-9, abs=1e-12)
        assert outcome.error_estimate == pytest.approx(decoded.error_estimate, rel=1e-6, abs=1e-14)
        assert outcome.status is anyk.Status.APPROXIMATE


def test_estimates_and_errors_fall():
    with anyk.Inline(20) as executor:
        outcomes = list(anyk.stream(SCHEME, np.sin, X, executor, every=6))
    assert [len(outcome.used) for outcome in outcomes] == [6, 12, 18, 20]
    errors = [float(np.abs(outcome.value - np.sin(X)).max()) for outcome in outcomes]
    assert errors[-1] < errors[0] / 10
    assert outcomes[-1].error_estimate < outcomes[0].error_estimate / 10


def test_a_tolerance_ends_the_stream_at_the_first_value_good_enough():
    with late(20) as executor:
        every = list(anyk.stream(SCHEME, np.sin, X, executor))
        tolerance = every[9].error_estimate
        some = list(anyk.stream(SCHEME, np.sin, X, executor, tolerance=tolerance))
    assert all(outcome.error_estimate > tolerance for outcome in some[:-1])
    assert some[-1].error_estimate <= tolerance
    assert len(some) <= 10


def test_an_exact_scheme_has_one_outcome_as_soon_as_it_can():
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=6)
    with late(6) as executor:
        outcomes = list(anyk.stream(scheme, np.square, [3, 4], executor))
    assert [len(outcome.used) for outcome in outcomes] == [3]
    assert outcomes[0].value.tolist() == [9, 16]


def test_a_deadline_ends_the_stream_with_what_there_is():
    with late(20) as executor:
        outcomes = list(anyk.stream(SCHEME, np.sin, X, executor, deadline=7.5))
    assert [len(outcome.used) for outcome in outcomes] == [2, 3, 4, 5, 6, 7]
    with late(20) as executor:
        few = anyk.stream(SCHEME, np.sin, X, executor, deadline=1.5)
        with pytest.raises(anyk.NotEnoughAnswers) as caught:
            list(few)
    assert caught.value.outcome.used == (0,)
    assert len(caught.value.outcome.missing) == 19


def test_failures_are_told_in_every_outcome():
    with Faulty(late(20), {0: Crash()}) as executor:
        outcomes = list(anyk.stream(SCHEME, np.sin, X, executor, every=5))
    assert [len(outcome.used) for outcome in outcomes] == [5, 10, 15, 19]
    assert all(list(outcome.failures) == [0] for outcome in outcomes)


def test_all_failing_raises_with_the_reasons():
    with Faulty(late(20), {n: Crash() for n in range(20)}) as executor:
        with pytest.raises(anyk.NotEnoughAnswers, match="worker 0"):
            list(anyk.stream(SCHEME, np.sin, X, executor))


def test_leaving_a_stream_early_leaves_the_executor_usable():
    with anyk.Threads(20) as executor:
        outcomes = anyk.stream(SCHEME, np.sin, X, executor)
        first = next(outcomes)
        outcomes.close()
        assert len(first.used) >= 2
        assert anyk.run(SCHEME, np.sin, X, executor, deadline=30.0).status.ok


def test_data_that_stay_can_be_streamed_again():
    with anyk.Inline(20) as executor, anyk.distribute(SCHEME, X, executor) as data:
        for factor in (1.0, 2.0):
            *_, last = data.stream(np.multiply, factor)
            assert last.value == pytest.approx(factor * X, abs=1e-3)
    with pytest.raises(anyk.ExecutorError):
        next(data.stream(np.sin))


@pytest.mark.parametrize("bad", [{"every": 0}, {"tolerance": 0.0}, {"deadline": -1.0}])
def test_what_makes_no_sense_is_refused_before_anything_is_sent(bad):
    with anyk.Inline(20) as executor:
        with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
            anyk.stream(SCHEME, np.sin, X, executor, **bad)


def test_an_exact_scheme_waits_for_no_more_answers_than_it_needs():
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=6)
    with late(6) as executor:
        outcomes = list(anyk.stream(scheme, np.square, [3, 4], executor, every=5))
    assert [len(outcome.used) for outcome in outcomes] == [3]


@pytest.mark.parametrize("fault", [Crash(), Corrupt(modulus=2**31 - 1)])
def test_an_exact_stream_ends_as_soon_as_no_answer_could_help(fault):
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=6, adversaries=1)  # 4 answers, or 5
    heard = []
    with Faulty(late(6), dict.fromkeys(range(3), fault)) as executor:
        outcomes = anyk.stream(scheme, np.square, [3, 4], executor, on_answer=heard.append)
        with pytest.raises(anyk.RecoveryError) as caught:
            list(outcomes)
        with pytest.raises(type(caught.value)):
            anyk.run(scheme, np.square, [3, 4], executor)
    assert len(heard) < 6 or isinstance(caught.value, anyk.TooManyErrors)
    assert not caught.value.outcome.status.ok
