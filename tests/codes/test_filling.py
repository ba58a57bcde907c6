"""Ways to fill in: what each makes of the lost, and that leaving out is filling in."""

import numpy as np
import pytest
from numpy.typing import NDArray

from anyk.codes.curves.filling import (
    AbstractFilling,
    CubicCurve,
    GaussianField,
    KnownMean,
    NearestPoint,
    NearPoints,
    StraightLines,
)
from anyk.codes.curves.ordering import pairwise_distances
from anyk.codes.curves.polyline import polyline_leave_one_out, polyline_weights

Floats = NDArray[np.float64]
RNG = np.random.default_rng(0)
POINTS = np.sort(RNG.normal(size=20))
DISTANCES = np.abs(POINTS[:, None] - POINTS)
WAYS = (
    StraightLines(positions=POINTS),
    CubicCurve(positions=POINTS),
    NearPoints(distances=DISTANCES, power=8.0),
    GaussianField(distances=DISTANCES, reach=4.0),
    NearestPoint(distances=DISTANCES),
    KnownMean(),
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: type(way).__name__)
def test_leaving_one_out_is_filling_it_in_from_the_others(way: AbstractFilling) -> None:
    known = np.array([0, 1, 3, 4, 6, 9, 10, 12, 15, 19])
    values = np.random.default_rng(1).normal(size=(10, 2))
    left_out = way.left_out(known, values)
    for i in range(10):
        others = np.delete(np.arange(10), i)
        guess = way.fill(known[others], values[others], known[[i]])
        if isinstance(way, GaussianField):  # its reach is that of all the known points
            length = way._length(DISTANCES[np.ix_(known, known)])
            fewer = way._length(DISTANCES[np.ix_(known[others], known[others])])
            if length != fewer:
                continue
        np.testing.assert_allclose(left_out[i], values[i] - guess[0], atol=1e-5)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: type(way).__name__)
def test_a_constant_stays_and_one_value_is_taken_for_all(way: AbstractFilling) -> None:
    known, lost = np.array([2, 5, 6, 11, 17]), np.array([0, 3, 12, 19])
    np.testing.assert_allclose(way.fill(known, np.full((5, 1), 7.0), lost), 7.0)
    np.testing.assert_allclose(way.fill(known[:1], np.array([[7.0]]), lost), 7.0)


def test_points_nearer_than_rounding_do_no_harm() -> None:
    rng = np.random.default_rng(5)
    for spread in (0.0, 1e-12, 1e-9, 1e-7, 1e-5):
        clusters = np.repeat(rng.normal(size=(5, 3)), 60, axis=0)
        distances = pairwise_distances(clusters + spread * rng.normal(size=clusters.shape))
        known, lost = np.arange(0, 300, 2), np.arange(1, 300, 2)
        values = clusters[:, :1]
        for reach in (2.0, 8.0):
            way = GaussianField(distances=distances, reach=reach)
            np.testing.assert_allclose(
                way.fill(known, values[known], lost), values[lost], atol=2e-3
            )
            assert np.isfinite(way.left_out(known, values[known])).all()


def test_each_way_fits_its_own_kind_of_function() -> None:
    places = np.arange(20)
    lost = np.array([7, 12, 15])
    known = np.delete(places, lost)
    errors = {}
    for name, f in {"smooth": np.sin(2.0 * POINTS), "jump": np.sign(POINTS - POINTS[9])}.items():
        for way in WAYS:
            guess = way.fill(known, f[known, None], lost)[:, 0]
            errors[name, type(way).__name__] = np.abs(guess - f[lost]).max()
    assert errors["smooth", "GaussianField"] < 0.1 * errors["smooth", "NearPoints"]
    assert errors["smooth", "CubicCurve"] < errors["smooth", "StraightLines"]
    assert errors["jump", "NearPoints"] < errors["jump", "CubicCurve"]


def test_a_polyline_is_numpys_interpolation() -> None:
    knots, targets = np.array([0.0, 1.0, 4.0, 4.5]), np.linspace(-1.0, 6.0, 30)
    values = np.array([1.0, -2.0, 0.5, 3.0])
    weights = polyline_weights(knots, targets)
    np.testing.assert_allclose(weights @ values, np.interp(targets, knots, values))
    np.testing.assert_allclose(weights.toarray().sum(axis=1), 1.0)
    np.testing.assert_allclose(polyline_weights(knots[:1], targets) @ values[:1], values[0])


def test_a_polyline_of_one_knot_predicts_nothing() -> None:
    assert np.isinf(polyline_leave_one_out(np.zeros(1), np.ones((1, 2)))).all()
    ends = polyline_leave_one_out(np.array([0.0, 1.0]), np.array([[1.0], [3.0]]))
    np.testing.assert_array_equal(ends, [[-2.0], [2.0]])
