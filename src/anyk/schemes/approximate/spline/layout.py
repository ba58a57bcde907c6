"""Where `Spline` puts blocks and workers on its curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.curves.barycentric import chebyshev_first, chebyshev_second
from anyk.codes.curves.ordering import chord_positions, path_order

__all__ = ["SplineLayout", "path_layout", "published_layout"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SplineLayout:
    """What `Spline` chose for one set of data.

    Args:
        order: the blocks along the curve, ndarray (K,); a permutation.
        positions: alpha, where the curve passes them, ndarray (K,), increasing.
        points: beta, where the workers' shares are taken, ndarray (N,), increasing.
        offset: by how much the curve misses the blocks, root mean square, as a length on the line
            of alpha and beta; 0 where it passes through them.

    Example:
        >>> anyk.Spline(2, 3).encode(np.array([1.0, 5.0])).layout.points
        array([-1.,  0.,  1.])
    """

    order: NDArray[np.intp]
    positions: NDArray[np.float64]
    points: NDArray[np.float64]
    offset: float = 0.0


def published_layout(blocks: int, workers: int) -> SplineLayout:
    """The given order, at the Chebyshev points of both kinds.

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
        positions=(1.0 - 1.0 / order.size) * chord_positions(flat[order]),
        points=np.linspace(-1.0, 1.0, workers) if workers > 1 else np.zeros(1),
    )
