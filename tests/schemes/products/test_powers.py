"""Codes of powers of a point: every set of answers and of liars, shapes, an independent tool.

`Polynomial`, `MatDot`, `PolyDot` and `Entangled`, with masks and without.
"""

import itertools
import math

import numpy as np
import pytest
from flint import nmod_mat

import anyk
from anyk.schemes.products.base import code_of

SMALL = anyk.PrimeField(10007)
CODES = [
    (anyk.Polynomial, (2, 1, 3), 0, 6),
    (anyk.Polynomial, (2, 1, 2), 1, 8),
    (anyk.Polynomial, (2, 1, 1), 2, 7),
    (anyk.Polynomial, (1, 1, 2), 3, 9),
    (anyk.MatDot, (1, 4, 1), 0, 7),
    (anyk.MatDot, (1, 3, 1), 1, 7),
    (anyk.MatDot, (1, 1, 1), 2, 5),
    (anyk.PolyDot, (2, 2, 1), 0, 6),
    (anyk.PolyDot, (1, 2, 3), 0, 9),
    (anyk.Entangled, (2, 2, 1), 0, 5),
    (anyk.Entangled, (2, 2, 2), 0, 9),
    (anyk.Entangled, (1, 3, 2), 0, 8),
]


def drawn(shape, modulus, rng):
    rows, inner, columns = shape
    return rng.integers(0, modulus, (rows, inner)), rng.integers(0, modulus, (inner, columns))


def by_flint(A, B, modulus):
    columns = np.reshape(B, (len(B), -1))
    product = nmod_mat(A.tolist(), modulus) * nmod_mat(columns.tolist(), modulus)
    return np.array([[int(each) for each in row] for row in product.tolist()])


def answers_of(encoded):
    domain = encoded.scheme.domain
    return np.stack([domain.matmul(a, b) for a, b in zip(*encoded.parts, strict=True)])


@pytest.mark.parametrize(("kind", "partition", "colluders", "enough"), CODES)
def test_any_so_many_answers_are_enough_and_one_fewer_is_not(kind, partition, colluders, enough):
    workers = min(enough + 3, 12)
    scheme = kind(partition, workers, domain=SMALL, colluders=colluders)
    assert scheme.guarantee.threshold == enough
    rng = np.random.default_rng(enough)
    for shape in [(5, 7, 4), (1, 1, 1), tuple(partition)]:
        A, B = drawn(shape, 10007, rng)
        encoded = scheme.encode((A, B))
        values, truth = answers_of(encoded), by_flint(A, B, 10007)
        for who in itertools.combinations(range(workers), enough):
            assert np.array_equal(encoded.decode(values[list(who)], who).value, truth)
    for who in itertools.combinations(range(workers), enough - 1):
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(who)


@pytest.mark.parametrize(("kind", "partition", "colluders", "enough"), CODES)
def test_every_liar_is_named_and_one_more_is_not_believed(kind, partition, colluders, enough):
    workers = enough + 2
    scheme = kind(partition, workers, domain=SMALL, colluders=colluders, adversaries=1)
    rng = np.random.default_rng(enough)
    A, B = drawn((4, 4, 4), 10007, rng)
    encoded = scheme.encode((A, B))
    honest = answers_of(encoded)
    for liar in range(workers):
        values = honest.copy()
        values[liar].flat[rng.integers(values[liar].size)] += 1
        recovered = encoded.decode(values % 10007, range(workers))
        assert recovered.suspects == (liar,)
        assert np.array_equal(recovered.value, by_flint(A, B, 10007))
    for liars in itertools.combinations(range(workers), 2):
        values = honest.copy()
        values[list(liars)] = rng.integers(0, 10007, (2, *honest.shape[1:]))
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(values, range(workers))


@pytest.mark.parametrize(("kind", "partition", "colluders", "enough"), CODES)
@pytest.mark.parametrize("modulus", [2_147_483_647, 65_537, 23])
def test_products_are_those_of_an_independent_tool(kind, partition, colluders, enough, modulus):
    rng = np.random.default_rng(modulus % 1000)
    field = anyk.PrimeField(modulus)
    scheme = kind(partition, enough + 2, domain=field, colluders=colluders)
    for shape in rng.integers(1, 12, (6, 3)):
        A, B = drawn(shape, modulus, rng)
        if partition[2] == 1 and rng.random() < 0.5:
            B = B[:, 0]
        encoded = scheme.encode((A, B))
        who = rng.permutation(enough + 2)[:enough].tolist()
        value = encoded.decode(answers_of(encoded)[who], who).value
        assert value.shape == (A.shape[0], *B.shape[1:])
        assert np.array_equal(value.reshape(len(A), -1), by_flint(A, B, modulus))


@pytest.mark.parametrize(
    ("kind", "partition", "needed"),
    [
        (anyk.MatDot, (1, 5, 1), 9),
        (anyk.PolyDot, (3, 4, 3), 63),  # t^2 (2s - 1)
        (anyk.PolyDot, (1, 5, 1), 9),
        (anyk.PolyDot, (3, 1, 2), 6),
        (anyk.Entangled, (3, 4, 3), 39),
        (anyk.Entangled, (1, 5, 1), 9),
        (anyk.Entangled, (3, 1, 2), 6),
    ],
)
def test_as_many_answers_as_published(kind, partition, needed):
    assert kind(partition, needed).guarantee.threshold == needed
    with pytest.raises(anyk.Unachievable, match=f"that is {needed} "):
        kind(partition, needed - 1)


