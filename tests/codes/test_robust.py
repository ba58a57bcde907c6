"""Rows off a curve: found alone and side by side, and honest rows left in peace."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from anyk.codes.locators.curve import locate
from anyk.codes.locators.tracking import follow

Floats = NDArray[np.float64]
KNOTS = np.linspace(-1.0, 1.0, 50)
LIARS = (3, 4, 17, 30, 44)


def walk(seed: int, count: int = 50, columns: int = 6) -> Floats:
    """Curves as rough as a network's: their slopes are random walks."""
    rng = np.random.default_rng(seed)
    return np.cumsum(np.cumsum(rng.normal(size=(count, columns)), axis=0), axis=0)


def found(values: Floats, most: int, knots: Floats = KNOTS) -> tuple[int, ...]:
    return locate(knots, values, most).named


@pytest.mark.parametrize("seed", range(5))
def test_rows_far_off_a_rough_curve_are_found(seed: int) -> None:
    values = walk(seed)
    values[list(LIARS)] += 40.0 * np.random.default_rng(seed).normal(size=(5, 6))
    assert found(values, 5) == LIARS


@pytest.mark.parametrize("seed", range(5))
def test_liars_side_by_side_who_add_the_same_are_found(seed: int) -> None:
    values = walk(seed)
    values[20:24] += 60.0
    assert found(values, 5) == (20, 21, 22, 23)


def test_of_few_rows_too() -> None:
    knots = np.linspace(-1.0, 1.0, 8)
    values = np.stack([knots, 1.0 - 2.0 * knots], axis=1)
    values[5] += 1.0
    assert found(values, 1, knots) == (5,)


SMOOTH: list[Callable[[Floats], Floats]] = [
    np.sin, np.abs, np.exp, np.square, lambda x: x * np.sin(6.0 * x), lambda x: np.tanh(5.0 * x),
    lambda x: 3.0 * x, np.ones_like, lambda x: 1.0 / (1.0 + 25.0 * x * x),
]  # fmt: skip


@pytest.mark.parametrize("function", SMOOTH)
def test_nobody_is_accused_on_an_honest_function(function: Callable[[Floats], Floats]) -> None:
    located = locate(KNOTS, function(KNOTS[:, None]), 5)
    assert not located.named
    assert not located.exceeded


@pytest.mark.parametrize("seed", range(20))
def test_nobody_is_accused_on_a_rough_one(seed: int) -> None:
    located = locate(KNOTS, walk(seed), 5)
    assert not located.named
    assert not located.exceeded


@pytest.mark.parametrize("function", SMOOTH)
def test_lone_liars_are_found_on_a_smooth_function(function: Callable[[Floats], Floats]) -> None:
    values = function(KNOTS[:, None])
    values[[9, 27, 40]] += 0.7
    located = locate(KNOTS, values, 5)
    assert located.removed == (9, 27, 40)
    assert set(located.named) <= {9, 27, 40}
    assert not located.exceeded


@pytest.mark.parametrize("function", [each for each in SMOOTH if each is not np.ones_like])
def test_and_named_where_they_are_far_off(function: Callable[[Floats], Floats]) -> None:
    values = function(KNOTS[:, None])
    values[[9, 27, 40]] += 10.0
    assert found(values, 5) == (9, 27, 40)


def test_where_all_others_are_the_same_who_differs_is_left_out_and_not_named() -> None:
    for level in (0.0, 1.0):
        values = np.full((50, 3), level)
        values[27, 1] += 1.0  # as a function that is 1 for a few of its arguments
        located = locate(KNOTS, values, 5)
        assert located.removed == (27,)
        assert located.named == ()
        assert not located.exceeded


def test_noise_in_all_the_answers_is_no_lie() -> None:
    rng = np.random.default_rng(0)
    noisy = np.sin(3.0 * KNOTS)[:, None] + 0.05 * rng.normal(size=(50, 4))
    assert found(noisy, 5) == ()
    noisy[[8, 9, 33]] += 2.0
    assert found(noisy, 5) == (8, 9, 33)


def test_what_the_curve_is_added_to_and_its_size_do_not_matter() -> None:
    values = walk(1)
    values[list(LIARS)] += 40.0 * np.random.default_rng(1).normal(size=(5, 6))
    assert found(1e-9 * values, 5) == found(1e9 * values, 5) == LIARS
    assert found(values + 100.0 * KNOTS[:, None] - 5.0, 5) == LIARS
    assert found(values[::-1], 5) == tuple(sorted(49 - liar for liar in LIARS))
    assert found(values, 5, 7.0 + 0.1 * KNOTS) == LIARS


def test_at_most_so_many_are_named_and_more_are_said_to_be_there() -> None:
    values = np.sin(3.0 * KNOTS[:, None] + np.arange(4.0))
    values[[5, 12, 20, 28]] += np.random.default_rng(0).normal(size=(4, 4))
    assert found(values, 4) == (5, 12, 20, 28)
    assert not locate(KNOTS, values, 4).exceeded
    located = locate(KNOTS, values, 3)
    assert located.exceeded
    assert len(located.named) <= 3


def test_a_lie_as_small_as_the_curve_is_rough_is_not_seen() -> None:
    values = walk(2)
    values[25] += 0.3
    assert found(values, 5) == ()


def test_many_rows_are_cut_in_stretches() -> None:
    knots = np.linspace(-1.0, 1.0, 1500)
    values = np.sin(20.0 * knots[:, None] + np.arange(3.0)) + 1e-6 * walk(3, 1500, 3)
    liars = [0, 63, 64, 65, 700, 1498]
    values[liars] += np.random.default_rng(0).normal(size=(6, 3))
    assert found(values, 8, knots) == tuple(liars)


def test_stretches_side_by_side_are_as_one_by_one() -> None:
    places = np.tile(np.arange(30.0), (4, 1))
    values = np.stack([walk(seed, 30, 2) for seed in range(4)])
    values[1, 7] += 30.0
    values[3, 20:22] -= 30.0
    together = follow(places, values, rates=2.0 + 0.0 * places, noise=0.0, price=12.0)
    assert np.argwhere(together).tolist() == [[1, 7], [3, 20], [3, 21]]
    for one in range(4):
        part = slice(one, one + 1)
        alone = follow(places[part], values[part], rates=2.0 + 0.0 * places[part], noise=0.0,
                       price=12.0)  # fmt: skip
        np.testing.assert_array_equal(alone[0], together[one])


def test_a_high_price_lets_all_be_believed() -> None:
    values = walk(4, 30, 2)[None]
    values[0, 7] += 30.0
    places = np.arange(30.0)[None]
    assert not follow(places, values, rates=2.0 + 0.0 * places, noise=0.0, price=1e9).any()
