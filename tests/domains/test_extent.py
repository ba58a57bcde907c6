"""The algebra of extents, against intervals and against every pair of small numbers."""

import itertools
import pickle
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import anyk
from anyk.domains.extent import Extent, constant_extent

SMALL = st.builds(
    Extent,
    degree=st.integers(0, 3),
    bits=st.integers(0, 3),
    bound=st.integers(0, 4),
    error=st.integers(0, 3),
)


def cases(extent):
    """The integers that elements may stand for, and the numbers they may have been rounded from."""
    half = Fraction(extent.error, 2)
    for whole in {-extent.bound, 0, extent.bound}:
        for true in {whole - half, whole, whole + half}:
            yield Fraction(whole, 2**extent.bits), true / 2**extent.bits


def holds(extent, whole, true):
    """Whether an element and what it was rounded from are within an extent."""
    unit = 2**extent.bits
    return (
        (whole * unit).denominator == 1
        and abs(whole * unit) <= extent.bound
        and abs(whole - true) * unit * 2 <= extent.error
    )


@given(SMALL, SMALL, st.integers(1, 3))
def test_bounds_and_errors_hold_whatever_the_numbers(one, other, number):
    for (a, t), (b, u) in itertools.product(cases(one), cases(other)):
        assert holds(one.plus(other), a + b, t + u)
        assert holds(one.plus(other), a - b, t - u)
        assert holds(one.times(other), a * b, t * u)
        assert holds(one.times(other, number), number * a * b, number * t * u)
        assert holds(one.summed(number), number * a, number * t)
        assert holds(one.joined(other), a, t)
        assert holds(one.joined(other), b, u)
        assert holds(one.power(number), a**number, t**number)
        assert holds(one.divided(number), a / 2**number, t / 2**number)
        assert holds(one.aligned(one.bits + number), a, t)
    assert one.power(0) == Extent(0, 0, 1)


@given(SMALL, SMALL)
def test_degrees_are_those_of_polynomials(one, other):
    assert one.plus(other).degree == one.joined(other).degree == max(one.degree, other.degree)
    assert one.times(other).degree == one.degree + other.degree
    assert one.power(3).degree == 3 * one.degree
    plain, others = Extent(one.degree), Extent(other.degree)
    assert plain.plus(others).degree == plain.joined(others).degree == one.plus(other).degree
    assert plain.times(others) == Extent(one.degree + other.degree)


def test_what_no_primes_hold_is_refused_by_all_operations():
    x = Extent(1, 4, 1 << 2100, 1)
    nearly = Extent(1, 4, (1 << 4096) - 1, 1)
    assert nearly.joined(x) == nearly
    for wide in (
        lambda: x.times(x), lambda: x.power(2), lambda: nearly.summed(2), lambda: nearly.aligned(5),
        lambda: nearly.plus(x), lambda: nearly.times(constant_extent(2, x)),
    ):  # fmt: skip
        with pytest.raises(anyk.WouldWrap, match="no primes hold more than 4096 bits"):
            wide()


def test_a_power_without_end_is_refused_at_once():
    with pytest.raises(anyk.WouldWrap):
        Extent(0, 0, 3).power(10**12)
    assert Extent(0, 0, 1).power(1000).bound == 1


def test_plain_field_elements_and_fixed_point_do_not_mix():
    with pytest.raises(anyk.InvalidArgument, match="one kind"):
        Extent(1).plus(Extent(1, 4, 3))


@pytest.mark.parametrize(
    "error", [anyk.DegreeTooHigh(degree=3, promised=2), anyk.WouldWrap(bits=9, limit=3)]
)
def test_errors_keep_their_numbers_through_pickle(error):
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__