def test_as_many_answers_as_published_with_masks():
    def needed(kind, partition, colluders):
        return kind(partition, 200, colluders=colluders).guarantee.threshold

    for m, n, t in itertools.product(range(1, 5), range(1, 5), range(1, 5)):
        aligned = (m + t) * (n + 1) - 1, (m + 1) * (n + t) - 1
        assert needed(anyk.Polynomial, (m, 1, n), t) == min(*aligned, 2 * m * n + 2 * t - 1)
        assert needed(anyk.MatDot, (1, m, 1), t) == 2 * m + 2 * t - 1


@pytest.mark.parametrize("kind", [anyk.Polynomial, anyk.MatDot])
def test_pieces_have_masks_of_their_own(kind):
    partition = (1, 2, 1) if kind is anyk.MatDot else (2, 1, 1)
    scheme = kind(partition, 6, colluders=1, pieces=2, domain=SMALL)
    A, B = drawn((5, 4, 3), 10007, np.random.default_rng(3))
    encoded = scheme.encode((A, B))
    assert [anyk.leakage(encoded, colluders=size) for size in (1, 2)] == [0.0, 2.0]
    values = answers_of(encoded)
    for who in itertools.combinations(range(12), scheme.guarantee.threshold):
        value = encoded.decode(values[list(who)], who).value
        assert np.array_equal(value, by_flint(A, B, 10007))


COMPLEX = [
    anyk.MatDot((1, 3, 1), 8, domain=anyk.Complex()),
    anyk.PolyDot((2, 2, 1), 9, domain=anyk.Complex()),
    anyk.Entangled((2, 2, 2), 12, domain=anyk.Complex()),
    anyk.Entangled((2, 3, 1), 5, domain=anyk.Complex(), pieces=2),
    anyk.MatDot((1, 3, 1), 12, domain=anyk.Complex(), colluders=2, leakage=0.1),
    anyk.Polynomial((2, 1, 2), 11, domain=anyk.Complex(), colluders=1, leakage=0.01),
    anyk.Polynomial((3, 1, 1), 6, domain=anyk.Complex(), colluders=1, pieces=2, sigma=20.0),
]


@pytest.mark.parametrize("scheme", COMPLEX, ids=lambda each: f"{type(each).__name__}{each.workers}")
def test_errors_are_within_their_estimates(scheme):
    rng = np.random.default_rng(5)
    within, draws = 0, 100
    shares = scheme.workers * scheme.pieces
    for draw in range(draws):
        rows, inner, columns = rng.integers(1, 9, 3)
        A, B = rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))
        if draw % 2:
            A = A * np.exp(2j * np.pi * rng.random(A.shape))
        encoded = scheme.encode((A, B))
        who = rng.permutation(shares)[: rng.integers(scheme.guarantee.threshold, shares + 1)]
        found = encoded.decode(answers_of(encoded)[who], who)
        assert found.error_estimate < 1e-6
        off = np.linalg.norm(found.value - A @ B) / np.linalg.norm(A @ B)
        within += bool(off <= found.error_estimate)
    assert within >= 0.95 * draws - 3 * math.sqrt(draws * 0.05 * 0.95)


def test_neighbours_who_are_missing_leave_no_wide_gap():
    scheme = anyk.Entangled((2, 2, 2), 16, domain=anyk.Complex())
    encoded = scheme.encode((np.eye(4), np.eye(4)))

    def condition(missing):
        return encoded.recovery(sorted({*range(16)} - {*missing})).condition

    numbered = [condition((first + step) % 16 for step in range(7)) for first in range(16)]
    on_the_circle = np.argsort(np.angle(code_of(scheme).terms[:, 1]))[:7].tolist()
    assert max(numbered) < 10.0
    assert condition(on_the_circle) > 900.0


@pytest.mark.parametrize("scheme", [
    anyk.Polynomial((3, 1, 3), 24, domain=anyk.Complex(), colluders=2, leakage=0.1),
    anyk.Entangled((3, 3, 3), 40, domain=anyk.Complex()),
], ids=lambda each: type(each).__name__)  # fmt: skip
def test_errors_are_within_their_estimates_also_without_an_arc_of_the_circle(scheme):
    rng = np.random.default_rng(6)
    A, B = rng.normal(size=(9, 9)), rng.normal(size=(9, 9))
    around = np.argsort(np.angle(code_of(scheme).terms[:, 1]))
    off = []
    for _ in range(8):  # sets of one encoding have their rounding in common
        encoded = scheme.encode((A, B))
        values = answers_of(encoded)
        for first in range(scheme.workers):
            who = np.roll(around, first)[: scheme.guarantee.threshold].tolist()
            found = encoded.decode(values[who], who)
            error = np.linalg.norm(found.value - A @ B) / np.linalg.norm(A @ B)
            off.append(error / found.error_estimate)
    assert np.mean(np.array(off) < 1.0) >= 0.95
    assert max(off) < 2.0
