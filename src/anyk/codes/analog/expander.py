"""Expanders: which two blocks each worker holds, so that late workers cut off as few as may be."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["expander", "gap"]

_DRAWS = 32  # graphs of which the best is kept
_LARGE = 400  # edges from which on fewer are drawn


@lru_cache(maxsize=32)
def expander(blocks: int, workers: int) -> NDArray[np.intp]:
    """A graph with a block at each vertex and a worker at each edge, no two at one.

    Edges are drawn between vertices that have fewest, so that all have about as many. Of several
    graphs the one is kept whose `gap` is widest. They are the same in every process.

    Args:
        blocks: K, 2 or more.
        workers: N, at least K/2, so that each block is held, and at most K (K - 1) / 2.

    Returns:
        intp ndarray (N, 2): the blocks of each worker, in increasing order.

    Example:
        >>> from anyk.codes.analog.expander import expander
        >>> graph = expander(6, 9)
        >>> np.bincount(graph.ravel()).tolist(), len(np.unique(graph, axis=0))
        ([3, 3, 3, 3, 3, 3], 9)
    """
    generator = np.random.default_rng([blocks, workers])
    draws = _DRAWS if workers <= _LARGE else max(1, _DRAWS * _LARGE // workers // 4)
    graphs = [_drawn(blocks, workers, generator) for _ in range(draws)]
    return max(graphs, key=lambda graph: gap(blocks, graph))


def _drawn(blocks: int, workers: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """One graph whose degrees are about equal."""
    apart = np.eye(blocks, dtype=np.bool_)
    degrees, edges = np.zeros(blocks), np.empty((workers, 2), dtype=np.intp)
    for edge in edges:
        order = degrees + generator.random(blocks)
        open_ = ~apart.all(axis=1)
        first = int(np.argmin(np.where(open_, order, np.inf)))
        second = int(np.argmin(np.where(apart[first], np.inf, order)))
        edge[:] = min(first, second), max(first, second)
        apart[first, second] = apart[second, first] = True
        degrees[edge] += 1.0
    return generator.permutation(edges)


def gap(blocks: int, graph: NDArray[np.intp]) -> float:
    """1 less the largest |eigenvalue| but the first, of the adjacency matrix divided by degrees.

    It is 0 where the graph falls apart, or its vertices fall in two sets with no edge in either;
    the wider it is, the more edges leave every small set of vertices.

    Args:
        blocks: K.
        graph: ndarray (N, 2).

    References:
        Raviv, Tamo, Tandon, Dimakis: Gradient coding from cyclic MDS codes and expander graphs
        (IEEE TIT 2020), section VI.

    Example:
        >>> from anyk.codes.analog.expander import gap
        >>> triangle = np.array([[0, 1], [1, 2], [0, 2]])
        >>> round(gap(3, triangle), 3), abs(round(gap(3, triangle[:2]), 3))
        (0.5, 0.0)
    """
    beside = np.zeros((blocks, blocks))
    beside[graph[:, 0], graph[:, 1]] = beside[graph[:, 1], graph[:, 0]] = 1.0
    roots = np.sqrt(np.maximum(beside.sum(axis=1), 1.0))
    values = np.linalg.eigvalsh(beside / roots[:, None] / roots)
    return float(1.0 - max(-values[0], values[-2]))
