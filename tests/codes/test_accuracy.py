"""Error estimates see gaps, ends and rounding."""

import numpy as np
from numpy.typing import NDArray

from anyk.codes.curves.accuracy import estimate_error, excess_of_few
from anyk.codes.curves.splines import smoothing_spline

Floats = NDArray[np.float64]


def estimated(places: Floats, values: Floats, targets: Floats) -> float:
    spline = smoothing_spline(places)
    return estimate_error(
        places=places,
        targets=targets,
        values=values,
        left_out=spline.fit(values).leave_one_out(),
        predict=lambda kept: smoothing_spline(places[kept]).fit(values[kept]).at(places[~kept]),
    )


def test_a_target_in_a_gap_or_beyond_the_end_errs_more() -> None:
    every = np.arange(60.0)
    places = every[(every < 20) | (every >= 30)]
    values = np.sin(places / 3.0)[:, None]
    dense = estimated(places, values, np.array([10.5]))
    gap = estimated(places, values, np.array([25.0]))
    end = estimated(places, values, np.array([62.0]))
    assert 30.0 * dense < gap
    assert 30.0 * dense < end


def test_rounding_is_the_least() -> None:
    places = np.arange(20.0)
    error = estimated(places, 5.0 * places[:, None], places[:-1] + 0.5)
    assert 1e-15 < error < 1e-10
    assert estimated(places[:1], np.ones((1, 1)), places) > 0.0
    assert estimated(places, np.zeros((20, 1)), places) < 1e-300
    assert estimated(places, np.zeros((20, 0)), places) == 0.0


def test_two_answers_that_differ_are_not_trusted() -> None:
    assert estimated(np.array([0.0, 5.0]), np.array([[0.0], [1.0]]), np.array([2.0])) > 1.0


def test_no_targets_leave_rounding() -> None:
    places = np.arange(9.0)
    error = estimated(places, np.sign(np.sin(places))[:, None], places[:0])
    assert 0.0 < error < 1e-13


def test_few_squares_may_exceed_their_mean() -> None:
    rng = np.random.default_rng(0)
    left_out = np.where(rng.random((4000, 1)) < 0.1, 1.0, 0.01)  # a few large errors
    for few in (4, 25):
        means = np.mean(rng.choice(left_out[:, 0] ** 2, size=(4000, few)), axis=1)
        bound = excess_of_few(left_out, few) * np.mean(left_out**2)
        assert bound > np.mean(left_out**2)
        assert np.mean(means <= bound) > 0.9
    assert excess_of_few(np.zeros((5, 2)), 3) == 1.0
