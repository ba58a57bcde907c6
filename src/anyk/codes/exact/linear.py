"""Linear algebra over a prime field, for erasures: row reduction, rank, solving.

Of a large matrix, a few columns at a time are reduced number by number, to find their pivots; what
this does to all other columns is one product of matrices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField

__all__ = ["rank", "row_reduce", "solve"]

_SMALL = 1 << 14  # numbers of a matrix that is reduced at once
_PANEL = 32  # columns of a larger one


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
    end = matrix.shape[1] if columns is None else columns
    if matrix.size <= _SMALL:
        return _by_numbers(field, matrix, end)[:2]
    reduced, pivots = matrix.copy(), list[int]()
    for start in range(0, end, _PANEL):
        row = len(pivots)
        below = reduced[row:]
        panel = below[:, start : min(start + _PANEL, end)]
        _, places, order = _by_numbers(field, panel, panel.shape[1])
        if places:
            below[:] = below[order]
            found = [start + place for place in places]
            _clear(field, reduced[:, start:], np.s_[row : row + len(found)], list(places))
            pivots.extend(found)
        if len(pivots) == len(reduced):
            break
    return reduced, tuple(pivots)


def _clear(field: PrimeField, reduced: NDArray[np.int64], rows: slice, places: list[int]) -> None:
    """Make a unit matrix of some rows at some columns, and zeros above and below it, in place."""
    own = reduced[rows]
    unit = np.eye(len(places), dtype=np.int64)
    both = np.concatenate([own[:, places], unit], axis=1)
    inverse = _by_numbers(field, both, len(places))[0][:, len(places) :]
    top = field.matmul(inverse, own)
    factors = reduced[:, places]
    factors[rows] = 0
    reduced -= field.matmul(factors, top)
    reduced[rows] = top
    reduced += (reduced < 0) * field.modulus


def _by_numbers(
    field: PrimeField, matrix: NDArray[np.int64], columns: int
) -> tuple[NDArray[np.int64], tuple[int, ...], NDArray[np.intp]]:
    """The same of a small matrix, and which of its rows became which."""
    reduced, order = matrix.copy(), np.arange(len(matrix))
    pivots: list[int] = []
    for column in range(columns):
        row = len(pivots)
        if row == len(reduced):
            break
        candidates = np.flatnonzero(reduced[row:, column])
        if not len(candidates):
            continue
        chosen = row + int(candidates[0])
        if chosen != row:
            reduced[[row, chosen]] = reduced[[chosen, row]]
            order[[row, chosen]] = order[[chosen, row]]
        scale = pow(int(reduced[row, column]), -1, field.modulus)
        reduced[row] = field.reduce(reduced[row] * scale)
        others = reduced[:, column].copy()
        others[row] = 0
        touched = np.flatnonzero(others)
        product = field.reduce(others[touched, None] * reduced[row])
        reduced[touched] = field.reduce(reduced[touched] - product)
        pivots.append(column)
    return reduced, tuple(pivots), order


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
