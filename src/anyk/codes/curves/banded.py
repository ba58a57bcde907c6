"""The banded matrices behind a smoothing spline: Q, R and B = R + Q^T P Q, all in O(n)."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

__all__ = [
    "condition_number",
    "evaluation_weights",
    "inverse_bands",
    "penalised_bands",
    "second_differences",
    "transposed_differences",
]

Floats: TypeAlias = NDArray[np.float64]


def second_differences(knots: Floats, values: Floats) -> Floats:
    """Q^T y, ndarray (n-2, L)."""
    slopes = np.diff(values, axis=0)
    slopes /= np.diff(knots)[:, None]
    return np.diff(slopes, axis=0)


def transposed_differences(knots: Floats, bends: Floats) -> Floats:
    """Q gamma, ndarray (n, L), from gamma padded by its zero ends."""
    slopes = np.diff(bends, axis=0)
    slopes /= np.diff(knots)[:, None]
    jumps = np.zeros_like(bends)
    jumps[:-1] += slopes
    jumps[1:] -= slopes
    return jumps


def condition_number(gaps: Floats, penalties: Floats) -> float:
    """About the condition number of B: its stiffest mode against its smoothest."""
    mean, length = float(gaps.mean()), float(gaps.sum())
    stiffness = float(penalties.max())
    smoothest = mean * (1.0 + stiffness / (gaps.size + 1) * np.pi**4 / length**3)
    return 16.0 * stiffness / (float(gaps.min()) ** 2 * smoothest)


def penalised_bands(gaps: Floats, penalties: Floats) -> Floats:
    """B = R + Q^T P Q in lower banded form, ndarray (3, n-2)."""
    left, right = 1.0 / gaps[:-1], 1.0 / gaps[1:]
    centre = -left - right
    bands = np.zeros((3, left.size))
    bands[0] = (gaps[:-1] + gaps[1:]) / 3.0
    bands[0] += penalties[:-2] * left**2 + penalties[1:-1] * centre**2 + penalties[2:] * right**2
    bands[1, :-1] = gaps[1:-1] / 6.0
    bands[1, :-1] += penalties[1:-2] * centre[:-1] * left[1:]
    bands[1, :-1] += penalties[2:-1] * right[:-1] * centre[1:]
    bands[2, :-2] = penalties[2:-2] * right[:-2] * left[2:]
    return bands


def inverse_bands(factor: Floats) -> tuple[Floats, Floats, Floats]:
    """The three central bands of B^-1, in O(n), from the banded Cholesky factor of B.

    With B = L D L^T, Hutchinson and de Hoog's recursion runs backwards over
    (z_(i,i+2), z_(i,i+1), z_(i,i)). It is linear in these unknowns, so it is one banded unit
    triangular system, and LAPACK runs the loop.

    References:
        Hutchinson and de Hoog, Smoothing noisy data with spline functions, 1985.
    """
    size = factor.shape[1]
    first = np.zeros(size)
    second = np.zeros(size)
    first[:-1] = factor[1, :-1] / factor[0, :-1]
    second[:-2] = factor[2, :-2] / factor[0, :-2]
    first, second = first[::-1], second[::-1]
    system = np.zeros((5, 3 * size + 4))  # column of an unknown: row d holds the entry d below it
    system[0] = 1.0
    rows = 3 * np.arange(size)
    system[2, rows[1:] - 2], system[4, rows[2:] - 4] = first[1:], second[2:]
    system[2, rows[1:] - 1], system[3, rows[1:] - 2] = first[1:], second[1:]
    system[1, rows + 1], system[2, rows] = first, second
    known = np.zeros((3 * size, 1))
    known[2::3, 0] = factor[0, ::-1] ** -2
    solved, _ = scipy.linalg.lapack.dtbtrs(
        system[:, : 3 * size], known, uplo="L", diag="U", overwrite_b=True
    )
    bands = solved[:, 0].reshape(size, 3)[::-1]
    return bands[:, 2], bands[:-1, 1], bands[:-2, 0]


def evaluation_weights(
    knots: Floats, targets: Floats
) -> tuple[scipy.sparse.csr_array, scipy.sparse.csr_array]:
    """Sparse E and F with g(targets) = E heights + F bends; linear outside the knots.

    Args:
        knots: ndarray (n,), n >= 2, increasing.
        targets: ndarray (m,).

    Returns:
        Two sparse arrays (m, n) of two entries a row.

    Example:
        >>> from anyk.codes.curves.banded import evaluation_weights
        >>> by_height, by_bend = evaluation_weights(np.array([0.0, 2.0]), np.array([1.0, 3.0]))
        >>> by_height.toarray()
        array([[ 0.5,  0.5],
               [-0.5,  1.5]])
    """
    left = np.clip(np.searchsorted(knots, targets, side="right") - 1, 0, knots.size - 2)
    gap = knots[left + 1] - knots[left]
    up = (targets - knots[left]) / gap
    shares = np.stack([1.0 - up, up], axis=1)
    cubes = (np.maximum(shares, 0.0) ** 3 - shares) * (gap**2 / 6.0)[:, None]
    columns = np.stack([left, left + 1], axis=1).ravel()
    starts = np.arange(0, columns.size + 1, 2)
    shape = (targets.size, knots.size)
    return (
        scipy.sparse.csr_array((shares.ravel(), columns, starts), shape=shape),
        scipy.sparse.csr_array((cubes.ravel(), columns, starts), shape=shape),
    )
