"""Linear algebra over a prime field, for erasures: row reduction, rank, solving."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField

__all__ = ["rank", "row_reduce", "solve"]


def row_reduce(
    field: PrimeField, matrix: NDArray[np.int64], columns: int | None = None
) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    """The reduced row echelon form.

    Args:
        field: the field.
        matrix: int64 ndarray (m, n) of residues.
        columns: look for pivots in this many columns from the left; all of them by default.

    Returns:
        The reduced matrix, and the columns of its pivots.

    Example:
        >>> from anyk.codes.exact.linear import row_reduce
        >>> row_reduce(anyk.PrimeField(7), np.array([[2, 4], [1, 2]]))
        (array([[1, 2],
               [0, 0]]), (0,))
    """
    reduced = matrix.copy()
    pivots: list[int] = []
    for column in range(matrix.shape[1] if columns is None else columns):
        row = len(pivots)
        candidates = np.flatnonzero(reduced[row:, column])
        if not len(candidates):
            continue
        chosen = row + int(candidates[0])
        reduced[[row, chosen]] = reduced[[chosen, row]]
        scale = pow(int(reduced[row, column]), -1, field.modulus)
        reduced[row] = field.reduce(reduced[row] * scale)
        others = reduced[:, column].copy()
        others[row] = 0
        touched = np.flatnonzero(others)
        product = field.reduce(others[touched, None] * reduced[row])
        reduced[touched] = field.reduce(reduced[touched] - product)
        pivots.append(column)
        if len(pivots) == len(reduced):
            break
    return reduced, tuple(pivots)


def rank(field: PrimeField, matrix: NDArray[np.int64]) -> int:
    """The rank of an int64 matrix (m, n) of residues.

    Example:
        >>> from anyk.codes.exact.linear import rank
        >>> rank(anyk.PrimeField(7), np.array([[2, 4], [1, 2]]))
        1
    """
    return len(row_reduce(field, matrix)[1])


def solve(
    field: PrimeField, matrix: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """The one solution x of matrix·x = right, or None if there is none or more than one.

    Args:
        field: the field.
        matrix: int64 ndarray (m, n) of residues, m >= n for a unique solution.
        right: int64 ndarray (m, k) of residues.

    Returns:
        int64 ndarray (n, k), or None.

    Example:
        >>> from anyk.codes.exact.linear import solve
        >>> solve(anyk.PrimeField(7), np.array([[2], [4]]), np.array([[6], [5]]))
        array([[3]])
    """
    unknowns = matrix.shape[1]
    reduced, pivots = row_reduce(field, np.concatenate([matrix, right], axis=1), unknowns)
    if len(pivots) < unknowns or reduced[unknowns:, unknowns:].any():
        return None
    return reduced[:unknowns, unknowns:]
