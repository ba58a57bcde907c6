"""Products without a code: blocks as they are, and copies of them."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.faults import Corrupt, Crash, Faulty

RNG = np.random.default_rng(11)


def run(scheme, factors, faulty=None, **named):
    with Faulty(anyk.Inline(scheme.workers), faulty or {}) as executor:
        return anyk.run(scheme, np.matmul, factors, executor, progress=False, **named)


@pytest.mark.parametrize("partition", [*itertools.product((1, 2, 3), repeat=3)])
@pytest.mark.parametrize("domain", [anyk.Reals(), anyk.Complex(), anyk.PrimeField(101)])
def test_every_cut_of_factors_that_do_not_divide(partition, domain):
    A, B = RNG.integers(0, 9, (7, 5)), RNG.integers(0, 9, (5, 4))
    scheme = anyk.Uncoded(partition, 2 * np.prod(partition) + 1, domain=domain)
    value = run(scheme, (A.astype(domain.dtype), B.astype(domain.dtype))).value
    right = A @ B if domain != anyk.PrimeField(101) else A @ B % 101
    assert np.array_equal(value, right)


def test_one_copy_of_each_product_is_enough_and_all_are_needed():
    scheme = anyk.Uncoded((2, 1, 2), 8)
    assert scheme.guarantee.threshold == 7
    assert scheme.sufficient((0, 5, 2, 7))
    assert not scheme.sufficient((0, 4, 1, 5, 2, 6))
    A = RNG.normal(size=(4, 4))
    crashed = dict.fromkeys((0, 1, 6, 7), Crash())
    outcome = run(scheme, (A, A), crashed)
    assert np.array_equal(outcome.value, A @ A)
    assert outcome.used == (2, 3, 4, 5)


def test_a_product_whose_every_copy_failed_is_computed_again():
    scheme = anyk.Uncoded((2, 1, 2), 4)
    A = RNG.normal(size=(4, 4))
    outcome = run(scheme, (A, A), {1: Crash()})
    assert np.array_equal(outcome.value, A @ A)
    assert outcome.again == (1,)


def test_liars_are_named_and_more_than_promised_raise():
    scheme = anyk.Uncoded((2, 1, 1), 6, adversaries=1)
    A = RNG.normal(size=(6, 3))
    outcome = run(scheme, (A, A[0]), {0: Corrupt(scale=1.0)})
    assert outcome.suspects == (0,)
    assert np.array_equal(outcome.value, A @ A[0])
    with pytest.raises(anyk.TooManyErrors):
        run(scheme, (A, A[0]), {0: Corrupt(seed=1, scale=1.0), 2: Corrupt(seed=2, scale=1.0)})
    noticed = anyk.Uncoded((2, 1, 1), 4, detects=1)
    with pytest.raises(anyk.TooManyErrors):
        run(noticed, (A, A[0]), {0: Corrupt(scale=1.0)})


def test_too_few_workers_are_refused_with_the_letters_of_a_product():
    with pytest.raises(anyk.Unachievable, match=r"floor\(N/mpn\) >= 2A \+ 1") as caught:
        anyk.Uncoded((2, 2, 2), 9, adversaries=1)
    assert "Take 24 workers" in str(caught.value)
    assert "K" not in str(caught.value)
