"""Error estimates see gaps, ends and rounding."""

import numpy as np
import pytest
from numpy.typing import NDArray

from anyk.codes.curves.accuracy import estimate_errors, excess_of_few, unseen_error
from anyk.codes.curves.splines import smoothing_spline

Floats = NDArray[np.float64]


def estimates(places: Floats, values: Floats, targets: Floats) -> Floats:
    spline = smoothing_spline(places)
    return estimate_errors(
        places=places,
        targets=targets,
        values=values,
        left_out=spline.fit(values).leave_one_out(),
        predict=lambda kept: smoothing_spline(places[kept]).fit(values[kept]).at(places[~kept]),
    )


def estimated(places: Floats, values: Floats, targets: Floats) -> float:
    return float(np.sqrt(np.mean(estimates(places, values, targets) ** 2)))


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


def test_each_target_has_an_estimate_of_its_own() -> None:
    places = np.delete(np.arange(60.0), np.arange(20, 30))
    values = np.sin(places / 3.0)[:, None]
    errors = estimates(places, values, np.array([10.5, 25.0, 40.5]))
    assert errors[1] > 30.0 * max(errors[0], errors[2])
    assert estimates(places, values, places[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("answers", "places"),
    [
        ("the same", []),
        ("a step", [10]),
        ("one that differs", [10, 11]),
        ("at an end", [0, 1]),
    ],
)
def test_where_nothing_or_little_varied_the_rule_of_three_holds(
    answers: str, places: list[int]
) -> None:
    values = np.ones((20, 3))
    for place in places:
        values[place:] *= -1.0
    values += 1e-12 * np.random.default_rng(0).normal(size=values.shape)
    assert unseen_error(values, 1) == pytest.approx(2.0), answers
    several = [unseen_error(values, targets) for targets in (5, 20, 400)]
    assert several == pytest.approx([2.0 * np.sqrt(share) for share in (1 / 5, 3 / 20, 3 / 20)])
    assert unseen_error(values[:2], 9) == pytest.approx(2.0)


def test_the_more_is_seen_the_less_may_be_unseen() -> None:
    errors = [unseen_error(np.ones((seen, 1)), 30) for seen in (10, 30, 90, 900)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] > 0.3


def test_answers_that_vary_all_along_are_evidence() -> None:
    rng = np.random.default_rng(1)
    for values in (np.arange(20.0), rng.normal(size=20), 1e6 + np.sin(np.arange(20.0))):
        assert unseen_error(values[:, None], 5) == 0.0
    saturated = 1.0 / (1.0 + np.exp(-np.linspace(2.0, 40.0, 20)))  # the last are 1 to rounding
    assert unseen_error(saturated[:, None], 1) > 1.9


def test_few_answers_on_a_line_may_not_be_on_a_line() -> None:
    line = np.arange(20.0)[:, None]
    for seen in (4, 5, 7):
        assert unseen_error(line[:seen], 1, left_out=0.0 * line[:seen]) > line[seen - 1, 0]
    assert unseen_error(line[:7], 1, left_out=0.0 * line[:7] + 1e-3) == 0.0
    assert unseen_error(line[:8], 1, left_out=0.0 * line[:8]) == 0.0


def test_zeros_have_no_size_and_no_numbers_no_error() -> None:
    assert unseen_error(np.zeros((20, 3)), 1) == np.inf
    assert unseen_error(np.zeros((20, 0)), 1) == 0.0


def test_steps_from_group_to_group_do_not_count() -> None:
    groups = np.repeat(np.arange(10), 3)
    values = groups[:, None] * 1.0
    assert unseen_error(values, 10) == 0.0
    assert unseen_error(values, 10, groups=groups) > 1.0


def test_few_squares_may_exceed_their_mean() -> None:
    rng = np.random.default_rng(0)
    left_out = np.where(rng.random((4000, 1)) < 0.1, 1.0, 0.01)  # a few large errors
    for few in (4, 25):
        means = np.mean(rng.choice(left_out[:, 0] ** 2, size=(4000, few)), axis=1)
        bound = excess_of_few(left_out, few) * np.mean(left_out**2)
        assert bound > np.mean(left_out**2)
        assert np.mean(means <= bound) > 0.9
    assert excess_of_few(np.zeros((5, 2)), 3) == 1.0
