"""What a recovery says of each block: as computed or estimated, and unsure of what it never saw."""

import math

import numpy as np
import pytest

import anyk
from anyk.faults.failures import Crash
from anyk.faults.faulty import Faulty

K = 6
X = np.random.default_rng(0).normal(size=(K, 3))
APPROXIMATE = [
    anyk.FilledReplication(K, 9),
    anyk.Spline(K, 18),
    anyk.Spline(K, 18, adversaries=2),
    anyk.Berrut(K, 18),
    anyk.VeiledReplication(K, 36, colluders=1, leakage=1.0),
    anyk.AnalogLagrange(K, 2, workers=20),
]
EXACT = [
    anyk.Replication(K, 12),
    anyk.Lagrange(K, 2, 14),
    anyk.Shamir(blocks=K, degree=2, workers=18, colluders=1),
    anyk.Harmonic(blocks=K, degree=2),
    anyk.Summed(anyk.Lagrange(K, 2, 14)),
]


def flag(block):
    """A rare alarm: 1 where the score is high."""
    return (block.sum(keepdims=True) > 4.0) * 1.0


def holders(encoded, block):
    return [n for n, share in enumerate(encoded.shares) if np.array_equal(share, block)]


@pytest.mark.parametrize("scheme", APPROXIMATE, ids=lambda each: type(each).__name__)
def test_the_estimate_is_the_root_mean_square_of_those_of_the_blocks(scheme):
    encoded = scheme.encode(X)
    answered = list(range(scheme.guarantee.workers))[: scheme.guarantee.threshold]
    recovered = encoded.decode(encoded.shares[answered] ** 2, answered)
    assert recovered.known.shape == recovered.block_errors.shape == (K,)
    assert recovered.known.dtype == np.bool_
    assert ((recovered.block_errors == 0.0) == recovered.known).all()
    whole = math.sqrt(np.mean(recovered.block_errors**2))
    assert recovered.error_estimate == pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize("scheme", EXACT, ids=lambda each: type(each).__name__)
def test_all_of_an_exact_value_is_known(scheme):
    encoded = scheme.encode(np.arange(K))
    answered = list(range(scheme.guarantee.workers))
    recovered = encoded.decode(encoded.shares, answered)
    assert recovered.known.shape == ((1,) if isinstance(scheme.problem, anyk.Sum) else (K,))
    assert recovered.known.all()
    assert recovered.block_errors is None
    assert recovered.error_estimate is None


def test_of_reals_in_a_field_all_is_known_too():
    scheme = anyk.Lagrange(K, 1, 8)
    fixed = anyk.FixedPoint(fraction_bits=10, magnitude=8.0, degree=1)
    with anyk.Inline(8) as executor:
        outcome = anyk.run(scheme, np.negative, X, executor, embedding=fixed)
    assert outcome.known.tolist() == [True] * K
    assert outcome.block_errors is None


def test_of_filled_blocks_alone_there_is_an_error():
    encoded = anyk.FilledReplication(K, 9).encode(X)
    lost = {*holders(encoded, X[2]), *holders(encoded, X[4])}
    answered = [n for n in range(9) if n not in lost]
    recovered = encoded.decode(np.sin(encoded.shares[answered]), answered)
    assert np.flatnonzero(~recovered.known).tolist() == [2, 4]
    np.testing.assert_array_equal(recovered.value[recovered.known], np.sin(X)[recovered.known])
    assert (recovered.block_errors[[2, 4]] > 0.01).all()


def test_copies_that_differ_by_noise_are_not_known_and_by_rounding_are():
    rng = np.random.default_rng(1)
    encoded = anyk.FilledReplication(K, 12).encode(X)
    rounded = np.sin(encoded.shares) * (1.0 + 1e-15 * rng.choice([-1, 1], size=(12, 1)))
    recovered = encoded.decode(rounded, range(12))
    assert recovered.known.all()
    assert not recovered.block_errors.any()
    single = np.sin(encoded.shares) * (1.0 + 1e-7 * rng.choice([-1, 1], size=(12, 1)))
    recovered = encoded.decode(single.astype(np.float32).astype(float), range(12))
    assert recovered.known.all()
    for block, value in zip(X, recovered.value, strict=True):
        copies = single.astype(np.float32)[holders(encoded, block)]
        assert any(np.array_equal(value, copy) for copy in copies)
    noisy = np.sin(encoded.shares) + 0.01 * rng.normal(size=(12, 3))
    recovered = encoded.decode(noisy, range(12))
    assert not recovered.known.any()
    assert (recovered.block_errors > 1e-3).all()


