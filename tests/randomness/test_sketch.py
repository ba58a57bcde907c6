"""Sketches keep what is wrong, and the size of it, and nobody foresees them."""

import numpy as np
import pytest

import anyk
from anyk.randomness.entropy import InsecureTestSource
from anyk.randomness.sketch import sketch, sketch_residues


@pytest.mark.parametrize("width", [65, 100, 1000, 1001])
@pytest.mark.parametrize("turn", [1.0, 1j])
def test_linear_combinations_keep_their_mean_square(width, turn):
    rng = np.random.default_rng(width)
    values, mix = turn * rng.normal(size=(40, width)), rng.normal(size=(200, 40))
    small = sketch(values, source=InsecureTestSource(width))
    assert small.shape == (40, 64)
    assert small.dtype == values.dtype
    ratio = np.mean(np.abs(mix @ small) ** 2) / np.mean(np.abs(mix @ values) ** 2)
    assert ratio == pytest.approx(1.0, abs=0.2)


def test_few_columns_are_kept_and_many_rows_have_fewer():
    values = np.ones((10, 64))
    assert sketch(values) is values
    assert sketch(np.ones((100, 64)), numbers=1000).shape == (100, 8)
    assert sketch(np.ones((10**4, 64)), numbers=10).shape == (10**4, 4)
    assert sketch(np.ones((5, 200)), columns=16).shape == (5, 16)
    assert sketch(np.ones((5, 0))).shape == (5, 0)
    assert sketch(np.ones((0, 500)), numbers=10).shape[0] == 0


@pytest.mark.parametrize("width", [6400, 6410])
def test_one_wrong_number_is_kept_and_so_are_two_that_would_cancel(width):
    values = np.zeros((4, width))
    values[1, width - 1] = 1.0  # in the last, short turn of the fold
    values[2, [17, 17 + 64]] = 1.0, -1.0
    for _ in range(20):
        columns = sketch(values)
        assert np.linalg.norm(columns[1]) > 0.04
        assert np.abs(columns[2]).max() > 0.0
        assert not columns[[0, 3]].any()


def test_no_two_numbers_nearly_cancel():
    values = np.zeros((1, 6400))
    values[0, [17, 17 + 64]] = 1.0, -1.0
    sizes = [np.linalg.norm(sketch(values)) for _ in range(500)]
    assert min(sizes) > 0.02 * np.median(sizes)  # one fold alone leaves some below


@pytest.mark.parametrize("first", [0, 3])
def test_who_chooses_every_sixteenth_number_chooses_no_column_of_the_sketch(first):
    values = np.zeros((1, 6400))
    values[:, first::16] = np.random.default_rng(1).normal(size=400)
    sizes = [np.mean(sketch(values, source=InsecureTestSource(each)) ** 2) for each in range(300)]
    ratios = np.array(sizes) / np.mean(values**2)
    assert ratios.mean() == pytest.approx(1.0, abs=0.05)
    assert ratios.std() < 0.25  # 0.7 if they fall on 4 columns
    assert ratios.min() > 0.4


def test_no_row_is_lost_among_many():
    rng = np.random.default_rng(11)
    values = (rng.normal(size=(200, 1000)) + 1j * rng.normal(size=(200, 1000))) * np.arange(1, 201)[
        :, None
    ]
    mixed = sketch(values, columns=16, source=InsecureTestSource(0))
    ratios = np.mean(np.abs(mixed) ** 2, axis=1) / np.mean(np.abs(values) ** 2, axis=1)
    assert 0.8 < ratios.mean() < 1.25
    assert ratios.min() > 0.02


def test_rows_that_are_equal_stay_so():
    values = np.random.default_rng(2).normal(size=(7, 3001))
    twice = sketch(np.concatenate([values, values[::-1]]))
    np.testing.assert_array_equal(twice[:7], twice[:6:-1])


def test_the_columns_differ_each_time_but_for_a_source_that_repeats():
    values = np.random.default_rng(0).normal(size=(3, 50_000))
    one, other = sketch(values), sketch(values)
    assert not np.allclose(one, other)
    np.testing.assert_allclose(np.mean(one**2, axis=1), 1.0, rtol=0.8)
    again = [sketch(values, source=InsecureTestSource(0)) for _ in range(2)]
    np.testing.assert_array_equal(*again)


@pytest.mark.parametrize("prime", [2, 3, 5, 101, 65537, 2**31 - 1])
def test_over_a_field_every_row_that_is_not_zero_stays_so(prime):
    field = anyk.PrimeField(prime)
    generator = np.random.default_rng(0)
    values = np.zeros((40, 20_011), dtype=np.int64)
    places = generator.integers(0, values.shape[1], 40)
    values[np.arange(40), places] = generator.integers(1, prime, 40)
    values[17] = 0
    nonzero = sketch_residues(field, values).any(axis=1)
    assert nonzero.tolist() == [row != 17 for row in range(40)]


def test_over_a_field_it_is_linear():
    field = anyk.PrimeField(101)
    values = np.random.default_rng(0).integers(0, 101, (2, 5000))
    rows = np.vstack([values, field.reduce(values.sum(axis=0))[None]])
    few = sketch_residues(field, rows)
    assert np.array_equal(field.reduce(few[0] + few[1]), few[2])
