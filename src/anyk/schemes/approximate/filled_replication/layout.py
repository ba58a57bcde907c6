"""Which block each worker of `FilledReplication` holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.curves.ordering import chord_positions, pairwise_distances, path_order
from anyk.schemes.approximate.common import largest
from anyk.schemes.placement import scattered
from anyk.schemes.precision import as_doubles

__all__ = ["FilledLayout", "filled_layout", "in_units"]

Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]

_COMPARED = 1024  # blocks up to which all are compared with all
_NEXT = 2  # near blocks that make one less isolated


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class FilledLayout:
    """What `FilledReplication` chose for one set of data.

    Args:
        order: the blocks along a short path, ndarray (K,); a permutation.
        positions: where the path passes them, ndarray (K,), increasing.
        held: which block each worker holds, as a place in `order`, ndarray (N,).
        distances: between the blocks, in this order, ndarray (K, K), up to one factor; None for
            more than 1024 blocks.

    Example:
        >>> encoded = anyk.FilledReplication(3, 4).encode(np.array([1.0, 5.0, 2.0]))
        >>> encoded.layout.order[encoded.layout.held], encoded.shares
        (array([1, 2, 0, 1]), array([5., 2., 1., 5.]))
    """

    order: Places
    positions: Floats
    held: Places
    distances: Floats | None


def in_units(blocks: NDArray[Any]) -> Floats:
    """Blocks of any numbers as rows of reals, of which the largest is 1.

    Args:
        blocks: ndarray (K, *shape).

    Returns:
        ndarray (K, L); real and imaginary parts side by side.

    Example:
        >>> from anyk.schemes.approximate.filled_replication.layout import in_units
        >>> in_units(np.array([1, -4], dtype=np.int8)).tolist(), in_units(np.array([2j])).tolist()
        ([[0.25], [-1.0]], [[0.0, 1.0]])
    """
    wide = as_doubles(blocks).reshape(len(blocks), -1)
    parts = wide.view(np.float64)
    return parts / largest(parts)


def filled_layout(flat: Floats, workers: int) -> FilledLayout:
    """One whole block a worker: floor(N/K) copies of each, and one more of the most isolated.

    The N mod K workers left over hold the blocks that are farthest from their two nearest. With
    fewer workers than blocks, they hold those that leave the others nearest to one that is held
    (greedily, by the sum of the squared distances). Workers that follow each other hold blocks
    that are far from each other, so that a run of late workers leaves no wide gap. Of more than
    1024 blocks, places on the path stand for distances.

    Args:
        flat: the blocks, ndarray (K, L).
        workers: N.
    """
    order = path_order(flat)
    path = flat[order]
    positions = chord_positions(path)
    distances = pairwise_distances(path) if order.size <= _COMPARED else None
    held = (
        _central(positions, distances, workers)
        if workers < order.size
        else _copied(positions, distances, workers)
    )
    return FilledLayout(order=order, positions=positions, held=held, distances=distances)


def _copied(positions: Floats, distances: Floats | None, workers: int) -> Places:
    """As many copies of each block, and one more of the most isolated, far from the others."""
    times, more = divmod(workers, positions.size)
    isolated = np.argsort(-_isolation(positions, distances), kind="stable")[:more]
    once = scattered(positions.size)
    turns = np.sort(np.argsort(once)[isolated])
    if more:  # the last turn of an isolated block is as far as can be from the end: it comes again
        start = turns[int(np.argmax(np.diff(turns, append=turns[0] + once.size)) + 1) % more]
        once, turns = np.roll(once, -start), np.sort((turns - start) % once.size)
    return np.concatenate([np.tile(once, times), once[turns]])


def _central(positions: Floats, distances: Floats | None, workers: int) -> Places:
    """Fewer blocks than there are: those that leave the others nearest to one of them."""
    if distances is None:
        ends = np.linspace(0.0, positions.size - 1.0, workers)
        return np.round(ends).astype(np.intp)[scattered(workers)]
    squares = distances**2
    nearest = np.full(positions.size, np.inf)
    chosen = np.empty(workers, dtype=np.intp)
    for count in range(workers):
        left = np.minimum(nearest, squares).sum(axis=1)
        left[chosen[:count]] = np.inf
        chosen[count] = np.argmin(left)
        nearest = np.minimum(nearest, squares[chosen[count]])
    return np.sort(chosen)[scattered(workers)]


def _isolation(positions: Floats, distances: Floats | None) -> Floats:
    """The mean distance to the two nearest blocks, or to the neighbours on the path."""
    if positions.size == 1:
        return np.zeros(1)
    if distances is None:
        steps = np.diff(positions)
        return np.append(steps[:1], steps) + np.append(steps, steps[-1:])
    count = min(_NEXT, positions.size - 1)
    others = np.sort(distances, axis=1)[:, 1 : count + 1]  # the first is the block itself
    isolated: Floats = others.mean(axis=1)
    return isolated
