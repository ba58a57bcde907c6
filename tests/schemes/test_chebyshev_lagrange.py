import itertools

import numpy as np
import pytest

import anyk


def off(value, truth):
    return np.linalg.norm(value - truth) / np.linalg.norm(truth)


@pytest.mark.parametrize(("blocks", "degree"), [(1, 1), (1, 3), (2, 2), (3, 2), (4, 1), (3, 3)])
def test_any_answers_are_enough_and_one_less_is_refused(blocks, degree):
    enough = (blocks - 1) * degree + 1
    scheme = anyk.ChebyshevLagrange(blocks, degree, enough + 3, detects=0, stragglers=3)
    X = np.random.default_rng(1).standard_normal((blocks, 5))
    encoded = scheme.encode(X)
    answers, truth = encoded.shares**degree - encoded.shares, X**degree - X
    truth = truth if degree > 1 else X
    answers = answers if degree > 1 else encoded.shares
    for who in itertools.combinations(range(enough + 3), enough):
        recovered = encoded.decode(answers[list(who)], who)
        assert np.allclose(recovered.value, truth, rtol=0, atol=1e-9)
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(who[1:])


def test_forty_blocks_are_stable_where_powers_lose_all():
    scheme = anyk.ChebyshevLagrange(40, 1, 43, stragglers=3)
    X = np.random.default_rng(2).standard_normal((40, 8))
    encoded, rng = scheme.encode(X), np.random.default_rng(3)
    for _ in range(30):
        who = rng.permutation(43)[:40]
        assert off(encoded.decode(encoded.shares[who], who).value, X) < 1e-8


@pytest.mark.parametrize("spare", [0, 1, 3])
@pytest.mark.parametrize("draw", ["positive", "float32", "normal", "of any scale"])
def test_the_error_is_within_its_estimate(spare, draw):
    rng, ratios = np.random.default_rng(4), []
    for _ in range(60):
        scheme = anyk.ChebyshevLagrange(4, 2, 10, detects=spare, stragglers=3 - spare)
        X = rng.standard_normal((4, 50))
        if draw == "positive":
            X = np.abs(X)
        elif draw == "float32":
            X = X.astype(np.float32)
        elif draw == "of any scale":
            X *= 10.0 ** rng.uniform(-3, 3, (4, 1))
        encoded = scheme.encode(X)
        who = rng.permutation(10)[: 7 + spare]
        recovered = encoded.decode(encoded.shares[who] ** 2, who)
        truth = X.astype(np.longdouble) ** 2
        ratios.append(recovered.error_estimate / off(recovered.value, truth))
    assert np.mean(np.array(ratios) >= 1.0) >= 0.95
    assert np.median(ratios) < 30


@pytest.mark.parametrize("function", [np.tanh, np.exp, lambda x: x**3, np.abs])
def test_a_function_that_is_no_such_polynomial_shows_in_the_estimate(function):
    rng, within = np.random.default_rng(5), []
    scheme = anyk.ChebyshevLagrange(3, 2, 8)
    for _ in range(100):
        X = rng.standard_normal((3, 20))
        encoded = scheme.encode(X)
        who = rng.permutation(8)[:6]
        recovered = encoded.decode(function(encoded.shares[who]), who)
        within.append(off(recovered.value, function(X)) <= recovered.error_estimate)
    assert np.mean(within) >= 0.95


def test_one_wrong_answer_shows_in_the_estimate():
    rng, within = np.random.default_rng(6), []
    scheme = anyk.ChebyshevLagrange(3, 2, 8)
    for _ in range(200):
        X = rng.standard_normal((3, 20))
        encoded = scheme.encode(X)
        answers, who = encoded.shares**2, rng.permutation(8)[:6]
        answers[who[rng.integers(6)]] += 10.0 ** rng.uniform(-6, 3) * rng.standard_normal(20)
        recovered = encoded.decode(answers[who], who)
        error = np.linalg.norm(recovered.value - X**2) / np.linalg.norm(recovered.value)
        within.append(error <= recovered.error_estimate)
    assert np.mean(within) >= 0.95


def test_without_a_spare_answer_nothing_is_promised_unless_it_is_said():
    X = np.array([[1.0], [2.0]])
    for detects, estimate in [(None, np.inf), (0, 1e-12)]:
        encoded = anyk.ChebyshevLagrange(2, 2, 3, detects=detects).encode(X)
        assert encoded.decode(encoded.shares**2, range(3)).error_estimate >= estimate * (
            detects is None
        )
    assert encoded.decode(encoded.shares**2, range(3)).error_estimate < 1e-12


def test_a_run_in_the_reals_with_a_late_worker():
    scheme = anyk.ChebyshevLagrange(blocks=3, degree=2, workers=7)
    X = np.array([[0.5, -1.0], [2.0, 0.0], [1.0, 1.5]])
    with anyk.faults.Faulty(anyk.Inline(7), {2: anyk.faults.Crash()}) as executor:
        outcome = anyk.run(scheme, lambda x: x * x - 1.0, X, executor)
    assert outcome.value.dtype == np.float64
    assert np.allclose(outcome.value, X * X - 1.0)
    assert outcome.condition > 1.0
