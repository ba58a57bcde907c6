"""Fixed point: exact on the rounded inputs, nothing wraps in silence, bounds that hold."""

import math
import pickle
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st

import anyk
from anyk.domains.ring import further_fields
from anyk.fixed_point.rounding import nearest, stochastic, within

MILLION = 10**6


def rounded(fixed, x):
    """Python's own round half up: exact."""
    return math.floor(Fraction(x) * 2**fixed.fraction_bits + Fraction(1, 2))


def in_field(fixed, function, *inputs):
    """A function of residues, as integers modulo P: what a scheme computes exactly."""
    ring = fixed.ring()
    parts = [
        function(*(field.array(ring.part(fixed.embed(x, ring), place)) for x in inputs))
        for place, field in enumerate(ring.fields)
    ]
    return fixed.extract(ring.join([part.values for part in parts]), ring)


@pytest.mark.parametrize(
    ("degree", "bits", "primes"), [(1, 24, 1), (2, 12, 1), (3, 7, 1), (3, 30, 4)]
)
def test_a_million_values_equal_rational_arithmetic_on_the_rounded_inputs(degree, bits, primes):
    x = np.random.default_rng(degree).uniform(-5, 5, MILLION)
    fixed = anyk.FixedPoint(fraction_bits=bits, magnitude=5.0, degree=degree)
    assert len(fixed.ring().primes) == primes
    value = in_field(fixed, lambda a: a**degree, x)
    whole = np.floor(x * 2**bits + 0.5)  # exact here: no x is within an ulp of a half
    some = np.arange(0, MILLION, 997)
    assert [rounded(fixed, x[i]) for i in some] == whole[some].tolist()
    exact = whole.astype(np.int64).astype(object) ** degree  # Python's integers
    expected = np.array([int(v) / 2 ** (bits * degree) for v in exact])  # / rounds correctly
    assert np.array_equal(value, expected)
    sample = some[:200]
    for i in sample:
        moved = abs(Fraction(value[i]) - Fraction(x[i]) ** degree)
        assert moved <= Fraction(fixed.error)


# No overflow that is not refused: hypothesis chooses the budget and the worst inputs it allows.

BUDGETS = st.fixed_dictionaries(
    {
        "fraction_bits": st.integers(0, 20),
        "magnitude": st.floats(2**-10, 2**12),
        "degree": st.integers(1, 4),
        "summands": st.integers(1, 40),
        "coefficient": st.integers(1, 9),
        "rounding": st.sampled_from(["nearest", "stochastic"]),
        "primes": st.sampled_from([1, 2, 3, "auto"]),
    }
)
FIELDS = st.sampled_from([anyk.PrimeField(p) for p in (7, 101, 15485863, 2**31 - 1)])


def budget(chosen):
    try:
        return anyk.FixedPoint(**chosen)
    except anyk.InvalidArgument:  # no input is told from another, or too many bits
        reject()


def sum_of_products(field, residues, degree, coefficient):
    terms = field.array(residues)
    product = terms[:, 0]
    for place in range(1, degree):
        product = product * terms[:, place]
    return (product.sum() * coefficient).values


