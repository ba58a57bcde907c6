"""Masks that hide data in shares: uniform over a prime field, Gaussian over the reals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.randomness.entropy import AbstractSource, normals, residues

__all__ = ["gaussian_masks", "uniform_masks"]


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


def gaussian_masks(
    domain: Reals | Complex, shape: tuple[int, ...], source: AbstractSource
) -> NDArray[Any]:
    """Independent Gaussian numbers of mean 0 and variance 1 (complex: E |z|^2 = 1).

    Args:
        domain: the reals or the complex numbers.
        shape: (T, *shape of a block).
        source: the operating system's CSPRNG, unless a test says otherwise.

    Returns:
        float64 or complex128 ndarray of that shape.

    Example:
        >>> from anyk.randomness.entropy import SystemSource
        >>> from anyk.randomness.masks import gaussian_masks
        >>> gaussian_masks(anyk.Complex(), (2, 3), SystemSource()).dtype
        dtype('complex128')
    """
    if isinstance(domain, Reals):
        return normals(source, shape)
    parts = normals(source, (*shape, 2)) * np.sqrt(0.5)
    masks: NDArray[np.complex128] = parts.view(np.complex128).reshape(shape)
    return masks
