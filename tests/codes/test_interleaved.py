"""Error location over the complex numbers: what is found, what is named, what is left alone."""

import itertools

import numpy as np
import pytest

from anyk.codes.analog.interleaved import InterleavedCode
from anyk.codes.locators.located import Located

NOISE = 1e-13


def normal(rng, *shape):
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def code_of(count, answered, dimension):
    return InterleavedCode(np.exp(2j * np.pi * np.array(answered) / count), dimension)


def words(code, rng, width):
    return np.vander(code.points, code.dimension, increasing=True) @ normal(
        rng, code.dimension, width
    )


def lies(kind, code, values, rows, rng):
    spoiled = values.copy()
    if kind == "random":
        spoiled[rows] += normal(rng, len(rows), values.shape[1])
    elif kind == "huge and small":
        sizes = 10.0 ** rng.uniform(-6, 15, (len(rows), 1))
        spoiled[rows] += sizes * normal(rng, len(rows), values.shape[1])
    elif kind == "another polynomial":
        spoiled[rows] = words(code, rng, values.shape[1])[rows]
    elif kind == "alike":
        spoiled[rows] += normal(rng, 1, values.shape[1])
    else:
        spoiled[rows] = 0.0
    return spoiled


KINDS = ["random", "huge and small", "another polynomial", "alike", "zero"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [1, 5])
def test_every_set_of_liars_is_named(kind, width):
    rng = np.random.default_rng(3)
    code = code_of(10, range(10), 5)
    values = words(code, rng, width)
    for size in (1, 2):
        for rows in itertools.combinations(range(10), size):
            spoiled = lies(kind, code, values, list(rows), rng)
            assert code.locate(spoiled, 2, noise=NOISE) == Located(removed=rows, named=rows)


@pytest.mark.parametrize("kind", KINDS)
def test_many_liars_are_found_without_trying_all_sets(kind):
    rng = np.random.default_rng(4)
    code = code_of(40, np.sort(rng.permutation(40)[:30]), 14)
    rows = np.sort(rng.permutation(30)[:8])
    spoiled = lies(kind, code, words(code, rng, 3), rows, rng)
    assert code.locate(spoiled, 8, noise=NOISE).removed == tuple(rows)


def test_one_liar_too_many_is_noticed():
    rng = np.random.default_rng(5)
    code = code_of(11, range(11), 6)
    for rows in itertools.combinations(range(11), 3):
        spoiled = lies("random", code, words(code, rng, 4), list(rows), rng)
        assert code.locate(spoiled, 2, noise=NOISE) == Located(exceeded=True)


def test_nobody_lies_where_all_agree_up_to_the_noise():
    rng = np.random.default_rng(6)
    code = code_of(9, range(9), 5)
    values = words(code, rng, 4)
    values += 0.3 * NOISE * normal(rng, 9, 4)
    assert code.locate(values, 2, noise=NOISE) == Located(removed=(), named=())
    assert 0.1 * NOISE < code.residual(values) < NOISE


def test_without_spare_rows_all_is_believed():
    rng = np.random.default_rng(7)
    code = code_of(5, range(5), 5)
    values = normal(rng, 5, 2)
    assert code.residual(values) == 0.0
    assert code.locate(values, 0, noise=NOISE) == Located(removed=(), named=())


def test_no_honest_row_is_named_for_lies_near_the_noise():
    rng = np.random.default_rng(8)
    named = 0
    for trial in range(300):
        answered = np.sort(rng.permutation(16)[:10]) if trial % 2 else np.arange(10)
        code = code_of(16, answered, 5)
        values = words(code, rng, 3) + 0.1 * NOISE * normal(rng, 10, 3)
        rows = np.sort(rng.permutation(10)[:2])
        values[rows] += 10.0 ** rng.uniform(-14, -9) * normal(rng, 2, 3)
        located = code.locate(values, 2, noise=NOISE)
        assert not located.exceeded
        assert set(located.named) <= {*rows.tolist()}
        named += len(located.named)
    assert named > 200  # of 600


@pytest.mark.parametrize("answered", [range(12), [0, 1, 2, 3, 5, 6, 7, 8, 9, 11], range(9)])
def test_recovery_is_least_squares_and_exact_on_polynomials(answered):
    rng = np.random.default_rng(9)
    code = code_of(12, list(answered), 6)
    targets = 1.5 * np.exp(2j * np.pi * np.arange(3) / 3)
    coefficients = normal(rng, 6, 2)
    values = np.vander(code.points, 6, increasing=True) @ coefficients
    expected = np.vander(targets, 6, increasing=True) @ coefficients
    np.testing.assert_allclose(code.recovery(targets) @ values, expected, atol=1e-11)
    check = code.parity_check()
    np.testing.assert_allclose(check @ values, 0.0, atol=1e-13)
    np.testing.assert_allclose(check @ check.conj().T, np.eye(len(check)), atol=1e-13)
    np.testing.assert_allclose(code.recovery(targets) @ check.conj().T, 0.0, atol=1e-11)


def test_neighbours_are_the_rows_that_can_hide_most():
    rng = np.random.default_rng(10)
    targets = 1.5 * np.exp(2j * np.pi * np.arange(1, 4) / 4)
    for _ in range(40):
        count, rows = int(rng.integers(9, 14)), int(rng.integers(1, 4))
        answered = np.sort(rng.permutation(count)[: int(rng.integers(5 + rows, count + 1))])
        code = code_of(count, answered, 5)
        matrix, check = code.recovery(targets), code.parity_check()
        most = max(
            np.linalg.norm(matrix[:, who] @ np.linalg.pinv(check[:, who]))
            for who in map(list, itertools.combinations(range(len(answered)), rows))
        )
        exposure = code.exposure(targets, rows)
        assert exposure <= most * (1 + 1e-6)
        assert exposure >= 0.99 * most


def test_points_too_near_for_double_precision_raise_nothing():
    code = code_of(10**9, range(8), 8)
    assert np.linalg.norm(code.recovery(np.array([1.5 + 0j]))) > 1e12
