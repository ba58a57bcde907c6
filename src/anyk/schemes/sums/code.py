"""`GradientCode`: which blocks each worker holds, and how it combines what it computes of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["GradientCode"]


@final
@dataclass(frozen=True, eq=False)
class GradientCode:
    """The matrix B of a gradient code: share i is answered by sum_j B_ij f(X_j).

    Args:
        matrix: B, ndarray (N r, K), one row a share, of the field or in double precision.
        dimension: k, the rank of B: how many answers determine all others, at least.
        points: over a field, int64 ndarray (N,) of distinct residues, where the answers are values
            at these of a polynomial of degree below k, whose leading coefficient is the sum. None
            where they are not.
        places: of the workers around a circle, ndarray (N,), where neighbours that are late
            amplify most; None where these are the workers' own numbers.

    Example:
        >>> from anyk.schemes.sums.code import GradientCode
        >>> code = GradientCode(np.array([[1.0, 1.0], [0.0, 2.0]]), 2)
        >>> code.held.tolist(), code.weights.tolist(), code.load
        ([[0, 1], [1, 1]], [[1.0, 1.0], [2.0, 0.0]], 2)
    """

    matrix: NDArray[Any]
    dimension: int
    points: NDArray[np.int64] | None = None
    places: NDArray[np.intp] | None = None

    @cached_property
    def load(self) -> int:
        """The most blocks that a share has."""
        return int(np.count_nonzero(self.matrix, axis=1).max())

    @cached_property
    def held(self) -> NDArray[np.intp]:
        """The blocks of each share, ndarray (N r, load): where it has fewer, one of them again."""
        order = np.argsort(self.matrix == 0, axis=1, kind="stable")[:, : self.load]
        some = np.take_along_axis(self.matrix, order, axis=1) != 0
        return np.where(some, order, order[:, :1])

    @cached_property
    def weights(self) -> NDArray[Any]:
        """The coefficients of these blocks, ndarray (N r, load): 0 of those that stand again."""
        order = np.argsort(self.matrix == 0, axis=1, kind="stable")[:, : self.load]
        return np.take_along_axis(self.matrix, order, axis=1)

    @property
    def plain(self) -> bool:
        """Whether each worker answers what it computed of one block, and there is nothing else."""
        one_each = self.load == 1 and bool((self.weights == 1).all())
        return one_each and bool((self.matrix.sum(axis=0) == 1).all())
