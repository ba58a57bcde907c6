"""Polynomials over a prime field, by their values: Lagrange's basis as a matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.checks import MOST, count, instance
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument

__all__ = ["lagrange_matrix", "node_weights", "products_of", "vandermonde"]


_IN_CACHE = 1 << 15  # differences at a time


def _points(field: PrimeField, points: Any, argument: str) -> NDArray[np.int64]:
    """Points from outside, as residues on one axis."""
    instance("field", field, PrimeField, change="Pass anyk.PrimeField().")
    residues = field.residues(points, argument)
    if residues.ndim != 1:
        raise InvalidArgument(
            argument,
            given=f"shape {residues.shape}",
            needed="points along one axis",
            change="Flatten it.",
        )
    return residues


def products_of(field: PrimeField, factors: NDArray[np.int64]) -> NDArray[np.int64]:
    """Products along the last axis, by halving.

    Args:
        field: the field.
        factors: int64 ndarray of residues.

    Example:
        >>> from anyk.domains.polynomials import products_of
        >>> products_of(anyk.PrimeField(7), np.array([[2, 3, 4], [1, 1, 6]]))
        array([3, 6])
    """
    if not factors.shape[-1]:
        return np.ones(factors.shape[:-1], dtype=np.int64)
    while factors.shape[-1] > 1:
        if factors.shape[-1] % 2:
            factors = np.concatenate([factors, np.ones_like(factors[..., :1])], axis=-1)
        half = factors.shape[-1] // 2
        factors = field.reduce(factors[..., :half] * factors[..., half:])
    return factors[..., 0]


def _slices(rows: int, columns: int) -> Iterator[slice]:
    """Cut a matrix in groups of rows that stay in cache."""
    height = max(1, _IN_CACHE // max(columns, 1))
    return (slice(start, start + height) for start in range(0, rows, height))


def node_weights(field: PrimeField, nodes: Any) -> NDArray[np.int64]:
    """Barycentric weights w_j = 1 / prod_{i != j} (x_j - x_i).

    Args:
        field: the field.
        nodes: n integers, distinct modulo p.

    Returns:
        int64 ndarray (n,).

    Raises:
        InvalidArgument: if a node is no integer, or there twice.

    Example:
        >>> from anyk.domains.polynomials import node_weights
        >>> node_weights(anyk.PrimeField(7), np.array([0, 1, 2]))
        array([4, 6, 4])
    """
    nodes = _points(field, nodes, "nodes")
    products = np.empty_like(nodes)
    for rows in _slices(len(nodes), len(nodes)):
        differences = field.reduce(nodes[rows, None] - nodes[None, :])
        differences[np.arange(len(differences)), np.arange(len(nodes))[rows]] = 1
        products[rows] = products_of(field, differences)
    if not products.all():
        raise InvalidArgument(
            "nodes",
            given=f"{nodes[np.argmin(products)]} twice, modulo {field.modulus}",
            needed="distinct points",
            change="Take each once, and a prime larger than all of them.",
        )
    weights: NDArray[np.int64] = field.inverse(products)
    return weights


def lagrange_matrix(field: PrimeField, nodes: Any, targets: Any) -> NDArray[np.int64]:
    """The matrix that takes a polynomial's values at nodes to its values at targets.

    L[i, j] = prod_{k != j} (t_i - x_k) / (x_j - x_k), for polynomials of degree below n.

    Args:
        field: the field.
        nodes: n integers, distinct modulo p.
        targets: m integers; one that is a node gives a row of the identity.

    Returns:
        int64 ndarray (m, n).

    Raises:
        InvalidArgument: if a point is no integer, or a node is there twice.

    References:
        Berrut, Trefethen: Barycentric Lagrange interpolation (SIAM Review 2004), equation 3.2.

    Example:
        >>> from anyk.domains.polynomials import lagrange_matrix
        >>> lagrange_matrix(anyk.PrimeField(7), np.array([0, 1]), np.array([1, 3]))
        array([[0, 1],
               [5, 3]])
    """
    nodes, targets = _points(field, nodes, "nodes"), _points(field, targets, "targets")
    weights = node_weights(field, nodes)
    matrix = np.empty((len(targets), len(nodes)), dtype=np.int64)
    for rows in _slices(len(targets), len(nodes)):
        differences = field.reduce(targets[rows, None] - nodes[None, :])
        hits = differences == 0
        differences[hits] = 1
        every = products_of(field, differences)
        scaled = field.reduce(every[:, None] * weights)
        struck = hits.any(axis=1)
        matrix[rows] = field.reduce(scaled * field.inverse(differences))
        matrix[rows][struck] = hits[struck]
    return matrix


def vandermonde(field: PrimeField, points: Any, rows: int) -> NDArray[np.int64]:
    """Powers of points: V[l, j] = x_j**l, for l < rows.

    Args:
        field: the field.
        points: n integers.
        rows: how many powers.

    Returns:
        int64 ndarray (rows, n).

    Raises:
        InvalidArgument: if a point is no integer, or rows is negative.

    Example:
        >>> from anyk.domains.polynomials import vandermonde
        >>> vandermonde(anyk.PrimeField(7), np.array([2, 3]), 3)
        array([[1, 1],
               [2, 3],
               [4, 2]])
    """
    points, rows = _points(field, points, "points"), count("rows", rows, least=0, most=MOST)
    powers = np.ones((rows, len(points)), dtype=np.int64)
    for row in range(1, rows):
        powers[row] = field.reduce(powers[row - 1] * points)
    return powers
