"""Reals on a field without a word on the function: it is followed, and right to the bound."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import anyk
from anyk.testing.tasks import gram

X = np.array([[0.5, 1.25, -2.0], [2.0, -3.0, 0.1]])
FIXED = anyk.FixedPoint(fraction_bits=20, magnitude=10.0)
THREE = anyk.Lagrange(blocks=2, degree=3, workers=12, adversaries=1, colluders=1)
SCHEMES = [
    THREE,
    anyk.Shamir(blocks=2, degree=3, workers=12),
    anyk.Harmonic(blocks=2, degree=3),
    anyk.Summed(THREE),
    anyk.Replication(blocks=2, workers=4, domain=anyk.PrimeField()),
    anyk.CyclicRepetition(workers=2, stragglers=1, domain=anyk.PrimeField(101)),
    anyk.YeAbbe(workers=2, stragglers=0, message=2, domain=anyk.PrimeField()),
]
FUNCTIONS = {
    "x + 1": lambda x: x + 1,
    "1 - x": lambda x: 1 - x,
    "x": lambda x: x,
    "x - 3.0": lambda x: x - 3.0,
    "x*x + x": lambda x: x * x + x,
    "3*x*x + 2*x + 1": lambda x: 3 * x * x + 2 * x + 1,
    "x**3 + x + 5": lambda x: x**3 + x + 5,
    "constant": lambda x: x * 0 + 7,
    "a half": lambda x: x * 0.5,
    "x / 4 as it is written": lambda x: 0.25 * x,
    "sum": lambda x: x.sum(),
    "norm": lambda x: x @ x,
    "weights": lambda x: x @ np.array([2, 3, -1]),
    "fractional weights": lambda x: x @ np.array([0.5, -0.75, 1.5]),
    "nothing of it": lambda x: x * x - x * x,
    "written in": lambda x: (x.__iadd__(1), x)[1],
}


def exactly(function, scheme, data):
    """The function of these very floats, by fractions."""
    blocks = []
    for block in data:
        exact = np.empty(block.shape, dtype=object)
        exact.flat = [Fraction(each) for each in block.ravel().tolist()]
        blocks.append(np.asarray(function(Rational(exact)), dtype=object))
    values = np.stack(blocks)
    return np.asarray(values.sum(axis=0) if isinstance(scheme.problem, anyk.Sum) else values)


class Rational(np.ndarray):
    """Fractions that meet floats as fractions."""

    def __new__(cls, values):
        return np.asarray(values, dtype=object).view(cls)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        kwargs.pop("out", None)
        exact = []
        for each in inputs:
            array = np.asarray(each)
            if array.dtype.kind == "f":
                array = np.array([Fraction(x) for x in array.ravel().tolist()], dtype=object)
                array = array.reshape(np.shape(each))
            exact.append(array.view(np.ndarray) if isinstance(array, np.ndarray) else array)
        return np.asarray(getattr(ufunc, method)(*exact, **kwargs), dtype=object).view(Rational)

    def __iadd__(self, other):
        return self + other


def assert_right(outcome, expected):
    assert outcome.status is anyk.Status.EXACT
    assert outcome.value.dtype == np.float64
    assert outcome.value.shape == expected.shape
    bound = Fraction(outcome.quantisation_error)
    for value, true in zip(outcome.value.flat, expected.flat, strict=True):
        assert abs(Fraction(value.item()) - true) <= bound


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: type(scheme).__name__)
@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"written in"}))
def test_it_is_right_to_the_bound(scheme, name):
    function = FUNCTIONS[name]
    expected = exactly(function, scheme, X)
    with anyk.Inline(scheme.guarantee.workers) as executor:
        outcome = anyk.run(scheme, function, X, executor, embedding=FIXED)
        assert_right(outcome, expected)
        assert outcome.quantisation_error < 1e-2
        # where any function will do, primes are chosen for degree 2
        with anyk.distribute(scheme, X, executor, embedding=replace(FIXED, degree=3)) as data:
            for _ in range(2):
                assert_right(data.run(function), expected)


def test_a_function_that_writes_in_its_share_is_followed_too():
    with anyk.Inline(12) as executor:
        outcome = anyk.run(THREE, FUNCTIONS["written in"], X, executor, embedding=FIXED)
    assert_right(outcome, exactly(lambda x: x + 1, THREE, X))


def test_a_budget_that_suffices_is_kept_and_one_that_does_not_is_named():
    for name, declared, more in [
        ("x + 1", {"degree": 1, "summands": 1}, {"summands": 2}),
        ("x*x + x", {"degree": 2, "coefficient": 1}, {"coefficient": 2}),
        ("norm", {"degree": 2, "summands": 2}, {"summands": 3}),
        ("norm", {"degree": 1, "summands": 1 << 30}, {"degree": 2}),
        ("x**3 + x + 5", {"degree": 2}, {"degree": 3}),
    ]:
        little = replace(FIXED, **declared)
        with anyk.Inline(12) as executor:
            with pytest.raises(anyk.InvalidArgument, match=r"^embedding: got .*; needed: "):
                anyk.run(THREE, FUNCTIONS[name], X, executor, embedding=little)
            for enough in (replace(little, **more), replace(FIXED, degree=more.get("degree"))):
                outcome = anyk.run(THREE, FUNCTIONS[name], X, executor, embedding=enough)
                assert_right(outcome, exactly(FUNCTIONS[name], THREE, X))


def test_too_high_a_degree_is_told_with_what_it_takes():
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=12, colluders=1)
    with anyk.Inline(12) as executor:
        with pytest.raises(anyk.DegreeTooHigh, match="degree=2, which takes the 12 workers"):
            anyk.run(scheme, FUNCTIONS["norm"], X, executor, embedding=FIXED)
        with anyk.distribute(scheme, X, executor, embedding=FIXED) as data:
            with pytest.raises(anyk.DegreeTooHigh, match="degree=2, which takes the 12 workers"):
                data.run(FUNCTIONS["norm"])


def test_what_distributed_data_have_no_primes_for_is_refused_with_a_number_that_works():
    def large(x):
        return x * 2**40

    with anyk.Inline(12) as executor:
        with anyk.distribute(THREE, X, executor, embedding=FIXED) as data:
            with pytest.raises(anyk.Unachievable, match="primes=") as caught:
                data.run(lambda x: large(large(large(x))))
        number = int(re.search(r"primes=(\d+)", str(caught.value))[1])
        with anyk.distribute(THREE, X, executor, embedding=replace(FIXED, primes=number)) as data:
            outcome = data.run(lambda x: large(large(large(x))))
        assert np.allclose(outcome.value, X * 2.0**120, rtol=1e-5)
        few = replace(FIXED, primes=1)
        with pytest.raises(anyk.Unachievable, match=r"take primes=4\.$"):
            anyk.run(THREE, lambda x: large(large(x)), X, executor, embedding=few)


def test_distributed_data_never_have_more_primes_than_they_were_given():
    high = anyk.Lagrange(blocks=2, degree=20, workers=24)
    with anyk.Inline(24) as executor:
        for scheme, embedding, primes in [
            (THREE, replace(FIXED, fraction_bits=4, primes=1), 1),
            (high, FIXED, 16),
            (anyk.Summed(high), FIXED, 16),
        ]:
            with anyk.distribute(scheme, X, executor, embedding=embedding) as data:
                assert len(data.encoded.scheme.domain.primes) == primes
                function = FUNCTIONS["x*x + x"]
                assert_right(data.run(function), exactly(function, scheme, X))


def test_a_function_that_fails_on_zeros_needs_numbers():
    def once(x, calls=[]):  # noqa: B006 - it is what makes the first call another one
        calls.append(1)
        if len(calls) in (1, 2, 3):
            raise ZeroDivisionError("of the master's zeros")
        return x + x

    with anyk.Inline(12) as executor:
        with pytest.raises(anyk.InvalidArgument, match=r"of the master's zeros; .*declare degree"):
            anyk.run(THREE, once, X, executor, embedding=FIXED)
        with anyk.distribute(THREE, X, executor, embedding=FIXED) as data:
            with pytest.raises(anyk.InvalidArgument, match="of the master's zeros"):
                data.run(once)
        stated = replace(FIXED, degree=3, summands=2)
        outcome = anyk.run(THREE, once, X, executor, embedding=stated)
    assert_right(outcome, exactly(lambda x: x + x, THREE, X))


def test_a_function_that_would_end_the_program_does_not_end_the_master():
    def leaves(x):
        raise SystemExit(x.ndim)

    with anyk.Inline(12) as executor:
        with pytest.raises(anyk.InvalidArgument, match="raises SystemExit for zeros"):
            anyk.run(THREE, leaves, X, executor, embedding=FIXED)


def test_what_the_worker_finds_beyond_the_budget_it_refuses():
    calls = []

    def grows(x):
        calls.append(1)
        return x + x if len(calls) == 1 else x + x + x  # not what was followed

    with anyk.Inline(12) as executor:
        with pytest.raises(anyk.NotEnoughAnswers, match="a result of 20 fraction bits, up to"):
            anyk.run(THREE, grows, X, executor, embedding=FIXED)


def test_of_degree_has_the_declared_scale_and_size():
    def by_hand(x):
        return (x.values.astype(object) ** 2 % x.field.modulus).sum()

    square = anyk.of_degree(by_hand, 2)
    stated = replace(FIXED, summands=3)
    with anyk.Inline(12) as executor:
        for embedding in (stated, replace(stated, degree=2)):
            outcome = anyk.run(THREE, square, X, executor, embedding=embedding)
            assert_right(outcome, exactly(FUNCTIONS["norm"], THREE, X))
            with anyk.distribute(THREE, X, executor, embedding=embedding) as data:
                assert_right(data.run(square), exactly(FUNCTIONS["norm"], THREE, X))
        with pytest.raises(anyk.InvalidArgument, match=r"Pass summands= to FixedPoint"):
            anyk.run(THREE, square, X, executor, embedding=FIXED)


def test_a_product_needs_no_numbers():
    A, B = X, np.linspace(-10, 10, 6).reshape(3, 2)
    scheme = anyk.Polynomial(partition=(1, 1, 1), workers=5, domain=anyk.PrimeField())
    weights = anyk.FixedPoint(fraction_bits=30, magnitude=10.0)
    with anyk.Inline(5) as executor:
        for embedding in (FIXED, replace(FIXED, factors=(weights,)), replace(FIXED, summands=3)):
            outcome = anyk.run(scheme, np.matmul, (A, B), executor, embedding=embedding)
            assert np.abs(outcome.value - A @ B).max() <= outcome.quantisation_error < 1e-4


def test_arguments_count_with_their_own_format():
    weights = anyk.FixedPoint(fraction_bits=30, magnitude=1.0, rounding="stochastic")
    fixed = replace(FIXED, factors=(weights,))
    w = np.random.default_rng(1).uniform(-1, 1, 3)
    with anyk.Inline(12) as executor:
        with anyk.distribute(THREE, X, executor, embedding=fixed) as data:
            outcome = data.run(lambda x, w: x @ w + 1, data.encode(np.stack([w, w]), weights))
            assert np.abs(outcome.value - X @ w - 1).max() <= outcome.quantisation_error < 1e-4
            outcome = data.run(lambda x, w: x @ w + 1, weights.quantise(w))
            assert np.abs(outcome.value - X @ w - 1).max() <= outcome.quantisation_error < 1e-4
            with pytest.raises(anyk.InvalidArgument, match="integers count as integers"):
                data.run(lambda x, w: x @ w, weights.integers(w))


def test_data_that_do_not_fit_are_told_before_the_function():
    with anyk.Inline(12) as executor:
        for data, told in [
            (X[:1], "2 blocks"),
            ([[1.0], [1.0, 2.0]], "X|values"),
            (np.zeros((2, 0)), "at least one number"),
            ("text", "values"),
        ]:
            with pytest.raises(anyk.InvalidArgument, match=told):
                anyk.run(THREE, lambda x: x.nothing, data, executor, embedding=FIXED)


def test_the_function_is_followed_once_a_call_in_each_of_two_fields():
    calls = []

    def counted(x):
        calls.append(type(x))
        return x @ x

    with anyk.Inline(12) as executor:
        outcome = anyk.run(THREE, counted, X, executor, embedding=FIXED)
    primes = 2  # of 25 bits: 2 * 3 * 10**2 * 2**40
    large_field_and_small = 2
    assert len(calls) == large_field_and_small + len(outcome.used) * primes


def test_on_other_executors():
    with anyk.Processes(6) as executor:
        scheme = anyk.Lagrange(blocks=2, degree=2, workers=6, colluders=1)
        outcome = anyk.run(scheme, gram, X, executor, embedding=FIXED)
    assert_right(outcome, exactly(FUNCTIONS["norm"], scheme, X))
