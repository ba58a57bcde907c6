"""The exact kernel and its guards."""

import json
import math
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anyk
from anyk.domains.polynomials import lagrange_matrix, node_weights

KNOWN = json.loads((Path(__file__).parents[1] / "known" / "field.json").read_text())
P = 2**31 - 1
PRIMES = st.sampled_from([2, 3, 13, 65537, 15485863, 2**31 - 1])


@pytest.mark.parametrize("case", KNOWN["products"])
def test_products_agree_with_flint(case):
    field = anyk.PrimeField(case["prime"])
    product = field.matmul(np.array(case["left"]), np.array(case["right"]))
    assert product.tolist() == case["product"]


@pytest.mark.parametrize("case", KNOWN["interpolations"])
def test_interpolation_agrees_with_flint(case):
    field = anyk.PrimeField(case["prime"])
    matrix = lagrange_matrix(field, np.array(case["nodes"]), np.array(case["targets"]))
    value = field.matmul(matrix, np.array(case["values"]))
    assert value.tolist() == case["interpolated"]


@given(PRIMES, st.integers(1, 5), st.integers(0, 200), st.integers(1, 5), st.integers(0, 2**32))
def test_matmul_is_exact_for_any_inner_dimension(prime, rows, inner, columns, seed):
    generator = np.random.default_rng(seed)
    field = anyk.PrimeField(prime)
    left = generator.integers(0, prime, (rows, inner))
    right = generator.integers(0, prime, (inner, columns))
    exact = left.astype(object) @ right.astype(object) % prime
    assert np.array_equal(field.matmul(left, right), exact)


