"""Evaluation points of polynomial codes, disjoint where privacy needs it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument, Unachievable

__all__ = ["disjoint_points", "require_disjoint"]


def require_disjoint(nodes: NDArray[np.int64], workers: NDArray[np.int64]) -> None:
    """Check that all points are distinct, those of nodes and those of workers together.

    A worker whose point is a data node is sent that block in the clear.

    Args:
        nodes: int64 ndarray of data and mask points.
        workers: int64 ndarray of worker points.

    Raises:
        InvalidArgument: if a point occurs twice.

    Example:
        >>> from anyk.domains.points import require_disjoint
        >>> require_disjoint(np.array([0, 1]), np.array([1, 2]))
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: points: got 1 twice; needed: distinct points, none of a worker
        among those of the data and the masks. A worker there would be sent a block in the clear.
    """
    every = np.concatenate([nodes, workers])
    values, counts = np.unique(every, return_counts=True)
    if len(values) != len(every):
        raise InvalidArgument(
            "points",
            given=f"{values[counts > 1][0]} twice",
            needed="distinct points, none of a worker among those of the data and the masks",
            change="A worker there would be sent a block in the clear.",
        )


def disjoint_points(
    field: PrimeField, nodes: int, workers: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The smallest residues as points: first those of data and masks, then those of the workers.

    Args:
        field: the field.
        nodes: K + T, how many blocks and masks.
        workers: N.

    Returns:
        int64 ndarrays (K + T,) and (N,), disjoint.

    Raises:
        Unachievable: if the field has fewer than K + T + N elements.

    Example:
        >>> from anyk.domains.points import disjoint_points
        >>> disjoint_points(anyk.PrimeField(7), 2, 3)
        (array([0, 1]), array([2, 3, 4]))
    """
    if nodes + workers > field.modulus:
        raise Unachievable(
            "field",
            given=repr(field),
            needed=f"a modulus of at least K + T + N = {nodes + workers}",
            change="Take a larger prime; 2**31 - 1 is the default.",
        )
    points = np.arange(nodes + workers, dtype=np.int64)
    require_disjoint(points[:nodes], points[nodes:])
    return points[:nodes], points[nodes:]
