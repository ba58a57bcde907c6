"""Where `Spline` puts blocks and workers on its curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.curves.barycentric import chebyshev_first, chebyshev_second
from anyk.codes.curves.ordering import chord_positions, path_order
from anyk.schemes.placement import scattered

__all__ = ["SplineLayout", "path_layout", "published_layout"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SplineLayout:
    """What `Spline` chose for one set of data.

    Args:
        order: the blocks along the curve, ndarray (K,); a permutation.
        positions: alpha, where the curve passes them, ndarray (K,), increasing.
        points: beta, where the workers' shares are taken, ndarray (N,), increasing.
        places: which of these points each worker has, ndarray (N,): neighbours are far apart.
        offset: by how much the curve misses the blocks, root mean square, as a length on the line
            of alpha and beta; 0 where it passes through them.

    Example:
        >>> anyk.Spline(2, 4).encode(np.array([1.0, 5.0])).layout.at(range(4)).round(2)
        array([-1.  ,  1.  , -0.33,  0.33])
    """

    order: NDArray[np.intp]
    positions: NDArray[np.float64]
    points: NDArray[np.float64]
    places: NDArray[np.intp]
    offset: float = 0.0

    def at(self, workers: Sequence[int]) -> NDArray[np.float64]:
        """The points of these workers, in their order, ndarray (len(workers),)."""
        return self.points[self.places[list(workers)]]


def published_layout(blocks: int, workers: int) -> SplineLayout:
    """The given order, at the Chebyshev points of both kinds; who has which is ours.

    Args:
        blocks: K.
        workers: N.

    References:
        Moradi, Tahmasebi and Maddah-Ali, NeurIPS 2024, section 5.
    """
    return SplineLayout(
        order=np.arange(blocks),
        positions=chebyshev_first(blocks)[::-1],
        points=chebyshev_second(workers)[::-1],
        places=scattered(workers),
    )


def path_layout(flat: NDArray[np.float64], workers: int) -> SplineLayout:
    """The order of a short path, spaced by distance; workers equispaced.

    Args:
        flat: the blocks, ndarray (K, L).
        workers: N.
    """
    order = path_order(flat)
    return SplineLayout(
        order=order,
        positions=(1.0 - 1.0 / order.size) * chord_positions(flat, order),
        points=np.linspace(-1.0, 1.0, workers) if workers > 1 else np.zeros(1),
        places=scattered(workers),
    )
