"""Answers without a single number: the value has none either, and none of it is wrong."""

import numpy as np
import pytest

import anyk

SCHEMES = [
    anyk.Replication(2, 8, adversaries=1),
    anyk.Berrut(2, 8),
    anyk.Berrut(2, 8, adversaries=1, colluders=1, sigma=1.0),
    anyk.Spline(2, 8),
    anyk.FilledReplication(2, 8),
    anyk.FilledReplication(5, 4),
    anyk.Spline(2, 8, encoder_smoothing=0.1),
    anyk.Spline(2, 8, adversaries=1, bound=1.0),
    anyk.VeiledReplication(2, 8, adversaries=1, colluders=1, leakage=1.0),
    anyk.AnalogLagrange(2, 2, 8, adversaries=1),
    anyk.AnalogLagrange(2, 2, 8, colluders=1, leakage=1.0),
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_the_value_is_empty_and_the_estimate_a_number(scheme, shape):
    encoded = scheme.encode(np.arange(scheme.problem.blocks))
    workers = scheme.guarantee.workers
    recovered = encoded.decode(np.zeros((workers, *shape)), range(workers))
    assert recovered.value.shape == (scheme.problem.blocks, *shape)
    assert recovered.suspects == ()
    assert recovered.error_estimate is None or recovered.error_estimate < 1e-12


def test_a_run_with_a_tolerance_returns_it():
    with anyk.Inline(8) as executor:
        outcome = anyk.run(
            anyk.FilledReplication(2, 8), lambda x: x[:0], np.ones((2, 3)), executor, tolerance=0.1
        )
    assert outcome.status is anyk.Status.APPROXIMATE
    assert outcome.value.shape == (2, 0)
