"""Locating errors once for whole rows."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

import anyk
from anyk.codes.exact.linear import rank, row_reduce, solve
from anyk.codes.exact.reed_solomon import EvaluationCode
from anyk.codes.locators.located import Located

FIELD = anyk.PrimeField()
KNOWN = json.loads((Path(__file__).parents[1] / "known" / "field.json").read_text())


def codeword(field, points, dimension, length, generator):
    coefficients = generator.integers(0, field.modulus, (dimension, length))
    values = np.zeros((len(points), length), dtype=np.int64)
    for row in coefficients[::-1]:
        values = field.reduce(field.reduce(values * points[:, None]) + row)
    return values


@pytest.mark.parametrize("case", KNOWN["ranks"])
def test_rank_agrees_with_flint(case):
    assert rank(anyk.PrimeField(case["prime"]), np.array(case["matrix"])) == case["rank"]


def test_row_reduction_solves():
    generator = np.random.default_rng(0)
    matrix = generator.integers(0, FIELD.modulus, (6, 4))
    x = generator.integers(0, FIELD.modulus, (4, 2))
    right = FIELD.matmul(matrix, x)
    assert np.array_equal(solve(FIELD, matrix, right), x)
    right[5, 0] = (right[5, 0] + 1) % FIELD.modulus
    assert solve(FIELD, matrix, right) is None
    assert solve(FIELD, matrix[:3], right[:3]) is None
    reduced, pivots = row_reduce(FIELD, matrix)
    assert pivots == (0, 1, 2, 3)
    assert np.array_equal(reduced[:4], np.eye(4))


@pytest.mark.parametrize("modulus", [2, 11, 2**31 - 1])
@pytest.mark.parametrize(
    ("rows", "columns", "most", "of"),
    [
        (140, 150, 90, 150),
        (140, 150, 140, 150),
        (300, 70, 33, 70),
        (150, 200, 97, 120),
        (129, 128, 0, 128),
    ],
)
def test_a_large_matrix_is_reduced_in_pieces(modulus, rows, columns, most, of):
    """There is one reduced form: its rows make the matrix, and are a unit matrix at pivots."""
    field, generator = anyk.PrimeField(modulus), np.random.default_rng(most)
    left = generator.integers(0, modulus, (rows, most))
    matrix = field.matmul(left, generator.integers(0, modulus, (most, columns)))
    matrix[:, [0, 40]] = 0
    reduced, pivots = row_reduce(field, matrix, of)
    own = list(pivots)
    assert own == sorted(set(own) - {0, 40})
    assert np.array_equal(reduced[:, own], np.eye(rows, len(own)))
    assert not reduced[len(own) :, :of].any()
    for row, pivot in enumerate(own):
        assert not reduced[row, :pivot].any()
    again = field.matmul(matrix[:, own], reduced[: len(own)])
    assert np.array_equal(again[:, :of], matrix[:, :of])
    if of == columns:
        assert rank(field, matrix) == len(own) <= most


def test_a_large_system_is_solved():
    generator = np.random.default_rng(1)
    matrix = generator.integers(0, FIELD.modulus, (160, 130))
    x = generator.integers(0, FIELD.modulus, (130, 3))
    right = FIELD.matmul(matrix, x)
    assert np.array_equal(solve(FIELD, matrix, right), x)
    right[159, 2] = (right[159, 2] + 1) % FIELD.modulus
    assert solve(FIELD, matrix, right) is None
    matrix[:, 129] = matrix[:, 3]
    assert solve(FIELD, matrix, FIELD.matmul(matrix, x)) is None


@pytest.mark.parametrize("length", [1, 3, 33, 200, 7001])
@pytest.mark.parametrize(
    ("workers", "dimension", "most"), [(9, 3, 3), (8, 4, 2), (6, 1, 2), (7, 3, 1)]
)
def test_every_set_of_errors_is_located(length, workers, dimension, most):
    generator = np.random.default_rng(length)
    points = generator.choice(10**6, workers, replace=False)
    code = EvaluationCode(FIELD, points, dimension)
    truth = codeword(FIELD, points, dimension, length, generator)
    assert code.locate(truth, most) == Located()
    for count in range(1, most + 1):
        for wrong in itertools.combinations(range(workers), count):
            values = truth.copy()
            for row in wrong:  # one number of the row is enough
                column = generator.integers(length)
                values[row, column] = (values[row, column] + 1) % FIELD.modulus
            assert code.locate(values, most) == Located(removed=wrong, named=wrong)


@pytest.mark.parametrize("modulus", [13, 257, 2**31 - 1])
def test_each_column_may_have_errors_of_its_own(modulus):
    """A row that is right in one column is found by another one, also at the point 0."""
    field, generator = anyk.PrimeField(modulus), np.random.default_rng(modulus)
    points = np.arange(13)
    code = EvaluationCode(field, points, 3)
    truth = codeword(field, points, 3, 4, generator)
    for wrong in list(itertools.combinations(range(13), 5))[::17]:
        values = truth.copy()
        for column, row in enumerate(wrong):
            place = row, min(column, 3)
            values[place] = (values[place] + generator.integers(1, modulus)) % modulus
        assert code.locate(values, 5) == Located(removed=wrong, named=wrong)
        values[next(row for row in range(13) if row not in wrong), 0] += 1
        located = code.locate(values % modulus, 5)
        assert located.exceeded or located.removed != wrong


@pytest.mark.parametrize(("length", "lies"), [(1, 3), (1, 60), (40, 60), (700, 59)])
@pytest.mark.parametrize("modulus", [523, 2**31 - 1])
def test_many_errors_of_a_large_code(modulus, length, lies):
    field, generator = anyk.PrimeField(modulus), np.random.default_rng(length)
    points = generator.permutation(511)[:400]
    code = EvaluationCode(field, points, 280)
    truth = codeword(field, points, 280, length, generator)
    assert code.locate(truth, 60) == Located()
    places = generator.permutation(400)
    values, wrong = truth.copy(), tuple(sorted(places[:lies].tolist()))
    columns = generator.integers(0, length, lies)
    changed = values[list(wrong), columns] + generator.integers(1, modulus, lies)
    values[list(wrong), columns] = changed % modulus
    assert code.locate(values, 60) == Located(removed=wrong, named=wrong)
    if lies == 60:
        assert code.locate(values, 59).exceeded
        values[places[60], 0] = (values[places[60], 0] + 1) % modulus
        located = code.locate(values, 60)
        assert located.exceeded, located  # one word in 1e100 is so near to another one


def test_one_error_too_many_is_noticed():
    generator = np.random.default_rng(3)
    points = np.arange(9)
    code = EvaluationCode(FIELD, points, 3)
    truth = codeword(FIELD, points, 3, 5, generator)
    for wrong in itertools.combinations(range(9), 4):
        values = truth.copy()
        values[list(wrong)] = generator.integers(0, FIELD.modulus, (4, 5))
        assert code.locate(values, 3).exceeded


def test_colluders_beyond_the_radius_can_land_on_another_codeword():
    """What no decoder can know: the docstring says so, and this shows it."""
    generator = np.random.default_rng(4)
    points = np.arange(7)
    code = EvaluationCode(FIELD, points, 3)
    truth, other = (codeword(FIELD, points, 3, 5, generator) for _ in range(2))
    values = truth.copy()
    values[3:] = other[3:]  # 4 of 7 follow another polynomial: nearer to it than to the truth
    assert code.locate(values, 2).exceeded
    zeros = FIELD.reduce((points - 0) * (points - 1))[:, None] * np.ones((1, 5), dtype=np.int64)
    shifted = FIELD.reduce(truth + zeros)  # a codeword that agrees with the truth at two points
    values = truth.copy()
    values[4:] = shifted[4:]  # three liars; the two honest rows 2 and 3 look like the liars
    assert code.locate(values, 2).removed == (2, 3)
