"""Encodings of the same data add up: the accountant against the joint matrix."""

import itertools
import math

import numpy as np
import pytest

import anyk
from anyk.leak import gaussian_epsilon
from anyk.privacy.information import bits_learned, symbols_learned

FIELD = anyk.PrimeField(101)


def joint(encodings, who):
    """D and M of all that these workers were sent, row by row, masks independent."""
    rows, noises = [], []
    for encoded in encodings:
        held = encoded.held_by([n for n in who if n < encoded.guarantee.workers])
        rows.append(encoded.encoder.data[held])
        noises.append(encoded.encoder.masks[held])
    wide = np.zeros((sum(map(len, noises)), sum(each.shape[1] for each in noises)), noises[0].dtype)
    row = column = 0
    for each in noises:
        wide[row : row + len(each), column : column + each.shape[1]] = each
        row, column = row + len(each), column + each.shape[1]
    return np.concatenate(rows), wide


def worst(encodings, size, variance):
    """By the definition, coalition by coalition."""
    workers = max(each.guarantee.workers for each in encodings)
    return max(
        bits_learned(*joint(encodings, who), variance=variance)
        for who in itertools.combinations(range(workers), size)
    )


SCHEMES = {
    "VeiledReplication, T = 1": anyk.VeiledReplication(2, 10, colluders=1, leakage=0.3),
    "VeiledReplication, T = 2": anyk.VeiledReplication(2, 12, colluders=2, leakage=0.3),
    "Berrut": anyk.Berrut(2, 8, colluders=2, leakage=0.3, data_std=2.0),
    "AnalogLagrange": anyk.AnalogLagrange(blocks=2, degree=1, workers=6, colluders=1, leakage=0.2),
    "Agreed": anyk.Agreed(anyk.VeiledReplication(2, 4, colluders=1, leakage=0.3), copies=2),
}


@pytest.mark.parametrize("times", [1, 2, 3, 8, 64])
@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_the_accountants_sum_is_the_joint_matrixs_leakage(scheme, times):
    encodings = [scheme.encode(np.ones((2, 3))) for _ in range(times)]
    size = scheme.guarantee.colluders
    spent = anyk.leakage_spent(*encodings, colluders=size)
    truth = worst(encodings, size, scheme.guarantee.data_std**2)
    assert spent.amount == pytest.approx(truth, rel=1e-9)
    assert spent.amount <= times * scheme.guarantee.leakage * (1 + 1e-9)
    who = spent.coalition
    seen = bits_learned(*joint(encodings, who), variance=scheme.guarantee.data_std**2)
    assert seen == pytest.approx(truth, rel=1e-9)


def test_encodings_of_several_schemes_on_the_same_workers_add_up_too():
    X = np.ones((2, 3))
    schemes = [SCHEMES["VeiledReplication, T = 1"], SCHEMES["Berrut"], SCHEMES["Agreed"]] * 2
    encodings = [scheme.encode(X) for scheme in schemes]
    for size in (1, 2):
        spent = anyk.leakage_spent(*encodings, colluders=size, data_std=0.7)
        assert spent.amount == pytest.approx(worst(encodings, size, 0.49), rel=1e-9)


def test_shares_that_are_sent_again_tell_nothing_new():
    encoded = SCHEMES["Berrut"].encode(np.ones((2, 3)))
    once = anyk.leakage_spent(encoded, colluders=2).amount
    assert anyk.leakage_spent(encoded, encoded, colluders=2).amount == once
    assert once == anyk.leakage(encoded, colluders=2)


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_field_hides_the_same_data_however_often(times):
    first, second = (
        anyk.Lagrange(blocks=2, degree=2, workers=n, colluders=2, field=FIELD) for n in (9, 7)
    )
    encodings = [first.encode([1, 2]) for _ in range(times)] + [second.encode([1, 2])]
    for size, symbols in ((1, 0.0), (2, 0.0), (3, None)):
        spent = anyk.leakage_spent(*encodings, colluders=size).amount
        truth = max(
            symbols_learned(FIELD, *joint(encodings, who))
            for who in itertools.combinations(range(9), size)
        )
        assert spent == truth
        assert symbols is None or spent == symbols


def test_epsilon_of_several_encodings_is_that_of_their_composition():
    scheme = SCHEMES["VeiledReplication, T = 1"]
    encodings = [scheme.encode(np.ones((2, 3))) for _ in range(9)]
    once, nine = (anyk.leakage_spent(*encodings[:n], colluders=1) for n in (1, 9))
    assert nine.separation == pytest.approx(3.0 * once.separation)
    assert nine.epsilon(sensitivity=1.0, delta=1e-6) == pytest.approx(
        once.epsilon(sensitivity=3.0, delta=1e-6), rel=1e-3
    )  # but for what sampling adds, nine times


