"""What a worker computes of a loss on its rows; a file of its own, so that it loads little else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.losses import AbstractLoss

__all__ = ["BlockGradient", "labelled_rows"]


@final
@dataclass(frozen=True)
class BlockGradient:
    """The loss on some rows, and its gradient by weights and offsets.

    Args:
        loss: which.
        outputs: how many columns of targets there are.

    Example:
        >>> from anyk.block_gradient import BlockGradient, labelled_rows
        >>> from anyk.losses import SquaredLoss
        >>> rows = labelled_rows(np.array([[2.0]]), np.array([[3.0]]), 1.0)
        >>> BlockGradient(SquaredLoss, 1)(rows, np.zeros((2, 1)))
        array([ 4.5, -6. , -3. ])
    """

    loss: type[AbstractLoss]
    outputs: int

    def __call__(self, rows: NDArray[np.float64], point: NDArray[np.float64]) -> NDArray[Any]:
        """The sum over the rows.

        Args:
            rows: as `labelled_rows` makes them.
            point: W, and b below it: float64 ndarray (columns + 1, outputs).

        Returns:
            float64 ndarray (1 + (columns + 1)·outputs,): the loss, then its gradient by the
            entries of the point.
        """
        features, targets, weights = np.split(rows, [-self.outputs - 1, -1], axis=1)
        loss = self.loss(targets, weights)
        z = features @ point[:-1] + point[-1]
        slope = loss.slope(z)
        gradient = np.vstack([features.T @ slope, slope.sum(axis=0)])
        return np.concatenate([[loss.value(z)], gradient.ravel()])


def labelled_rows(
    features: NDArray[np.float64],
    targets: NDArray[np.float64],
    weights: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """Rows with all that a loss needs to know of them: their features, targets and weight.

    A row of zeros counts nothing.

    Args:
        features: float64 ndarray (rows, columns).
        targets: float64 ndarray (rows, outputs).
        weights: float64 ndarray (rows, 1), or one for all.
    """
    return np.hstack([features, targets, np.broadcast_to(weights, (len(features), 1))])
