"""Lies among rounded answers of any linear code: what is found, named, and left alone."""

import itertools

import numpy as np
import pytest

from anyk.codes.analog.linear import LinearCode
from anyk.codes.locators.located import Located

NOISE = 1e-13


def basis(kind, rows, columns, rng):
    if kind == "random":
        return rng.normal(size=(rows, columns))
    if kind == "systematic":
        return np.vstack([np.eye(columns), rng.normal(size=(rows - columns, columns))])
    if kind == "chebyshev":
        angles = (2 * np.arange(rows) + 1) * np.pi / 2 / rows
        return np.cos(np.arange(columns) * angles[:, None])
    if kind == "integers":
        return np.vander(np.arange(1.0, rows + 1.0), columns)
    return np.vander(np.exp(2j * np.pi * np.arange(rows) / rows), columns)


def lies(kind, code, values, rows, rng):
    spoiled = values.copy()
    shape = (len(rows), values.shape[1])
    sizes = np.linalg.norm(code.basis[rows], axis=1)[:, None]
    if kind == "random":
        spoiled[rows] += sizes * rng.normal(size=shape)
    elif kind == "huge and small":
        spoiled[rows] += (
            10.0 ** rng.uniform(-6, 12, (len(rows), 1)) * sizes * rng.normal(size=shape)
        )
    elif kind == "a millionth":
        spoiled[rows] *= 1.0 + 1e-6 * rng.normal(size=shape)
    elif kind == "another word":
        other = rng.normal(size=(code.basis.shape[1], shape[1]))
        spoiled[rows] = (code.basis @ other)[rows]
    elif kind == "alike":
        spoiled[rows] += rng.normal(size=shape[1])
    else:
        spoiled[rows] *= 0.0 if kind == "zero" else -1.0
    return spoiled


KINDS = ["random", "huge and small", "a millionth", "another word", "alike", "zero", "sign"]
BASES = ["random", "systematic", "chebyshev", "integers", "circle"]


def noise_of(code):
    return NOISE * np.linalg.norm(code.basis, axis=1)


def word(code, rng, width):
    values = code.basis @ rng.normal(size=(code.basis.shape[1], width))
    return values * (1.0 + 1e-15 * rng.normal(size=values.shape))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of", BASES)