@pytest.mark.parametrize("colluders", [1, 2])
def test_what_a_guarantee_says_of_epsilon_is_a_bound_and_exact_for_one_worker(colluders):
    scheme = anyk.VeiledReplication(2, 12, colluders=colluders, leakage=0.4, data_std=3.0)
    matrices = anyk.worst_coalition(scheme.encode(np.ones((2, 16))), colluders=colluders)
    leak = scheme.guarantee.leak(16)
    for sensitivity in (0.5, 5.0):
        exact = gaussian_epsilon(matrices.separation * sensitivity, 1e-6)
        stated = leak.epsilon(sensitivity=sensitivity)
        assert stated >= exact * (1 - 1e-9)
        assert colluders > 1 or stated == pytest.approx(exact, rel=1e-6)
    apart = 3.0 * math.sqrt(2 * 16)
    assert leak.epsilon() == pytest.approx(leak.epsilon(sensitivity=apart))


def test_distributed_data_count_what_was_sent_of_them():
    scheme = anyk.VeiledReplication(2, 12, colluders=1, leakage=0.1)
    X = np.linspace(-1.0, 1.0, 8).reshape(2, 4)
    with anyk.Inline(12) as executor, anyk.distribute(scheme, X, executor) as data:
        assert data.leakage_spent.total == pytest.approx(0.4)
        weights, half = data.encode(X), data.encode(X[:, :2])
        assert data.leakage_spent.encodings == 1  # nothing was sent yet
        for again in (1, 2):
            outcome = data.run(np.multiply, weights, tolerance=np.inf)
            assert outcome.leak.encodings == 2, again
        outcome = data.run(lambda x, y: x[..., :2] * y, half, tolerance=np.inf)
        assert (outcome.leak.encodings, outcome.leak.encoded) == (3, 4 + 4 + 2)
        assert data.leakage_spent.total == pytest.approx(1.0)
        exact = anyk.leakage_spent(data.encoded, weights, colluders=1)
        assert exact.amount * 4 <= 0.8
    assert "1 bits of a block of 4 numbers in 3 encodings" in str(outcome)


def test_an_outcome_says_what_curious_workers_learned():
    X = np.arange(8).reshape(2, 4)
    with anyk.Inline(12) as executor:
        hidden = anyk.run(anyk.Lagrange(2, 2, 12, colluders=3), np.square, X, executor)
        shown = anyk.run(anyk.Lagrange(2, 2, 12), np.square, X, executor)
    assert str(hidden).endswith("curious   3 workers learn nothing")
    assert "curious" not in str(shown)
    assert shown.leak is None


def test_data_that_vary_more_than_promised_are_told_of():
    scheme = anyk.VeiledReplication(2, 12, colluders=1, leakage=0.5, data_std=1.0)
    X = np.random.default_rng(0).normal(size=(2, 100))
    with anyk.Inline(12) as executor:
        for scale, told in ((1.0, False), (6.0, True)):
            outcome = anyk.run(scheme, np.negative, scale * X, executor, tolerance=np.inf)
            assert ("more is learned" in str(outcome)) == told
            assert outcome.leak.spread == pytest.approx(scale, rel=0.3)


def test_arguments_that_vary_more_than_promised_are_told_of_when_they_are_sent():
    scheme = anyk.VeiledReplication(2, 12, colluders=1, leakage=0.1)
    X = np.random.default_rng(0).normal(size=(2, 100))
    with anyk.Inline(12) as executor, anyk.distribute(scheme, X, executor) as data:
        large = data.encode(1000.0 * X)
        assert "more is learned" not in str(data.leakage_spent)
        outcome = data.run(np.multiply, large, tolerance=np.inf)
        assert "more is learned" in str(outcome)
        assert data.leakage_spent.spread == pytest.approx(1000.0, rel=0.3)


def test_the_shares_of_the_data_are_no_new_encoding_where_they_are_an_argument():
    scheme = anyk.VeiledReplication(2, 12, colluders=1, leakage=0.1)
    X = np.linspace(-1.0, 1.0, 8).reshape(2, 4)
    with anyk.Inline(12) as executor, anyk.distribute(scheme, X, executor) as data:
        outcome = data.run(np.multiply, data.encoded, tolerance=np.inf)
    assert outcome.leak.encodings == 1


def test_more_than_t_workers_are_in_the_words_of_a_promise():
    numbers = anyk.VeiledReplication(2, 12, colluders=1, leakage=0.5).guarantee
    told = str(anyk.Guarantee(**{**vars(numbers), "beyond": (0.9, math.inf)}))
    assert told.endswith("more workers, in bits a coordinate: 2: 0.9, 3: all")


@pytest.mark.parametrize(
    "call",
    [
        lambda *_: anyk.leakage_spent(colluders=1),
        lambda one, _: anyk.leakage_spent(one, colluders=99),
        lambda one, other: anyk.leakage_spent(one, other, colluders=1),
        lambda one, _: anyk.leakage_spent(one.shares, colluders=1),
        lambda one, _: one.guarantee.leak(0),
        lambda one, _: one.guarantee.leak(8).epsilon(delta=1.0),
        lambda one, _: one.guarantee.leak(8).epsilon(sensitivity=0.0),
    ],
)
def test_what_makes_no_sense_is_refused(call):
    one = anyk.VeiledReplication(2, 12, colluders=1, leakage=0.5).encode(np.ones((2, 1)))
    other = anyk.VeiledReplication(3, 12, colluders=1, leakage=0.5).encode(np.ones((3, 1)))
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        call(one, other)
