"""Veils: where in the noise copies of a block stand, so that few together do not see through."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Veil", "simplices", "thinnest"]

Floats: TypeAlias = NDArray[np.float64]

_CLOSE = 1e-12  # of a factor
_NATS = 700.0  # that a block tells: beyond it, numbers overflow
_FLAT = 1e-12  # of the largest variance: directions of less noise than that have none
_SEEN_THROUGH = 1e-9  # of a coalition's weights, squared, in directions without noise


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Veil:
    """Copies of one block that share their noise: copy i is X + p_i·Z, Z of r independent normals.

    Coalitions that hold t copies of a veil see X with noise of the variance d^2, d the distance
    of the origin from the flat through their t points p_i; so few points may lie in no flat near
    the origin. All of them together should: what is linear in the noise cancels in a mean over
    points about the origin, and what is quadratic in one of two means, at two distances.

    Args:
        points: p, ndarray (copies, r).
        most: the size of the largest coalition that is of interest.

    References:
        Cook and Stefanski, Simulation-extrapolation estimation in parametric measurement error
        models, 1994: from answers at more noise to the answer at none.
    """

    points: Floats
    most: int

    @cached_property
    def precisions(self) -> Floats:
        """1 / d^2 for the worst 0, 1, .., `most` copies of this veil, ndarray (most + 1,)."""
        copies, worst = len(self.points), [0.0]
        products = self.points @ self.points.T
        for size in range(1, min(self.most, copies) + 1):
            chosen = np.array(list(itertools.combinations(range(copies), size)))
            seen = _precisions(products[chosen[:, :, None], chosen[:, None, :]])
            worst.append(max(worst[-1], float(seen.max())))
        return np.array(worst + [worst[-1]] * (self.most + 1 - len(worst)))

    def told(self, blocks: int, veils: int, variance: float) -> Floats:
        """Bits a coordinate that the worst 0, 1, .., `most` workers learn, each with one copy.

        Data of independent blocks, noise independent from veil to veil: a coalition learns
        1/2 log2(1 + v sum 1/d^2) of each block, summed over the veils that it sees of the block,
        and the sum of that over the blocks. No coalition learns more; where all veils have all
        their copies, one learns as much.

        Args:
            blocks: K.
            veils: how many veils a block has.
            variance: v, of the data's coordinates.

        Returns:
            ndarray (most + 1,), infinite where a block is seen without noise.
        """
        seen = _times(self.precisions, min(veils, self.most))
        with np.errstate(over="ignore", invalid="ignore"):
            bits = 0.5 * np.log1p(variance * seen) / math.log(2.0)
        bits[0] = 0.0
        return _times(bits, min(blocks, self.most))


def simplices(
    corners: int,
    *,
    shells: Sequence[tuple[float, float]] = ((1.0, 0.0),),
    own: float = 0.0,
    most: int,
) -> Veil:
    """The shape of one veil: a regular simplex, and others around it that are turned.

    t of the m corners of a simplex are in a flat at the squared distance (m - t) / t (m - 1): two
    workers learn from it hardly more than from copies with noise of their own, and only all m of
    them see the block, in whose mean the noise cancels. A corner of the next simplex is near a ray
    through one of the last, but not on it, as two copies on one ray tell f where it begins.

    Args:
        corners: m, of a simplex; at least 2.
        shells: the distance of each simplex, from 1, and by how much it is turned in the planes of
            the circles below, in radians.
        own: the standard deviation of the part of a copy's noise that no other shares, of all of
            it: t workers see no more than 1 / own^2 times as much as t with noise of their own.
        most: as of a `Veil`.

    Example:
        >>> from anyk.privacy.veils import simplices
        >>> simplices(3, most=2).points.round(3)
        array([[ 1.   ,  0.   ],
               [-0.5  ,  0.866],
               [-0.5  , -0.866]])
        >>> simplices(7, shells=((1.0, 0.0), (1.4, 0.2)), most=3).precisions.round(2)
        array([ 0.  ,  1.  ,  2.79, 13.26])
    """
    points = np.concatenate([reach * _simplex(corners, turn) for reach, turn in shells])
    if own:
        alone = own * np.diag(np.linalg.norm(points, axis=1))
        points = np.concatenate([math.sqrt(1.0 - own**2) * points, alone], axis=1)
    return Veil(points=points, most=most)


def thinnest(
    shape: Veil, *, colluders: int, blocks: int, veils: int, variance: float, bits: float
) -> float:
    """By how much to enlarge a veil, so that no T workers learn more than so many bits.

    Args:
        shape: the veil.
        colluders: T, at most `shape.most`.
        blocks: K.
        veils: how many veils a block has.
        variance: of the data's coordinates.
        bits: a coordinate, above 0.

    Returns:
        The factor, to a relative 1e-12 the smallest there is; infinite where none is enough.

    Example:
        >>> from anyk.privacy.veils import simplices, thinnest
        >>> shape = simplices(3, most=1)
        >>> thinnest(shape, colluders=1, blocks=2, veils=3, variance=3.0, bits=1.0)
        1.0
    """
    seen = float(_times(shape.precisions, min(veils, shape.most))[colluders])
    if math.isinf(seen):
        return math.inf
    nats = min(2.0 * math.log(2.0) * bits, _NATS)
    low = math.sqrt(variance) * math.sqrt(seen / math.expm1(nats))  # all that is seen is of one
    high = math.sqrt(variance) * math.sqrt(seen / math.expm1(nats / min(colluders, blocks)))
    if not low < high or shape.told(blocks, veils, variance / low / low)[colluders] <= bits:
        return low
    while high - low > _CLOSE * high:
        middle = 0.5 * (low + high)
        told = shape.told(blocks, veils, variance / middle / middle)[colluders]
        low, high = (low, middle) if told <= bits else (middle, high)
    return high


def _precisions(products: Floats) -> Floats:
    """1^T G^-1 1 of each G = P P^T, ndarray (n, t, t): 1 / (distance of the points' flat from 0)^2.

    Infinite where some combination of the points of sum 1 is the origin.
    """
    variances, axes = np.linalg.eigh(products)
    weights = axes.sum(axis=1) ** 2
    flat = variances <= _FLAT * variances[:, -1:]
    seen = np.sum(np.where(flat, 0.0, weights) / np.where(flat, 1.0, variances), axis=1)
    through = np.sum(np.where(flat, weights, 0.0), axis=1) > _SEEN_THROUGH
    precisions: Floats = np.where(through, np.inf, seen)
    return precisions


def _times(most: Floats, count: int) -> Floats:
    """The most of most[t_1] + .. + most[t_count], for each sum t of the t_i; most[0] is 0."""
    total: Floats | None = None
    while count:
        if count % 2:
            total = most if total is None else _shared(total, most)
        count //= 2
        if count:
            most = _shared(most, most)
    return most if total is None else total


def _shared(first: Floats, second: Floats) -> Floats:
    """The most of first[i] + second[t - i], for each t."""
    return np.array([(first[: t + 1] + second[t::-1]).max() for t in range(first.size)])


def _simplex(corners: int, turn: float) -> Floats:
    """Corners of a regular simplex about 0, at distance 1, ndarray (m, m - 1).

    They are the m-th roots of unity, each on (m - 1) // 2 circles at once: once around the first,
    twice around the second. Where m is even, their signs alternate on one more axis.
    """
    numbers = np.arange(corners)[:, None]
    angles = 2.0 * np.pi * numbers * np.arange(1, (corners + 1) // 2) / corners + turn
    circles = np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(corners, -1)
    points = math.sqrt(2.0 / (corners - 1)) * circles
    if corners % 2:
        return points
    return np.concatenate([points, (1 - 2 * (numbers % 2)) / math.sqrt(corners - 1)], axis=1)
