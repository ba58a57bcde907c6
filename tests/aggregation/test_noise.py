"""Noise of clients: how it is drawn, what it hides, and what is refused."""

import math

import numpy as np
import pytest
from scipy import stats

import anyk
from anyk import aggregation
from anyk.aggregation.noise import noised
from anyk.randomness.entropy import InsecureTestSource

FIXED = anyk.FixedPoint(fraction_bits=10, magnitude=4.0)


def analytic(std, norm, delta):
    """Epsilon of one Gaussian number: Balle and Wang (ICML 2018), theorem 8, by bisection."""
    low, high = 0.0, 1e4
    for _ in range(200):
        eps = (low + high) / 2
        first = stats.norm.cdf(norm / (2 * std) - eps * std / norm)
        second = stats.norm.logcdf(-norm / (2 * std) - eps * std / norm) + eps
        low, high = (low, eps) if first - math.exp(min(second, 0)) <= delta else (eps, high)
    return high


@pytest.mark.parametrize("std", [0.5, 2.0, 4.0, 30.0])
def test_epsilon_is_near_that_of_one_gaussian_and_not_below(std):
    noise = aggregation.Noise(std=std, norm=1.0, honest=50)
    fine = anyk.FixedPoint(fraction_bits=20, magnitude=1.0)
    epsilon = noise.epsilon(delta=1e-6, length=100, numbers=fine)
    best = analytic(std, 1.0, 1e-6)
    assert best <= epsilon <= 1.15 * best


def test_coarse_noise_of_many_clients_is_told_to_hide_less():
    coarse = aggregation.Noise(std=8.0, norm=10.0, honest=200)  # 0.57 integers a client
    fine = aggregation.Noise(std=8.0 * 64, norm=10.0 * 64, honest=200)
    whole = aggregation.Whole(1000)
    first = coarse.epsilon(delta=1e-6, length=100, numbers=whole)
    assert first > 3 * fine.epsilon(delta=1e-6, length=100, numbers=whole)


def test_rounding_counts_in_the_norm():
    noise = aggregation.Noise(std=1.0, norm=1.0, honest=4)
    assert noise.bound(FIXED, 10_000) == 1024 + 50
    drawn = anyk.FixedPoint(fraction_bits=10, magnitude=4.0, rounding="stochastic")
    assert noise.bound(drawn, 10_000) == 1024 + 100
    assert noise.bound(aggregation.Whole(9), 10_000) == 1


def test_the_noise_of_a_sum_has_the_variance_that_is_promised(cast):
    noise = aggregation.Noise(std=2.0, norm=3.0, honest=4)
    plan = aggregation.Committee(
        aggregators=4, length=2000, clients=4, least_clients=4, numbers=FIXED, noise=noise
    )
    people = cast(plan, 4)
    vector = np.full(2000, 1 / 32)
    result = people.run([people.message(name, vector) for name in people.names])
    off = result.total - 4 / 32
    assert abs(off.mean()) < 5 * 2.0 / math.sqrt(2000)
    assert abs(off.std() / 2.0 - 1) < 0.1
    assert (off * 1024 == np.round(off * 1024)).all()


def test_masked_vectors_have_noise_too():
    noise = aggregation.Noise(std=2.0, norm=3.0, honest=4)
    plan = aggregation.LightSecAgg(
        clients=5, length=500, numbers=FIXED, least_clients=4, noise=noise, dropouts=0
    )
    result = aggregation.aggregate(plan, [np.full(500, at / 64) for at in range(5)])
    off = result.total - 10 / 64  # of five clients
    assert abs(off.std() / (2.0 * math.sqrt(5 / 4)) - 1) < 0.2


def test_a_norm_above_the_bound_is_refused_and_nothing_clipped():
    noise = aggregation.Noise(std=1.0, norm=1.0, honest=4)
    plan = aggregation.Committee(
        aggregators=3, length=4, clients=9, least_clients=4, numbers=FIXED, noise=noise
    )
    source = InsecureTestSource(0)
    right = plan.vectors.integers([0.5] * 4)
    assert noised(noise, plan.vectors, right, source).shape == (4,)
    with pytest.raises(anyk.InvalidArgument, match=r"a vector of norm 1\.40039; .*at most norm=1,"):
        noised(noise, plan.vectors, plan.vectors.integers([0.7] * 4), source)


def test_noise_has_its_room_in_the_range_of_sums():
    plan = {"aggregators": 3, "length": 4, "clients": 9, "least_clients": 4, "numbers": FIXED}
    plain = aggregation.Committee(**plan).vectors
    noise = aggregation.Noise(std=100.0, norm=1.0, honest=4)
    wide = aggregation.Committee(**plan, noise=noise).vectors
    assert wide.bound == 9 * (4 * 1024 + 33 * 50 * 1024)
    assert plain.bound == 9 * 4 * 1024


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"noise": aggregation.Noise(std=1.0, norm=1.0, honest=5)}, "noise of 5 honest clients"),
        (
            {"noise": aggregation.Noise(std=1.0, norm=1.0, honest=2), "most_weight": 5},
            "and weights",
        ),
        ({"noise": aggregation.Noise(std=1e-4, norm=1.0, honest=2)}, "from 1/2 to 2"),
        ({"noise": 1.0}, "an instance of Noise"),
    ],
)
def test_noise_that_hides_nothing_is_refused(given, says):
    with pytest.raises(anyk.InvalidArgument, match=says):
        aggregation.Committee(
            aggregators=3, length=4, clients=9, least_clients=4, numbers=FIXED, **given
        )
