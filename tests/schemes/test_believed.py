"""Liars beside a far larger lie: none of them is lost in the rounding of what is compared."""

from dataclasses import replace

import numpy as np
import pytest

import anyk
from anyk.randomness.entropy import InsecureTestSource

SCHEMES = [
    anyk.Spline(10, 50, stragglers=5, adversaries=4),
    anyk.VeiledReplication(3, 60, stragglers=5, adversaries=4, colluders=1, leakage=1.0),
]


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: type(scheme).__name__)
@pytest.mark.parametrize("huge", [1e12, 1e160, 1e300])
@pytest.mark.parametrize("width", [6, 600])  # as it is, and in a sketch
def test_a_huge_lie_hides_no_other(scheme: anyk.AbstractScheme, huge: float, width: int) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(scheme.problem.blocks, 3))
    encoded = scheme.encode(X, source=InsecureTestSource(2))
    recovery = encoded.recovery(range(scheme.guarantee.workers))
    recovery = replace(recovery, source=InsecureTestSource(2))
    answers = np.sin(encoded.shares @ rng.normal(size=(3, width)))
    answers[[7, 31]] += 30.0 * rng.normal(size=(2, width))
    assert {7, 31} <= set(recovery.recover(answers).suspects)
    answers[18] = huge
    assert {7, 18, 31} <= set(recovery.recover(answers).suspects)
