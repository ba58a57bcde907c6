"""The shortest recurrence of a sequence."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.codes.exact.recurrence import applied, shortest_recurrence
from anyk.domains.coefficients import evaluate


@pytest.mark.parametrize(("p", "length"), [(2, 8), (3, 6), (5, 4)])
def test_every_short_sequence_against_all_recurrences(p, length):
    field = anyk.PrimeField(p)
    most = length // 2
    for terms in itertools.product(range(p), repeat=length):
        fitting = [
            [*low, 1]
            for order in range(most + 1)
            for low in itertools.product(range(p), repeat=order)
            if all(
                sum(c * terms[at + k] for k, c in enumerate([*low, 1])) % p == 0
                for at in range(length - order)
            )
        ]
        found = shortest_recurrence(field, np.array(terms), most)
        assert (None if found is None else found.tolist()) == (fitting[0] if fitting else None)


@pytest.mark.parametrize("order", [1, 2, 3, 17, 60])
def test_power_sums_of_some_points_have_them_as_roots(order):
    """One of the points is 0, which counts in the first sum alone."""
    field, generator = anyk.PrimeField(), np.random.default_rng(order)
    points = np.append(generator.choice(10**6, order - 1, replace=False) + 1, 0)
    weights = generator.integers(1, field.modulus, order)
    table = [[pow(x, row, field.modulus) for x in points.tolist()] for row in range(2 * order + 3)]
    terms = field.matmul(np.array(table), weights)
    found = shortest_recurrence(field, terms, order + 1)
    assert found is not None
    assert len(found) == order + 1
    assert not applied(field, found, terms[:, None]).any()
    assert not evaluate(field, found, points).any()
    assert shortest_recurrence(field, terms, order - 1) is None
    terms[-1] = (terms[-1] + 1) % field.modulus  # beyond the terms that determine it
    assert shortest_recurrence(field, terms, order) is None
