"""Discrete Gaussian numbers have the chances that their name says."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

import anyk
from anyk.randomness import discrete_gaussian as room
from anyk.randomness.discrete_gaussian import discrete_gaussian
from anyk.randomness.entropy import InsecureTestSource


@pytest.mark.parametrize("std", [0.5, 0.9, 3.0, 16.0, 47.3, 1000.5])
def test_chances_are_those_of_the_definition(std):
    numbers = discrete_gaussian(InsecureTestSource(int(std * 10)), std, (200_000,))
    reach = int(6 * std) + 2
    values = np.arange(-reach, reach + 1)
    chances = np.exp(-(values**2) / (2 * std**2))
    chances /= chances.sum()
    step = max(1, reach // 20)  # cells of so many integers, the ends together
    groups = np.clip((values + reach) // step, 0, None)
    expected = np.bincount(groups, chances) * len(numbers)
    inside = np.clip(numbers, -reach, reach)
    found = np.bincount((inside + reach) // step, minlength=len(expected))
    large = expected >= 10
    squares = ((found[large] - expected[large]) ** 2 / expected[large]).sum()
    assert stats.chi2.sf(squares, int(large.sum()) - 1) > 1e-4


def test_numbers_of_either_sign_and_zero_are_as_likely_as_they_must_be():
    numbers = discrete_gaussian(InsecureTestSource(1), 0.5, (200_000,))
    weights = np.exp(-2.0 * np.array([0, 1, 4]))
    zero = weights[0] / (weights[0] + 2 * weights[1:].sum())
    assert abs((numbers == 0).mean() - zero) < 5e-3
    assert abs((numbers > 0).mean() - (numbers < 0).mean()) < 5e-3


@pytest.mark.parametrize("std", [0.5, 5.0, 33.0, 2.0**33])
def test_borders_between_cells_are_exact_where_64_bits_leave_them_open(std):
    first, whole = room._borders(std)
    assert all(low <= high for low, high in pairwise(whole))
    assert [each >> room.MORE for each in whole] == first.tolist()
    source = InsecureTestSource(2)
    cells = room._cells(source, std, first.copy())  # each on a border
    alone = np.bincount(np.searchsorted(first, first), minlength=len(first))
    for at in np.flatnonzero(alone == 1):  # borders that 64 bits tell apart
        assert cells[at] in (at, at + 1)
    assert (np.diff(first.astype(float)) >= 0).all()


def test_nothing_is_beyond_what_is_promised():
    numbers = discrete_gaussian(InsecureTestSource(3), 2.0**34, (10_000,))
    assert np.abs(numbers).max() <= 33 * 2**34
    assert numbers.shape == (10_000,)
    assert discrete_gaussian(InsecureTestSource(3), 1.0, (2, 0)).shape == (2, 0)


@pytest.mark.parametrize("std", [0.49, 2.0**35, float("nan"), "a"])
def test_a_deviation_out_of_range_is_refused(std):
    with pytest.raises(anyk.InvalidArgument, match="std: got"):
        discrete_gaussian(InsecureTestSource(0), std, (3,))