@pytest.mark.parametrize("inner", [1, 63, 64, 65, 4096, 100_000])
@pytest.mark.parametrize("corner", ["top", "middle", "below", "above"])
def test_matmul_is_exact_where_sums_are_largest(inner, corner):
    field = anyk.PrimeField()
    p = field.modulus
    extreme = {"top": p - 1, "middle": p // 2, "below": (p // 2) - 2**14, "above": p // 2 + 1}
    left = np.full((1, inner), extreme[corner])
    right = np.full((inner, 2), p - 1)
    right[:, 1] = p // 2
    exact = [
        int(extreme[corner]) * (p - 1) * inner % p,
        int(extreme[corner]) * (p // 2) * inner % p,
    ]
    assert field.matmul(left, right).tolist() == [exact]


def test_matmul_crosses_blocks_of_columns_and_rows():
    generator = np.random.default_rng(1)
    field = anyk.PrimeField()
    left = generator.integers(0, field.modulus, (130, 70))
    right = generator.integers(0, field.modulus, (70, 8200))
    product = field.matmul(left, right)
    columns = [0, 8191, 8192, 8199]
    exact = left.astype(object) @ right[:, columns].astype(object) % field.modulus
    assert np.array_equal(product[:, columns], exact)


@pytest.mark.parametrize(
    "shape", [(300, 1000, 257), (700, 65, 600), (3, 2000, 9000), (257, 129, 1)]
)
def test_matmul_of_large_matrices_is_exact(shape):
    """Cut in groups of rows, of columns and of chunks: by Freivalds' check."""
    rows, inner, columns = shape
    generator = np.random.default_rng(2)
    field = anyk.PrimeField()
    left = generator.integers(0, field.modulus, (rows, inner))
    right = generator.integers(0, field.modulus, (inner, columns))
    product = field.matmul(left, right)
    assert product.min() >= 0
    assert product.max() < field.modulus
    for _ in range(3):
        mixed = generator.integers(0, field.modulus, columns).astype(object)
        through = right.astype(object) @ mixed % field.modulus
        assert np.array_equal(
            product.astype(object) @ mixed % field.modulus,
            left.astype(object) @ through % field.modulus,
        )


def test_matmul_keeps_the_shape_of_what_follows_the_first_axis():
    field = anyk.PrimeField(7)
    assert field.matmul(np.ones((2, 3), int), np.ones((3, 4, 5), int)).shape == (2, 4, 5)
    assert field.matmul(np.ones((2, 3), int), np.ones(3, int)).tolist() == [3, 3]


@pytest.mark.parametrize(
    "composite", [0, 1, 4, 2047, 1373653, 25326001, 2**31 - 3, 561, 3215031751, 2**31]
)
def test_composite_moduli_are_refused(composite):
    with pytest.raises(anyk.InvalidArgument, match="modulus"):
        anyk.PrimeField(composite)


def test_primality_agrees_with_trial_division():
    def prime(number):
        return number > 1 and all(number % d for d in range(2, int(number**0.5) + 1))

    def accepted(number):
        try:
            anyk.PrimeField(number)
        except anyk.InvalidArgument:
            return False
        return True

    assert all(accepted(number) == prime(number) for number in range(2, 3000))


def test_values_outside_are_refused():
    field = anyk.PrimeField(7)
    for bad in ([7], [-1], [0.5], [np.nan], ["a"], [1j], [2**70], [[1], [1, 2]]):
        with pytest.raises(anyk.InvalidArgument, match="values"):
            field.array(bad)
    with pytest.raises(anyk.InvalidArgument, match=r"values: got 0; .* Leave those"):
        field.inverse(np.array([3, 0]))
    assert field.array([6.0, 0.0]).values.tolist() == [6, 0]
    assert field.array(np.array([True])).values.tolist() == [1]


@pytest.mark.parametrize(("dtype", "bits"), [(np.float16, 11), (np.float32, 24), (np.float64, 53)])
def test_floats_that_may_have_been_rounded_are_no_integers(dtype, bits):
    field = anyk.PrimeField()
    largest = 2**bits - 1
    assert field.constant(dtype(largest)) == largest % field.modulus
    assert dtype(2**bits + 1) == 2**bits  # another integer, rounded
    with pytest.raises(anyk.InvalidArgument, match=rf"below 2\*\*{bits}"):
        field.accept(np.array([1, 2**bits], dtype=dtype))


@pytest.mark.parametrize("bad", [np.array([7, 11]), np.array(7.0)])
def test_an_array_that_is_no_integer_is_no_count(bad):
    with pytest.raises(anyk.InvalidArgument, match="modulus: got array"):
        anyk.PrimeField(bad)
    assert anyk.PrimeField(np.array(7)).modulus == 7


def test_inverse_and_power():
    field = anyk.PrimeField()
    values = np.random.default_rng(0).integers(1, field.modulus, 300)
    assert np.all(field.reduce(values * field.inverse(values)) == 1)
    assert field.inverse(values[:5]).tolist() == field.inverse(values)[:5].tolist()
    assert field.power(values[:3], 0).tolist() == [1, 1, 1]
    assert field.power(np.array([3]), -1).tolist() == field.inverse(np.array([3])).tolist()
    with pytest.raises(anyk.InvalidArgument):
        field.inverse(np.array([0]))


@pytest.mark.parametrize("prime", [2, 13, 101, 2**31 - 1])
@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 255, 256, 257, 1000, 4097])
def test_every_inverse_is_one(size, prime):
    field = anyk.PrimeField(prime)
    values = np.random.default_rng(size).integers(1, prime, size)
    assert np.all(field.reduce(values * field.inverse(values)) == 1)
    if size:
        values[size // 2] = 0
        with pytest.raises(anyk.InvalidArgument):
            field.inverse(values)


def test_inverses_keep_their_shape():
    field = anyk.PrimeField(101)
    values = np.arange(1, 61).reshape(3, 4, 5)
    assert np.array_equal(field.inverse(values).ravel(), field.inverse(values.ravel()))


@pytest.mark.parametrize(("nodes", "targets"), [(1, 3), (7, 1), (300, 250), (513, 70)])
def test_interpolation_matrices_of_any_size_reproduce_polynomials(nodes, targets):
    """Also where they are made in pieces; one target is a node."""
    field = anyk.PrimeField()
    generator = np.random.default_rng(nodes)
    points = generator.choice(10**6, nodes + targets, replace=False)
    points[-1] = points[0]
    coefficients = generator.integers(0, field.modulus, nodes)
    values = np.zeros(len(points), dtype=np.int64)
    for coefficient in coefficients:
        values = field.reduce(field.reduce(values * points) + coefficient)
    matrix = lagrange_matrix(field, points[:nodes], points[nodes:])
    assert np.array_equal(field.matmul(matrix, values[:nodes]), values[nodes:])
    assert matrix[-1].tolist() == [1] + [0] * (nodes - 1)
    weights = node_weights(field, points[:nodes])
    apart = field.reduce(points[0] - points[1:nodes])
    assert int(weights[0]) == pow(math.prod(apart.tolist()), -1, field.modulus)


def test_a_fresh_interpreter_unpickles_fields_and_arrays():
    array = anyk.PrimeField(101).array([[1, 100]])
    code = (
        "import pickle, sys; x = pickle.loads(sys.stdin.buffer.read()); "
        "assert (x @ x.T).values.tolist() == [[2]], x; print(repr(x))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(array), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "PrimeField(101).array([[1, 100]])"


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint32, np.uint64, object, bool, float])
def test_products_of_any_dtype_are_right(dtype):
    generator = np.random.default_rng(0)
    most = {np.uint8: 255, np.int8: 127, bool: 1}.get(dtype, P - 1)
    left, right = (
        generator.integers(0, most, shape, endpoint=True) for shape in ((3, 70), (70, 4))
    )
    exact = left.astype(object) @ right.astype(object) % P
    assert np.array_equal(anyk.PrimeField().matmul(left.astype(dtype), right.astype(dtype)), exact)


@pytest.mark.parametrize(("inner", "length"), [(100, 50), (64, 63), (10, 1), (9, 10), (128, 64)])
def test_matmul_refuses_inner_dimensions_that_do_not_match(inner, length):
    with pytest.raises(anyk.InvalidArgument, match=rf"big: got shape \({length}, 4\)"):
        anyk.PrimeField().matmul(np.ones((3, inner), int), np.ones((length, 4), int))


def test_integers_beyond_the_field_are_reduced_first():
    field = anyk.PrimeField()
    big = np.array([2**40, 2**62, -1])
    right = [pow(2, 80, P), pow(2, 124, P), 1]
    assert field.power(big, 2).tolist() == right
    assert field.matmul(big, big) == sum(right) % P
    assert [value * int(x) % P for value, x in zip(field.inverse(big), big, strict=True)] == [1] * 3


def test_an_inverse_times_an_array_is_what_the_error_of_a_quotient_advises():
    field = anyk.PrimeField()
    x = field.array([4, 6])
    with pytest.raises(anyk.NotPolynomial, match="inverse"):
        x / 2
    assert (x * field.inverse(2)).values.tolist() == [2, 3]
    with pytest.raises(anyk.NotPolynomial, match="Invert constants alone"):
        field.inverse(x)


def test_an_array_of_a_field_is_not_the_callers():
    values = np.array([1, 2])
    array = anyk.PrimeField(7).array(values)
    values[:] = 5
    assert array.values.tolist() == [1, 2]
