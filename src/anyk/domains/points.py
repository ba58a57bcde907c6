"""Evaluation points of polynomial codes, disjoint where privacy needs it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, instance
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument, Unachievable

__all__ = ["disjoint_points", "harmonic_points", "require_disjoint", "require_harmonic"]


def _together(field: PrimeField, some: Any, others: Any) -> NDArray[np.int64]:
    """Points from outside on one axis, as residues."""
    instance("field", field, PrimeField, change="Pass anyk.PrimeField().")
    return np.concatenate([field.residues(each, "points").ravel() for each in (some, others)])


def require_disjoint(field: PrimeField, nodes: Any, workers: Any) -> None:
    """Check that all points are distinct modulo p, those of nodes and of workers together.

    A worker whose point is a data node is sent that block in the clear.

    Args:
        field: the field.
        nodes: integers, the points of data and masks.
        workers: integers, the points of workers.

    Raises:
        InvalidArgument: if a point occurs twice, or is no integer.

    Example:
        >>> from anyk.domains.points import require_disjoint
        >>> require_disjoint(anyk.PrimeField(7), [0, 1], [8, 2])
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: points: got 1 twice modulo 7; needed: distinct points, as a
        worker at one of the data would be sent a block. Take 0, 1, 2 .. K + T + N - 1, in turn.
    """
    every = _together(field, nodes, workers)
    values, counts = np.unique(every, return_counts=True)
    if len(values) != len(every):
        raise InvalidArgument(
            "points",
            given=f"{values[counts > 1][0]} twice modulo {field.modulus}",
            needed="distinct points, as a worker at one of the data would be sent a block",
            change="Take 0, 1, 2 .. K + T + N - 1, in turn.",
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
        InvalidArgument: if a number of points is negative.
        Unachievable: if the field has fewer than K + T + N elements.

    Example:
        >>> from anyk.domains.points import disjoint_points
        >>> disjoint_points(anyk.PrimeField(7), 2, 3)
        (array([0, 1]), array([2, 3, 4]))
    """
    instance("field", field, PrimeField, change="Pass anyk.PrimeField().")
    nodes, workers = count("nodes", nodes, least=0), count("workers", workers, least=0)
    if nodes + workers > field.modulus:
        raise Unachievable(
            "field",
            given=repr(field),
            needed=f"a modulus of at least K + T + N = {nodes + workers}",
            change="Take a larger prime; 2**31 - 1 is the default.",
        )
    points = np.arange(nodes + workers, dtype=np.int64)
    require_disjoint(field, points[:nodes], points[nodes:])
    return points[:nodes], points[nodes:]


def require_harmonic(field: PrimeField, progression: Any, singles: Any) -> None:
    """Check the points of a harmonic code: distinct, and none of them zero.

    At zero lies a block in the clear, and the weights of the decoder are fractions whose
    denominators are differences of neighbours.

    Args:
        field: the field.
        progression: K + 1 integers: c, c + 1, .., c + K.
        singles: d - 1 integers: b_1, .., b_{d-1}.

    Raises:
        InvalidArgument: if a point is no integer, c is in {0, -1, .., -K}, or a b_i is 0, in the
            progression, or twice.

    Example:
        >>> from anyk.domains.points import require_harmonic
        >>> require_harmonic(anyk.PrimeField(7), np.array([6, 0]), np.array([3]))
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: points: got 0 at position 1; needed: c, .., c + K and b_1, ..,
        b_(d-1) distinct and none 0 modulo 7. Take c = 1 and b_i = K + 1 + i.
    """
    every = _together(field, progression, singles)
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
        InvalidArgument: if blocks or degree is below 1.
        Unachievable: if the field has at most K + d elements.

    Example:
        >>> from anyk.domains.points import harmonic_points
        >>> harmonic_points(anyk.PrimeField(7), blocks=2, degree=2)
        (array([1, 2, 3]), array([4]))
    """
    instance("field", field, PrimeField, change="Pass anyk.PrimeField().")
    blocks, degree = count("blocks", blocks, least=1), count("degree", degree, least=1)
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
