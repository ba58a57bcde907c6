"""Harmonic: exact over many fields, one worker fewer than possible refused, one key hides all."""

import itertools
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import anyk
from anyk.codes.exact.linear import solve
from anyk.domains.points import harmonic_points, require_harmonic
from anyk.privacy.information import symbols_learned
from anyk.randomness.entropy import AbstractSource

KNOWN = json.loads((Path(__file__).parents[1] / "known" / "harmonic.json").read_text())
PRIMES = (101, 15485863, 2**31 - 1)


def multivariate(degree, generator, variables=3):
    """A random polynomial map of this total degree in a block's numbers, all lower terms in it."""
    terms = [
        places
        for total in range(degree + 1)
        for places in itertools.combinations_with_replacement(range(variables), total)
    ]
    coefficients = [int(number) for number in generator.integers(1, 10**6, len(terms))]

    def polynomial(x):
        total = 0 * x[0]
        for coefficient, places in zip(coefficients, terms, strict=True):
            term = coefficient
            for place in places:
                term = term * x[place]
            total = total + term
        return total

    return polynomial


@pytest.mark.parametrize("prime", PRIMES)
@pytest.mark.parametrize("degree", range(1, 7))
@pytest.mark.parametrize("blocks", [1, 2, 3, 7, 50])
def test_conformance_with_random_polynomials_of_several_variables(blocks, degree, prime):
    scheme = anyk.Harmonic(blocks=blocks, degree=degree, field=anyk.PrimeField(prime))
    assert scheme.guarantee.workers == blocks * (degree - 1) + 2
    generator = np.random.default_rng(blocks * degree)
    polynomial = multivariate(degree, generator)
    anyk.testing.check_scheme(
        scheme, generator=generator, function=polynomial, shape=(3, 2), patterns=20, encodings=64
    )


@pytest.mark.parametrize("prime", PRIMES)
@pytest.mark.parametrize("code", KNOWN["codes"], ids=lambda c: f"{c['blocks']}, {c['degree']}")
def test_shares_and_weights_are_those_that_flint_finds(code, prime):
    def residues(texts):
        fractions = [Fraction(text) for text in texts]
        return [f.numerator * pow(f.denominator, -1, prime) % prime for f in fractions]

    field = anyk.PrimeField(prime)
    scheme = anyk.Harmonic(blocks=code["blocks"], degree=code["degree"], field=field)
    encoded = scheme.encode(np.zeros(scheme.blocks, int))
    encoder = encoded.encoder
    matrix = np.concatenate([encoder.masks, encoder.data], axis=1)
    assert matrix.tolist() == [residues(row) for row in code["shares"]]
    assert encoded.recovery(range(scheme.workers)).matrix.tolist() == [residues(code["weights"])]


def test_the_worked_example():
    """K = 2, d = 2, c = 1, b = 4: g(Z)/3 + 8/3 g(..) + 8 g(..) - 9 g(..)."""
    field = anyk.PrimeField()
    scheme = anyk.Harmonic(blocks=2, degree=2)
    third = pow(3, -1, field.modulus)
    (row,) = scheme.encode([0, 0]).recovery(range(4)).matrix.tolist()
    assert row == [third, 8 * third % field.modulus, 8, field.modulus - 9]


class Fixed(AbstractSource):
    """A source that is not asked: the masks of a test are put in by hand."""

    def key(self):
        raise AssertionError("no mask should be drawn")


@pytest.mark.parametrize("prime", [13, 17])
@pytest.mark.parametrize(("blocks", "degree"), [*itertools.product((2, 3, 4), (2, 3))])
def test_every_share_takes_every_value_once_as_the_key_varies(blocks, degree, prime, monkeypatch):
    field = anyk.PrimeField(prime)
    scheme = anyk.Harmonic(blocks=blocks, degree=degree, field=field)
    X = np.random.default_rng(prime).integers(0, prime, blocks)
    every = []
    for key in range(prime):
        monkeypatch.setattr(
            "anyk.schemes.sums.harmonic.uniform_masks",
            lambda _f, shape, _s, key=key: np.full(shape, key),
        )
        shares = scheme.encode(X, source=Fixed()).shares
        answers = field.power(shares, degree)
        value = scheme.encode(X, source=Fixed()).decode(answers, range(scheme.workers)).value
        assert int(value) == sum(int(x) ** degree for x in X) % prime
        every.append(shares)
    for values in np.array(every).T:
        assert sorted(values.tolist()) == list(range(prime))


@pytest.mark.parametrize("prime", [101, 2**31 - 1])
@pytest.mark.parametrize(("blocks", "degree"), [(1, 1), (2, 2), (5, 3), (20, 4), (50, 6)])
def test_no_single_worker_learns_anything(blocks, degree, prime):
    scheme = anyk.Harmonic(blocks=blocks, degree=degree, field=anyk.PrimeField(prime))
    assert anyk.leakage(scheme.encode(np.zeros(blocks, int)), colluders=1) == 0.0


