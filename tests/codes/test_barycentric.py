"""Berrut's interpolant: partition of unity, hits, signs given anew, leave one out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.interpolate import BarycentricInterpolator

from anyk.codes.curves.barycentric import (
    berrut_leave_one_out,
    berrut_leave_pairs_out,
    berrut_matrix,
    chebyshev_first,
    chebyshev_second,
)

Floats = NDArray[np.float64]


def distinct(rng: np.random.Generator, count: int) -> Floats:
    return rng.permutation(np.cumsum(rng.uniform(0.1, 1.0, count)))


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_rows_sum_to_one_and_a_hit_returns_its_value(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    nodes = distinct(rng, count)
    matrix = berrut_matrix(nodes, np.concatenate([rng.uniform(-1.0, 20.0, 5), nodes]))
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-9)
    np.testing.assert_array_equal(matrix[5:], np.eye(count))


def test_it_is_scipys_barycentric_formula_with_weights_of_alternating_sign() -> None:
    nodes, targets = np.array([-1.0, -0.3, 0.2, 0.9]), np.linspace(-0.95, 0.95, 11)
    values = np.array([1.0, -2.0, 0.5, 3.0])
    expected = BarycentricInterpolator(nodes, values, wi=[1, -1, 1, -1])(targets)
    np.testing.assert_allclose(berrut_matrix(nodes, targets) @ values, expected, rtol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(2, 20))
def test_leave_one_out_is_the_interpolant_of_the_rest(seed: int, count: int) -> None:
    nodes = distinct(np.random.default_rng(seed), count)
    rows = np.arange(count)[::2]
    found = berrut_leave_one_out(nodes, rows)
    for row, i in zip(found, rows, strict=True):
        rest = np.arange(count) != i
        expected = berrut_matrix(nodes[rest], nodes[i : i + 1])[0]
        np.testing.assert_allclose(row[rest], expected, rtol=1e-9, atol=1e-12)
        assert row[i] == 0.0


def test_nothing_predicts_the_only_node() -> None:
    assert berrut_leave_one_out(np.zeros(1), np.zeros(1, dtype=np.intp)).tolist() == [[0.0]]


def test_signs_are_given_anew_and_those_of_before_would_have_poles() -> None:
    nodes = chebyshev_second(60)
    left = np.sort(np.random.default_rng(0).choice(60, 55, replace=False))
    targets = chebyshev_first(2000)
    fresh = berrut_matrix(nodes[left], targets)
    signs = (-1.0) ** left
    terms = signs / (targets[:, None] - nodes[left])
    stale = terms / terms.sum(axis=1, keepdims=True)
    values = np.sin(4.0 * nodes[left])
    assert np.abs(fresh).sum(axis=1).max() < 20.0
    assert np.abs(fresh @ values - np.sin(4.0 * targets)).max() < 0.1
    assert np.abs(stale @ values - np.sin(4.0 * targets)).max() > 10.0


@pytest.mark.parametrize("count", [1, 2, 3, 8, 61])
def test_chebyshev_points_are_the_cosines(count: int) -> None:
    k = np.arange(count)
    first = np.cos((2 * k + 1) * np.pi / (2 * count))
    np.testing.assert_allclose(chebyshev_first(count), first, atol=1e-15)
    second = np.cos(k * np.pi / max(1, count - 1)) if count > 1 else np.zeros(1)
    np.testing.assert_allclose(chebyshev_second(count), second, atol=1e-15)
    np.testing.assert_array_equal(chebyshev_first(count), -chebyshev_first(count)[::-1])


@pytest.mark.parametrize("count", [3, 4, 7, 8])
def test_leave_pairs_out_is_the_interpolant_of_the_rest(count: int) -> None:
    nodes = np.sort(np.random.default_rng(count).normal(size=count))
    found = berrut_leave_pairs_out(nodes, np.arange(count))
    for node in range(count):
        beside = node + 1 if node + 1 < count else node - 1
        rest = np.delete(np.arange(count), [node, beside])
        expected = np.zeros(count)
        expected[rest] = berrut_matrix(nodes[rest], nodes[[node]])[0]
        np.testing.assert_allclose(found[node], expected, rtol=1e-9, atol=1e-12)
