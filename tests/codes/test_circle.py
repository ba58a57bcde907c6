"""Roots of unity: as near to the true ones as their products are to each other."""

import numpy as np
import pytest

from anyk.codes.analog.circle import circle

EPS = np.finfo(np.float64).eps


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12, 24, 31, 60, 101, 1000])
def test_products_of_roots_are_roots(count):
    points, numbers = circle(count), np.arange(count)
    products = points[:, None] * points
    roots = points[np.add.outer(numbers, numbers) % count]
    assert np.abs(products - roots).max() <= 3.0 * EPS
    assert np.abs(np.abs(points) - 1.0).max() <= EPS


def test_the_roots_in_between_are_those_of_an_exponential():
    assert circle(4).tolist() == [1.0, 1.0j, -1.0, -1.0j]
    assert np.allclose(circle(7), np.exp(2j * np.pi * np.arange(7) / 7), rtol=0.0, atol=8 * EPS)
