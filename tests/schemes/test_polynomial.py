import itertools

import numpy as np
import pytest

import anyk
from anyk.faults import Corrupt, Crash, Faulty

FIELD = anyk.PrimeField(10007)


def factors(shape, rng):
    rows, inner, columns = shape
    return rng.integers(0, 10007, (rows, inner)), rng.integers(0, 10007, (inner, columns))


def product(A, B):
    return (A.astype(object) @ B.astype(object)) % 10007


def answers_of(encoded):
    return np.stack([FIELD.matmul(a, b) for a, b in zip(*encoded.parts, strict=True)])


@pytest.mark.parametrize("partition", [(1, 1, 1), (2, 1, 2), (3, 1, 1), (1, 1, 3), (2, 1, 3)])
@pytest.mark.parametrize("shape", [(6, 4, 6), (5, 3, 7), (1, 1, 1), (2, 9, 4)])
def test_every_pattern_gives_the_product(partition, shape):
    m, _, n = partition
    A, B = factors(shape, np.random.default_rng(1))
    scheme = anyk.Polynomial(partition=partition, workers=m * n + 2, domain=FIELD)
    encoded = scheme.encode((A, B))
    values = answers_of(encoded)
    for who in itertools.combinations(range(m * n + 2), m * n):
        recovered = encoded.decode(values[list(who)], who)
        assert np.array_equal(recovered.value, product(A, B))
    for who in itertools.combinations(range(m * n + 2), m * n - 1):
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(who)


def test_liars_are_named_and_one_more_is_refused():
    A, B = factors((4, 3, 4), np.random.default_rng(2))
    scheme = anyk.Polynomial(partition=(2, 1, 2), workers=8, domain=FIELD, adversaries=2)
    encoded = scheme.encode((A, B))
    honest = answers_of(encoded)
    for liars in itertools.combinations(range(8), 2):
        values = honest.copy()
        values[list(liars)] = (values[list(liars)] + 1) % 10007
        recovered = encoded.decode(values, range(8))
        assert recovered.suspects == liars
        assert np.array_equal(recovered.value, product(A, B))
    rng = np.random.default_rng(3)
    for liars in itertools.combinations(range(8), 3):
        values = honest.copy()
        values[list(liars)] = rng.integers(0, 10007, (3, *honest.shape[1:]))
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(values, range(8))


def test_the_shares_are_what_the_matrices_of_both_factors_say():
    A, B = factors((4, 3, 6), np.random.default_rng(4))
    scheme = anyk.Polynomial(partition=(2, 1, 3), workers=7, domain=FIELD)
    encoded = scheme.encode((A, B))
    left, right = (scheme.encoder(encoded.layout, operand).data for operand in (0, 1))
    assert np.array_equal(encoded.parts[0], FIELD.matmul(left, A.reshape(2, 2, 3)))
    columns = np.ascontiguousarray(B.reshape(3, 3, 2).swapaxes(0, 1))
    assert np.array_equal(encoded.parts[1], FIELD.matmul(right, columns))


def test_a_matrix_times_a_vector_and_liars_in_a_run():
    rng = np.random.default_rng(5)
    A, x = rng.integers(0, 10007, (7, 4)), rng.integers(0, 10007, 4)
    scheme = anyk.Polynomial(partition=(3, 1, 1), workers=7, domain=FIELD, adversaries=1)
    with Faulty(anyk.Threads(7), {1: Crash(), 6: Corrupt(modulus=10007)}) as executor:
        outcome = anyk.run(scheme, np.matmul, (A, x), executor)
    assert np.array_equal(outcome.value, product(A, x))
    assert set(outcome.suspects) <= {6}


@pytest.mark.parametrize(
    "build",
    [
        lambda: anyk.Polynomial(partition=(2, 2, 2), workers=9),
        lambda: anyk.Polynomial(partition=(2, 1, 2), workers=3),
        lambda: anyk.Polynomial(partition=(2, 1), workers=3),
        lambda: anyk.Polynomial(partition=2, workers=3),
        lambda: anyk.MatMul(partition=None),
        lambda: anyk.Polynomial(partition=(2, 1, 2), workers=9, adversaries=3),
        lambda: anyk.Polynomial(partition=(1, 1, 1), workers=9, domain=anyk.PrimeField(7)),
        lambda: anyk.Polynomial(partition=(1, 1, 1), workers=1).encode(np.ones((2, 2), int)),
        lambda: anyk.Polynomial(partition=(1, 1, 1), workers=1).encode(5),
        lambda: anyk.Polynomial(partition=(1, 1, 1), workers=1).encode(
            (np.ones((2, 3), int), np.ones((2, 3), int))
        ),
        lambda: anyk.Polynomial(partition=(1, 1, 1), workers=1).encode(
            (np.ones((2, 0), int), np.ones((0, 3), int))
        ),
        lambda: anyk.Polynomial(partition=(1, 1, 2), workers=2).encode(
            (np.ones((2, 3), int), np.ones(3, int))
        ),
        lambda: anyk.Polynomial(partition=(1, 1, 1), workers=1).work(np.add),
        lambda: anyk.Polynomial(partition=(1, 1, 1), workers=1).work("gram"),
    ],
)
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        build()


@pytest.mark.parametrize(
    ("factors", "told"),
    [
        (None, "a NoneType"),
        ((1, 2, 3), "3 of them"),
        (np.ones((3, 2), int), r"one ndarray of shape \(3, 2\)"),
    ],
)
def test_what_is_not_two_factors_is_named(factors, told):
    with pytest.raises(anyk.InvalidArgument, match=f"X: got {told}; needed: two factors"):
        anyk.Polynomial(partition=(1, 1, 1), workers=1).encode(factors)


REAL = np.random.default_rng(8).uniform(-1.0, 1.0, (2, 5, 5))
A, B = REAL[0, :, :3], REAL[1, :3, :4]
SECOND = anyk.FixedPoint(fraction_bits=24, magnitude=1.0)


@pytest.mark.parametrize(
    "embedding",
    [
        anyk.FixedPoint(fraction_bits=30, magnitude=1.0, degree=2, summands=3),
        anyk.FixedPoint(fraction_bits=12, magnitude=2.0, summands=3, factors=(SECOND,)),
    ],
    ids=["one", "two"],
)
def test_products_of_reals_by_one_format_or_two(embedding):
    scheme = anyk.Polynomial(partition=(2, 1, 2), workers=8, adversaries=1)
    with Faulty(anyk.Threads(8), {3: Crash()}) as executor:
        outcome = anyk.run(scheme, np.matmul, (A, B), executor, embedding=embedding)
    assert np.abs(outcome.value - A @ B).max() <= outcome.quantisation_error < 1e-2


@pytest.mark.parametrize(
    ("change", "factors"),
    [
        ({"degree": 1}, (A, B)),
        ({"degree": 3}, (A, B)),
        ({"summands": 2}, (A, B)),
        ({"degree": 2, "factors": (SECOND,)}, (A, B)),
        ({"degree": 1, "factors": (SECOND, SECOND)}, (A, B)),
        ({}, (A,)),
        ({}, (A, A)),
        ({}, None),
        ({}, (1.0, 0.5)),
    ],
)
def test_an_embedding_of_something_else_than_a_product_is_refused(change, factors):
    embedding = anyk.FixedPoint(**{"fraction_bits": 2, "magnitude": 100.0, "degree": 2,
                                   "summands": 3} | change)  # fmt: skip
    with anyk.Inline(6) as executor, pytest.raises(anyk.InvalidArgument, match="needed: "):
        anyk.distribute(anyk.Polynomial((2, 1, 2), 6), factors, executor, embedding=embedding)
