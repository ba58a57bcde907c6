"""Polynomials over a prime field, by their coefficients: from roots, at many points, power sums.

All three take n·d products for degree d and n points, but nearly all of them are inside exact
products of matrices: powers of the points up to about the square root of d are computed, and the
others are these times a power of the last (baby steps and giant steps).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anyk.checks import MOST, count
from anyk.domains.prime import PrimeField

__all__ = ["evaluate", "monic", "power_sums", "powers"]

_LEAF = 32  # roots that are multiplied one by one, many such groups at once


def powers(field: PrimeField, points: NDArray[np.int64], many: int) -> NDArray[np.int64]:
    """P[l, j] = x_j**l for l < many, twice as many at each step.

    Args:
        field: the field.
        points: int64 ndarray (n,) of residues.
        many: how many powers.

    Returns:
        int64 ndarray (many, n).

    Raises:
        InvalidArgument: if `many` is negative, or far too many.

    Example:
        >>> from anyk.domains.coefficients import powers
        >>> powers(anyk.PrimeField(7), np.array([2, 3]), 3)
        array([[1, 1],
               [2, 3],
               [4, 2]])
    """
    table = np.ones((count("rows", many, least=0, most=MOST), len(points)), dtype=np.int64)
    if many > 1:
        table[1] = points
    done = 2
    while done < many:
        more = min(done - 1, many - done)  # x**done .. are x**1 .. times x**(done - 1)
        table[done : done + more] = field.reduce(table[1 : 1 + more] * table[done - 1])
        done += more
    return table


def evaluate(
    field: PrimeField, coefficients: NDArray[np.int64], points: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The values of one polynomial at many points.

    Args:
        field: the field.
        coefficients: int64 ndarray (d,) of residues, the constant one first.
        points: int64 ndarray (n,) of residues.

    Returns:
        int64 ndarray (n,).

    References:
        Paterson, Stockmeyer: On the number of nonscalar multiplications necessary to evaluate
        polynomials (SIAM Journal on Computing 1973), algorithm B.

    Example:
        >>> from anyk.domains.coefficients import evaluate
        >>> evaluate(anyk.PrimeField(7), np.array([1, 0, 1]), np.array([2, 3]))
        array([5, 3])
    """
    terms = len(coefficients)
    if not terms:
        return np.zeros(len(points), dtype=np.int64)
    step = math.isqrt(terms - 1) + 1
    table = powers(field, points, step)
    rows = np.zeros((-(-terms // step), step), dtype=np.int64)
    rows.ravel()[:terms] = coefficients
    parts: NDArray[np.int64] = field.matmul(rows, table)
    giant = field.reduce(table[-1] * points)
    value: NDArray[np.int64] = parts[-1]
    for part in parts[-2::-1]:
        value = field.reduce(value * giant + part)
    return value


def power_sums(
    field: PrimeField,
    points: NDArray[np.int64],
    weights: NDArray[np.int64],
    values: NDArray[np.int64],
    many: int,
) -> NDArray[np.int64]:
    """S[l] = sum_j w_j·x_j**l·y_j for l < many, of each column y.

    Args:
        field: the field.
        points: x, int64 ndarray (n,) of residues.
        weights: w, int64 ndarray (n,) of residues.
        values: int64 ndarray (n, c) of residues.
        many: how many sums.

    Returns:
        int64 ndarray (many, c).

    Example:
        >>> from anyk.domains.coefficients import power_sums
        >>> ones, points = np.ones(2, dtype=int), np.array([2, 3])
        >>> power_sums(anyk.PrimeField(7), points, ones, np.array([[1], [1]]), 3).ravel()
        array([2, 5, 6])
    """
    columns = values.shape[1]
    step = max(1, min(many, math.isqrt(many * columns) + 1))
    table = powers(field, points, step)
    giant = field.reduce(table[-1] * points)
    steps = [values]
    for _ in range(1, -(-many // step)):
        steps.append(field.reduce(steps[-1] * giant[:, None]))
    scaled = field.reduce(table * weights)
    sums = field.matmul(scaled, np.concatenate(steps, axis=1))
    apart = sums.reshape(step, len(steps), columns).swapaxes(0, 1)
    whole: NDArray[np.int64] = apart.reshape(-1, columns)[:many]
    return whole


def monic(field: PrimeField, roots: NDArray[np.int64]) -> NDArray[np.int64]:
    """The coefficients of (x - r_1)·..·(x - r_n).

    Args:
        field: the field.
        roots: int64 ndarray (n,) of residues.

    Returns:
        int64 ndarray (n + 1,), the constant coefficient first, the last one 1.

    Example:
        >>> from anyk.domains.coefficients import monic
        >>> monic(anyk.PrimeField(7), np.array([1, 2]))
        array([2, 4, 1])
    """
    many = len(roots)
    doublings = max(0, (-(-many // _LEAF) - 1).bit_length())
    groups = 1 << doublings
    each = -(-many // groups)
    padded = np.zeros(groups * each, dtype=np.int64)  # more roots 0: coefficients are shifted
    padded[:many] = roots
    below = np.zeros((groups, each + 1), dtype=np.int64)
    below[:, 0] = 1
    for root in padded.reshape(groups, each).T:
        shifted = np.zeros_like(below)
        shifted[:, 1:] = below[:, :-1]
        below = field.reduce(shifted - below * root[:, None])
    while len(below) > 1:
        pairs = zip(below[::2], below[1::2], strict=True)
        below = np.stack([product(field, left, right) for left, right in pairs])
    return below[0, groups * each - many :]


def product(
    field: PrimeField, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The coefficients of the product of two polynomials.

    Args:
        field: the field.
        left: int64 ndarray (c,) of residues, the constant coefficient first.
        right: int64 ndarray (d,) of residues.

    Returns:
        int64 ndarray (c + d - 1,).

    Example:
        >>> from anyk.domains.coefficients import product
        >>> product(anyk.PrimeField(7), np.array([1, 1]), np.array([1, 6]))
        array([1, 0, 6])
    """
    terms, others = len(left), len(right)
    step = math.isqrt(terms - 1) + 1
    rows = np.zeros((-(-terms // step), step), dtype=np.int64)
    rows.ravel()[:terms] = left
    ends = np.zeros(others + 2 * (step - 1), dtype=np.int64)
    ends[step - 1 : step - 1 + others] = right
    shifts = np.lib.stride_tricks.sliding_window_view(ends, others + step - 1)[::-1]
    parts = field.matmul(rows, shifts)
    whole = np.zeros(len(rows) * step + others - 1, dtype=np.int64)
    for place, part in enumerate(parts):
        whole[place * step : place * step + len(part)] += part
    return field.reduce(whole[: terms + others - 1])
