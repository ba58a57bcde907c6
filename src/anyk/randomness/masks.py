"""Masks that hide data in shares completely: uniform over a prime field."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField
from anyk.randomness.entropy import AbstractSource, residues

__all__ = ["uniform_masks"]


def uniform_masks(
    field: PrimeField, shape: tuple[int, ...], source: AbstractSource
) -> NDArray[np.int64]:
    """Independent uniform elements of a prime field: a one-time pad for each.

    Args:
        field: the field.
        shape: (T, *shape of a block).
        source: the operating system's CSPRNG, unless a test says otherwise.

    Returns:
        int64 ndarray of that shape.

    Example:
        >>> from anyk.randomness.entropy import SystemSource
        >>> from anyk.randomness.masks import uniform_masks
        >>> uniform_masks(anyk.PrimeField(7), (2, 3), SystemSource()).shape
        (2, 3)
    """
    return residues(source, field.modulus, shape)
