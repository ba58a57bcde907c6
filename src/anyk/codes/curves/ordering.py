"""A short path through the blocks, and where to put them on a line: a smooth curve to encode."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.spans import column_spans

__all__ = ["chord_positions", "pairwise_distances", "path_order"]

_WHOLE = 1500  # blocks up to which all distances at once are worth their time
_PART = 512  # blocks beyond that: a stretch of the Hilbert curve
_SWEEPS = 40  # of 2-opt; it stands still after about ten
_COMPONENTS = 3  # of the blocks that the Hilbert curve goes through
_ITERATIONS = 4  # of the subspace iteration that finds them
_BITS = 16  # of a Hilbert cell's coordinate
_LEAST_GAP = 1e-6  # of the mean gap: blocks nearer than this are as good as equal


def path_order(blocks: NDArray[np.float64]) -> NDArray[np.intp]:
    """A short path that visits every block once.

    Up to 1500 blocks: from the block farthest from the mean to the nearest one not yet visited,
    then 2-opt (reverse a stretch while that shortens the path). Beyond: along a Hilbert curve
    through the leading principal components, and from nearest to nearest in each stretch of 512
    blocks, O(K log K).

    Args:
        blocks: ndarray (K, d).

    Returns:
        ndarray (K,): a permutation; the same blocks in another order give the same path, save for
        ties.

    References:
        Croes, A method for solving traveling-salesman problems, 1958 (2-opt).

    Example:
        >>> from anyk.codes.curves.ordering import path_order
        >>> path_order(np.array([[0.0], [9.0], [2.0], [1.0]]))
        array([1, 2, 3, 0])
    """
    count = blocks.shape[0]
    if count <= 2:  # noqa: PLR2004 - there is one path
        return np.arange(count)
    if count > _WHOLE:
        centred: NDArray[np.float64] = blocks / _largest(blocks)  # squares can't overflow
        centred -= centred.mean(axis=0)
        return _chunked_order(centred)
    gram = _centred_gram(blocks)
    first = int(np.argmax(np.diag(gram)))
    distances = _distances(gram)
    return _two_opt(distances, _nearest_neighbours(distances, first))


def pairwise_distances(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """All distances between blocks, up to one factor for all.

    Args:
        blocks: ndarray (K, d).

    Returns:
        ndarray (K, K), symmetric; 0 on the diagonal.

    Example:
        >>> from anyk.codes.curves.ordering import pairwise_distances
        >>> distances = pairwise_distances(np.array([[0.0, 0.0], [3.0, 4.0]]))
        >>> bool(distances[0, 0] == 0.0 < distances[0, 1])
        True
    """
    distances = _distances(_centred_gram(blocks))
    np.fill_diagonal(distances, 0.0)
    return distances


def chord_positions(
    blocks: NDArray[np.float64], order: NDArray[np.intp] | None = None
) -> NDArray[np.float64]:
    """Positions in [-1, 1] with gaps proportional to the distances along a path.

    Args:
        blocks: ndarray (K, d).
        order: of the blocks on the path, ndarray (K,); None where they lie in it.

    Returns:
        ndarray (K,), increasing; equal blocks get a small gap all the same.

    References:
        de Boor, A Practical Guide to Splines, 2001, chapter XVI (chord length parametrisation).

    Example:
        >>> from anyk.codes.curves.ordering import chord_positions
        >>> chord_positions(np.array([[0.0], [1.0], [4.0]]))
        array([-1. , -0.5,  1. ])
    """
    count = blocks.shape[0]
    if count == 1:
        return np.zeros(1)
    steps = _steps(blocks, np.arange(count) if order is None else order)
    mean = float(steps.mean())
    gaps = np.maximum(steps, _LEAST_GAP * mean) if mean > 0.0 else np.ones(steps.size)
    ends = np.concatenate([[0.0], np.cumsum(gaps)])
    positions: NDArray[np.float64] = 2.0 * ends / ends[-1] - 1.0
    return positions


def _steps(blocks: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.float64]:
    """Distances from each block to the next, up to scale, ndarray (K-1,), in bounded memory."""
    scale, squares = _largest(blocks), np.zeros(order.size - 1)
    for span in column_spans(blocks.shape[1], order.size):
        apart = np.diff(blocks[order, span] / scale, axis=0)
        squares += np.einsum("ij,ij->i", apart, apart)
    norms: NDArray[np.float64] = np.sqrt(squares)
    return norms


def _centred_gram(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inner products of the blocks about their mean, up to scale, (K, K), in bounded memory."""
    count, scale = blocks.shape[0], _largest(blocks)  # squares can't overflow
    gram = np.zeros((count, count))
    for span in column_spans(blocks.shape[1], count):
        centred: NDArray[np.float64] = blocks[:, span] / scale
        centred -= centred.mean(axis=0)
        gram += centred @ centred.T
    return gram


