"""What colluders learn from the shares they put together."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from anyk.codes.linear import rank
from anyk.domains.prime import PrimeField

__all__ = ["symbols_learned", "worst_coalition"]


def symbols_learned(field: PrimeField, data: NDArray[np.int64], masks: NDArray[np.int64]) -> int:
    """Field symbols, a coordinate, that a coalition learns about uniform data.

    The coalition sees D·blocks + M·masks: rank [D | M] - rank M combinations of blocks are free
    of masks, and the rest is uniform noise.

    Args:
        field: the field.
        data: D, int64 ndarray (coalition, K).
        masks: M, int64 ndarray (coalition, T).

    Returns:
        A number from 0 (nothing at all) to min(coalition, K).

    Example:
        >>> from anyk.privacy.leakage import symbols_learned
        >>> symbols_learned(anyk.PrimeField(7), np.array([[1], [1]]), np.array([[1], [2]]))
        1
    """
    return rank(field, np.concatenate([data, masks], axis=1)) - rank(field, masks)


def worst_coalition(
    field: PrimeField, data: NDArray[np.int64], masks: NDArray[np.int64], colluders: int
) -> tuple[int, tuple[int, ...]]:
    """The most that any coalition of a size learns, and the first such coalition.

    Args:
        field: the field.
        data: D, int64 ndarray (N, K).
        masks: M, int64 ndarray (N, T).
        colluders: size of the coalitions; all C(N, colluders) of them are tried.

    Returns:
        Symbols a coordinate, and the workers of that coalition.

    Example:
        >>> from anyk.privacy.leakage import worst_coalition
        >>> scheme = anyk.Lagrange(blocks=2, degree=1, workers=5, colluders=1)
        >>> encoder = scheme.encode([1, 2]).encoder
        >>> [worst_coalition(anyk.PrimeField(), encoder.data, encoder.masks, t)[0] for t in (1, 2)]
        [0, 1]
    """
    most, who = -1, tuple(range(colluders))
    for coalition in itertools.combinations(range(len(data)), colluders):
        chosen = list(coalition)
        learned = symbols_learned(field, data[chosen], masks[chosen])
        if learned > most:
            most, who = learned, coalition
        if most == min(colluders, data.shape[1]):
            break
    return most, who
