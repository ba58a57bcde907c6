"""A block that can be read from shares over a field: found in samples, in no matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.codes.exact.linear import row_reduce, solve
from anyk.domains.prime import PrimeField

__all__ = ["reading"]


def reading(
    field: PrimeField, blocks: NDArray[np.int64], shares: NDArray[np.int64]
) -> tuple[int, list[int], NDArray[np.int64]] | None:
    """A block, and the combination of shares that is that block in every sample.

    Args:
        field: the field.
        blocks: random data, int64 ndarray (K, samples), far more samples than shares.
        shares: of these data, int64 ndarray (n, samples).

    Returns:
        Which block, the shares that show it, and their coefficients; None where there is none.

    Example:
        >>> from anyk.audits.readable import reading
        >>> blocks = np.array([[1, 2, 3, 5], [4, 0, 6, 1]])
        >>> reading(anyk.PrimeField(7), blocks, 3 * blocks[1:] % 7)
        (1, [0], array([5]))
    """
    _, independent = row_reduce(field, shares.T)
    rows = list(independent)
    for block, values in enumerate(blocks):
        found = solve(field, shares[rows].T, values[:, None]) if rows else None
        if found is not None:
            return block, rows, found[:, 0]
    return None