def test_the_first_and_the_last_worker_together_learn_the_sum_of_the_data():
    """The negative test: T = 1 is all that is promised."""
    scheme = anyk.Harmonic(blocks=4, degree=3)
    X = np.array([11, 22, 33, 44])
    encoded = scheme.encode(X)
    encoder = encoded.encoder
    ends = [0, scheme.workers - 1]
    assert symbols_learned(scheme.field, encoder.data[ends], encoder.masks[ends]) == 1
    first, last = encoded.shares[ends]
    assert int(scheme.field.reduce(5 * last - first)) == X.sum()  # (c+K)·P_K - c·P_0


@pytest.mark.parametrize("shape", [(), (1,), (3, 2)])
def test_the_recursion_gives_what_the_matrices_say(shape):
    scheme = anyk.Harmonic(blocks=6, degree=4)
    field = scheme.field
    X = np.random.default_rng(0).integers(0, field.modulus, (6, *shape))
    encoded = scheme.encode(X)
    encoder = encoded.encoder
    noise = field.reduce(encoded.shares - field.matmul(encoder.data, X)).reshape(20, -1)
    mask = solve(field, encoder.masks, noise)
    assert mask is not None
    assert np.array_equal(mask[0], encoded.shares[0].ravel())


def test_one_answer_missing_is_one_too_many():
    encoded = anyk.Harmonic(blocks=3, degree=2).encode([1, 2, 3])
    for missing in range(5):
        answered = [worker for worker in range(5) if worker != missing]
        with pytest.raises(anyk.NotEnoughAnswers, match=f"needed: all 5 .*Missing: {missing}"):
            encoded.recovery(answered)


def test_answers_may_come_in_any_order():
    encoded = anyk.Harmonic(blocks=3, degree=2).encode([1, 2, 3])
    order = [3, 0, 4, 2, 1]
    answers = (encoded.shares**2 % (2**31 - 1))[order]
    assert encoded.decode(answers, order).value == 14


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_a_field_as_small_as_the_theorem_allows_and_one_smaller(degree):
    field = anyk.PrimeField(11)
    anyk.testing.check_scheme(
        anyk.Harmonic(blocks=10 - degree, degree=degree, field=field),
        generator=np.random.default_rng(0),
        shape=(9,),
    )
    with pytest.raises(anyk.Unachievable, match=r"at least K \+ d \+ 1 = 12"):
        anyk.Harmonic(blocks=11 - degree, degree=degree, field=field)


@pytest.mark.parametrize(
    ("progression", "singles"),
    [
        ([0, 1, 2], [3]),  # c = 0
        ([12, 0, 1], [3]),  # c = -1
        ([11, 12, 13], [3]),  # c = -K
        ([1, 2, 3], [0]),  # b = 0
        ([1, 2, 3], [13]),  # the same modulo 13
        ([1, 2, 3], [3]),  # b = c + K
        ([1, 2, 3], [5, 5]),  # b twice
    ],
)
def test_points_at_which_the_formulas_break_are_refused(progression, singles):
    with pytest.raises(anyk.InvalidArgument, match="distinct and none 0 modulo 13"):
        require_harmonic(anyk.PrimeField(13), np.array(progression), np.array(singles))


def test_points_are_distinct_and_not_zero():
    progression, singles = harmonic_points(anyk.PrimeField(101), 5, 4)
    assert progression.tolist() == [1, 2, 3, 4, 5, 6]
    assert singles.tolist() == [7, 8, 9]


@pytest.mark.parametrize("bad", [{"blocks": 0}, {"degree": 0}, {"degree": 1.5}, {"field": 7}])
def test_bad_parameters_are_refused(bad):
    with pytest.raises(anyk.InvalidArgument, match=next(iter(bad))):
        anyk.Harmonic(**{"blocks": 2, "degree": 2, **bad})


def test_no_mask_is_kept_outside_of_the_shares():
    encoded = anyk.Harmonic(blocks=2, degree=2).encode([5, 6])
    assert encoded.layout is None
    assert "[" not in repr(encoded)


def test_on_workers_and_with_the_master_as_one_of_them():
    scheme = anyk.Harmonic(blocks=4, degree=2)  # K(d-1) + 2 = 6 workers, or 5 and the master
    X = np.arange(24).reshape(4, 3, 2)

    def gram(x):
        return x.T @ x

    truth = sum(x.T @ x for x in X)
    with anyk.Threads(6) as executor:
        assert np.array_equal(anyk.run(scheme, gram, X, executor).value, truth)
    with anyk.WithMaster(anyk.Threads(5)) as executor:
        outcome = anyk.run(scheme, gram, X, executor)
        assert np.array_equal(outcome.value, truth)
        assert outcome.status is anyk.Status.EXACT
    with anyk.Threads(5) as executor:
        with pytest.raises(anyk.InvalidArgument, match="6 workers"):
            anyk.run(scheme, gram, X, executor)
