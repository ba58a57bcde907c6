"""Blocks cut in batches, of which each worker holds one and adds up what f makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batches"]


@final
@dataclass(frozen=True, kw_only=True)
class Batches:
    """K blocks in B batches, one after the other, of which no two differ by more than a block.

    Args:
        blocks: K.
        batches: B, at most K.

    Example:
        >>> from anyk.schemes.sums.batches import Batches
        >>> cut = Batches(blocks=5, batches=2)
        >>> cut.load, cut.matrix(np.array([1, 0]), float)
        (3, array([[0., 0., 0., 1., 1.],
               [1., 1., 1., 0., 0.]]))
    """

    blocks: int
    batches: int

    @property
    def load(self) -> int:
        """How many blocks the largest batch has."""
        return -(-self.blocks // self.batches)

    def parts(
        self, X: NDArray[Any], of: NDArray[np.intp], dtype: Any
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """The blocks of each worker, and which of them count: smaller batches are filled up.

        Args:
            X: ndarray (K, *shape).
            of: the batch of each worker, intp ndarray (N,).
            dtype: of the second part.

        Returns:
            ndarrays (N, load, *shape) and (N, load).
        """
        numbers, starts = self._cut()
        there = np.arange(self.load) < numbers[:, None]
        held = np.minimum(starts[:, None] + np.arange(self.load), self.blocks - 1)
        return X[held[of]], there[of].astype(dtype)

    def matrix(self, of: NDArray[np.intp], dtype: Any) -> NDArray[Any]:
        """Which blocks each worker adds up.

        Args:
            of: the batch of each worker, intp ndarray (N,).
            dtype: of the ones.

        Returns:
            ndarray (N, K) of zeros and ones.
        """
        numbers, _ = self._cut()
        batch = np.repeat(np.arange(self.batches), numbers)
        return np.asarray(batch == of[:, None], dtype=dtype)

    def _cut(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """How many blocks each batch has, and where it begins."""
        least, more = divmod(self.blocks, self.batches)
        numbers = least + (np.arange(self.batches) < more)
        return numbers, np.cumsum(numbers) - numbers
