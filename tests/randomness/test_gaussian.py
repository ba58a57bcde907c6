"""Noise: normal to the last bit, with no number missing."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from scipy import stats

from anyk.randomness import gaussian
from anyk.randomness.entropy import InsecureTestSource, SystemSource
from anyk.randomness.gaussian import MORE, SKEW, TAIL, UNIT, bits_below, normals


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (70_001,)])
def test_normals_have_the_shape_asked_for(shape):
    drawn = normals(SystemSource(), shape)
    assert drawn.dtype == np.int64
    assert drawn.shape == shape
    assert bits_below(SystemSource(), shape).shape == shape


def test_normals_are_normal_and_independent():
    drawn = normals(InsecureTestSource(3), (400_000,)) * UNIT
    assert stats.kstest(drawn, "norm").pvalue > 1e-4
    for moment, right, deviation in ((2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)):
        assert abs(np.mean(drawn**moment) - right) < 5 * math.sqrt(deviation / drawn.size)
    for lag in (1, 2, 1 << 13, 1 << 14):
        assert abs(np.corrcoef(drawn[:-lag], drawn[lag:])[0, 1]) < 6 / np.sqrt(drawn.size - lag)


@pytest.mark.parametrize("bits", range(0, 55, 5))
def test_every_bit_of_a_normal_number_is_used(bits):
    last = normals(InsecureTestSource(bits), (100_000,)) >> bits & 31
    counts = np.bincount(last, minlength=32)
    assert ((counts - 3125) ** 2 / 3125).sum() < 31 + 6 * np.sqrt(2 * 31)


def test_far_numbers_have_no_gaps_either():
    drawn = normals(InsecureTestSource(1), (2_000_000,))
    far = drawn[np.abs(drawn) * UNIT > 3.0]
    assert far.size > 4000
    counts = np.bincount(far & 15, minlength=16)
    assert ((counts - far.size / 16) ** 2 / (far.size / 16)).sum() < 15 + 6 * np.sqrt(2 * 15)


def test_the_table_has_the_cells_of_the_normal_density():
    chances, others, finer = gaussian._table()
    cells = [0] * len(chances)
    each = zip(chances.tolist(), others.tolist(), finer, strict=True)
    for column, (own, other, rest) in enumerate(each):
        cells[column] += (own << MORE) + rest
        cells[other] += (1 << 1015) - (own << MORE) - rest
    assert sum(cells) == 1 << 1024
    with localcontext() as context:
        context.prec = 340
        weights = [(-((Decimal(cell) / 16) ** 2) / 2).exp() for cell in range(len(cells))]
        off = sum(
            abs(Decimal(cell) / 2**1024 - weight / sum(weights))
            for cell, weight in zip(cells, weights, strict=True)
        )
        assert off < Decimal(2) ** -1000
    assert stats.norm.logsf(gaussian.LARGEST) + math.log(2.0) < math.log(TAIL)


def test_draws_that_the_first_bits_leave_open_are_decided_by_more(monkeypatch):
    """With a table of which the first bits say nothing."""
    chances, others, finer = gaussian._table()
    whole = [(own << MORE) + rest for own, rest in zip(chances.tolist(), finer, strict=True)]
    source = InsecureTestSource(8)
    columns = np.arange(512).repeat(200)
    halved = tuple(each >> 55 for each in whole)  # of 960 bits, as of 1015
    monkeypatch.setattr(gaussian, "_table", lambda: (chances, others, halved))
    cells = np.array(gaussian._decided(source, columns))
    right = np.array([float(Decimal(each) / 2**1015) for each in whole]).repeat(200)
    own = cells == columns
    kept = others[columns] != columns
    assert (own | (cells == others[columns])).all()
    assert abs((own - right)[kept].sum()) < 5 * math.sqrt((right * (1 - right))[kept].sum() + 1)
    assert len(set(gaussian.more_bits(source, 50))) == 50


def test_the_chance_of_a_place_is_that_of_the_density_to_many_digits():
    rng = np.random.default_rng(0)
    cell, inside = rng.integers(0, 512, 3000), rng.integers(0, 1 << 54, 3000)
    beyond = inside * UNIT
    chance = np.exp(-beyond * (cell * 2.0**-4 + 0.5 * beyond))  # as `normals` has it
    worst = 0.0
    with localcontext() as context:
        context.prec = 40
        for each, place, found in zip(cell.tolist(), inside.tolist(), chance, strict=True):
            start, along = Decimal(each) / 16, Decimal(place) / 2**58
            right = (-along * (start + along / 2)).exp()
            worst = max(worst, abs(float(Decimal(float(found)) / right - 1)))
    # a lot as a float is below a chance; the bits below a unit; and all are normalised by all
    assert worst + 2.0**-53 + 32.0 * UNIT < SKEW / 2
