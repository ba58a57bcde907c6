"""Residues modulo several primes: the Chinese remainder theorem against Python's integers."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anyk
from anyk.domains.mixed_radix import nearest_floats, signed_integers
from anyk.domains.ring import ResidueRing, further_fields
from anyk.work import Plain
from anyk.works.each_prime import EachPrime

SMALL = ResidueRing(tuple(map(anyk.PrimeField, (3, 5, 7))))


def residues(integers, primes):
    return np.array([[value % prime for prime in primes] for value in integers], dtype=np.int64)


def test_every_residue_of_a_small_ring():
    every = list(range(-(SMALL.modulus // 2), SMALL.modulus // 2 + 1))
    table = residues(every, SMALL.primes)
    assert signed_integers(table, SMALL.primes).tolist() == every
    assert nearest_floats(table, SMALL.primes).tolist() == every
    assert np.array_equal(SMALL.constant(every), table)


@pytest.mark.parametrize("first", [101, 15485863, 2**31 - 1])
@pytest.mark.parametrize("number", [1, 2, 3, 4, 7, 16])
def test_the_chinese_remainder_theorem_against_python(first, number):
    primes = ResidueRing(further_fields(anyk.PrimeField(first), number)).primes
    half = math.prod(primes) // 2
    generator = np.random.default_rng(number)
    sizes = [int(generator.integers(1, half.bit_length())) for _ in range(500)]
    values = [int.from_bytes(generator.bytes(64)) % 2**size for size in sizes]
    ties = [2**shift * (2**53 + 1) + by for shift in range(450) for by in (-1, 0, 1)]
    edges = [half - by for by in range(3)] + [2**k - 1 for k in range(half.bit_length())]
    values = [sign * value for value in (*values, *ties, *edges) for sign in (1, -1)]
    values = [value for value in values if abs(value) <= half]
    table = residues(values, primes)
    assert signed_integers(table, primes).tolist() == values
    assert nearest_floats(table, primes).tolist() == [float(value) for value in values]
    shaped = table[:4].reshape(2, 2, number)
    assert signed_integers(shaped, primes).tolist() == [values[:2], values[2:4]]
    assert nearest_floats(table[0], primes) == float(values[0])


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 6), st.data())
def test_rounding_to_float64_is_correct_for_any_integer(number, data):
    primes = tuple(field.modulus for field in further_fields(anyk.PrimeField(), number))
    half = math.prod(primes) // 2
    value = data.draw(st.integers(-half, half))
    assert nearest_floats(residues([value], primes), primes).tolist() == [float(value)]


def test_further_fields_are_distinct_and_begin_with_the_given_one():
    for first in (anyk.PrimeField(7), anyk.PrimeField(), anyk.PrimeField(2147483629)):
        fields = further_fields(first, 5)
        assert fields[0] == first
        assert len(set(fields)) == 5
        assert all(field.modulus > 2**31 - 200 for field in fields[1:])


def test_the_product_is_that_of_integers():
    generator = np.random.default_rng(0)
    ring = ResidueRing(further_fields(anyk.PrimeField(), 3))
    small, big = (generator.integers(-(2**40), 2**40, shape) for shape in ((2, 5), (5, 3, 4)))
    product = ring.matmul(ring.constant(small), ring.constant(big))
    exact = np.tensordot(small.astype(object), big.astype(object), axes=1)
    assert np.array_equal(signed_integers(product, ring.primes), exact)
    assert product.shape == (2, 3, 4, 3)


def test_present_and_accept_are_undone_by_each_other():
    values = SMALL.constant([[1, -2, 3]])
    shown = SMALL.present(values)
    assert [part.field for part in shown] == list(SMALL.fields)
    assert np.array_equal(SMALL.accept(shown), values)
    square = EachPrime(Plain(lambda x, y, e: (x * y) ** e), (True, False))
    result = SMALL.accept(square([shown], [shown, 2]))
    assert signed_integers(result, SMALL.primes).tolist() == [[1, 16, -24]]  # 81 - 105


@pytest.mark.parametrize(
    "bad", [[1, 2], [[0, 0, 7]], [[-1, 0, 0]], 3, [0.5, 1, 1], np.zeros((2, 4), int), [np.nan] * 3]
)
def test_what_is_no_element_is_refused(bad):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        SMALL.validate(bad, "x")


def test_answers_that_differ_in_shape_are_refused():
    with pytest.raises(anyk.InvalidArgument, match="one shape"):
        SMALL.accept((np.array([1]), np.array([1]), np.array([1, 2])))


@pytest.mark.parametrize("fields", [(), (anyk.PrimeField(2),), (anyk.PrimeField(7),) * 2, (7, 5)])
def test_fields_of_a_ring_are_distinct_and_odd(fields):
    with pytest.raises(anyk.InvalidArgument, match="distinct odd"):
        ResidueRing(fields)


def test_a_ring_is_a_domain():
    ring = ResidueRing(further_fields(anyk.PrimeField(), 2))
    assert ring.exact
    assert ring.dtype == np.int64
    assert Fraction(ring.modulus) == math.prod(ring.primes)
    assert hash(ring) == hash(ResidueRing(list(ring.fields)))