def _largest(values: NDArray[np.float64]) -> float:
    """The largest absolute value; 1 where all are 0."""
    return max(float(values.max()), -float(values.min())) or 1.0


def _distances(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """All distances, ndarray (K, K), from the Gram matrix: no K x K x d array; in its memory."""
    squares = np.diag(gram).copy()
    gram *= -2.0
    gram += squares[:, None]
    gram += squares
    np.maximum(gram, 0.0, out=gram)
    return np.sqrt(gram, out=gram)


def _nearest_neighbours(distances: NDArray[np.float64], first: int) -> NDArray[np.intp]:
    """The greedy path from one block."""
    order = np.empty(distances.shape[0], dtype=np.intp)
    order[0] = first
    taken = np.zeros(distances.shape[0])
    for position in range(1, order.size):
        taken[order[position - 1]] = np.inf
        order[position] = np.argmin(distances[order[position - 1]] + taken)
    return order


def _two_opt(distances: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Reverse stretches of an open path while that shortens it.

    Reversing i+1..j replaces the edges (i, i+1) and (j, j+1); a point at distance 0 from all
    others stands before the first block and after the last, so that the ends are free.
    """
    count = order.size
    free = np.zeros((count + 1, count + 1))
    free[:count, :count] = distances
    tour = np.concatenate([[count], order, [count]])
    least = 1e-9 * float(distances.max())
    for _ in range(_SWEEPS):
        improved = False
        for i in range(count):
            here, after = tour[i], tour[i + 1]
            nodes = tour[i + 1 :]
            gains = (
                free[here, after]
                + free[nodes[:-1], nodes[1:]]
                - free[here, nodes[:-1]]
                - free[after, nodes[1:]]
            )
            best = int(np.argmax(gains))
            if gains[best] > least:
                tour[i + 1 : i + best + 2] = tour[i + 1 : i + best + 2][::-1].copy()
                improved = True
        if not improved:
            break
    return tour[1:-1]


def _chunked_order(centred: NDArray[np.float64]) -> NDArray[np.intp]:
    """Greedy paths through the stretches of a Hilbert curve, each begun near the last one's end."""
    curve = _hilbert_order(centred)
    parts: list[NDArray[np.intp]] = []
    for at in range(0, curve.size, _PART):
        part = curve[at : at + _PART]
        blocks = centred[part]
        end = centred[parts[-1][-1]] if parts else blocks[0]
        first = int(np.argmin(np.linalg.norm(blocks - end, axis=1)))
        parts.append(part[_nearest_neighbours(_distances(blocks @ blocks.T), first)])
    return np.concatenate(parts)


def _hilbert_order(centred: NDArray[np.float64]) -> NDArray[np.intp]:
    """Order along a Hilbert curve through the leading principal components."""
    leading = centred @ _principal_directions(centred)
    low = leading.min(axis=0)
    largest = float((leading.max(axis=0) - low).max()) or 1.0
    cells = ((leading - low) * ((2**_BITS - 1) / largest)).astype(np.int64)
    return np.argsort(_hilbert_index(cells.T), kind="stable")


def _principal_directions(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Directions (d, up to 3) of nearly the largest variance, by subspace iteration."""
    width = centred.shape[1]
    rank = min(_COMPONENTS, width)
    start = np.random.default_rng(0).standard_normal((width, rank))  # no worker has a say in it
    basis, _ = np.linalg.qr(start)
    for _ in range(_ITERATIONS):
        basis, _ = np.linalg.qr(centred.T @ (centred @ basis))
    _, _, rotation = np.linalg.svd(centred @ basis, full_matrices=False)
    directions: NDArray[np.float64] = basis @ rotation.T
    return directions


def _hilbert_index(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place along the Hilbert curve of points on a grid of 2^16 cells a side.

    Args:
        cells: ndarray (axes, K), each in [0, 2^16).

    Returns:
        ndarray (K,).

    References:
        Skilling, Programming the Hilbert curve, 2004.
    """
    axes = cells.copy()
    for bit in range(_BITS - 1, 0, -1):  # undo the rotations, coarse to fine
        below = (1 << bit) - 1
        for axis in range(axes.shape[0]):
            upper = (axes[axis] >> bit) & 1 == 1
            swapped = np.where(upper, 0, (axes[0] ^ axes[axis]) & below)
            axes[0] ^= np.where(upper, below, swapped)
            axes[axis] ^= swapped
    for axis in range(1, axes.shape[0]):  # Gray code
        axes[axis] ^= axes[axis - 1]
    parity = np.zeros(axes.shape[1], dtype=np.int64)
    for bit in range(_BITS - 1, 0, -1):
        parity ^= np.where((axes[-1] >> bit) & 1 == 1, (1 << bit) - 1, 0)
    axes ^= parity
    index = np.zeros(axes.shape[1], dtype=np.int64)
    for bit in range(_BITS - 1, -1, -1):  # interleave
        for axis in axes:
            index = (index << 1) | ((axis >> bit) & 1)
    return index
