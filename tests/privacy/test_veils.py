"""Veils: the worst coalitions of their points, by every coalition; and shapes without a cliff."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyk.privacy.coalitions import most_bits_learned
from anyk.privacy.veils import Veil, simplices, thinnest


def distance(points):
    """Of the origin from the flat through the points, by least squares."""
    steps = (points[1:] - points[0]).T
    if not steps.size:
        return np.linalg.norm(points[0])
    along, *_ = np.linalg.lstsq(steps, -points[0], rcond=None)
    return np.linalg.norm(points[0] + steps @ along)


@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_precisions_are_distances_of_flats(copies, dimensions, seed):
    points = np.random.default_rng(seed).normal(size=(copies, dimensions))
    veil = Veil(points=points, most=dimensions)
    for size in range(1, min(copies, dimensions) + 1):
        nearest = min(distance(points[list(who)]) for who in _chosen(copies, size))
        assert veil.precisions[size] == pytest.approx(1.0 / nearest**2, rel=1e-4)


def test_points_through_whose_flat_the_origin_goes_see_all():
    opposite = Veil(points=np.array([[1.0, 0.0], [-2.0, 0.0], [0.0, 1.0]]), most=3)
    assert opposite.precisions.tolist() == [0.0, 1.0, math.inf, math.inf]
    assert Veil(points=np.ones((1, 1)), most=3).precisions.tolist() == [0.0, 1.0, 1.0, 1.0]
    assert thinnest(opposite, colluders=2, blocks=1, veils=1, variance=1.0, bits=9.0) == math.inf


@pytest.mark.parametrize("corners", range(2, 9))
def test_a_simplex_hides_from_all_but_all_of_its_corners(corners):
    precisions = simplices(corners, most=corners).precisions
    expected = [few * (corners - 1) / (corners - few) for few in range(1, corners)]
    np.testing.assert_allclose(precisions[1:-1], expected)
    assert math.isinf(precisions[-1])


@pytest.mark.parametrize("own", [0.1, 0.5])
def test_noise_of_its_own_bounds_what_any_number_of_copies_tell(own):
    veil = simplices(4, shells=((1.0, 0.0), (1.5, 0.2)), own=own, most=8)
    assert (veil.precisions <= np.arange(9) / own**2 * (1.0 + 1e-9)).all()


@pytest.mark.parametrize(("blocks", "veils"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_what_is_told_is_what_the_worst_of_all_coalitions_learns(blocks, veils):
    shape = simplices(4, own=0.2, most=4)
    copies, noises = shape.points.shape
    data = np.kron(np.eye(blocks), np.ones((veils * copies, 1)))
    masks = np.kron(np.eye(blocks * veils), shape.points)
    assert masks.shape[1] == blocks * veils * noises
    told = shape.told(blocks, veils, variance=0.7)
    for size in range(1, 5):
        worst = most_bits_learned(data, masks, size, variance=0.7)
        assert told[size] == pytest.approx(worst.bound, rel=1e-9)


def _chosen(copies, size):
    return itertools.combinations(range(copies), size)
