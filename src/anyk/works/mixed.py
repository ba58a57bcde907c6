"""One share, made where it stays, of blocks that lie elsewhere in a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain

__all__ = ["Mixed"]


@final
@dataclass(frozen=True)
class Mixed:
    """c_1 X_1 + .. + c_m X_m, the share of a linear code without masks.

    Args:
        domain: of the blocks.

    Example:
        >>> from anyk.works.mixed import Mixed
        >>> mixed = Mixed(anyk.PrimeField(7))
        >>> mixed(np.array([2, 3]), [np.array([1, 4]), np.array([5, 6])]).tolist()
        [3, 5]
    """

    domain: AbstractDomain

    def __call__(self, coefficients: NDArray[Any], blocks: Sequence[Any]) -> NDArray[Any]:
        """The share, as it lies on workers.

        Args:
            coefficients: c, ndarray (m,).
            blocks: array-likes of one shape.

        Raises:
            InvalidArgument: if one is none of the domain's.
        """
        domain = self.domain
        if len(blocks) == 1 and coefficients[0] == 1:
            return domain.at_rest(domain.validate(blocks[0], "X"))
        stacked = np.stack([domain.validate(block, "X") for block in blocks])
        return domain.at_rest(domain.matmul(coefficients[None], stacked)[0])
