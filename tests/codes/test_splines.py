"""Smoothing splines against scipy, against their definition, and against themselves refitted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, make_smoothing_spline

from anyk.codes.curves.splines import gcv_candidates, smoothing_spline
from anyk.errors import InvalidArgument

Floats = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)


def knots_of(rng: np.random.Generator, count: int) -> Floats:
    return np.cumsum(rng.uniform(0.2, 1.0, count))


@pytest.mark.parametrize("count", [3, 4, 5, 17])
def test_interpolation_is_scipys_natural_spline(count: int) -> None:
    rng = np.random.default_rng(count)
    knots, values = knots_of(rng, count), rng.normal(size=(count, 3))
    targets = np.linspace(knots[0], knots[-1], 50)
    expected = CubicSpline(knots, values, bc_type="natural")(targets)
    found = smoothing_spline(knots).fit(values).at(targets)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("spread", [1.0, 4.0])
@pytest.mark.parametrize("smoothing", [1e-4, 1e-2, 1.0])
def test_smoothing_is_scipys_with_n_times_lambda(smoothing: float, spread: float) -> None:
    rng = np.random.default_rng(1)
    knots, values = knots_of(rng, 20), rng.normal(size=20)
    weights = rng.uniform(1.0, spread, 20)
    targets = np.linspace(knots[0], knots[-1], 50)
    expected = make_smoothing_spline(knots, values, w=weights, lam=20 * smoothing)(targets)
    spline = smoothing_spline(knots, smoothing=smoothing, weights=weights)
    np.testing.assert_allclose(spline.fit(values[:, None]).at(targets)[:, 0], expected, atol=1e-10)


def test_it_is_linear_outside_the_knots_and_has_no_kink_there() -> None:
    knots = np.array([0.0, 1.0, 2.0, 4.0])
    fit = smoothing_spline(knots).fit(np.array([[0.0], [2.0], [-1.0], [1.0]]))
    for end, out in ((0.0, -1.0), (4.0, 1.0)):
        line = fit.at(end + out * np.array([1.0, 2.0, 3.0]))[:, 0]
        assert np.diff(line, 2) == pytest.approx(0.0, abs=1e-12)
        step = 1e-6
        inside, outside = fit.at(np.array([end - out * step, end + out * step]))[:, 0]
        slope_inside = (fit.at(np.array([end]))[0, 0] - inside) / step
        assert slope_inside == pytest.approx((outside - fit.at(np.array([end]))[0, 0]) / step, 1e-4)


def test_one_knot_is_a_constant_and_two_are_a_line() -> None:
    one = smoothing_spline(np.array([3.0])).fit(np.array([[5.0]]))
    assert one.at(np.array([-1.0, 9.0])).ravel().tolist() == [5.0, 5.0]
    assert np.isinf(one.leave_one_out()).all()
    two = smoothing_spline(np.array([0.0, 2.0]), smoothing=3.0).fit(np.array([[1.0], [2.0]]))
    assert two.at(np.array([-2.0, 1.0, 4.0])).ravel().tolist() == [0.0, 1.5, 3.0]
    assert two.leave_one_out().ravel().tolist() == [-1.0, 1.0]
    assert two.gcv() == one.gcv() == 0.0


@given(SEEDS, st.integers(2, 40), st.sampled_from([0.0, 1e-6, 1e-2, 1e2]))
def test_straight_lines_are_reproduced(seed: int, count: int, smoothing: float) -> None:
    rng = np.random.default_rng(seed)
    knots, targets = knots_of(rng, count), rng.uniform(-5.0, 30.0, 7)
    slope, height = rng.normal(size=(2, 4))
    found = smoothing_spline(knots, smoothing=smoothing).fit(knots[:, None] * slope + height)
    np.testing.assert_allclose(found.at(targets), targets[:, None] * slope + height, atol=1e-7)


@given(SEEDS, st.integers(1, 30), st.sampled_from([0.0, 1e-3]))
def test_the_operator_is_linear_and_agrees_with_its_matrix(
    seed: int, count: int, smoothing: float
) -> None:
    rng = np.random.default_rng(seed)
    spline = smoothing_spline(knots_of(rng, count), smoothing=smoothing)
    values, targets = rng.normal(size=(count, 5)), rng.uniform(-2.0, 20.0, 9)
    np.testing.assert_allclose(
        spline.fit(values).at(targets), spline.matrix(targets) @ values, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("smoothing", [0.0, 1e-4, 1e-2])
@pytest.mark.parametrize("count", [3, 4, 5, 12])
def test_leave_one_out_is_a_fit_without_that_knot(count: int, smoothing: float) -> None:
    rng = np.random.default_rng(count)
    knots, values = knots_of(rng, count), rng.normal(size=(count, 2))
    weights = rng.uniform(0.5, 2.0, count)
    fit = smoothing_spline(knots, smoothing=smoothing, weights=weights).fit(values)
    for i in range(count):
        rest = np.arange(count) != i
        without = smoothing_spline(  # n lambda is what is kept
            knots[rest], smoothing=smoothing * count / (count - 1), weights=weights[rest]
        ).fit(values[rest])
        expected = values[i] - without.at(knots[i : i + 1])[0]
        np.testing.assert_allclose(fit.leave_one_out()[i], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("smoothing", [1e-5, 1e-2])
def test_slack_is_one_minus_leverage_over_penalty(smoothing: float) -> None:
    knots = knots_of(np.random.default_rng(3), 25)
    spline = smoothing_spline(knots, smoothing=smoothing)
    hat = spline.matrix(knots)
    np.testing.assert_allclose(spline.slack * spline.penalties, 1.0 - np.diag(hat), rtol=1e-6)


def test_gcv_is_its_definition_and_continuous_at_zero() -> None:
    rng = np.random.default_rng(4)
    knots, values = np.linspace(-1.0, 1.0, 30), rng.normal(size=(30, 2))
    spline = smoothing_spline(knots, smoothing=1e-3)
    rest = np.eye(30) - spline.matrix(knots)
    expected = 30 * np.sum((rest @ values) ** 2) / np.trace(rest) ** 2
    assert spline.fit(values).gcv() == pytest.approx(expected)
    near = smoothing_spline(knots, smoothing=1e-12).fit(values).gcv()
    assert smoothing_spline(knots).fit(values).gcv() == pytest.approx(near, rel=1e-4)


def test_gcv_prefers_smoothing_for_noise_and_none_for_a_smooth_function() -> None:
    knots = np.linspace(-1.0, 1.0, 200)
    smooth = np.sin(3.0 * knots)[:, None]
    noisy = smooth + 0.3 * np.random.default_rng(5).normal(size=smooth.shape)
    best = [
        min(
            gcv_candidates(knots),
            key=lambda lam: smoothing_spline(knots, smoothing=lam).fit(y).gcv(),
        )
        for y in (smooth, noisy)
    ]
    assert best[0] < 1e-7 < best[1]


@pytest.mark.parametrize(
    "knots", [np.linspace(-1, 1, 5000), np.cos(np.pi * np.arange(3000)[::-1] / 2999)]
)
def test_every_candidate_can_be_solved(knots: Floats) -> None:
    for smoothing in gcv_candidates(knots):
        assert np.isfinite(smoothing_spline(knots, smoothing=smoothing).slack).all()


def test_knots_must_increase() -> None:
    with pytest.raises(InvalidArgument, match="knots"):
        smoothing_spline(np.array([0.0, 1.0, 1.0]))


def test_smoothing_beyond_double_precision_is_refused() -> None:
    knots = np.linspace(-1.0, 1.0, 100_000)
    with pytest.raises(InvalidArgument, match="smoothing"):
        smoothing_spline(knots, smoothing=1.0)
