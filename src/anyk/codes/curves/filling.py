"""Ways to fill in the values that are lost from those that are known, each with its own test."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.curves.polyline import polyline_leave_one_out, polyline_weights
from anyk.codes.curves.scattered import (
    inverse_distance_weights,
    kriging_weights,
    left_out_by_kriging,
    nearest_weights,
)
from anyk.codes.curves.splines import smoothing_spline

__all__ = [
    "AbstractFilling",
    "CubicCurve",
    "GaussianField",
    "KnownMean",
    "NearPoints",
    "NearestPoint",
    "StraightLines",
]

Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]

_RESOLVED = 1e-4  # of the largest distance: well above 1e-8, the rounding of distances


class AbstractFilling(ABC):
    """A way to guess values at some of K places from those at others, linear in the values.

    Example:
        >>> from anyk.codes.curves.filling import StraightLines
        >>> lines = StraightLines(positions=np.array([0.0, 1.0, 4.0]))
        >>> lines.fill(np.array([0, 2]), np.array([[0.0], [8.0]]), np.array([1]))
        array([[2.]])
    """

    @abstractmethod
    def fill(self, known: Places, values: Floats, lost: Places) -> Floats:
        """The values at the lost places.

        Args:
            known: places whose values are known, ndarray (n,), increasing.
            values: ndarray (n, L).
            lost: places to fill, ndarray (m,).

        Returns:
            ndarray (m, L).
        """

    @abstractmethod
    def left_out(self, known: Places, values: Floats) -> Floats:
        """Each known value less what this way would make of the others.

        Args:
            known: ndarray (n,), n >= 2, increasing.
            values: ndarray (n, L).

        Returns:
            ndarray (n, L).
        """


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class KnownMean(AbstractFilling):
    """The mean of all that is known: for functions of which near points tell nothing."""

    def fill(self, known: Places, values: Floats, lost: Places) -> Floats:  # noqa: ARG002 - all alike
        """As `AbstractFilling.fill`."""
        return np.tile(values.mean(axis=0), (lost.size, 1))

    def left_out(self, known: Places, values: Floats) -> Floats:
        """As `AbstractFilling.left_out`."""
        missed: Floats = (values - values.mean(axis=0)) * (known.size / (known.size - 1.0))
        return missed


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class StraightLines(AbstractFilling):
    """Straight lines between neighbours on a line.

    Args:
        positions: of all places, ndarray (K,), increasing.
    """

    positions: Floats

    def fill(self, known: Places, values: Floats, lost: Places) -> Floats:
        """As `AbstractFilling.fill`; constant beyond the ends."""
        filled: Floats = polyline_weights(self.positions[known], self.positions[lost]) @ values
        return filled

    def left_out(self, known: Places, values: Floats) -> Floats:
        """As `AbstractFilling.left_out`."""
        return polyline_leave_one_out(self.positions[known], values)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class CubicCurve(AbstractFilling):
    """The natural cubic spline through the neighbours on a line.

    Args:
        positions: of all places, ndarray (K,), increasing.
    """

    positions: Floats

    def fill(self, known: Places, values: Floats, lost: Places) -> Floats:
        """As `AbstractFilling.fill`; linear beyond the ends."""
        return smoothing_spline(self.positions[known]).fit(values).at(self.positions[lost])

    def left_out(self, known: Places, values: Floats) -> Floats:
        """As `AbstractFilling.left_out`."""
        return smoothing_spline(self.positions[known]).fit(values).leave_one_out()


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class NearestPoint(AbstractFilling):
    """The value at the nearest point: for functions that are constant in parts.

    Args:
        distances: between all places, ndarray (K, K).
    """

    distances: Floats

    def fill(self, known: Places, values: Floats, lost: Places) -> Floats:
        """As `AbstractFilling.fill`; the mean of those that are equally near."""
        filled: Floats = nearest_weights(self.distances[np.ix_(lost, known)]) @ values
        return filled

    def left_out(self, known: Places, values: Floats) -> Floats:
        """As `AbstractFilling.left_out`."""
        others = self.distances[np.ix_(known, known)]
        np.fill_diagonal(others, np.inf)
        return values - nearest_weights(others) @ values


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class NearPoints(AbstractFilling):
    """A mean of the nearest points, weighted by inverse distance: for functions that jump.

    Args:
        distances: between all places, ndarray (K, K).
        power: of the distance.
    """

    distances: Floats
    power: float

    def fill(self, known: Places, values: Floats, lost: Places) -> Floats:
        """As `AbstractFilling.fill`."""
        towards = self.distances[np.ix_(lost, known)]
        return inverse_distance_weights(towards, power=self.power) @ values

    def left_out(self, known: Places, values: Floats) -> Floats:
        """As `AbstractFilling.left_out`."""
        others = self.distances[np.ix_(known, known)]
        np.fill_diagonal(others, np.inf)
        return values - inverse_distance_weights(others, power=self.power) @ values


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianField(AbstractFilling):
    """Kriging with a Gaussian covariance: for functions that are smooth in the points themselves.

    Args:
        distances: between all places, ndarray (K, K).
        reach: of the covariance, in median distances from a known point to the nearest other.
    """

    distances: Floats
    reach: float

    def fill(self, known: Places, values: Floats, lost: Places) -> Floats:
        """As `AbstractFilling.fill`."""
        between = self.distances[np.ix_(known, known)]
        towards = self.distances[np.ix_(lost, known)]
        return kriging_weights(between, towards, reach=self._length(between)) @ values

    def left_out(self, known: Places, values: Floats) -> Floats:
        """As `AbstractFilling.left_out`."""
        between = self.distances[np.ix_(known, known)]
        return left_out_by_kriging(between, reach=self._length(between)) @ values

    def _length(self, between: Floats) -> float:
        """The reach in units of the distances, far above their rounding; of equal points, 1."""
        others = between.copy()
        np.fill_diagonal(others, np.inf)
        nearest = others.min(axis=1)
        least = _RESOLVED * float(between.max())
        return self.reach * max(float(np.median(nearest)), least) if least > 0.0 else 1.0