@settings(max_examples=400, deadline=None)
@given(
    chosen=BUDGETS,
    field=FIELDS,
    sign=st.sampled_from([-1, 1]),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_what_is_not_refused_does_not_wrap(chosen, field, sign, seed, data):
    fixed = budget(chosen)
    try:
        ring = fixed.ring(field)
    except anyk.Unachievable:
        return
    m = fixed.magnitude
    extreme = st.sampled_from([m, -m, m, math.nextafter(m, 0), m / 3, 0.0])
    size = fixed.summands * fixed.degree
    x = np.array(data.draw(st.lists(extreme, min_size=size, max_size=size)))
    x = x.reshape(fixed.summands, fixed.degree)
    residues = fixed.embed(x, ring, np.random.default_rng(seed))
    whole = fixed.integers(x, np.random.default_rng(seed)).astype(object)
    coefficient = sign * fixed.coefficient
    value = fixed.extract(
        ring.join(
            [
                sum_of_products(each, ring.part(residues, place), fixed.degree, coefficient)
                for place, each in enumerate(ring.fields)
            ]
        ),
        ring,
    )
    integer = coefficient * sum(math.prod(row) for row in whole)
    scale = 2 ** (fixed.fraction_bits * fixed.degree)
    assert abs(integer) <= fixed.worst
    assert value == integer / scale  # Python's division rounds correctly
    true = coefficient * sum(math.prod(map(Fraction, row)) for row in x)
    assert abs(Fraction(value.item()) - true) <= Fraction(fixed.error)


@settings(max_examples=300, deadline=None)
@given(chosen=BUDGETS, field=FIELDS)
def test_what_is_refused_would_wrap(chosen, field):
    fixed = budget({**chosen, "rounding": "nearest"})
    try:
        fixed.ring(field)
    except anyk.Unachievable:
        number = 16 if fixed.primes == "auto" else fixed.primes
        modulus = math.prod(each.modulus for each in further_fields(field, number))
        largest = int(fixed.integers(fixed.magnitude))
        worst = fixed.summands * fixed.coefficient * largest**fixed.degree
        assert (worst + modulus // 2) % modulus - modulus // 2 != worst
    else:
        assert fixed.primes == "auto" or len(fixed.ring(field).primes) == fixed.primes


@settings(max_examples=200, deadline=None)
@given(chosen=BUDGETS)
def test_the_knobs_that_a_refusal_names_do_turn(chosen):
    fixed = budget({**chosen, "primes": 1})
    try:
        fixed.ring()
    except anyk.Unachievable as error:
        for name, text in re.findall(r"(fraction_bits|primes)=(\d+)", error.change):
            replace(fixed, **{name: int(text)}).ring()


def test_factors_count_in_scale_and_size_and_error():
    weights = anyk.FixedPoint(fraction_bits=4, magnitude=2.0)
    fixed = anyk.FixedPoint(
        fraction_bits=6, magnitude=1.0, degree=2, summands=50, coefficient=3, factors=(weights,)
    )
    assert fixed.result_bits == 6 * 2 + 4
    assert fixed.worst == 50 * 3 * 64**2 * 32
    generator = np.random.default_rng(0)
    x, w = generator.uniform(-1, 1, (5, 10)), generator.uniform(-2, 2, 10)
    field = anyk.PrimeField()
    share = field.array(fixed.embed(x))
    value = fixed.extract((3 * (share.T @ (share @ weights.integers(w)))).values)
    a, b = fixed.quantise(x), weights.quantise(w)
    assert np.array_equal(value, 3 * a.T @ (a @ b))
    assert np.abs(value - 3 * x.T @ (x @ w)).max() < fixed.error < 10


def test_lower_terms_are_made_homogeneous_by_the_fixed_point_one():
    fixed = anyk.FixedPoint(fraction_bits=5, magnitude=4.0, degree=2, summands=3, coefficient=3)
    one = int(fixed.integers(1.0))
    x = np.array([0.5, -1.25, 4.0])
    value = in_field(fixed, lambda a: a**2 + 3 * one * a + one**2, x)
    assert np.array_equal(value, x**2 + 3 * x + 1)


def test_a_result_beyond_the_budget_is_noticed():
    fixed = anyk.FixedPoint(fraction_bits=5, magnitude=2.0)
    with pytest.raises(anyk.InvalidArgument, match=r"at most n·c·B\^d = 64\. .*raise summands"):
        in_field(fixed, lambda a: a + a, [2.0])
    with pytest.raises(anyk.Unachievable):
        fixed.extract([3], anyk.PrimeField(101))


def test_the_bound_counts_the_rounding_to_float64():
    fixed = anyk.FixedPoint(fraction_bits=0, magnitude=2.0**60, summands=2)
    value = in_field(fixed, lambda a: a.sum(), [2.0**60, 127.0])
    assert value == 2.0**60  # the nearest float64 to 2**60 + 127
    assert 127 <= fixed.error < 1000


# Rounding


@given(st.floats(-(2.0**60), 2.0**60) | st.integers(-(2**54), 2**54).map(lambda k: k / 2))
@example(0.49999999999999994)
@example(-0.5)
@example(-1e-300)
@example(2.0**52 + 1)
def test_nearest_is_half_up_exactly(x):
    assert int(nearest(np.array(x))) == math.floor(Fraction(x) + Fraction(1, 2))


@pytest.mark.parametrize("wrong", [2.5, -2.5, math.inf, math.nan])
def test_what_is_not_within_is_named_where_it_is(wrong):
    with pytest.raises(
        anyk.InvalidArgument, match=r"at index \(1, 0\); needed: at most magnitude=2"
    ):
        within(np.array([[2.0, -2.0], [wrong, 3.0]]), 2.0)
    assert within(np.zeros((0, 2)), 2.0).shape == (0, 2)


@pytest.mark.parametrize("seed", [None, 7])
def test_stochastic_rounding_is_unbiased(seed):
    generator = None if seed is None else np.random.default_rng(seed)
    count = 200_000
    for x in (-1.75, -0.1, 0.3, 2.0**40 + 0.5):
        whole = stochastic(np.full(count, x), generator)
        assert set(np.unique(whole)) == {math.floor(x), math.floor(x) + 1}
        share = x - math.floor(x)
        deviation = math.sqrt(share * (1 - share) / count)
        assert abs((whole - math.floor(x)).mean() - share) < 6 * deviation
    assert stochastic(np.array([-3.0, 0.0, 5.0]), generator).tolist() == [-3, 0, 5]


def test_stochastic_rounding_repeats_with_a_generator_and_not_without():
    fixed = anyk.FixedPoint(fraction_bits=2, magnitude=1.0, rounding="stochastic")
    x = np.random.default_rng(0).uniform(-1, 1, 200)
    again = [fixed.integers(x, np.random.default_rng(5)) for _ in range(2)]
    assert np.array_equal(*again)
    assert not np.array_equal(fixed.integers(x), fixed.integers(x))
    grid = fixed.quantise(x)
    assert np.array_equal(fixed.quantise(grid), grid)  # already rounded: nothing is left to chance
    assert np.abs(grid - x).max() < 2**-2


# Arguments


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"fraction_bits": -1}, "fraction_bits"),
        ({"fraction_bits": 10**9}, "fraction_bits"),
        ({"fraction_bits": 61, "magnitude": 2.0}, "fraction_bits"),
        ({"fraction_bits": 0, "magnitude": 0.25}, "fraction_bits"),
        ({"degree": 0}, "degree"),
        ({"degree": 10**9}, "fraction_bits"),
        ({"magnitude": 0}, "magnitude"),
        ({"magnitude": math.inf}, "magnitude"),
        ({"magnitude": "1"}, "magnitude"),
        ({"magnitude": 10**400}, "magnitude"),
        ({"summands": 1.5}, "summands"),
        ({"coefficient": 0}, "coefficient"),
        ({"rounding": "even"}, "rounding"),
        ({"primes": 17}, "primes"),
        ({"primes": 0}, "primes"),
        ({"factors": (1,)}, "factors"),
        ({"factors": anyk.FixedPoint(fraction_bits=2, magnitude=1.0)}, "factors"),
    ],
)
def test_what_makes_no_sense_is_refused(change, named):
    with pytest.raises(anyk.InvalidArgument, match=rf"^{named}: got .*; needed: "):
        anyk.FixedPoint(**{"fraction_bits": 4, "magnitude": 1.0, **change})


