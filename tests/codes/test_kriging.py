"""Kriging and noisy copies: against dense linear algebra, and what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyk.codes.curves.kriging import ROUGHNESS, kriging, network_kernel, restricted_likelihood
from anyk.codes.locators.noisy_copies import locate_among_copies

SEEDS = st.integers(0, 2**32 - 1)


def grams(seed, count=9):
    points = np.random.default_rng(seed).normal(size=(count, 4))
    return points @ points.T


def test_the_kernel_is_the_covariance_of_random_rectifiers():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(4, 3))
    x = np.column_stack([points, np.ones(4)])
    width = 200_000
    hidden = np.sqrt(2.0) * np.maximum(x @ rng.normal(size=(4, width)), 0.0)
    first = hidden @ hidden.T / width  # one layer by sampling, the next by the formula
    biased = first + 1.0
    lengths = np.sqrt(np.diagonal(biased))
    cosine = biased / np.outer(lengths, lengths)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    expected = np.outer(lengths, lengths) * (np.sin(angle) + (np.pi - angle) * cosine) / np.pi
    np.testing.assert_allclose(network_kernel(points @ points.T), expected, rtol=0.05)


@given(SEEDS, st.sampled_from(ROUGHNESS))
@settings(max_examples=25, deadline=None)
def test_the_weights_solve_the_system_of_ordinary_kriging(seed, roughness):
    part = kriging(grams(seed))
    count = len(part.target)
    system = np.ones((count + 1, count + 1))
    system[:count, :count] = part.covariance + roughness * np.eye(count)
    system[count, count] = 0.0
    expected = np.linalg.solve(system, np.append(part.target, 1.0))[:count]
    np.testing.assert_allclose(part.weights(roughness), expected, atol=1e-8)
    other = expected + np.random.default_rng(seed).normal(size=count) @ part.contrasts @ (
        0.01 * part.contrasts.T
    )

    def error(weights):
        told = 1.0 - 2.0 * weights @ part.target + weights @ part.covariance @ weights
        return told + roughness * (1.0 + weights @ weights)

    assert part.variance(roughness) == pytest.approx(error(expected), abs=1e-9)
    assert error(other) > part.variance(roughness)


def test_the_likelihood_finds_the_roughness_and_the_variance():
    rng = np.random.default_rng(1)
    part = kriging(grams(2, 60))
    for roughness in (1e-3, 1.0):
        root = np.linalg.cholesky(part.covariance + roughness * np.eye(60))
        values = 5.0 + 3.0 * root @ rng.normal(size=(60, 40))
        energies = [part.energies(values)]
        fits = [(*restricted_likelihood([part], energies, each), each) for each in ROUGHNESS]
        _, variance, chosen = min(fits)
        assert chosen == roughness
        assert variance == pytest.approx(9.0, rel=0.1)


@given(SEEDS, st.integers(0, 2))
@settings(max_examples=25, deadline=None)
def test_doubt_falls_on_the_lies_and_on_nothing_else(seed, liars):
    rng = np.random.default_rng(seed)
    noise = np.array([1.0, -1.0, 1.2, -1.2, 1.4, -1.4, 1.6, -1.6])
    parts = [kriging(np.outer(noise, noise)) for _ in range(2)]
    root = np.linalg.cholesky(parts[0].covariance + 1e-4 * np.eye(8))
    values = np.concatenate([root @ rng.normal(size=(8, 20)) for _ in parts])
    wrong = rng.choice(16, liars, replace=False)
    values[wrong] += 10.0
    rows = [np.arange(8), np.arange(8, 16)]
    alike = [np.outer(noise, noise) > 0.0] * 2
    found = locate_among_copies([part.covariance for part in parts], rows, alike, values, 2)
    assert set(found.removed) >= set(wrong)
    assert len(found.removed) <= 2
    assert set(found.named) <= set(found.removed)
    assert not found.exceeded


def test_who_is_wrong_beyond_doubt_is_named_and_one_too_many_is_noticed():
    rng = np.random.default_rng(4)
    noise = np.array([1.0, -1.0, 1.2, -1.2, 1.4, -1.4, 1.6, -1.6])
    part = kriging(np.outer(noise, noise))
    root = np.linalg.cholesky(part.covariance + 1e-4 * np.eye(8))
    values = np.concatenate([root @ rng.normal(size=(8, 20)) for _ in range(3)])
    values[[2, 11]] += 100.0 * rng.normal(size=(2, 20))
    rows, alike = np.arange(24).reshape(3, 8), [np.outer(noise, noise) > 0.0] * 3
    found = locate_among_copies([part.covariance] * 3, rows, alike, values, 2)
    assert found.named == found.removed == (2, 11)
    assert not found.exceeded
    assert locate_among_copies([part.covariance] * 3, rows, alike, values, 1).exceeded
