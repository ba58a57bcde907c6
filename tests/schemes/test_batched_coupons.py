"""Batched coupons: the probability of failing, and every pattern of what was drawn."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.faults import Crash, Faulty
from anyk.randomness.entropy import InsecureTestSource

FIELD = anyk.PrimeField(101)
X = np.arange(10).reshape(5, 2)
TRUTH = (X**2).sum(axis=0)


def square(x):
    return x**2


@pytest.mark.parametrize(("batches", "workers"), [(1, 3), (2, 5), (3, 3), (3, 7), (4, 5)])
def test_the_probability_of_failing_is_that_of_all_draws(batches, workers):
    draws = [*itertools.product(range(batches), repeat=workers)]
    failed = sum(len({*drawn}) < batches for drawn in draws)
    scheme = anyk.BatchedCoupons(4, workers, batches)
    assert scheme.failure == failed / len(draws)


def test_the_probability_is_a_number_for_many_workers_too():
    assert anyk.BatchedCoupons(25, 100, 25).failure == pytest.approx(0.3561, abs=1e-4)
    assert anyk.BatchedCoupons(100, 100, 100).failure == pytest.approx(1.0)
    assert 0.0 < anyk.BatchedCoupons(2, 1000, 2).failure < 1e-300


def test_a_draw_fails_as_often_as_is_said():
    scheme, source = anyk.BatchedCoupons(5, 9, 5), InsecureTestSource(3)

    def drawn():
        try:
            return scheme.encode(X, source=source).scheme.drawn
        except anyk.Unachievable:
            return None

    draws = [drawn() for _ in range(400)]
    assert abs(draws.count(None) / 400 - scheme.failure) < 0.12  # 5 standard deviations
    assert {len({*each}) for each in draws if each} == {5}
    assert len({anyk.BatchedCoupons(2, 30, 2).encode([1, 2]).scheme.drawn for _ in range(4)}) == 4


@pytest.mark.parametrize("domain", [anyk.Values(), FIELD, anyk.Reals()], ids=repr)
@pytest.mark.parametrize("drawn", [(0, 1, 2, 2, 1, 0), (2, 1, 0, 0, 0, 2), (0, 0, 1, 2, 2, 2)])
def test_any_answers_with_every_batch_are_enough(domain, drawn):
    scheme = anyk.BatchedCoupons(5, 6, 3, domain=domain, drawn=drawn)
    encoded = scheme.encode(X)
    values = np.stack([
        sum(block**2 for block, there in zip(blocks, here, strict=True) if there)
        for blocks, here in zip(*encoded.parts, strict=True)
    ])  # fmt: skip
    values = values % 101 if domain == FIELD else values
    truth = TRUTH % 101 if domain == FIELD else TRUTH
    for size in range(1, 7):
        for who in itertools.combinations(range(6), size):
            if len({drawn[worker] for worker in who}) == 3:
                assert scheme.sufficient(who)
                assert np.array_equal(encoded.decode(values[list(who)], who).value, truth)
            else:
                assert not scheme.sufficient(who)
                with pytest.raises(anyk.NotEnoughAnswers, match="3 batches"):
                    encoded.recovery(who)
    promise = encoded.guarantee
    assert promise.stragglers == min(drawn.count(batch) for batch in range(3)) - 1
    for late in itertools.combinations(range(6), promise.stragglers):
        assert scheme.sufficient([worker for worker in range(6) if worker not in late])


def test_what_is_lost_is_sent_again_and_two_that_differ_are_noticed():
    scheme = anyk.BatchedCoupons(5, 6, 3, drawn=(0, 1, 2, 2, 0, 0))
    with Faulty(anyk.Inline(6), {1: Crash()}) as executor:
        outcome = anyk.run(scheme, square, X, executor, progress=False)
    assert np.array_equal(outcome.value, TRUTH)
    assert outcome.again == (1,)
    values = np.array([[1], [2], [3], [3], [1], [4]])
    with pytest.raises(anyk.TooManyErrors, match="workers 0, 4-5 contradict"):
        scheme.encode(X).decode(values, range(6))


def test_nothing_is_promised_before_batches_are_drawn():
    scheme = anyk.BatchedCoupons(5, 6, 3)
    assert scheme.guarantee.stragglers == 0
    assert not scheme.sufficient(range(5))
    listed = anyk.schemes_for(anyk.Sum(blocks=5), anyk.Threat(workers=60, stragglers=3))
    told = {each.name: each for each in listed.candidates}
    assert told["BatchedCoupons"].scheme is None
    assert "miss one with probability" in told["BatchedCoupons"].reason
    assert told["FractionalRepetition"].scheme.guarantee.stragglers >= 3


@pytest.mark.parametrize(
    "build",
    [
        lambda: anyk.BatchedCoupons(3, 9, 4),
        lambda: anyk.BatchedCoupons(4, 3, 4),
        lambda: anyk.BatchedCoupons(4, 4, 2, drawn=(0, 1, 0)),
        lambda: anyk.BatchedCoupons(4, 4, 2, drawn=(0, 1, 0, 2)),
        lambda: anyk.BatchedCoupons(4, 4, 2, drawn=(1, 1, 1, 1)),
        lambda: anyk.BatchedCoupons(4, 4, 2, domain="reals"),
        lambda: anyk.BatchedCoupons(4, 4, 2).replicas(None),
        lambda: anyk.BatchedCoupons(4, 4, 2).work(np.sin, (True,)),
        lambda: anyk.BatchedCoupons(4, 9, 2, domain=FIELD).over(anyk.PrimeField(103)),
    ],
)
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        build()
