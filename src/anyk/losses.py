"""What a training minimises: losses of z = X w, at the master or by rows on workers."""

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
        weights: how much each row counts, float64 ndarray (rows, 1); or 1.0.
    """

    targets: NDArray[np.float64]
    weights: NDArray[np.float64] | float = 1.0

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

    def length(self, slopes: NDArray[np.float64]) -> float:
        """The norm of W^(1/2) s, of slopes W s of rows with weights W."""
        root = np.sqrt(np.maximum(self.weights, np.finfo(float).tiny))
        return float(np.linalg.norm(slopes / root))


@final
@dataclass(frozen=True, eq=False)
class SquaredLoss(AbstractLoss):
    """Half the squared errors.

    Args:
        targets: y, float64 ndarray (rows, outputs).
        weights: how much each row counts, float64 ndarray (rows, 1) of mean 1; or 1.0.
        centred: whether each output of z is shifted by the offset that is best for it.

    Example:
        >>> from anyk.losses import SquaredLoss
        >>> SquaredLoss(np.array([[1.0], [2.0]])).value(np.zeros((2, 1)))
        2.5
        >>> SquaredLoss(np.array([[1.0], [2.0]]), centred=True).value(np.zeros((2, 1)))
        0.25
    """

    centred: bool = False

    def value(self, z: NDArray[np.float64]) -> float:
        """The sum over rows and outputs."""
        return float(np.sum(self.weights * self._shifted(z - self.targets) ** 2)) / 2

    def slope(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """What is too much: z - y, times the weight."""
        return self.weights * self._shifted(z - self.targets)

    def curvature(self, z: NDArray[np.float64], images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inner products, wherever z is."""
        flat = (self._shifted(images) * np.sqrt(self.weights)).reshape(len(images), z.size)
        return np.asarray(flat @ flat.T)

    def _shifted(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Less the weighted mean over rows, if that is asked for."""
        if not self.centred:
            return values
        return np.asarray(values - (self.weights * values).mean(axis=-2, keepdims=True))


@final
@dataclass(frozen=True, eq=False)
class LogLoss(AbstractLoss):
    """-log of the chance given to what happened, of a sigmoid each output on its own.

    Example:
        >>> from anyk.losses import LogLoss
        >>> round(LogLoss(np.array([[1.0], [0.0]])).value(np.zeros((2, 1))), 3)  # 2 log 2
        1.386
    """

    def value(self, z: NDArray[np.float64]) -> float:
        """The sum over rows and outputs."""
        return float(np.sum(self.weights * (np.logaddexp(0.0, z) - self.targets * z)))

    def slope(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """sigmoid(z) - y, times the weight."""
        return np.asarray(self.weights * (expit(z) - self.targets))

    def curvature(self, z: NDArray[np.float64], images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inner products, weighted by p (1 - p)."""
        flat = images.reshape(len(images), z.size)
        weights = (self.weights * expit(z) * expit(-z)).ravel()
        return np.asarray((flat * weights) @ flat.T)


@final
@dataclass(frozen=True, eq=False)
class MultinomialLoss(AbstractLoss):
    """-log of the chance given to the class that it was, of one softmax over all outputs.

    Example:
        >>> from anyk.losses import MultinomialLoss
        >>> round(MultinomialLoss(np.eye(3)).value(np.zeros((3, 3))), 3)  # 3 log 3
        3.296
    """

    def value(self, z: NDArray[np.float64]) -> float:
        """The sum over rows."""
        return -float(np.sum(self.weights * self.targets * log_softmax(z, axis=1)))

    def slope(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """softmax(z) - y, times the weight."""
        return np.asarray(self.weights * (softmax(z, axis=1) - self.targets))

    def curvature(self, z: NDArray[np.float64], images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Covariances of the directions' entries under the chances, added up over rows."""
        chances = softmax(z, axis=1)
        likely = images * chances
        means = likely.sum(axis=2) * np.sqrt(np.ravel(self.weights))
        flat = images.reshape(len(images), z.size)
        weighted = (likely * self.weights).reshape(len(images), z.size)
        return np.asarray(weighted @ flat.T - means @ means.T)
