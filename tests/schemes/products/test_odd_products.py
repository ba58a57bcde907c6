"""Answers of shapes that no product has, and factors on schemes that they were not made for."""

import numpy as np
import pytest

import anyk

SCHEMES = [
    scheme
    for row in anyk.CATALOGUE
    if getattr(row, "solves", None) is anyk.MatMul
    for scheme in row.examples()
]


def encoded_by(scheme):
    m, p, n = scheme.problem.partition
    batch = scheme.problem.batch
    lead = (batch,) if batch > 1 else ()
    A = np.ones((*lead, 2 * m + 1, 2 * p + 1), dtype=scheme.domain.dtype)
    if scheme.problem.gram:
        return scheme.encode(A)
    return scheme.encode((A, np.ones((*lead, 2 * p + 1, 2 * n + 1), dtype=scheme.domain.dtype)))


@pytest.mark.parametrize("shape", [(97, 97), (2,), (0, 2)])
def test_a_worker_with_another_shape_is_not_counted(shape):
    class Wrong(anyk.faults.AbstractFault):
        def around(self, run, worker):  # noqa: ARG002 - all alike
            return np.zeros(shape)

    scheme = anyk.MDS((1, 1, 1), 2, anyk.Reals())
    delays = anyk.delays.Fixed({1: 5.0})
    with anyk.faults.Faulty(anyk.Simulated(2, delays=delays), {0: Wrong()}) as executor:
        with anyk.distribute(scheme, np.eye(3), executor) as held:
            outcome = held.matmul(np.ones((3, 2)))
    assert np.array_equal(outcome.value, np.ones((3, 2)))
    assert outcome.used == (1,)


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_shares_of_one_factor_are_those_of_one_scheme(scheme):
    if scheme.problem.gram:
        return
    pair = encoded_by(scheme)
    other = anyk.MDS((1, 1, 1), 3, anyk.Reals()).encode_left(np.ones((3, 3)))
    for left in (pair, other, None, np.ones((3, 3))):
        with pytest.raises(anyk.InvalidArgument, match="left"):
            scheme.encode_right(left, np.ones((3, 3)))
    with pytest.raises(anyk.InvalidArgument, match="both factors"):
        other.decode(np.ones((1, 3, 3)), (0,))