def test_every_set_of_liars_is_named(kind, of):
    rng = np.random.default_rng(1)
    code = LinearCode(basis(of, 9, 4, rng))
    for size in (1, 2):
        for rows in itertools.combinations(range(9), size):
            spoiled = lies(kind, code, word(code, rng, 3), list(rows), rng)
            found = code.locate(spoiled, 2, noise=noise_of(code))
            assert found == Located(removed=rows, named=rows)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_one_group_are_wrong_together(kind):
    """Two rows a group, of one a single row: as of workers of which one is late."""
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(7), 2)[:-1]
    code = LinearCode(rng.normal(size=(13, 5)), groups[::-1].copy())
    for liars in itertools.combinations(range(7), 2):
        rows = np.flatnonzero(np.isin(code.groups, liars))
        spoiled = lies(kind, code, word(code, rng, 4), rows, rng)
        assert code.locate(spoiled, 2, noise=noise_of(code)) == Located(removed=liars, named=liars)
        if kind == "random":
            few = code.locate(spoiled, 2, noise=noise_of(code), rows=len(rows) - 1)
            assert few == Located(exceeded=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of", ["random", "chebyshev"])
def test_many_liars_are_found_without_trying_all_sets(kind, of):
    rng = np.random.default_rng(3)
    for trial in range(3):
        code = LinearCode(basis(of, 40, 20, rng)[np.sort(rng.permutation(40)[: 36 + trial])])
        rows = np.sort(rng.permutation(36)[:5])
        spoiled = lies(kind, code, word(code, rng, 4), rows, rng)
        assert code.locate(spoiled, 5, noise=noise_of(code)).named == tuple(rows)


@pytest.mark.parametrize("of", BASES)
def test_one_liar_too_many_is_noticed(of):
    rng = np.random.default_rng(4)
    code = LinearCode(basis(of, 9, 4, rng))
    for rows in itertools.combinations(range(9), 3):
        spoiled = lies("random", code, word(code, rng, 4), list(rows), rng)
        assert code.locate(spoiled, 2, noise=noise_of(code)) == Located(exceeded=True)


def test_a_row_of_coarse_rounding_is_no_lie():
    rng = np.random.default_rng(5)
    code = LinearCode(rng.normal(size=(10, 4)))
    for _ in range(50):
        noise, values = noise_of(code), word(code, rng, 3)
        coarse = rng.permutation(10)[: int(rng.integers(1, 10))]
        noise[coarse] *= 1e8
        values[coarse] += 0.3 * noise[coarse, None] * rng.normal(size=(len(coarse), 3))
        assert code.locate(values, 2, noise=noise) == Located()
        fine = [row for row in range(10) if row not in coarse]
        if len(fine) >= 7:  # two others of six would explain it as well
            values[fine[0]] *= 1.0 + 1e-6
            assert code.locate(values, 2, noise=noise).named == (fine[0],)


def test_what_an_honest_row_may_be_off_by_is_left_out_and_not_named():
    rng = np.random.default_rng(6)
    code = LinearCode(rng.normal(size=(9, 4)))
    values = word(code, rng, 3)
    values[5] += 20.0 * NOISE * np.linalg.norm(code.basis[5])
    noise = noise_of(code)
    assert code.locate(values, 2, noise=noise) == Located(removed=(5,), named=(5,))
    assert code.locate(values, 2, noise=noise, own=50.0 * noise) == Located(removed=(5,))


def test_no_honest_group_is_named_for_lies_near_the_noise():
    rng = np.random.default_rng(7)
    named = 0
    for trial in range(300):
        code = LinearCode(basis(BASES[trial % 5], 10, 4, rng))
        values = word(code, rng, 3)
        rows = np.sort(rng.permutation(10)[:2])
        off = 10.0 ** rng.uniform(-14, -9) * np.linalg.norm(code.basis[rows], axis=1)
        values[rows] += off[:, None] * rng.normal(size=(2, 3))
        located = code.locate(values, 2, noise=noise_of(code))
        assert not located.exceeded
        assert set(located.named) <= {*rows.tolist()}
        named += len(located.named)
    assert named > 200  # of 600


@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("coarse", [1.0, 1e-9])
def test_exposure_is_that_of_the_worst_set_of_groups(most, coarse):
    """Also where some rows are known far better than others, and lies in these hardly show."""
    rng = np.random.default_rng(8)
    for _ in range(10):
        matrix = rng.normal(size=(11, 4))
        matrix[:6] *= coarse
        code = LinearCode(matrix, np.repeat(np.arange(10), [1] * 9 + [2]))
        wanted = code.recovery(np.eye(4))
        check = code.parity_check
        worst = 0.0
        for groups in itertools.combinations(code.members, most):
            rows = np.concatenate(groups)
            longest = np.linalg.norm(check[:, rows], axis=0)
            inverse = np.linalg.pinv(check[:, rows] / longest)
            worst = max(worst, np.linalg.norm((wanted[:, rows] / longest) @ inverse))
        assert code.exposure(wanted, most) == pytest.approx(worst, rel=1e-3)


def test_lies_that_cannot_be_seen_expose_everything():
    rng = np.random.default_rng(9)
    code = LinearCode(rng.normal(size=(6, 4)))
    wanted = code.recovery(np.eye(4))
    assert code.exposure(wanted, 0) == 0.0
    assert code.exposure(wanted, 3) == np.inf


def test_copies_are_a_code_too():
    """Three copies of each of two numbers: columns of H depend on each other."""
    code = LinearCode(np.repeat(np.eye(2), 3, axis=0))
    for row in range(6):
        values = np.repeat([[1.0, 2.0], [5.0, 3.0]], 3, axis=0)
        values[row] += 1.0
        assert code.locate(values, 1, noise=NOISE) == Located(removed=(row,), named=(row,))
        values[(row + 1) % 3 + row // 3 * 3] -= 1.0
        assert code.locate(values, 1, noise=NOISE) == Located(exceeded=True)


def test_zeros_are_values():
    code = LinearCode(np.ones((4, 1)))
    assert code.locate(np.zeros((4, 2)), 1, noise=1e-300) == Located()
    values = np.zeros((4, 2))
    values[2] = 1.0
    assert code.locate(values, 1, noise=1e-300).named == (2,)
