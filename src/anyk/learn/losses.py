"""What a training minimises: losses of z = X w, which the master alone computes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax, softmax

__all__ = ["AbstractLoss", "LogLoss", "MultinomialLoss", "SquaredLoss"]


@dataclass(frozen=True, eq=False)
class AbstractLoss(ABC):
    """A convex function of z, a sum over the rows.

    Args:
        targets: y, float64 ndarray (rows, outputs).
    """

    targets: NDArray[np.float64]

    @abstractmethod
    def value(self, z: NDArray[np.float64]) -> float:
        """The sum over the rows.

        Args:
            z: float64 ndarray (rows, outputs).
        """

    @abstractmethod
    def slope(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """The derivative by each entry of z, in the shape of z."""

    @abstractmethod
    def curvature(self, z: NDArray[np.float64], images: NDArray[np.float64]) -> NDArray[np.float64]:
        """The second derivative along some directions.

        Args:
            z: where.
            images: the directions, float64 ndarray (m, rows, outputs).

        Returns:
            float64 ndarray (m, m).
        """


@final
@dataclass(frozen=True, eq=False)
class SquaredLoss(AbstractLoss):
    """Half the squared errors.

    Example:
        >>> from anyk.learn.losses import SquaredLoss
        >>> SquaredLoss(np.array([[1.0], [2.0]])).value(np.zeros((2, 1)))
        2.5
    """

    def value(self, z: NDArray[np.float64]) -> float:
        """The sum over rows and outputs."""
        return float(np.sum((z - self.targets) ** 2)) / 2

    def slope(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """What is too much: z - y."""
        return z - self.targets

    def curvature(self, z: NDArray[np.float64], images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inner products, wherever z is."""
        flat = images.reshape(len(images), z.size)
        return np.asarray(flat @ flat.T)


@final
@dataclass(frozen=True, eq=False)
class LogLoss(AbstractLoss):
    """-log of the chance given to what happened, of a sigmoid each output on its own.

    Example:
        >>> from anyk.learn.losses import LogLoss
        >>> round(LogLoss(np.array([[1.0], [0.0]])).value(np.zeros((2, 1))), 3)  # 2 log 2
        1.386
    """

    def value(self, z: NDArray[np.float64]) -> float:
        """The sum over rows and outputs."""
        return float(np.sum(np.logaddexp(0.0, z) - self.targets * z))

    def slope(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """sigmoid(z) - y."""
        return np.asarray(expit(z) - self.targets)

    def curvature(self, z: NDArray[np.float64], images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inner products, weighted by p (1 - p)."""
        flat = images.reshape(len(images), z.size)
        weights = (expit(z) * expit(-z)).ravel()
        return np.asarray((flat * weights) @ flat.T)


@final
@dataclass(frozen=True, eq=False)
class MultinomialLoss(AbstractLoss):
    """-log of the chance given to the class that it was, of one softmax over all outputs.

    Example:
        >>> from anyk.learn.losses import MultinomialLoss
        >>> round(MultinomialLoss(np.eye(3)).value(np.zeros((3, 3))), 3)  # 3 log 3
        3.296
    """

    def value(self, z: NDArray[np.float64]) -> float:
        """The sum over rows."""
        return -float(np.sum(self.targets * log_softmax(z, axis=1)))

    def slope(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """softmax(z) - y."""
        return np.asarray(softmax(z, axis=1) - self.targets)

    def curvature(self, z: NDArray[np.float64], images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Covariances of the directions' entries under the chances, added up over rows."""
        chances = softmax(z, axis=1)
        weighted = images * chances
        means = weighted.sum(axis=2)
        flat = images.reshape(len(images), z.size)
        return np.asarray(weighted.reshape(len(images), z.size) @ flat.T - means @ means.T)
