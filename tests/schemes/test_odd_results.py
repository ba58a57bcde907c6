"""Results of odd types: every code for sums of any function adds them up alike, or refuses them."""

from fractions import Fraction

import numpy as np
import pytest

import anyk
from anyk.domains.values import Values

CODES = [
    scheme
    for row in anyk.CATALOGUE
    if isinstance(row, anyk.SchemeRow) and row.solves is anyk.Sum
    for scheme in row.examples()
    if scheme.problem.degree is None and isinstance(scheme.domain, Values)
    if scheme.guarantee.workers > scheme.problem.blocks or row.name != "ExpanderRepetition"
]


def total(scheme, function):
    X = np.arange(1.0, 1.0 + 2 * scheme.problem.blocks).reshape(-1, 2)
    with anyk.Inline(scheme.guarantee.workers) as executor:
        return anyk.run(scheme, function, X, executor, progress=False).value, X


@pytest.mark.parametrize("scheme", CODES, ids=repr)
@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.array([Fraction(3, 4) * int(x[0])] * 2, object),
        lambda x: np.array([0.75 * x[0]] * 2, object),
        lambda x: np.array([10**30 + int(x[0])] * 2, object),
        lambda x: x.astype(np.longdouble),
        lambda x: np.full(2, int(x[0]), "m8[s]"),
        lambda _: {"a": 1.0},
    ],
    ids=["fractions", "float objects", "whole objects", "longdouble", "timedelta", "dict"],
)
def test_what_is_no_array_of_numbers_is_refused_by_all(scheme, function):
    with pytest.raises(anyk.AnykError, match=r"numbers|dtype|float64|whole|longdouble"):
        total(scheme, function)


@pytest.mark.parametrize("scheme", CODES, ids=repr)
@pytest.mark.parametrize(
    "function",
    [lambda x: x > 3, lambda _: np.full(3, 255, np.uint8), lambda x: (x, -x), lambda x: x[0]],
    ids=["bool", "uint8", "tuple", "number"],
)
def test_numbers_are_added_without_wrapping_by_all(scheme, function):
    value, X = total(scheme, function)
    truth = np.sum([np.asarray(function(x), dtype=np.float64) for x in X], axis=0)
    assert value == pytest.approx(truth, rel=1e-9)
