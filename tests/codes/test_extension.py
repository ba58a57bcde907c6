"""GF(p^m): as FLINT says, and by its axioms; degrees are those of the residues."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

import anyk
from anyk.codes.exact.extension import _irreducible
from anyk.domains.extent import Extent
from anyk.testing.expect import check_value

KNOWN = json.loads((Path(__file__).parents[1] / "known" / "extension.json").read_text())
BYTES = anyk.ExtensionField(anyk.PrimeField(2), 8)


@pytest.mark.parametrize("known", KNOWN["fields"], ids=lambda k: f"{k['prime']}^{k['degree']}")
def test_products_conjugates_and_powers_are_those_that_flint_finds(known):
    field = anyk.PrimeField(known["prime"])
    extension = anyk.ExtensionField(field, known["degree"], known["polynomial"])
    x, y = np.array(known["x"]), np.array(known["y"])
    assert extension.multiply(x, y).tolist() == known["product"]
    for times, conjugate in enumerate(known["conjugates"]):
        assert extension.frobenius(x, times).tolist() == conjugate
    for exponent, power in known["powers"]:
        assert extension.power(x, exponent).tolist() == power


@pytest.mark.parametrize(("prime", "most"), [(2, 7), (3, 4), (5, 3), (7, 2)])
def test_there_are_as_many_irreducible_polynomials_as_gauss_counted(prime, most):
    field, counts = anyk.PrimeField(prime), [0]
    for degree in range(1, most + 1):
        every = itertools.product(range(prime), repeat=degree)
        counts.append(sum(_irreducible(field, (*low, 1)) for low in every))
    for degree in range(1, most + 1):  # x^(p^m) - x is the product of all whose degree divides m
        divisors = [each for each in range(1, degree + 1) if degree % each == 0]
        assert sum(each * counts[each] for each in divisors) == prime**degree


@pytest.mark.parametrize(("prime", "degree"), [(2, 3), (3, 2), (5, 2)])
def test_every_element_but_0_has_an_inverse_and_powers_of_p_add_up(prime, degree):
    extension = anyk.ExtensionField(anyk.PrimeField(prime), degree)
    every = np.array(list(itertools.product(range(prime), repeat=degree)))
    products = extension.multiply(every[:, None], every[None])
    one = np.array([1] + [0] * (degree - 1))
    ones = (products == one).all(axis=-1)
    assert ones[1:, 1:].sum(axis=1).tolist() == [1] * (prime**degree - 1)
    assert not ones[0].any()
    sums = (every[:, None] + every[None]) % prime
    apart = extension.frobenius(every)
    assert np.array_equal(extension.frobenius(sums), (apart[:, None] + apart[None]) % prime)
    assert np.array_equal(extension.power(every, prime**degree), every)


@pytest.mark.parametrize(
    ("prime", "degree"), [(2, 1), (2, 16), (2, 64), (3, 5), (101, 7), (2**31 - 1, 5)]
)
def test_a_polynomial_is_found_and_is_the_same_again(prime, degree):
    extension = anyk.ExtensionField(anyk.PrimeField(prime), degree)
    assert extension == anyk.ExtensionField(anyk.PrimeField(prime), degree, extension.polynomial)
    check_value(extension)


def test_degrees_are_those_of_the_residues():
    known = Extent(1)
    x = anyk.FieldArray(np.arange(16).reshape(2, 8) % 2, BYTES.field, known)
    constant = np.ones(8, dtype=int)
    for made, degree in [
        (BYTES.frobenius(x, 3), 1),
        (BYTES.multiply(x, constant), 1),
        (BYTES.multiply(constant, x), 1),
        (BYTES.power(x, 64), 1),
        (BYTES.power(x, 64 + 2), 2),
        (BYTES.power(x, 255), 8),
        (BYTES.power(x, 0), 0),
        (BYTES.multiply(x, x), 2),
    ]:
        assert isinstance(made, anyk.FieldArray)
        assert made.extent.degree == degree


def test_shapes_broadcast_as_those_of_numbers():
    x = np.random.default_rng(0).integers(0, 2, (3, 1, 8))
    y = np.random.default_rng(1).integers(0, 2, (4, 8))
    product = BYTES.multiply(x, y)
    assert product.shape == (3, 4, 8)
    assert np.array_equal(product[2, 3], BYTES.multiply(x[2, 0], y[3]))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: anyk.ExtensionField(2, 8), "field: "),
        (lambda: anyk.ExtensionField(anyk.PrimeField(2), 0), "degree: "),
        (lambda: anyk.ExtensionField(anyk.PrimeField(2), 65), "degree: "),
        (lambda: anyk.ExtensionField(anyk.PrimeField(2), 2, (1, 0, 1)), "irreducible"),  # (a+1)^2
        (lambda: anyk.ExtensionField(anyk.PrimeField(2), 4, (1, 0, 1, 0, 1)), "irreducible"),
        (lambda: anyk.ExtensionField(anyk.PrimeField(3), 2, (1, 0, 2)), "monic"),
        (lambda: anyk.ExtensionField(anyk.PrimeField(3), 2, (4, 0, 1)), "residues modulo 3"),
        (lambda: anyk.ExtensionField(anyk.PrimeField(3), 2, (1, 1)), "degree 2: 3 residues"),
        (lambda: anyk.ExtensionField(anyk.PrimeField(3), 2, "abc"), "polynomial: "),
        (lambda: BYTES.frobenius(np.zeros(7, int)), "m = 8 residues"),
        (lambda: BYTES.frobenius(3), "m = 8 residues"),
        (lambda: BYTES.frobenius(np.zeros(8, int), -1), "times: "),
        (lambda: BYTES.multiply(np.zeros((2, 8), int), np.zeros((3, 8), int)), "y: "),
        (lambda: BYTES.power(np.zeros(8, int), -1), "exponent: "),
        (lambda: BYTES.multiply(np.full(8, 0.5), np.zeros(8, int)), "x: "),
    ],
)
def test_what_is_no_element_or_no_field_is_refused(call, told):
    with pytest.raises(anyk.InvalidArgument, match=told):
        call()
