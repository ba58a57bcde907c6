"""Where `Berrut` puts blocks, noise and workers: Chebyshev points, and a guard where it hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.circle import spread
from anyk.codes.curves.barycentric import berrut_matrix, chebyshev_first, chebyshev_second
from anyk.schemes.base import read_only
from anyk.schemes.placement import scattered

__all__ = ["BerrutPoints", "berrut_points"]

_GUARD = 0.1  # gaps between nodes, on the half circle


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class BerrutPoints:
    """Points in [-1, 1], which do not depend on the data.

    Args:
        blocks: of the blocks, float64 ndarray (K,), decreasing.
        noise: of the noise, float64 ndarray (T,).
        workers: of the workers, float64 ndarray (N,), decreasing.
        places: of these counted along the half circle, 0 to N - 1, float64 ndarray (N,).
        taken: which of these points each worker has, ndarray (N,): neighbours are far apart.

    Example:
        >>> from anyk.schemes.approximate.berrut.layout import berrut_points
        >>> berrut_points(1, 5, 0).at([0, 1, 2, 3, 4]).round(3) + 0.0
        array([ 1.   , -0.707,  0.707, -1.   ,  0.   ])
    """

    blocks: NDArray[np.float64]
    noise: NDArray[np.float64]
    workers: NDArray[np.float64]
    places: NDArray[np.float64]
    taken: NDArray[np.intp]

    def at(self, workers: Sequence[int]) -> NDArray[np.float64]:
        """The points of these workers, in their order, ndarray (len(workers),)."""
        return self.workers[self.taken[list(workers)]]

    def matrices(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Berrut's interpolant at the workers, ndarrays (N, K) and (N, T)."""
        points = self.workers[self.taken]
        both = berrut_matrix(np.concatenate([self.blocks, self.noise]), points)
        return both[:, : self.blocks.size], both[:, self.blocks.size :]


@lru_cache(maxsize=64)
def berrut_points(blocks: int, workers: int, colluders: int) -> BerrutPoints:
    """Chebyshev points of the first kind for blocks and noise, of the second for workers.

    With colluders, the noise is spread among the blocks, and the workers are spaced evenly on the
    half circle less a tenth of a gap on both sides of each block: next to a block, there is next
    to no noise.

    Args:
        blocks: K.
        workers: N.
        colluders: T.

    Returns:
        The points.

    Example:
        >>> from anyk.schemes.approximate.berrut.layout import berrut_points
        >>> points = berrut_points(2, 4, 1)
        >>> points.blocks.round(3), points.noise.round(3), points.workers.round(3)
        (array([0.866, 0.   ]), array([-0.866]), array([ 0.943,  0.334, -0.522, -0.943]))
    """
    nodes = blocks + colluders
    every = chebyshev_first(nodes)
    if colluders:
        places = spread(nodes, colluders)
        centres = np.pi * (np.delete(np.arange(nodes), places) + 0.5) / nodes
        angles = _beside(centres, _GUARD * np.pi / nodes, workers)
        points = np.cos(angles)
    else:
        places = np.zeros(0, dtype=np.intp)
        angles = np.linspace(0.0, np.pi, workers)
        points = chebyshev_second(workers)
    return BerrutPoints(
        blocks=read_only(np.delete(every, places)),
        noise=read_only(every[places]),
        workers=read_only(points),
        places=read_only(angles * ((workers - 1) / np.pi)),
        taken=read_only(scattered(workers)),
    )


def _beside(centres: NDArray[np.float64], guard: float, count: int) -> NDArray[np.float64]:
    """Angles spaced evenly over [0, pi] less what is nearer to a centre than the guard."""
    starts = np.concatenate([[0.0], centres + guard])
    lengths = np.concatenate([centres - guard, [np.pi]]) - starts
    ends = np.cumsum(lengths)
    along = (np.arange(count) + 0.5) / count * ends[-1]
    piece = np.minimum(np.searchsorted(ends, along, side="right"), len(ends) - 1)
    angles: NDArray[np.float64] = starts[piece] + along - (ends - lengths)[piece]
    return angles
