"""How much the worst answers amplify errors: by the formula, and by inverting every matrix."""

import itertools

import numpy as np
import pytest

from anyk.codes.analog.amplified import Amplified


def by_inverting(code, wanted, missing):
    kept = np.setdiff1d(np.arange(len(code)), missing)
    matrix = wanted @ np.linalg.inv(code[kept])
    return np.sqrt(np.sum(matrix**2) / len(wanted))


@pytest.mark.parametrize(("shares", "size", "values"), [(7, 4, 4), (8, 5, 2), (5, 5, 3), (6, 1, 1)])
def test_the_formula_is_that_of_the_inverse_for_every_set(shares, size, values):
    rng = np.random.default_rng(shares)
    code, wanted = rng.standard_normal((shares, size)), rng.standard_normal((values, size))
    sets = list(itertools.combinations(range(shares), shares - size))
    every = np.array(sets, dtype=np.intp).reshape(len(sets), shares - size)
    right = [by_inverting(code, wanted, each) for each in every]
    amplified = Amplified(code, wanted)
    assert np.allclose(amplified.of(every), right, rtol=1e-8)
    error, missing = amplified.worst
    assert error == pytest.approx(max(right))
    assert missing == tuple(every[np.argmax(right)])


def test_where_there_are_many_sets_worse_ones_are_found_than_at_random():
    rng = np.random.default_rng(1)
    code = rng.standard_normal((26, 20))
    amplified = Amplified(code, np.eye(20))
    assert len(amplified.tried) < 6000  # of 230,230
    others = [rng.choice(26, 6, replace=False) for _ in range(5000)]
    error, missing = amplified.worst
    assert error > amplified.of(np.stack(others)).max()
    assert error == pytest.approx(by_inverting(code, np.eye(20), missing), rel=1e-6)


def test_what_tells_less_than_everything_amplifies_without_bound():
    code = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    amplified = Amplified(code, np.eye(2))
    assert amplified.of(np.array([[2], [0]]))[0] == np.inf or amplified.worst[0] > 1e12
    assert amplified.worst[1] == (2,)
