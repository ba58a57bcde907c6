"""Berrut's rational interpolant: no poles on the real line, whichever nodes are left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "berrut_leave_one_out",
    "berrut_leave_pairs_out",
    "berrut_matrix",
    "chebyshev_first",
    "chebyshev_second",
]


def berrut_matrix(nodes: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """The operator of r(z) = sum_i [(-1)^i / (z - x_i)] y_i / sum_j [(-1)^j / (z - x_j)].

    The signs alternate over the nodes given, in the order of their positions: after the loss of a
    node they alternate over those that are left. (Signs kept from before the loss put poles between
    the nodes.)

    Args:
        nodes: x, ndarray (n,), distinct, in any order.
        targets: z, ndarray (m,).

    Returns:
        ndarray (m, n) whose rows sum to 1; a target that is a node gets a row of the identity.

    References:
        Berrut, Rational functions for guaranteed and experimentally well-conditioned global
        interpolation, 1988 (first interpolant; it has no poles).

    Example:
        >>> from anyk.codes.curves.barycentric import berrut_matrix
        >>> berrut_matrix(np.array([0.0, 1.0]), np.array([0.25, 1.0]))
        array([[0.75, 0.25],
               [0.  , 1.  ]])
    """
    distances = targets[:, None] - nodes
    hits = distances == 0.0
    terms = _signs(nodes) / np.where(hits, 1.0, distances)
    hit = hits.any(axis=1)
    terms[hit] = hits[hit]
    terms /= terms.sum(axis=1, keepdims=True)
    return terms


def berrut_leave_one_out(nodes: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """The operator that predicts the values at some nodes from all the other nodes.

    With the signs alternating over all nodes but i, the terms of r at x_i are, up to a common
    sign, (-1)^j / |x_i - x_j|: one matrix serves all the nodes that are left out.

    Args:
        nodes: x, ndarray (n,), distinct, in any order.
        rows: indices of the nodes to predict, ndarray (m,).

    Returns:
        ndarray (m, n), 0 where a node would predict itself; all 0 where there is one node.

    Example:
        >>> from anyk.codes.curves.barycentric import berrut_leave_one_out
        >>> berrut_leave_one_out(np.array([0.0, 1.0, 3.0]), np.array([1])).round(2) + 0.0
        array([[0.67, 0.  , 0.33]])
    """
    distances = np.abs(nodes[rows, None] - nodes)
    distances[np.arange(rows.size), rows] = np.inf
    terms: NDArray[np.float64] = _signs(nodes) / distances
    sums = terms.sum(axis=1, keepdims=True)
    sums[sums == 0.0] = 1.0  # one node: nothing predicts it
    terms /= sums
    return terms


def berrut_leave_pairs_out(
    nodes: NDArray[np.float64], rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The operator that predicts the values at some nodes without them and their next neighbours.

    What is left has as many nodes as all, but for an even number, and Berrut's interpolant errs
    differently on even and on odd numbers of nodes.

    Args:
        nodes: x, ndarray (n,), increasing; n > 2.
        rows: indices of the nodes to predict, ndarray (m,).

    Returns:
        ndarray (m, n), 0 at a node and its next neighbour (the last one's is before it).

    References:
        Jahani-Nezhad and Maddah-Ali (arXiv 2009.08327), theorem 1: its bound has a term in f' for
        one parity alone.

    Example:
        >>> from anyk.codes.curves.barycentric import berrut_leave_pairs_out
        >>> berrut_leave_pairs_out(np.array([0.0, 1.0, 2.0, 4.0]), np.array([1])).round(2) + 0.0
        array([[0.75, 0.  , 0.  , 0.25]])
    """
    distances = nodes[rows, None] - nodes
    beside = np.where(rows + 1 < nodes.size, rows + 1, rows - 1)
    distances[np.arange(rows.size), rows] = np.inf
    distances[np.arange(rows.size), beside] = np.inf
    terms: NDArray[np.float64] = _signs(nodes) / distances
    terms /= terms.sum(axis=1, keepdims=True)
    return terms


def _signs(nodes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(-1)^rank of each node."""
    signs = np.empty(nodes.size)
    signs[np.argsort(nodes)] = 1.0 - 2.0 * (np.arange(nodes.size) % 2)
    return signs


def chebyshev_first(count: int) -> NDArray[np.float64]:
    """Chebyshev points of the first kind, cos((2k-1) pi / (2 K)), k = 1..K.

    Args:
        count: K.

    Returns:
        ndarray (K,), decreasing, symmetric to the last bit.

    Example:
        >>> from anyk.codes.curves.barycentric import chebyshev_first
        >>> chebyshev_first(3).round(4)
        array([ 0.866,  0.   , -0.866])
    """
    odd = count + 1 - 2 * np.arange(1, count + 1)
    points: NDArray[np.float64] = np.sin(odd * (np.pi / (2 * count)))
    return points


def chebyshev_second(count: int) -> NDArray[np.float64]:
    """Chebyshev points of the second kind, cos((n-1) pi / (N-1)), n = 1..N.

    Args:
        count: N; the one point of N = 1 is 0.

    Returns:
        ndarray (N,), decreasing from 1 to -1, symmetric to the last bit.

    Example:
        >>> from anyk.codes.curves.barycentric import chebyshev_second
        >>> chebyshev_second(3)
        array([ 1.,  0., -1.])
    """
    if count == 1:
        return np.zeros(1)
    odd = count + 1 - 2 * np.arange(1, count + 1)
    points: NDArray[np.float64] = np.sin(odd * (np.pi / (2 * (count - 1))))
    return points
