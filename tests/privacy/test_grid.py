"""What sampling and a grid add to epsilon, delta and bits."""

import math

import numpy as np
import pytest

import anyk
from anyk.leak import gaussian_epsilon, sampled_epsilon
from anyk.privacy.grid import Sampled

MADE = Sampled(numbers=10**6, normals=2, terms=6, unit=2.0**-40)


@pytest.mark.parametrize("mu", [1e-3, 0.3, 1.0, 10.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-6, 1e-2])
def test_epsilon_counts_all_that_differs(mu, delta):
    epsilon = MADE.epsilon(mu, sensitivity=1.0, delta=delta)
    ideal = gaussian_epsilon(mu, delta)
    assert ideal <= epsilon <= ideal * (1 + 1e-8) + 3 * MADE.skew


@pytest.mark.parametrize(("skew", "variation"), [(1e-3, 1e-9), (0.0, 1e-9), (0.1, 1e-12), (0.1, 0)])
@pytest.mark.parametrize("mu", [0.1, 1.0])
def test_what_is_said_of_drawn_noise_follows_from_what_holds_for_gaussian_noise(
    skew, variation, mu
):
    epsilon = sampled_epsilon(mu, 1e-6, skew=skew, variation=variation)
    left = (1e-6 - (1 + math.exp(epsilon)) * variation) * math.exp(-skew)
    assert gaussian_epsilon(mu, left) + 2 * skew <= epsilon * (1 + 1e-12)
    assert epsilon >= gaussian_epsilon(mu, 1e-6) + 2 * skew


def test_nothing_is_said_where_delta_is_below_the_chance_of_what_is_not_counted():
    assert sampled_epsilon(1.0, 1e-6, skew=0.0, variation=1e-6) == math.inf
    assert sampled_epsilon(math.inf, 1e-6, skew=0.0, variation=0.0) == math.inf
    assert MADE.epsilon(30.0, sensitivity=1.0, delta=1e-6) == math.inf  # of numbers beyond 32
    assert 400.0 < MADE.epsilon(25.0, sensitivity=1.0, delta=1e-6) < 480.0


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
