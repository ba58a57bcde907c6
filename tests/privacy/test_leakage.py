"""What Gaussian masks hide: against determinants of joint covariances, and every coalition."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from anyk.leak import gaussian_epsilon
from anyk.privacy.coalitions import most_bits_learned
from anyk.privacy.information import bits_learned


def by_covariances(data, masks, variance):
    """I(x; y) = h(x) + h(y) - h(x, y) of jointly Gaussian x and y, from the full covariance."""
    blocks = data.shape[1]
    prior = variance * np.eye(blocks)
    seen = variance * data @ data.conj().T + masks @ masks.conj().T
    cross = variance * data.conj().T
    joint = np.block([[prior, cross], [cross.conj().T, seen]])
    total = sum(np.linalg.slogdet(part)[1] for part in (prior, seen))
    half = 1.0 if np.iscomplexobj(data) else 0.5
    return half * (total - np.linalg.slogdet(joint)[1]) / math.log(2.0)


def matrices(generator, shape, *, complex_numbers):
    real = generator.standard_normal(shape)
    return real + 1j * generator.standard_normal(shape) if complex_numbers else real


@pytest.mark.parametrize("complex_numbers", [False, True])
@given(
    seed=st.integers(0, 2**32),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 3)),
    variance=st.floats(0.01, 100.0),
)
def test_bits_learned_is_the_mutual_information(seed, sizes, variance, complex_numbers):
    coalition, blocks, spare = sizes
    generator = np.random.default_rng(seed)
    data = matrices(generator, (coalition, blocks), complex_numbers=complex_numbers)
    masks = matrices(generator, (coalition, coalition + spare), complex_numbers=complex_numbers)
    if np.linalg.cond(masks) > 1e3:
        return
    bits = bits_learned(data, masks, variance=variance)
    assert bits == pytest.approx(by_covariances(data, masks, variance), rel=1e-6, abs=1e-9)


@given(seed=st.integers(0, 2**32), scale=st.floats(1e-6, 1e6))
def test_rescaling_a_share_tells_nothing_new(seed, scale):
    generator = np.random.default_rng(seed)
    data, masks = generator.standard_normal((3, 2)), generator.standard_normal((3, 4))
    factors = np.array([[1.0], [scale], [1.0]])
    bits = bits_learned(data, masks, variance=1.0)
    assert bits_learned(factors * data, factors * masks, variance=1.0) == pytest.approx(bits)


def test_a_share_without_noise_tells_everything_and_an_empty_one_nothing():
    assert bits_learned(np.eye(2), np.array([[1.0], [0.0]]), variance=1.0) == math.inf
    assert bits_learned(np.zeros((2, 2)), np.zeros((2, 1)), variance=1.0) == 0.0
    twice = np.array([[1.0], [1.0]])  # the same noise in both: their difference is bare
    assert bits_learned(np.array([[1.0], [2.0]]), twice, variance=1.0) == math.inf
    assert bits_learned(twice, twice, variance=3.0) == pytest.approx(1.0)


@pytest.mark.parametrize("colluders", [1, 2, 3])
@pytest.mark.parametrize("complex_numbers", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_search_finds_the_worst_of_all(colluders, complex_numbers, seed):
    generator = np.random.default_rng(seed)
    data = matrices(generator, (9, 2), complex_numbers=complex_numbers)
    masks = matrices(generator, (9, 5), complex_numbers=complex_numbers)
    masks[3] = masks[4] * (1 + 10.0 ** -(3 * seed + 3))  # two that nearly see the same noise
    every = {
        who: bits_learned(data[list(who)], masks[list(who)], variance=2.0)
        for who in itertools.combinations(range(9), colluders)
    }
    worst = most_bits_learned(data, masks, colluders, variance=2.0)
    assert worst.exact
    assert worst.bound == max(every.values()) == every[worst.coalition]


@pytest.mark.parametrize("seed", range(5))
def test_a_bound_holds_where_not_all_are_tried(seed):
    generator = np.random.default_rng(seed)
    data, masks = generator.standard_normal((14, 2)), generator.standard_normal((14, 14))
    truth = most_bits_learned(data, masks, 3, variance=1.0)
    bounded = most_bits_learned(data, masks, 3, variance=1.0, sets=300)
    assert bounded.found <= truth.bound <= bounded.bound < math.inf
    assert bounded.found >= 0.8 * truth.bound


@pytest.mark.parametrize("mu", [0.05, 0.3, 1.0, 3.0, 20.0])
@pytest.mark.parametrize("delta", [1e-9, 1e-5, 0.1])
def test_epsilon_is_where_the_privacy_profile_of_two_gaussians_meets_delta(mu, delta):
    epsilon = gaussian_epsilon(mu, delta)
    ratio = stats.norm(mu, 1).sf(epsilon / mu + mu / 2)  # P(log likelihood ratio > epsilon)
    ratio -= math.exp(epsilon) * stats.norm(0, 1).sf(epsilon / mu + mu / 2)
    assert epsilon == 0.0 or ratio == pytest.approx(delta, rel=1e-4)
    if epsilon == 0.0:
        assert ratio <= delta


def test_no_noise_has_no_epsilon_and_no_data_needs_none():
    assert gaussian_epsilon(math.inf, 1e-5) == math.inf
    assert gaussian_epsilon(0.0, 1e-5) == 0.0


@pytest.mark.parametrize(
    ("colluders", "sets"), [(1, 5_000_000), (2, 5_000_000), (3, 5_000_000), (3, 300)]
)
def test_a_worker_sees_all_of_its_pieces(colluders, sets):
    generator = np.random.default_rng(7)
    data, masks = generator.standard_normal((30, 3)), 4.0 * generator.standard_normal((30, 8))
    every = {
        who: bits_learned(
            data[[2 * worker + piece for worker in who for piece in (0, 1)]],
            masks[[2 * worker + piece for worker in who for piece in (0, 1)]],
            variance=2.0,
        )
        for who in itertools.combinations(range(15), colluders)
    }
    worst = most_bits_learned(data, masks, colluders, variance=2.0, pieces=2, sets=sets)
    assert worst.bound >= max(every.values()) * (1.0 - 1e-12)
    assert every[worst.coalition] == pytest.approx(worst.found)
    if sets > 300:  # all are tried
        assert worst.bound == worst.found == pytest.approx(max(every.values()))


def test_pieces_with_the_same_noise_hide_nothing_together():
    data, masks = np.ones((4, 1)), np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    worst = most_bits_learned(data, masks, 1, variance=1.0, pieces=2)
    assert (worst.bound, worst.coalition) == (math.inf, (0,))
    assert most_bits_learned(data[2:], masks[2:], 1, variance=1.0, pieces=2).bound < 1.0
