"""Primes by budget: as small as it allows, and no promise weaker for it."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anyk
from anyk.codes.checks.field import rows_enough
from anyk.fixed_point.budget import MOST_PRIMES
from anyk.fixed_point.primes import LIARS, fields_for, prime_sets
from anyk.fixed_point.rounding import wrapped
from anyk.privacy.information import symbols_learned
from anyk.schemes.wrappers.embedded import Embedded
from anyk.schemes.wrappers.primes import primes_of

FIXED = anyk.FixedPoint(fraction_bits=4, magnitude=2.0)


def product(fields):
    return math.prod(field.modulus for field in fields)


def cost(fields):
    """Products of floats, words of memory and half of one for each prime, as the rule has it."""
    return sum(
        (1 if field.modulus < 1 << 25 else 2) + field.rest.itemsize / 4 + 1 / 2 for field in fields
    )


@settings(max_examples=100, deadline=None)
@given(bits=st.integers(0, 490), least=st.sampled_from([1, LIARS]))
def test_a_set_holds_its_budget_and_no_other_costs_less(bits, least):
    worst = (1 << bits) - 1 + bits
    sets = prime_sets(worst, product=least)
    for fields in sets:
        assert product(fields) > 2 * worst
        assert product(fields) >= least
        assert len({field.modulus for field in fields}) == len(fields) <= MOST_PRIMES
        assert min(field.modulus for field in fields) > 2
    costs = [cost(fields) for fields in sets]
    assert costs == sorted(costs)
    fewest = fields_for(worst, anyk.PrimeField(2**31 - 1), -(-(bits + 2) // 30))
    if product(fewest) > 2 * worst and product(fewest) >= least:
        assert costs[0] <= cost(fewest)


def test_what_no_primes_hold_is_refused_as_before():
    assert prime_sets(1 << 500) == ()
    with pytest.raises(anyk.Unachievable, match=r"2·n·c·B\^d < P"):
        anyk.FixedPoint(fraction_bits=60, magnitude=1.0, degree=9).ring()


@pytest.mark.parametrize(
    ("worst", "bits"),
    [(100, [8]), (2**14, [16]), (2**15, [24]), (2**23, [25]), (2**24, [31]), (2**30 - 1, [31]),
     (2**31, [24] * 2), (2**48, [25] * 2), (2**55, [31] * 2), (2**62, [24] * 3), (2**74, [24] * 4)],
)  # fmt: skip
def test_several_small_primes_before_large_ones(worst, bits):
    assert [field.modulus.bit_length() for field in prime_sets(worst)[0]] == bits


def test_another_field_than_the_default_is_the_users_and_stays_the_first():
    for modulus in (101, 2**31 - 19):
        field = anyk.PrimeField(modulus)
        assert FIXED.ring(field).fields[0] == field
        scheme = anyk.Lagrange(blocks=2, degree=1, workers=4, field=field)
        assert Embedded(scheme, FIXED).domain.fields[0] == field
    asked = anyk.FixedPoint(fraction_bits=4, magnitude=2.0, primes=2)
    assert Embedded(anyk.Lagrange(2, 1, 4), asked).domain.primes == (2**31 - 1, 2**31 - 19)


def test_points_have_room_however_small_results_are():
    for workers in (4, 246, 247, 300, 65_600):
        scheme = anyk.Replication(2, 4, domain=anyk.PrimeField())
        if workers < 1000:
            scheme = anyk.Lagrange(blocks=2, degree=1, workers=workers, colluders=2)
        (field,) = primes_of(scheme, 100)
        assert field.modulus >= 4 + (workers if workers < 1000 else 0)
    assert primes_of(anyk.Shamir(blocks=2, degree=1, workers=600), 100)[0].modulus > 300


@pytest.mark.parametrize("promise", [{"adversaries": 1}, {"detects": 1}])
def test_where_liars_are_looked_for_a_coincidence_is_as_unlikely_as_over_the_default(promise):
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=9, **promise)
    for worst in (1, 1000, 2**20, 2**40, 2**100):
        assert product(primes_of(scheme, worst)) >= LIARS
        assert product(primes_of(anyk.Summed(scheme), worst)) >= LIARS
    assert product(primes_of(anyk.Lagrange(blocks=2, degree=1, workers=9), 1)) < LIARS


@pytest.mark.parametrize("modulus", [251, 65521, 2**24 - 317, 2**31 - 1])
def test_checks_take_as_many_secret_rows_as_small_primes_need(modulus):
    assert modulus ** rows_enough(modulus) >= 2**61
    left = np.arange(12).reshape(1, 3, 4)
    scheme = anyk.Polynomial((1, 1, 1), 2, domain=anyk.PrimeField(modulus), verified=True)
    assert scheme.encode((left[0], left[0].T)).check.escapes <= 2.0**-61


@pytest.mark.parametrize("colluders", [1, 2])
def test_t_workers_learn_nothing_modulo_small_primes_and_one_more_does(colluders):
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=5, colluders=colluders)
    encoded = Embedded(scheme, FIXED).encode(np.zeros((2, 3)))
    (field,) = encoded.scheme.domain.fields
    assert field.modulus == 251
    data, masks = encoded.encoder.data[..., 0], encoded.encoder.masks[..., 0]
    for who in itertools.combinations(range(5), colluders):
        assert symbols_learned(field, data[list(who)], masks[list(who)]) == 0
    for who in itertools.combinations(range(5), colluders + 1):
        assert symbols_learned(field, data[list(who)], masks[list(who)]) > 0


@pytest.mark.parametrize(
    "constant", [1.0, 7.0, 100.0, 120.0, 130.0, 40_000.0, 2.0**23 + 1, 2.0**33]
)
def test_constants_beyond_a_small_prime_are_what_they_are(constant):
    """Where a constant has no room below p / 2, larger primes are taken, or more."""
    matrix = np.array([[constant, 0.0], [0.0, 1.0]])
    fixed = anyk.FixedPoint(fraction_bits=0, magnitude=1.0)
    with anyk.Inline(5) as executor:
        outcome = anyk.run(
            anyk.Lagrange(2, 1, 5, colluders=1), lambda x: x @ matrix, [[1, 1], [-1, 0]], executor,
            embedding=fixed,
        )  # fmt: skip
    assert outcome.value.tolist() == [[constant, 1.0], [-constant, 0.0]]


@pytest.mark.parametrize("constant", [100, 200, 70_000, 2**23, 2**25, 2**30 - 1000])
@pytest.mark.parametrize("primes", ["auto", 1, 3])
@pytest.mark.parametrize("sent_before", [False, True])
def test_elements_that_a_function_makes_never_wrap_in_silence(constant, primes, sent_before):
    """What is small modulo a small prime may be large: it is right, or refused."""
    scheme, X = anyk.Lagrange(2, 1, 5, colluders=1), np.array([[1.0, -1.0], [0.5, 0.25]])
    fixed = anyk.FixedPoint(fraction_bits=2, magnitude=1.0, primes=primes)

    def scaled(x):
        return x * x.field.array(x.field.constant(constant))

    with anyk.Inline(5) as executor:
        try:
            if sent_before:
                with anyk.distribute(scheme, X, executor, embedding=fixed) as data:
                    value = data.run(scaled).value
            else:
                value = anyk.run(scheme, scaled, X, executor, embedding=fixed).value
        except anyk.AnykError:
            assert constant > 2**28 or (sent_before and primes == "auto" and constant > 10_000)
        else:
            assert value.tolist() == (X * constant).tolist()


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=9), st.sampled_from([3, 251]))
def test_integers_of_any_size_wrap(values, prime):
    assert wrapped(np.array(values), prime).tolist() == [value % prime for value in values]


def matmul_primes(a, b, **asked):
    with anyk.Inline(8) as executor:
        outcome = anyk.matmul(a, b, executor, **asked)
    scheme = outcome.plan.scheme
    assert np.array_equal(outcome.value, a.astype(object) @ b.astype(object))
    return scheme.domain.primes if isinstance(scheme, Embedded) else None


def test_primes_of_hidden_integers_tell_their_types_alone():
    """Without colluders primes are as small as the numbers allow; with them, as the types."""
    generator = np.random.default_rng(0)
    large = generator.integers(-128, 128, (6, 500), dtype=np.int8)
    large[0] = -128
    for small in (np.zeros_like(large), np.sign(large)):
        assert matmul_primes(large, large.T, colluders=1) == matmul_primes(
            small, small.T, colluders=1
        )
    assert matmul_primes(large, large.T, colluders=1)[0] < 1 << 25
    wide = generator.integers(-9, 9, (3, 4))
    assert matmul_primes(wide, wide.T, colluders=1) == (2**31 - 1,)
    assert matmul_primes(wide << 12, wide.T, colluders=1) == (2**31 - 1,)
