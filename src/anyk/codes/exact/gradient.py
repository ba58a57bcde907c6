"""Gradient codes: workers send one combination of what they computed; a few combinations make 1."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.codes.exact.linear import row_reduce
from anyk.domains.prime import PrimeField

__all__ = ["cyclic_support", "decoding_row", "evaluation_code"]

Matrix: TypeAlias = NDArray[Any]


def cyclic_support(workers: int, more: int) -> NDArray[np.intp]:
    """Which blocks each worker holds: n, n + 1, .., n + s, around the circle.

    Args:
        workers: N, as many as blocks.
        more: s, how many each holds beyond one.

    Returns:
        ndarray (N, s + 1).

    Example:
        >>> from anyk.codes.exact.gradient import cyclic_support
        >>> cyclic_support(3, 1)
        array([[0, 1],
               [1, 2],
               [2, 0]])
    """
    return (np.arange(workers)[:, None] + np.arange(more + 1)) % workers


def evaluation_code(
    field: PrimeField, points: NDArray[np.int64], held: NDArray[np.intp]
) -> NDArray[np.int64]:
    """The matrix B of a gradient code whose answers are values of polynomials.

    With k - 1 workers who do not hold block j, column j has the values of

        p_j(x) = product of (x - x_m) over the workers m who do not hold block j,

    which is monic, of degree k - 1, and 0 where it has to be. So the answers of all workers are the
    values of sum_j f(X_j) p_j: a word of a Reed-Solomon code of dimension k, whose leading
    coefficient is the sum. Any k of them tell it, with the weights 1 / prod (x_n - x_m).

    Args:
        field: with at least N elements.
        points: x, int64 ndarray (N,) of distinct residues.
        held: which blocks each worker holds, ndarray (N, m): as many each, and each of the N blocks
            held by m of the workers.

    Returns:
        int64 ndarray (N, N); row n is 0 but for the blocks of worker n.

    References:
        Halbawi, Azizan-Ruhi, Salehi, Hassibi: Improving distributed gradient descent using
        Reed-Solomon codes (ISIT 2018), section IV.

    Example:
        >>> from anyk.codes.exact.gradient import cyclic_support, evaluation_code
        >>> evaluation_code(anyk.PrimeField(101), np.arange(3), cyclic_support(3, 1))
        array([[100,  99,   0],
               [  0, 100,   1],
               [  1,   0,   2]])
    """
    workers = len(points)
    holds = np.zeros((workers, workers), dtype=np.bool_)
    holds[np.arange(workers)[:, None], held] = True
    others = np.stack([np.flatnonzero(~each) for each in holds.T])
    code = np.ones((workers, workers), dtype=np.int64)
    for zero in points[others].T:  # of the polynomial of each block
        code = field.reduce(code * field.reduce(points[:, None] - zero))
    return code


def decoding_row(field: PrimeField, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """A combination a of rows of B that is the row of ones: a·B_F = 1.

    Args:
        field: of the code.
        rows: B_F, int64 ndarray (m, K).

    Returns:
        int64 ndarray (m,), 0 for rows that depend on those before; None where there is none.

    Example:
        >>> from anyk.codes.exact.gradient import decoding_row
        >>> decoding_row(anyk.PrimeField(101), np.array([[1, 1, 0], [2, 2, 0], [0, 0, 1]]))
        array([1, 0, 1])
        >>> decoding_row(anyk.PrimeField(101), np.array([[1, 2, 0], [0, 0, 1]])) is None
        True
    """
    equations = np.column_stack([rows.T, np.ones(rows.shape[1], dtype=np.int64)])
    reduced, pivots = row_reduce(field, equations, len(rows))
    if reduced[len(pivots) :, -1].any():
        return None
    row = np.zeros(len(rows), dtype=np.int64)
    row[list(pivots)] = reduced[: len(pivots), -1]
    return row
