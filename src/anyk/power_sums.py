"""What a worker computes of a polynomial loss; a file of its own, so that it loads little else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

__all__ = ["PowerSums"]


@final
@dataclass(frozen=True)
class PowerSums:
    """What a worker computes on its share: X^T (X w_1) * .. * (X w_i) for some i.

    They have one scale, that of the highest power: to it the others are multiplied.

    Args:
        powers: the i of which the response has a coefficient.
        bits: fraction bits that one factor X w has; 0 for integers.

    Example:
        >>> from anyk.power_sums import PowerSums
        >>> field = anyk.PrimeField(101)
        >>> x, w = field.array([[1, 2], [3, 4]]), field.array([[[1]], [[1]]])
        >>> PowerSums(powers=(1,))(x, w)  # X^T X w
        PrimeField(101).array([[[24], [34]]])
    """

    powers: tuple[int, ...]
    bits: int = 0

    def __call__(self, x: Any, weights: Any) -> Any:
        """The sums.

        Args:
            x: FieldArray (rows, columns).
            weights: FieldArray (columns, r, outputs): r roundings of the weights.

        Returns:
            FieldArray (powers, columns, outputs).
        """
        columns, degree, outputs = weights.shape
        z = (x @ weights.reshape(columns, degree * outputs)).reshape(len(x), degree, outputs)
        product, sums = z[:, 0], []
        for power in range(1, degree + 1):
            if power > 1:
                product = product * z[:, power - 1]
            if power in self.powers:
                lacks = self.bits * (max(self.powers) - power)
                sums.append((x.T @ product) * (1 << lacks) if lacks else x.T @ product)
        return np.stack(sums) if len(sums) > 1 else sums[0].reshape(1, *sums[0].shape)
