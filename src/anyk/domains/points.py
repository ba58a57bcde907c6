"""Evaluation points of polynomial codes, disjoint where privacy needs it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument, Unachievable

__all__ = ["disjoint_points", "harmonic_points", "require_disjoint", "require_harmonic"]


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


def require_harmonic(
    field: PrimeField, progression: NDArray[np.int64], singles: NDArray[np.int64]
) -> None:
    """Check the points of a harmonic code: distinct, and none of them zero.

    At zero lies a block in the clear, and the weights of the decoder are fractions whose
    denominators are differences of neighbours.

    Args:
        field: the field.
        progression: int64 ndarray (K + 1,) of residues: c, c + 1, .., c + K.
        singles: int64 ndarray (d - 1,) of residues: b_1, .., b_{d-1}.

    Raises:
        InvalidArgument: if c is in {0, -1, .., -K}, or a b_i is 0, in the progression, or twice.

    Example:
        >>> from anyk.domains.points import require_harmonic
        >>> require_harmonic(anyk.PrimeField(7), np.array([6, 0]), np.array([3]))
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: points: got 0 at position 1; needed: c, .., c + K and b_1, ..,
        b_(d-1) distinct and none 0 modulo 7. Take c = 1 and b_i = K + 1 + i.
    """
    every = field.constant(np.concatenate([progression, singles]))
    values, first = np.unique(every, return_index=True)
    bad = np.setdiff1d(np.arange(len(every)), first[values != 0])
    if len(bad):
        raise InvalidArgument(
            "points",
            given=f"{every[bad[0]]} at position {bad[0]}",
            needed=f"c, .., c + K and b_1, .., b_(d-1) distinct and none 0 modulo {field.modulus}",
            change="Take c = 1 and b_i = K + 1 + i.",
        )


def harmonic_points(
    field: PrimeField, blocks: int, degree: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The smallest residues as points of a harmonic code: c = 1, and b_i = K + 1 + i.

    Args:
        field: the field.
        blocks: K.
        degree: d.

    Returns:
        int64 ndarrays (K + 1,) with c, .., c + K, and (d - 1,) with b_1, .., b_{d-1}.

    Raises:
        Unachievable: if the field has at most K + d elements.

    Example:
        >>> from anyk.domains.points import harmonic_points
        >>> harmonic_points(anyk.PrimeField(7), blocks=2, degree=2)
        (array([1, 2, 3]), array([4]))
    """
    if blocks + degree >= field.modulus:
        raise Unachievable(
            "field",
            given=repr(field),
            needed=f"a modulus of at least K + d + 1 = {blocks + degree + 1}",
            change="Take a larger prime; 2**31 - 1 is the default.",
        )
    points = np.arange(1, blocks + degree + 1, dtype=np.int64)
    require_harmonic(field, points[: blocks + 1], points[blocks + 1 :])
    return points[: blocks + 1], points[blocks + 1 :]
