"""Weights by distance: they sum to 1, repeat what is known, and leave out what is left out."""

import numpy as np
import pytest
from numpy.typing import NDArray

from anyk.codes.curves.ordering import pairwise_distances
from anyk.codes.curves.scattered import (
    inverse_distance_weights,
    kriging_weights,
    left_out_by_kriging,
    nearest_weights,
)

Floats = NDArray[np.float64]


def between(a: Floats, b: Floats) -> Floats:
    return np.linalg.norm(a[:, None] - b[None], axis=2)


@pytest.mark.parametrize("power", [1.0, 4.0, 16.0])
def test_inverse_distances_are_shepards_formula_over_eight_points(power: float) -> None:
    rng = np.random.default_rng(0)
    towards = rng.uniform(0.5, 2.0, size=(5, 20))
    weights = inverse_distance_weights(towards, power=power)
    for row, distances in zip(weights, towards, strict=True):
        near = np.argsort(distances)[:8]
        expected = np.zeros(20)
        expected[near] = distances[near] ** -power / np.sum(distances[near] ** -power)
        np.testing.assert_allclose(row, expected, rtol=1e-12)


def test_a_point_at_distance_zero_takes_all_and_two_share() -> None:
    one = inverse_distance_weights(np.array([[0.0, 1.0, 2.0]]), power=4.0)
    np.testing.assert_allclose(one, [[1.0, 0.0, 0.0]], atol=1e-12)
    two = inverse_distance_weights(np.array([[0.0, 0.0, 2.0]]), power=4.0)
    np.testing.assert_allclose(two, [[0.5, 0.5, 0.0]], atol=1e-12)
    same = inverse_distance_weights(np.zeros((1, 4)), power=16.0)
    np.testing.assert_allclose(same, 0.25)


def test_the_nearest_point_takes_all_and_equals_share() -> None:
    rng = np.random.default_rng(3)
    towards = rng.uniform(0.5, 2.0, size=(5, 20))
    np.testing.assert_array_equal(nearest_weights(towards).argmax(axis=1), towards.argmin(axis=1))
    assert nearest_weights(towards).max(axis=1).tolist() == [1.0] * 5
    towards[0, [3, 9]] = 0.1
    assert nearest_weights(towards)[0, [3, 9]].tolist() == [0.5, 0.5]
    np.testing.assert_array_equal(nearest_weights(np.zeros((1, 4))), np.full((1, 4), 0.25))


def test_kriging_solves_the_equations_of_ordinary_kriging() -> None:
    """The textbook's system: covariances bordered by ones, with a Lagrange multiplier."""
    rng = np.random.default_rng(1)
    points, targets = rng.normal(size=(15, 3)), rng.normal(size=(4, 3))
    bordered = np.ones((16, 16))
    bordered[:15, :15] = np.exp(-0.5 * (between(points, points) / 0.7) ** 2) + 1e-6 * np.eye(15)
    bordered[15, 15] = 0.0
    right = np.ones((16, 4))
    right[:15] = np.exp(-0.5 * (between(points, targets) / 0.7) ** 2)
    expected = np.linalg.solve(bordered, right)[:15].T
    weights = kriging_weights(between(points, points), between(targets, points), reach=0.7)
    np.testing.assert_allclose(weights, expected, atol=1e-8)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)


@pytest.mark.parametrize("reach", [0.5, 2.0])
def test_leaving_one_out_is_kriging_from_the_others(reach: float) -> None:
    rng = np.random.default_rng(2)
    points, values = rng.normal(size=(12, 2)), rng.normal(size=(12, 3))
    distances = between(points, points)
    left_out = left_out_by_kriging(distances, reach=reach) @ values
    for i in range(12):
        others = np.delete(np.arange(12), i)
        weights = kriging_weights(
            distances[np.ix_(others, others)], distances[[i]][:, others], reach=reach
        )
        np.testing.assert_allclose(
            left_out[i], values[i] - (weights @ values[others])[0], atol=1e-6
        )


def test_kriging_of_a_smooth_function_is_far_better_than_the_nearest_point() -> None:
    rng = np.random.default_rng(3)
    points, targets = rng.uniform(size=(60, 2)), rng.uniform(0.2, 0.8, size=(20, 2))
    towards = between(targets, points)

    def f(x: Floats) -> Floats:
        return np.sin(3.0 * x[:, :1] + x[:, 1:] ** 2)

    guess = kriging_weights(between(points, points), towards, reach=0.4) @ f(points)
    nearest = f(points)[towards.argmin(axis=1)]
    assert np.abs(guess - f(targets)).max() < 0.02 * np.abs(nearest - f(targets)).max()


def test_equal_points_do_no_harm() -> None:
    same = np.zeros((6, 6))
    np.testing.assert_allclose(kriging_weights(same, same[:1], reach=1.0), 1 / 6, atol=1e-6)
    assert np.isfinite(left_out_by_kriging(same, reach=1.0)).all()


def test_pairwise_distances_are_distances_up_to_a_factor() -> None:
    points = np.random.default_rng(4).normal(size=(9, 5)) + 3.0
    for size in (1.0, 1e300):
        ratio = pairwise_distances(size * points) / np.where(
            np.eye(9), 1.0, between(points, points)
        )
        off = ratio[~np.eye(9, dtype=bool)]
        np.testing.assert_allclose(off, off[0], rtol=1e-6)
        assert (np.diag(ratio) == 0.0).all()
