"""Which chunks of a sum each worker computes, and in which order."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["chunk_order"]

_STEP = 2.0**0.5 - 1.0


@lru_cache(maxsize=32)
def chunk_order(workers: int, chunks: int, copies: int) -> NDArray[np.intp]:
    """The chunks of each worker, in the order in which it computes them.

    Each chunk comes once among the first K/N chunks of all workers, once among the next K/N, and so
    on: no chunk is late everywhere. (Where K = N, each place is a perfect matching of workers and
    chunks. The most that can be computed without one chunk is then the same for all chunks, so no
    order is better in the worst case.) The other copies of a worker's chunks are scattered over
    workers far apart, in turns in the opposite order: what one does last, another does early.

    Args:
        workers: N.
        chunks: K, a multiple of N.
        copies: how many workers compute each chunk, at most N.

    Returns:
        intp ndarray (N, copies * K/N), read-only.

    References:
        Ramamoorthy, Meng, Girimaji: Leveraging partial stragglers within gradient coding (NeurIPS
        2024), on the order of chunks.

    Example:
        >>> from anyk.codes.exact.chunks import chunk_order
        >>> chunk_order(5, 5, 2)
        array([[0, 2],
               [1, 3],
               [2, 4],
               [3, 0],
               [4, 1]])
        >>> chunk_order(3, 6, 2)[0]
        array([0, 1, 5, 2])
    """
    each, others = chunks // workers, _far_first(workers)
    everyone = np.arange(workers)[:, None]
    levels = [everyone * each + np.arange(each)]
    for level in range(1, copies):
        place = np.arange(each)[::-1] if level % 2 else np.arange(each)
        shift = others[(level - 1 + place * (copies - 1)) % max(len(others), 1)]
        levels.append((everyone + shift) % workers * each + place)
    order = np.concatenate(levels, axis=1)
    order.flags.writeable = False
    return order


def _far_first(workers: int) -> NDArray[np.intp]:
    """All distances from a worker to the others around the circle, scattered."""
    steps = np.floor(np.arange(1, 4 * workers) * _STEP % 1.0 * workers).astype(np.intp)
    _, first = np.unique(steps, return_index=True)
    found = steps[np.sort(first)]
    found = found[found > 0]
    return np.concatenate([found, np.setdiff1d(np.arange(1, workers), found)])