@pytest.mark.parametrize("bad", [1.5, -1.0000000000000002, np.nan, np.inf, 1j, "x"])
def test_inputs_beyond_the_magnitude_are_refused(bad):
    fixed = anyk.FixedPoint(fraction_bits=4, magnitude=1.0)
    with pytest.raises(anyk.InvalidArgument, match="values"):
        fixed.embed([0.0, bad])


def test_a_refusal_says_which_inequality_fails_and_what_to_change():
    fixed = anyk.FixedPoint(fraction_bits=10, magnitude=8.0, degree=2, summands=100, primes=1)
    with pytest.raises(anyk.Unachievable) as caught:
        fixed.embed([1.0])
    assert "2*100*1*8192^2 = 13421772800 < 2147483647 (1 prime)" in str(caught.value)
    assert caught.value.change == (
        "Take fraction_bits=8, or lower magnitude, summands or degree, or take primes=2."
    )
    with pytest.raises(anyk.Unachievable, match=r"16 primes"):
        replace(fixed, summands=2**500, primes="auto").ring()


def test_repr_and_pickle_rebuild_it(public_names):
    inner = anyk.FixedPoint(fraction_bits=4, magnitude=1)
    fixed = replace(inner, degree=3, factors=[inner], rounding="stochastic", primes=2)
    for value in (inner, fixed):
        assert eval(repr(value), public_names) == value
        assert pickle.loads(pickle.dumps(value)) == value
        assert hash(value) == hash(replace(value))


def test_embed_and_extract_with_the_bits_of_an_input():
    fixed = anyk.FixedPoint(fraction_bits=20, magnitude=3.0, degree=3)
    ring = fixed.ring()
    x = np.array([[-3.0, 0.5], [1.25, 0.0]])
    assert fixed.embed(x, ring).shape == (2, 2, len(ring.primes))
    assert np.array_equal(fixed.extract(fixed.embed(x, ring), ring, bits=20), x)
    with pytest.raises(anyk.Unachievable):
        fixed.embed(x)  # one prime does not hold the result
