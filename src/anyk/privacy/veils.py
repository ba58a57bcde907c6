"""Veils: where in the noise copies of a block stand, so that few together do not see through."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Veil", "thinnest", "veil"]

Floats: TypeAlias = NDArray[np.float64]

_CLOSE = 1e-12  # of a factor
_SEEN_THROUGH = 1e-9  # of a weight: beyond it, no combination of the points is at distance 1


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Veil:
    """Copies of one block that share their noise: copy i is X + p_i·Z, Z of T independent normals.

    Coalitions that hold t copies of a veil see X with noise of the variance d^2, d the distance
    of the origin from the flat through their t points p_i; so no t <= T points may lie in a flat
    near the origin. Two copies on one ray from the origin tell f where the ray begins, which is X.

    Args:
        points: p, ndarray (copies, T).

    References:
        Cook and Stefanski, Simulation-extrapolation estimation in parametric measurement error
        models, 1994: from answers at more noise to the answer at none.
    """

    points: Floats

    @cached_property
    def precisions(self) -> Floats:
        """1 / d^2 for the worst 0, 1, .., T copies of this veil, ndarray (T + 1,)."""
        copies, most = self.points.shape
        worst = [0.0]
        for size in range(1, most + 1):
            best = worst[-1]
            for chosen in itertools.combinations(range(copies), min(size, copies)):
                best = max(best, _precision(self.points[list(chosen)]))
            worst.append(best)
        return np.array(worst)

    def told(self, blocks: int, veils: int, variance: float) -> float:
        """Bits a coordinate that the worst T workers learn, each holding one copy; exact.

        Data of independent blocks, noise independent from veil to veil: a coalition learns
        1/2 log2(1 + v sum 1/d^2) of each block, summed over the veils that it sees of the block,
        and the sum of that over the blocks.

        Args:
            blocks: K.
            veils: how many veils a block has.
            variance: v, of the data's coordinates.
        """
        colluders = self.precisions.size - 1
        seen = np.full(colluders + 1, -math.inf)
        seen[0] = 0.0
        for _ in range(min(veils, colluders)):
            seen = _shared(seen, self.precisions)
        bits = 0.5 * np.log2(1.0 + variance * seen)
        total = np.zeros(colluders + 1)
        for _ in range(min(blocks, colluders)):
            total = _shared(total, bits)
        return float(total[-1])


def veil(colluders: int, spread: float, reach: float, *, steps: int = 2) -> Veil:
    """The shape of one veil: points at distance about 1, and up to `reach` times as far.

    For T = 1 these are pairs x and -x on a line, x from 1 to `reach` in some steps: answers to
    either side cancel what is odd in the noise, and two distances let one go on to none; more
    show who lies. For T >= 2, T points of a simplex of radius `spread` about (1, 0, .., 0), and
    the point (reach, 0, .., 0): the middle of the simplex is on a ray with it, but T workers do
    not see its middle and that point.

    Args:
        colluders: T.
        spread: of the simplex; not used for T = 1.
        reach: above 1.
        steps: how many distances; not used for T >= 2.

    Example:
        >>> from anyk.privacy.veils import veil
        >>> veil(1, 0.0, 1.5).points.ravel()
        array([ 1. , -1. ,  1.5, -1.5])
        >>> veil(2, 0.5, 1.5).points.round(3)
        array([[ 1. ,  0.5],
               [ 1. , -0.5],
               [ 1.5,  0. ]])
    """
    if colluders == 1:
        distances = np.linspace(1.0, reach, steps)
        return Veil(points=np.stack([distances, -distances], axis=1).reshape(-1, 1))
    points = np.zeros((colluders + 1, colluders))
    points[:-1, 0], points[-1, 0] = 1.0, reach
    points[:-1, 1:] = spread * _simplex(colluders)
    return Veil(points=points)


def thinnest(shape: Veil, *, blocks: int, veils: int, variance: float, bits: float) -> float:
    """By how much to enlarge a veil, so that no T workers learn more than so many bits.

    Args:
        shape: the veil.
        blocks: K.
        veils: how many veils a block has.
        variance: of the data's coordinates.
        bits: a coordinate, above 0.

    Returns:
        The factor, to a relative 1e-12 the smallest there is.

    Example:
        >>> from anyk.privacy.veils import thinnest, veil
        >>> round(thinnest(veil(1, 0.0, 1.5), blocks=2, veils=3, variance=3.0, bits=1.0), 6)
        1.0
    """

    def fits(factor: float) -> bool:
        return shape.told(blocks, veils, variance / factor**2) <= bits

    high = math.sqrt(variance)
    while not fits(high):
        high *= 2.0
    low = high / 2.0
    while fits(low):
        low /= 2.0
    while high - low > _CLOSE * high:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _precision(points: Floats) -> float:
    """1^T (P P^T)^-1 1 of points (t, T): 1 / (distance of their flat from 0)^2."""
    ones = np.ones(len(points))
    solved, *_ = np.linalg.lstsq(points, ones, rcond=None)
    if np.abs(points @ solved - ones).max() > _SEEN_THROUGH:
        return math.inf
    return float(solved @ solved)


def _shared(first: Floats, second: Floats) -> Floats:
    """The most of first[i] + second[t - i], for each t."""
    size = first.size
    return np.array([max(first[i] + second[t - i] for i in range(t + 1)) for t in range(size)])


def _simplex(count: int) -> Floats:
    """Corners of a regular simplex about 0, at distance 1, ndarray (count, count - 1)."""
    corners = np.zeros((count, count - 1))
    for axis in range(count - 1):
        rest = count - axis
        size = math.sqrt(max(1.0 - float(np.sum(corners[axis] ** 2)), 0.0))
        corners[axis, axis] = size
        corners[axis + 1 :, axis] = -size / (rest - 1)
    return corners
