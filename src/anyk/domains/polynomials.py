"""Polynomials over a prime field, by their values: Lagrange's basis as a matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField

__all__ = ["lagrange_matrix", "node_weights", "vandermonde"]


def _products(field: PrimeField, factors: NDArray[np.int64]) -> NDArray[np.int64]:
    """Products along the last axis, by halving."""
    while factors.shape[-1] > 1:
        if factors.shape[-1] % 2:
            factors = np.concatenate([factors, np.ones_like(factors[..., :1])], axis=-1)
        factors = field.reduce(factors[..., ::2] * factors[..., 1::2])
    return factors[..., 0]


def node_weights(field: PrimeField, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Barycentric weights w_j = 1 / prod_{i != j} (x_j - x_i).

    Args:
        field: the field.
        nodes: int64 ndarray (n,) of distinct residues.

    Returns:
        int64 ndarray (n,).

    Example:
        >>> from anyk.domains.polynomials import node_weights
        >>> node_weights(anyk.PrimeField(7), np.array([0, 1, 2]))
        array([4, 6, 4])
    """
    differences = field.reduce(nodes[:, None] - nodes[None, :])
    np.fill_diagonal(differences, 1)
    return field.inverse(_products(field, differences))


def lagrange_matrix(
    field: PrimeField, nodes: NDArray[np.int64], targets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The matrix that takes a polynomial's values at nodes to its values at targets.

    L[i, j] = prod_{k != j} (t_i - x_k) / (x_j - x_k), for polynomials of degree below n.

    Args:
        field: the field.
        nodes: int64 ndarray (n,) of distinct residues.
        targets: int64 ndarray (m,) of residues; one that is a node gives a row of the identity.

    Returns:
        int64 ndarray (m, n).

    References:
        Berrut, Trefethen: Barycentric Lagrange interpolation (SIAM Review 2004), equation 3.2.

    Example:
        >>> from anyk.domains.polynomials import lagrange_matrix
        >>> lagrange_matrix(anyk.PrimeField(7), np.array([0, 1]), np.array([1, 3]))
        array([[0, 1],
               [5, 3]])
    """
    differences = field.reduce(targets[:, None] - nodes[None, :])
    hits = differences == 0
    differences[hits] = 1
    every = _products(field, differences)
    matrix = field.reduce(every[:, None] * node_weights(field, nodes)[None, :])
    matrix = field.reduce(matrix * field.inverse(differences))
    struck = hits.any(axis=1)
    matrix[struck] = hits[struck]
    return matrix


def vandermonde(field: PrimeField, points: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Powers of points: V[l, j] = x_j**l, for l < rows.

    Args:
        field: the field.
        points: int64 ndarray (n,) of residues.
        rows: how many powers.

    Returns:
        int64 ndarray (rows, n).

    Example:
        >>> from anyk.domains.polynomials import vandermonde
        >>> vandermonde(anyk.PrimeField(7), np.array([2, 3]), 3)
        array([[1, 1],
               [2, 3],
               [4, 2]])
    """
    powers = np.ones((rows, len(points)), dtype=np.int64)
    for row in range(1, rows):
        powers[row] = field.reduce(powers[row - 1] * points)
    return powers
