"""Masks: uniform, fresh, and of the range asked for."""

import numpy as np
import pytest

import anyk
from anyk.randomness.entropy import InsecureTestSource, SystemSource, residues, shuffled


@pytest.mark.parametrize("modulus", [1, 2, 3, 7, 2**16 + 1, 2**30 + 3, 2**31 - 1])
@pytest.mark.parametrize("size", [0, 1, 63, 70_000])
def test_residues_are_in_range(modulus, size):
    drawn = residues(SystemSource(), modulus, (size,))
    assert drawn.dtype == np.int64
    assert drawn.shape == (size,)
    assert size == 0 or (drawn.min() >= 0 and drawn.max() < modulus)


@pytest.mark.parametrize("modulus", [3, 5, 6, 7, 100])
def test_residues_have_no_bias(modulus):
    draws = 200_000
    counts = np.bincount(residues(InsecureTestSource(5), modulus, (draws,)), minlength=modulus)
    expected = draws / modulus
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    assert chi_squared < modulus - 1 + 6 * np.sqrt(2 * modulus)  # six standard deviations


def test_two_draws_share_nothing():
    first, second = (residues(SystemSource(), 2**31 - 1, (1000,)) for _ in range(2))
    assert np.count_nonzero(first == second) < 3


def test_words_of_one_draw_do_not_repeat_from_block_to_block():
    drawn = residues(SystemSource(), 2**31 - 1, (1 << 18,))
    block = 1 << 16
    assert np.count_nonzero(drawn[:block] == drawn[block : 2 * block]) < 5


def test_shares_under_a_fresh_mask_are_uniform_and_independent_of_the_data():
    field = anyk.PrimeField(5)
    scheme = anyk.Lagrange(blocks=1, degree=1, workers=3, colluders=1, field=field)
    source = InsecureTestSource(7)
    for secret in (0, 3):
        shares = np.array([scheme.encode([secret], source=source).shares[1] for _ in range(4000)])
        counts = np.bincount(shares, minlength=5)
        assert ((counts - 800) ** 2 / 800).sum() < 4 + 6 * np.sqrt(8)


def test_every_order_is_equally_likely():
    source, draws = InsecureTestSource(3), 12_000
    orders = np.array([shuffled(source, 4) for _ in range(draws)])
    counts = np.unique(orders @ 4 ** np.arange(4), return_counts=True)[1]
    expected = draws / 24
    assert counts.size == 24
    assert ((counts - expected) ** 2 / expected).sum() < 23 + 6 * np.sqrt(2 * 23)


def test_equal_lots_are_drawn_again(monkeypatch):
    lots = iter([np.zeros((2, 3), dtype=np.int64), np.array([[0, 0, 0], [2, 0, 1]])])
    monkeypatch.setattr("anyk.randomness.entropy.residues", lambda *_: next(lots))
    assert shuffled(SystemSource(), 3).tolist() == [1, 2, 0]
