"""Polynomials over a prime field, by their values: Lagrange's basis as a matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.checks import instance
from anyk.domains.coefficients import evaluate, monic, powers
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument

__all__ = ["lagrange_matrix", "node_weights", "products_of", "vandermonde"]


_IN_CACHE = 1 << 15  # differences at a time
_MANY = 256  # nodes, from which on the polynomial that vanishes there has its coefficients computed
_TABLE = 1 << 20  # differences that points may have, at most, so that all are inverted beforehand


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
    return _weights(field, nodes, _whole(field, nodes))


def _whole(field: PrimeField, nodes: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The coefficients of prod_j (x - x_j), where there are many nodes."""
    return monic(field, nodes) if len(nodes) >= _MANY else None


def _weights(
    field: PrimeField, nodes: NDArray[np.int64], whole: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """Barycentric weights: the inverse values of the derivative of `whole`."""
    if whole is None:
        differences = field.reduce(nodes[:, None] - nodes[None, :])
        np.fill_diagonal(differences, 1)
        products = products_of(field, differences)
    else:
        degrees = field.reduce(np.arange(1, len(whole), dtype=np.int64))
        products = evaluate(field, field.reduce(whole[1:] * degrees), nodes)
    if not products.all():
        raise InvalidArgument(
            "nodes",
            given=f"{nodes[np.argmin(products)]} twice, modulo {field.modulus}",
            needed="distinct points",
            change="Take each once, and a prime larger than all of them.",
        )
    weights: NDArray[np.int64] = field.inverse(products)
    return weights


def _vanishing(
    field: PrimeField,
    nodes: NDArray[np.int64],
    targets: NDArray[np.int64],
    whole: NDArray[np.int64] | None,
) -> NDArray[np.int64]:
    """The values of prod_j (x - x_j) at targets."""
    if whole is not None:
        return evaluate(field, whole, targets)
    values = np.empty_like(targets)
    for rows in _slices(len(targets), len(nodes)):
        differences = field.reduce(targets[rows, None] - nodes[None, :])
        values[rows] = products_of(field, differences)
    return values


def _reciprocals(
    field: PrimeField, nodes: NDArray[np.int64], targets: NDArray[np.int64]
) -> Callable[[slice], NDArray[np.int64]]:
    """1 / (t_i - x_j), of some of the targets at a time; anything where they are equal."""
    ends = [
        each for points in (nodes, targets) if len(points) for each in (points.min(), points.max())
    ]
    span = int(max(ends, default=0) - min(ends, default=0))
    if span <= min(_TABLE, len(nodes) * len(targets)):
        ahead = field.inverse(np.arange(1, span + 1))
        table = np.concatenate([field.modulus - ahead[::-1], [0], ahead])
        return lambda rows: table[targets[rows, None] - (nodes - span)]

    def inverted(rows: slice) -> NDArray[np.int64]:
        differences = field.reduce(targets[rows, None] - nodes[None, :])
        differences[differences == 0] = 1
        inverses: NDArray[np.int64] = field.inverse(differences)
        return inverses

    return inverted


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
    whole = _whole(field, nodes)
    weights = _weights(field, nodes, whole)
    every = _vanishing(field, nodes, targets, whole)
    reciprocals = _reciprocals(field, nodes, targets)
    matrix = np.empty((len(targets), len(nodes)), dtype=np.int64)
    for rows in _slices(len(targets), len(nodes)):
        scaled = field.reduce(every[rows, None] * weights)
        matrix[rows] = field.reduce(scaled * reciprocals(rows))
    struck = np.isin(targets, nodes)
    matrix[struck] = targets[struck, None] == nodes
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
    return powers(field, _points(field, points, "points"), rows)
