"""What sampling and a grid add to epsilon, delta and bits."""

import math

import numpy as np
import pytest

import anyk
from anyk.leak import gaussian_epsilon
from anyk.privacy.grid import Sampled

MADE = Sampled(numbers=10**6, normals=2, terms=6, unit=2.0**-40)


@pytest.mark.parametrize("mu", [1e-3, 0.3, 1.0, 10.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-6, 1e-2])
def test_epsilon_counts_all_that_differs(mu, delta):
    epsilon = MADE.epsilon(mu, sensitivity=1.0, delta=delta)
    ideal = gaussian_epsilon(mu, delta)
    assert ideal <= epsilon
    if epsilon < math.log(delta / MADE.variation):
        # what the statement says of the made shares follows from what holds for the ideal ones
        left = (delta - (1 + math.exp(epsilon)) * MADE.variation) * math.exp(-MADE.skew)
        moved = mu * (1.0 + MADE.unit * 1e3)
        assert gaussian_epsilon(moved, left) + 2 * MADE.skew <= epsilon * (1 + 1e-9)
    if mu <= 1.0 and delta >= 1e-6:
        assert epsilon <= ideal * (1 + 1e-3) + 3 * MADE.skew


def test_nothing_is_said_where_delta_is_below_the_chance_of_a_step_beside():
    assert MADE.epsilon(1.0, sensitivity=1.0, delta=MADE.variation) == math.inf
    assert math.isinf(MADE.epsilon(math.inf, sensitivity=1.0, delta=1e-6))


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.VeiledReplication(3, 24, colluders=2, leakage=0.5),
        anyk.Berrut(2, 8, colluders=1, leakage=0.01),
        anyk.AnalogLagrange(blocks=2, degree=1, workers=5, colluders=2, leakage=0.3),
    ],
    ids=lambda scheme: type(scheme).__name__,
)
def test_the_leakage_asked_for_has_room_for_the_grid(scheme):
    encoded = scheme.encode(np.zeros((scheme.blocks, 1000)))
    colluders = scheme.colluders
    worst = anyk.worst_coalition(encoded, colluders=colluders)
    assert worst.sampled.numbers >= 1000
    assert worst.amount + worst.sampled.bits < scheme.leakage
    ideal = gaussian_epsilon(worst.separation, 1e-6)
    assert ideal < worst.epsilon(sensitivity=1.0, delta=1e-6) < ideal * (1 + 1e-6)


def test_shares_without_noise_have_no_grid():
    encoded = anyk.Replication(blocks=2, workers=3).encode([1.0, 2.0])
    assert anyk.worst_coalition(encoded, colluders=1).sampled is None
