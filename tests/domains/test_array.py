"""FieldArray against Python's integers, and the operations it must refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anyk

FIELD = anyk.PrimeField()
P = FIELD.modulus
NUMBERS = st.lists(st.integers(0, P - 1), min_size=4, max_size=4)


def exact(values):
    return np.array(values, dtype=object)


@given(NUMBERS, NUMBERS, st.integers(-(10**30), 10**30), st.integers(0, 5))
def test_operators_agree_with_python_integers(left, right, constant, exponent):
    x, y = FIELD.array(left), FIELD.array(right)
    a, b = exact(left), exact(right)
    for got, right_answer in (
        (x + y, a + b),
        (x - y, a - b),
        (x * y, a * b),
        (-x, -a),
        (x + constant, a + constant),
        (constant - x, constant - a),
        (constant * x, constant * a),
        (x**exponent, a**exponent),
        (x @ y, a @ b),
        (x.sum(), a.sum()),
        (np.square(x) + np.multiply(x, 3), a * a + 3 * a),
        (np.array([1, 2, 3, 4]) * x, exact([1, 2, 3, 4]) * a),
        (np.array([1, 2, 3, 4]) @ x, exact([1, 2, 3, 4]) @ a),
    ):
        assert np.array_equal(got.values, right_answer % P)
        assert got.values.dtype == np.int64


@pytest.mark.parametrize(
    ("left", "right"),
    [((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((5, 2, 3), (3, 4)),
     ((5, 2, 3), (5, 3, 4)), ((2, 3), (5, 3, 4)), ((3,), (5, 3, 4)), ((1, 2, 3), (5, 3, 1)),
     ((200, 3), (3, 2))],
)  # fmt: skip
def test_matmul_follows_numpys_rules(left, right):
    generator = np.random.default_rng(0)
    a, b = generator.integers(0, P, left), generator.integers(0, P, right)
    product = FIELD.array(a) @ FIELD.array(b)
    assert np.array_equal(product.values, np.matmul(a.astype(object), b.astype(object)) % P)


def test_matmul_refuses_shapes_that_do_not_fit():
    with pytest.raises(anyk.InvalidArgument, match="shapes"):
        FIELD.array([[1, 2]]) @ FIELD.array([[1, 2]])


def test_numpy_functions_that_move_elements():
    values = np.arange(6).reshape(2, 3)
    x = FIELD.array(values)
    for function in (
        np.transpose, np.ravel, lambda a: np.reshape(a, (3, 2)), lambda a: np.stack([a, a]),
        lambda a: np.concatenate([a, a], axis=1), lambda a: np.vstack((a, a)), np.flip,
        lambda a: np.sum(a, axis=1), lambda a: np.sum(a, axis=0, keepdims=True), np.trace,
        lambda a: a[1], lambda a: a[:, ::2], lambda a: a[a.shape[0] - 1, 0], lambda a: a.T,
        lambda a: a.reshape(-1), lambda a: a.reshape(3, 2), lambda a: a.transpose(1, 0),
        lambda a: np.add.reduce(a), lambda a: np.dot(a, a.T), lambda a: np.expand_dims(a, 0),
        lambda a: np.take(a, [1], axis=1), lambda a: np.broadcast_to(a, (2, 2, 3)),
    ):  # fmt: skip
        got = function(x)
        assert isinstance(got, anyk.FieldArray)
        assert np.array_equal(got.values, function(values))
    assert np.shape(x) == (2, 3)
    assert len(x) == x.shape[0] == 2
    assert (x.ndim, x.size) == (2, 6)
    assert [row.values.tolist() for row in x] == values.tolist()


@pytest.mark.parametrize(
    "function",
    [np.exp, np.sin, np.sqrt, np.abs, np.sign, np.maximum.reduce, np.sort, np.argmax, np.mean,
     np.linalg.inv, np.isfinite, np.linalg.norm, np.asarray, np.array, bool, np.median],
)  # fmt: skip
def test_what_is_no_polynomial_is_refused(function):
    with pytest.raises(TypeError) as caught:
        function(FIELD.array([[3]]))
    assert isinstance(caught.value, anyk.NotPolynomial)


def test_exp_says_why():
    with pytest.raises(TypeError, match="only polynomials can be computed in a field"):
        np.exp(FIELD.array([1]))


@pytest.mark.parametrize(
    "operation",
    [lambda x: x == x, lambda x: x != 0, lambda x: x < 1, lambda x: x >= x, lambda x: x**-1,
     lambda x: x**0.5, lambda x: x ** np.array(2.0), lambda x: x**x, lambda x: np.maximum(x, 0),
     lambda x: np.equal(x, x), lambda x: np.add(x, x, out=np.zeros(2))],
)  # fmt: skip
def test_comparisons_and_fractional_powers_are_refused(operation):
    with pytest.raises(anyk.NotPolynomial):
        operation(FIELD.array([1, 2]))


def test_mixed_operands_are_refused():
    x = FIELD.array([1, 2])
    for other in (anyk.PrimeField(7).array([1, 2]), 0.5, np.array([0.5, 1]), "a", None):
        with pytest.raises(anyk.InvalidArgument):
            x + other
    with pytest.raises(TypeError):
        hash(x)


def test_repr_rebuilds_it_unless_it_is_long(public_names):
    x = anyk.PrimeField(7).array([[1, 6]])
    assert eval(repr(x), public_names).values.tolist() == [[1, 6]]
    assert repr(FIELD.array(np.zeros(2000, int))).startswith("<FieldArray of shape (2000,)")


def test_sums_of_many_large_residues_do_not_overflow():
    x = FIELD.array(np.full(100_000, P - 1))
    assert int(x.sum().values) == (P - 1) * 100_000 % P


@pytest.mark.parametrize(
    "narrow",
    [lambda x: np.sum(x, 0, np.int32), lambda x: np.cumsum(x, 0, np.int32),
     lambda x: np.trace(x[None], 0, 0, 1, np.int32), lambda x: np.sum(x, dtype=np.int32)],
)  # fmt: skip
def test_sums_in_a_narrower_type_are_refused(narrow):
    with pytest.raises(anyk.InvalidArgument, match=r"dtype: got numpy\."):
        narrow(FIELD.array(np.full(4, 2**30)))
    assert np.trace(FIELD.array([[1, 2], [3, 4]]), 1, 0, 1).values == 2
