"""Summed: the sum over the blocks by schemes for maps, with all that they promise."""

import math

import numpy as np
import pytest

import anyk
from anyk.schemes.base import AbstractScheme

WITHIN = [
    anyk.Lagrange(blocks=3, degree=2, workers=7, colluders=1),
    anyk.Lagrange(blocks=2, degree=2, workers=9, adversaries=1, colluders=1),
    anyk.Lagrange(blocks=2, degree=2, workers=6, colluders=1),
    anyk.Shamir(blocks=2, degree=2),
    anyk.Shamir(blocks=2, degree=1, workers=9, adversaries=1),
    anyk.Replication(blocks=2, workers=5, domain=anyk.PrimeField()),
    anyk.Replication(blocks=2, workers=7, adversaries=1),
    anyk.Replication(blocks=3, workers=3, domain=anyk.Complex()),
]


@pytest.mark.parametrize("within", WITHIN, ids=repr)
@pytest.mark.parametrize("shape", [(), (3, 2)])
def test_conformance(within, shape):
    scheme = anyk.Summed(within)
    anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0), shape=shape)


@pytest.mark.parametrize("within", WITHIN, ids=repr)
def test_what_it_passes_through(within):
    scheme = anyk.Summed(within)
    assert scheme.guarantee == within.guarantee
    assert scheme.domain == within.domain
    assert scheme.problem == anyk.Sum(blocks=within.problem.blocks, degree=within.problem.degree)


def test_spare_answers_are_checked_even_when_no_liar_is_promised():
    scheme = anyk.Summed(anyk.Replication(blocks=2, workers=3))  # block 0 twice, yet S = 0
    assert scheme.guarantee.stragglers == 0
    encoded = scheme.encode([1.0, 2.0])
    assert encoded.decode(np.array([1.0, 2.0, 1.0]), range(3)).value == 3.0
    with pytest.raises(anyk.TooManyErrors):
        encoded.decode(np.array([1.0, 2.0, 666.0]), range(3))


def test_the_liar_is_named():
    scheme = anyk.Summed(anyk.Lagrange(blocks=3, degree=1, workers=6, adversaries=1))
    encoded = scheme.encode([1, 2, 3])
    answers = encoded.shares.copy()
    answers[4] = 0
    recovered = encoded.decode(answers, range(6))
    assert (int(recovered.value), recovered.suspects) == (6, (4,))


def test_the_weights_are_worked_out_once():
    recovery = anyk.Summed(WITHIN[0]).encode([1, 2, 3]).recovery(range(7))
    assert recovery.matrix is recovery.matrix
    assert recovery.matrix.shape == (1, 7)


@pytest.mark.parametrize(
    "bad",
    [
        anyk.FilledReplication(blocks=2, workers=4),
        anyk.Spline(blocks=2, workers=4),
        anyk.Harmonic(blocks=2, degree=2),
        anyk.Summed(WITHIN[0]),
        anyk.Lagrange,
    ],
    ids=repr,
)
def test_what_is_no_exact_scheme_for_maps_is_refused(bad):
    with pytest.raises(anyk.InvalidArgument, match="scheme: got"):
        anyk.Summed(bad)


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Harmonic(blocks=3, degree=2),
        anyk.Summed(anyk.Lagrange(blocks=3, degree=2, workers=7, colluders=1)),
        anyk.Summed(anyk.Shamir(blocks=3, degree=2)),
    ],
    ids=lambda scheme: type(getattr(scheme, "scheme", scheme)).__name__,
)
def test_one_sum_on_three_schemes(scheme: AbstractScheme):
    X = np.arange(12).reshape(3, 2, 2)
    with anyk.Threads(scheme.guarantee.workers) as executor:
        outcome = anyk.run(scheme, lambda x: x.T @ x, X, executor)
    assert np.array_equal(outcome.value, sum(x.T @ x for x in X))


def test_an_estimate_within_becomes_that_of_the_sum():
    scheme = anyk.Summed(anyk.Replication(blocks=2, workers=6, adversaries=1))
    encoded = scheme.encode([1.0, 1.0])
    hair = 1e-14  # no two replicas of the first block are equal, all are near
    for value, total in ((1.0, 2.0), (-0.999, 0.001), (-1.0, 0.0)):
        answers = np.array([1.0, value, 1.0 + hair, value, 1.0 - hair, value])
        within = encoded.scheme.scheme.encode([1.0, 1.0]).decode(answers, range(6))
        recovered = encoded.decode(answers, range(6))
        assert within.error_estimate == pytest.approx(hair / math.hypot(1.0, value), rel=0.03)
        assert recovered.value == pytest.approx(total)
        off = recovered.error_estimate * abs(total)
        assert off >= 0.99 * hair or recovered.error_estimate == np.inf
    with anyk.Inline(6) as executor:
        counter = iter([1.0, 1.0, 1.0 + hair, 1.0, 1.0 - hair, 1.0])
        outcome = anyk.run(scheme, lambda _: next(counter), [1.0, 1.0], executor)
    assert outcome.status is anyk.Status.APPROXIMATE
