"""Frobenius: two workers for any K, exact over many fields; what is not of its kind is refused."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.privacy.information import symbols_learned
from anyk.randomness.entropy import AbstractSource

BYTES = anyk.ExtensionField(anyk.PrimeField(2), 8)
FIELDS = [(2, 3), (3, 2), (5, 2), (7, 2), (101, 3), (2**31 - 1, 2)]


def elements(extension, shape, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(0, extension.field.modulus, (*shape, extension.degree))


def computed(scheme, function, X):
    with anyk.Inline(2) as executor:
        outcome = anyk.run(scheme, function, X, executor)
    assert outcome.status is anyk.Status.EXACT
    return outcome.value


@pytest.mark.parametrize(("prime", "degree"), FIELDS)
@pytest.mark.parametrize("blocks", [1, 2, 3, 4, 7, 50])
def test_sums_of_powers_of_p_under_linear_maps_are_exact(blocks, prime, degree):
    """Against p-th powers by repeated products, which know nothing of the Frobenius map."""
    extension = anyk.ExtensionField(anyk.PrimeField(prime), degree)
    scheme = anyk.Frobenius(blocks=blocks, field=extension.field)
    assert scheme.workers == scheme.guarantee.workers == 2
    X = elements(extension, (blocks, 3), seed=blocks)
    A = elements(extension, (4, 3))

    def g(x):
        powers = extension.frobenius(x)
        return extension.multiply(A, powers[None]).sum(axis=1)

    def power(x):
        result, left = None, prime
        while left:
            if left & 1:
                result = x if result is None else extension.multiply(result, x)
            x, left = extension.multiply(x, x), left >> 1
        return result

    products = extension.multiply(A, power(X)[:, None])
    assert np.array_equal(computed(scheme, g, X), products.sum(axis=(0, 2)) % prime)


@pytest.mark.parametrize(("prime", "blocks"), [(2, 4), (3, 1), (3, 3), (3, 4), (5, 1), (5, 5)])
def test_a_constant_counts_as_often_as_there_are_blocks(prime, blocks):
    field = anyk.PrimeField(prime)
    X = np.random.default_rng(0).integers(0, prime, (blocks, 4))
    value = computed(anyk.Frobenius(blocks=blocks, field=field), lambda x: x + 1, X)
    assert np.array_equal(value, (X + 1).sum(axis=0) % prime)


@pytest.mark.parametrize("blocks", [1, 3, 5])
def test_over_gf_2_a_constant_is_refused_where_it_would_be_lost(blocks):
    scheme = anyk.Frobenius(blocks=blocks, field=BYTES.field)
    X = elements(BYTES, (blocks, 2))

    def affine(x):
        return BYTES.frobenius(x) + BYTES.polynomial[:-1]

    for function in (affine, anyk.of_degree(lambda x: (x.values + 1).tolist(), 1)):
        with anyk.Inline(2) as executor, pytest.raises(anyk.NotEnoughAnswers, match="a constant"):
            anyk.run(scheme, function, X, executor)
    even = anyk.Frobenius(blocks=blocks + 1, field=BYTES.field)  # as the error advises
    filled = np.concatenate([X, np.zeros_like(X[:1])])
    truth = (BYTES.multiply(X, X).sum(axis=0) + (blocks + 1) * np.array(BYTES.polynomial[:-1])) % 2
    assert np.array_equal(computed(even, affine, filled), truth)


def test_arguments_of_all_workers_and_encoded_ones():
    X, Y, weights = elements(BYTES, (3, 2)), elements(BYTES, (3, 2), seed=1), elements(BYTES, (2,))

    def g(x, y):
        return BYTES.multiply(BYTES.frobenius(x), y)

    def both(x, y):
        return BYTES.frobenius(x) + y

    with anyk.Threads(2) as executor:
        with anyk.distribute(anyk.Frobenius(blocks=3, field=BYTES.field), X, executor) as data:
            truth = BYTES.multiply(BYTES.multiply(X, X), weights).sum(axis=0) % 2
            assert np.array_equal(data.run(g, weights).value, truth)
            with pytest.raises(anyk.InvalidArgument, match="Append a block of zeros"):
                data.run(both, data.encode(Y))
        even = anyk.Frobenius(blocks=4, field=BYTES.field)
        X, Y = (np.concatenate([each, each[:1]]) for each in (X, Y))
        with anyk.distribute(even, X, executor) as data:
            truth = (BYTES.multiply(X, X) + Y).sum(axis=0) % 2
            assert np.array_equal(data.run(both, data.encode(Y)).value, truth)
            with pytest.raises(anyk.DegreeTooHigh, match="degree 2"):
                data.run(g, data.encode(Y))


def test_what_is_no_power_of_p_is_refused_and_harmonic_named():
    extension = anyk.ExtensionField(anyk.PrimeField(101), 3)
    scheme = anyk.Frobenius(blocks=4, field=extension.field)
    X = elements(extension, (4, 2))

    def norm(x):
        return extension.power(x, 1 + 101 + 101**2)

    with anyk.Inline(2) as executor:
        with pytest.raises(anyk.DegreeTooHigh, match="degree 3") as caught:
            anyk.run(scheme, norm, X, executor)
    assert "Take anyk.Harmonic(blocks=4, degree=3, field=PrimeField(101)), which takes 10" in str(
        caught.value
    )
    with anyk.Inline(10) as executor:
        better = anyk.Harmonic(blocks=4, degree=3, field=extension.field)
        value = anyk.run(better, norm, X, executor).value
    assert np.array_equal(value, norm(X).sum(axis=0) % 101)
    assert not value[:, 1:].any()  # a norm is in GF(p)
    small = anyk.Frobenius(blocks=3, field=BYTES.field)
    with anyk.Inline(2) as executor:
        with pytest.raises(anyk.DegreeTooHigh, match="Take a scheme for that degree"):
            anyk.run(small, lambda x: BYTES.power(x, 3), elements(BYTES, (3, 2)), executor)
        with pytest.raises(anyk.DegreeTooHigh, match="degree 2 "):  # a power of each residue
            anyk.run(small, lambda x: x**2, elements(BYTES, (3, 2)), executor)


class Fixed(AbstractSource):
    """A source that is not asked: the masks of a test are put in by hand."""

    def key(self):
        raise AssertionError("no mask should be drawn")


@pytest.mark.parametrize("prime", [2, 3, 5, 7])
@pytest.mark.parametrize("blocks", range(1, 9))
def test_every_share_takes_every_value_once_as_the_key_varies(blocks, prime, monkeypatch):
    scheme = anyk.Frobenius(blocks=blocks, field=anyk.PrimeField(prime))
    X = np.random.default_rng(prime).integers(0, prime, blocks)
    every = []
    for key in range(prime):
        monkeypatch.setattr(
            "anyk.schemes.sums.frobenius.uniform_masks",
            lambda _f, shape, _s, key=key: np.full(shape, key),
        )
        encoded = scheme.encode(X, source=Fixed())
        assert int(encoded.decode(encoded.shares, range(2)).value) == X.sum() % prime
        every.append(encoded.shares)
    for values in np.array(every).T:
        assert sorted(values.tolist()) == list(range(prime))


@pytest.mark.parametrize(("prime", "blocks"), [*itertools.product([2, 3, 101], [1, 2, 3, 8])])
def test_one_worker_learns_nothing_and_both_the_sum_alone(prime, blocks):
    scheme = anyk.Frobenius(blocks=blocks, field=anyk.PrimeField(prime))
    encoded = scheme.encode(np.zeros(blocks, int))
    assert anyk.leakage(encoded, colluders=1) == 0.0
    encoder = encoded.encoder
    assert symbols_learned(scheme.field, encoder.data, encoder.masks) == 1
    assert len(set(encoder.data[1].tolist())) == 1  # and that symbol is the sum of the blocks


def test_the_master_may_be_one_of_the_two():
    scheme = anyk.Frobenius(blocks=3, field=BYTES.field)
    X = elements(BYTES, (3, 2))
    with anyk.WithMaster(anyk.Threads(1)) as executor:
        outcome = anyk.run(scheme, BYTES.frobenius, X, executor)
    assert np.array_equal(outcome.value, BYTES.multiply(X, X).sum(axis=0) % 2)


def test_one_answer_missing_is_one_too_many_and_they_may_come_in_any_order():
    encoded = anyk.Frobenius(blocks=4).encode([1, 2, 3, 5])
    for missing in range(2):
        with pytest.raises(anyk.NotEnoughAnswers, match="needed: both answers"):
            encoded.recovery([1 - missing])
    assert encoded.decode(encoded.shares[::-1], [1, 0]).value == 11


@pytest.mark.parametrize("bad", [{"blocks": 0}, {"blocks": 1.5}, {"field": 7}])
def test_bad_parameters_are_refused(bad):
    with pytest.raises(anyk.InvalidArgument, match=next(iter(bad))):
        anyk.Frobenius(**{"blocks": 2, **bad})
