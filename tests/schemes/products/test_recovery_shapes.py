"""Answers of a wrong shape, by most workers or in a decoder's hands."""

import numpy as np
import pytest

import anyk
from anyk.faults import Faulty, Rubbish

ROWS = [row for row in anyk.CATALOGUE if row.solves is anyk.MatMul]
SCHEMES = [row.examples()[-1] for row in ROWS]
NAMES = [row.name for row in ROWS]


def factors(scheme):
    problem, rng = scheme.problem, np.random.default_rng(0)
    (m, p, n), stack = problem.partition, (problem.batch,) if problem.batch > 1 else ()
    A, B = (rng.integers(0, 2, (*stack, 2 * one, 2 * two)) for one, two in ((m, p), (p, n)))
    return A if problem.gram else (A, B)


@pytest.mark.parametrize("kind", ["shape", "empty"])
@pytest.mark.parametrize("scheme", SCHEMES, ids=NAMES)
def test_most_workers_answer_in_a_wrong_shape(scheme, kind):
    workers = scheme.guarantee.workers
    faults = dict.fromkeys(range(workers), Rubbish(kind))
    with Faulty(anyk.Inline(workers), faults) as executor:
        with pytest.raises(anyk.NotEnoughAnswers, match="answer of shape") as caught:
            anyk.run(scheme, np.matmul, factors(scheme), executor)
    assert caught.value.outcome.suspects == ()


@pytest.mark.parametrize("scheme", SCHEMES, ids=NAMES)
def test_a_decoder_refuses_answers_of_a_wrong_shape(scheme):
    encoded = scheme.encode(factors(scheme))
    shares = len(encoded.parts[0])
    shape = scheme.shape_of_answers(encoded.layout)
    for wrong in ((*shape, 2), (0,), shape[:-1], (shape[0] + 1, *shape[1:])):
        values = np.zeros((shares, *wrong), scheme.domain.dtype)
        with pytest.raises(anyk.AnykError):
            encoded.decode(values, range(shares))
