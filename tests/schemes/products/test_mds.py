import itertools

import numpy as np
import pytest

import anyk

FIELD = anyk.PrimeField(10007)


def case(scheme, seed=1, rows=7, inner=5, columns=3):
    rng = np.random.default_rng(seed)
    A, B = rng.integers(0, 10007, (rows, inner)), rng.integers(0, 10007, (inner, columns))
    encoded = scheme.encode((A, B))
    values = np.stack([FIELD.matmul(a, b) for a, b in zip(*encoded.parts, strict=True)])
    return (A.astype(object) @ B.astype(object)) % 10007, encoded, values


@pytest.mark.parametrize(("m", "workers", "pieces"), [(1, 1, 1), (3, 6, 1), (5, 4, 2), (4, 9, 1)])
def test_every_pattern_gives_the_product(m, workers, pieces):
    truth, encoded, values = case(anyk.MDS((m, 1, 1), workers, FIELD, pieces=pieces))
    for who in itertools.combinations(range(workers * pieces), m):
        assert np.array_equal(encoded.decode(values[list(who)], who).value, truth)
    for who in itertools.combinations(range(workers * pieces), m - 1):
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(who)


def test_the_first_shares_are_the_blocks():
    A = np.arange(12).reshape(6, 2)
    for domain in (FIELD, anyk.Reals(), anyk.Complex()):
        left = anyk.MDS((3, 1, 1), 5, domain).encode_left(A)
        assert np.array_equal(left.parts[0][:3], A.reshape(3, 2, 2))


def test_liars_are_named_and_one_more_is_refused():
    truth, encoded, honest = case(anyk.MDS((3, 1, 1), 7, FIELD, adversaries=2))
    rng = np.random.default_rng(3)
    for liars in itertools.combinations(range(7), 2):
        values = honest.copy()
        values[list(liars)] = (values[list(liars)] + 1) % 10007
        recovered = encoded.decode(values, range(7))
        assert recovered.suspects == liars
        assert np.array_equal(recovered.value, truth)
    for liars in itertools.combinations(range(7), 3):
        values = honest.copy()
        values[list(liars)] = rng.integers(0, 10007, (3, *honest.shape[1:]))
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(values, range(7))


def test_other_dimensions_are_not_cut():
    for partition in [(2, 2, 1), (2, 1, 2)]:
        with pytest.raises(anyk.InvalidArgument, match=r"needed: \(m, 1, 1\), for MDS"):
            anyk.MDS(partition, 9)