def test_replicas_that_differ_by_rounding_are_not_known_to_the_bit():
    encoded = anyk.Replication(3, 6, domain=anyk.Reals()).encode([1.0, 2.0, 4.0])
    answers = encoded.shares.copy()
    answers[4] *= 1.0 + 1e-14
    recovered = encoded.decode(answers, range(6))
    assert recovered.known.tolist() == [True, False, True]  # hosts differ: nobody knows by whose
    assert recovered.block_errors[1] == pytest.approx(1e-14 * 2.0 / math.sqrt(7.0), rel=0.03)
    scheme = anyk.Replication(3, 9, adversaries=1)
    encoded = scheme.encode([1.0, 2.0, 4.0])
    answers = encoded.shares * (1.0 + 1e-14 * np.arange(9))
    answers[[0, 3, 6]] = 1.0
    recovered = encoded.decode(answers, range(9))
    assert recovered.known.tolist() == [True, False, False]
    assert recovered.block_errors[0] == 0.0
    assert recovered.block_errors[2] == pytest.approx(3e-14 * 4.0 / math.sqrt(7.0), rel=0.03)


@pytest.mark.parametrize("make", [anyk.Spline, anyk.Berrut])
def test_of_one_block_on_a_curve_all_answers_are_the_same_and_that_is_no_wonder(make):
    encoded = make(1, 9).encode([0.3])
    recovered = encoded.decode(np.cos(encoded.shares), range(9))
    assert recovered.error_estimate < 1e-12
    assert not recovered.known.any()


def test_a_flag_lost_with_its_block_does_not_meet_a_tolerance():
    rng = np.random.default_rng(0)
    lost = 0
    for _ in range(200):
        data = rng.normal(size=(8, 4))
        truth = np.array([flag(block) for block in data])
        late = rng.choice(12, 3, replace=False).tolist()
        scheme = anyk.FilledReplication(8, 12, stragglers=3)
        with Faulty(anyk.Inline(12), dict.fromkeys(late, Crash())) as executor:
            whole = anyk.run(scheme, flag, data, executor)
            strict = anyk.run(scheme, flag, data, executor, tolerance=1e-12)
        for outcome in (whole, strict):  # as others computed the lost blocks again
            assert outcome.known.all()
            np.testing.assert_array_equal(outcome.value, truth)
        encoded = scheme.encode(data)
        answered = [worker for worker in range(12) if worker not in late]
        guess = encoded.decode(np.array([flag(x) for x in encoded.shares[answered]]), answered)
        wrong = np.abs(guess.value - truth).max() > 0.5
        lost += wrong
        assert not (wrong and guess.error_estimate < 0.1)
        if guess.known.all():
            np.testing.assert_array_equal(guess.value, truth)
    assert lost > 3


@pytest.mark.parametrize("scheme", APPROXIMATE[1:5], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("level", [0.0, 1.0, -3.0])
def test_answers_that_are_all_the_same_are_no_evidence(scheme, level):
    encoded = scheme.encode(X)
    answered = list(range(scheme.guarantee.threshold))
    answers = np.full((len(answered), 2), level)
    recovered = encoded.decode(answers, answered)
    assert recovered.error_estimate > 0.1
    assert np.isinf(recovered.error_estimate) == (level == 0.0)


@pytest.mark.parametrize("tolerance", [1e-12, 0.5, 1e300])
def test_a_tolerance_is_not_met_without_evidence(tolerance):
    with anyk.Inline(18) as executor:
        outcome = anyk.run(
            anyk.Berrut(K, 18), flag, X, executor, tolerance=tolerance, on_failure="return"
        )
    assert outcome.status is anyk.Status.NOT_ACCURATE_ENOUGH
    assert outcome.value is None
    assert np.isinf(outcome.block_errors).all()


def test_a_rare_event_among_many_blocks_is_as_large_as_the_rule_of_three_says():
    data = np.random.default_rng(2).normal(size=(60, 2))
    encoded = anyk.FilledReplication(60, 60).encode(data)
    answered = list(range(50))
    recovered = encoded.decode(np.ones((50, 1)), answered)
    errors = recovered.block_errors[~recovered.known]
    assert errors == pytest.approx(np.full(10, 2.0 * math.sqrt(1 / 10)))  # one of ten, by twice 1
    assert recovered.error_estimate == pytest.approx(2.0 * math.sqrt(1 / 60))
