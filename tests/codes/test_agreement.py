"""When copies of one answer agree."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anyk
from anyk.codes.agreement import ROUNDINGS, SINGLE, Agreement

DOUBLE = ROUNDINGS * float(np.finfo(np.float64).eps)


def _jittered(values, relative, rng):
    """Off by so much of the norm, in a random direction."""
    direction = rng.normal(size=values.shape)
    size = np.linalg.norm(values) / np.linalg.norm(direction)
    return values + relative * size * direction


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1.0, 1e12, 1e300])
@pytest.mark.parametrize(("share", "agree"), [(0.5, True), (0.9, True), (1.1, False), (1e3, False)])
def test_doubles_agree_up_to_512_roundings_of_their_norm(rng, scale, share, agree):
    values = rng.normal(size=50)
    other = _jittered(values, share * DOUBLE, rng)
    assert Agreement().agree(scale * values, scale * other) == agree
    assert Agreement().agree(scale * values * (1 + 2j), scale * other * (1 + 2j)) == agree


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_single_precision_holds_may_differ_by_its_roundings(rng, dtype):
    values = rng.normal(size=50).astype(np.float32)
    near = _jittered(values, 0.5 * SINGLE, rng).astype(np.float32)
    far = _jittered(values, 2.0 * SINGLE, rng).astype(np.float32)
    assert Agreement().agree(values.astype(dtype), near.astype(dtype))
    assert not Agreement().agree(values.astype(dtype), far.astype(dtype))


def test_the_finer_of_two_counts_so_that_a_liar_can_not_widen_it(rng):
    values = rng.normal(size=50)
    lie = _jittered(values, 0.5 * SINGLE, rng).astype(np.float32).astype(np.float64)
    assert not Agreement().agree(values, lie)


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.complex128, np.bool_])
def test_whole_numbers_are_equal_or_not(dtype):
    values = np.array([1, 0, 1, 1] * 1000).astype(dtype)
    other = values.copy()
    assert Agreement().agree(values, other)
    other[-1] = 0
    assert not Agreement().agree(values, other)


def test_large_whole_numbers_that_single_precision_does_not_hold_are_equal_or_not():
    values = np.array([10.0**12 + 1, 3.0])
    assert not Agreement().agree(values, values + np.array([1.0, 0.0]))


def test_a_whole_number_beside_a_rounded_one():
    assert Agreement().agree(np.array([1.0, 0.0]), np.array([1.0, 1e-17]))
    assert Agreement().agree(np.array([1.0, 0.0]), np.array([1.0 - 2.0**-24, 2.0**-24]))


def test_not_a_number_and_infinity_stand_in_the_same_places():
    values = np.array([0.1, np.nan, np.inf, 0.3])
    near = values + np.array([1e-16, 0.0, 0.0, -1e-16])
    assert Agreement().agree(values, near)
    assert not Agreement().agree(values, near[[1, 0, 2, 3]])
    assert not Agreement().agree(values, values * [1, 1, -1, 1])
    assert not Agreement().agree(np.array([0.1, 0.2]), np.array([0.1, np.nan]))


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        (np.array([]), np.array([]), True),
        (np.zeros(3), np.zeros(3), True),
        (np.zeros(3), np.zeros(4), False),
        (np.zeros(3), np.full(3, 5e-324), False),
        (np.full(3, 5e-324), np.full(3, 5e-324), True),
        (np.array(["a"]), np.array(["a"]), True),
        (np.array(["a"]), np.array(["b"]), False),
        (np.array([1.5]), np.array([1.5 + 0j]), False),
        (np.array([2**62]), np.array([2**62 + 1]), False),
        (np.full(9, 1.7e308), np.full(9, -1.7e308), False),
    ],
)
def test_edges(one, other, agree):
    with np.errstate(all="raise"):
        assert Agreement().agree(one, other) == agree


def test_entries_that_are_nearly_nothing_may_lose_all_their_digits():
    values = np.array([1e3, 1e-13])
    assert Agreement().agree(values, values * [1.0, -1.0])


def test_rtol_is_obeyed(rng):
    values = rng.normal(size=50)
    near = _jittered(values, 0.9e-3, rng)
    assert Agreement(1e-3).agree(values, near)
    assert not Agreement(0.8e-3).agree(values, near)
    assert not Agreement(0.0).agree(values, np.nextafter(values, np.inf))
    assert Agreement(0).rtol == 0.0


def test_a_floor_is_for_all_but_whole_numbers(rng):
    values = rng.normal(size=50)
    near, lenient = _jittered(values, 0.9e-6, rng), Agreement(floor=1e-6)
    assert lenient.agree(values, near)
    assert not Agreement().agree(values, near)
    assert not lenient.agree(np.array([2.0**21]), np.array([2.0**21 + 1.0]))


@pytest.mark.parametrize("rtol", [-1e-9, math.nan, math.inf, "1e-3", True, 1j])
def test_rtol_is_checked(rtol):
    with pytest.raises(anyk.InvalidArgument, match="rtol"):
        Agreement(rtol)


def test_the_copy_nearest_to_the_others_is_chosen():
    copies = [np.array([1.0 + shift, 0.5]) for shift in (3e-14, 0.0, 1e-14, 1e-6)]
    majority = Agreement().majority(copies, 2)
    assert majority.chosen == 2
    assert majority.agreeing == (0, 1, 2)
    assert majority.alike == 1
    assert not majority.known(1)
    assert 1e-14 < majority.spread < 3e-14


def test_known_is_what_most_tell_to_the_bit_and_more_than_may_lie():
    a, b = np.array([1.0, 0.5]), np.array([1.0 + 1e-15, 0.5])
    for copies, least, known in [
        ([a], 1, True),
        ([a, b], 1, False),
        ([a, a, b], 1, True),
        ([a, a, b], 2, True),
        ([a, a, b], 3, False),
        ([a, a, b, b], 2, False),
    ]:
        assert Agreement().majority(copies, least).known(least) is known


@given(st.lists(st.integers(0, 2), max_size=7), st.integers(1, 4))
def test_a_majority_is_found_where_there_is_one(told, least):
    copies = [np.array([0.1, float(each)]) for each in told]
    majority = Agreement().majority(copies, least)
    counts = [told.count(each) for each in range(3)]
    assert (majority is None) == (max(counts) < least)
    if majority:
        assert len(majority.agreeing) == max(counts)
        assert {told[place] for place in majority.agreeing} == {told[majority.chosen]}
        assert majority.spread == 0.0


def test_order_of_the_copies_does_not_matter():
    values = [1.0, 1.0 + 1e-14, 1.0 + 5e-14, 2.0]
    for order in itertools.permutations(values):
        majority = Agreement().majority([np.array([each, 0.3]) for each in order], 2)
        assert order[majority.chosen] == 1.0 + 1e-14
