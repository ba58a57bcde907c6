"""Powers, chains and determinants of matrices of field elements, and values of polynomials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from anyk.domains.extent import Extent
from anyk.domains.functions.inside import made, memory_of, stacked, wrapped
from anyk.domains.functions.products import matvec, vecdot
from anyk.errors import InvalidArgument, NotPolynomial

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = ["determinant", "matrix_power", "multi_dot", "polynomial_values", "vandermonde"]


def _square(name: str, x: FieldArray) -> int:
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:  # noqa: PLR2004 - of a matrix
        raise InvalidArgument(
            name, given=f"shape {x.shape}", needed="square matrices", change="Reshape it."
        )
    return x.shape[-1]


def matrix_power(a: FieldArray, n: int) -> FieldArray:
    """`np.linalg.matrix_power`, by squaring.

    Args:
        a: square matrices.
        n: the power, at least 0.

    Raises:
        NotPolynomial: if it is negative.
    """
    size = _square("matrix_power", a)
    if n < 0:
        raise NotPolynomial(
            f"matrix_power to {n}: a negative power is no polynomial. Take powers of 0 or more."
        )
    result = wrapped(a, np.broadcast_to(np.eye(size, dtype=np.int64), a.shape))
    square, first = a, True
    while n:
        if n & 1:
            result, first = (square if first else result @ square), False
        n >>= 1
        if n:
            square = square @ square
    return +result


def multi_dot(like: FieldArray, arrays: Sequence[Any]) -> FieldArray:
    """`np.linalg.multi_dot`: from the end that is a vector, else from the left.

    Args:
        like: any FieldArray of them.
        arrays: matrices; the first and the last may be vectors. At least two.

    Raises:
        InvalidArgument: if they are fewer than two.
    """
    if len(arrays) < 2:  # noqa: PLR2004 - a product
        raise InvalidArgument(
            "arrays", given=str(len(arrays)), needed="at least two", change="Pass more."
        )
    *first, last = (wrapped(like, each) for each in arrays)
    if last.ndim == 1:
        while first:
            last = first.pop() @ last
        return last
    product, *rest = (*first, last)
    for each in rest:
        product = product @ each
    return product


def polynomial_values(p: FieldArray, x: FieldArray) -> FieldArray:
    """`np.polyval`, by Horner's rule.

    Args:
        p: coefficients, that of the highest power first.
        x: where.
    """
    if not len(p):
        return x * 0
    result = p[0] + x * 0
    for each in p[1:]:
        result = result * x + each
    return result


def vandermonde(x: FieldArray, N: int | None = None, *, increasing: bool = False) -> FieldArray:
    """`np.vander`: powers side by side.

    Args:
        x: a vector.
        N: how many powers; as many as numbers by default.
        increasing: whether they begin with 1.
    """
    powers = [x**each for each in range(len(x) if N is None else N)]
    if not powers:
        return x.reshape(-1, 1)[:, :0]
    return stacked(x, powers if increasing else powers[::-1], axis=-1)


def determinant(a: FieldArray) -> FieldArray:
    """`np.linalg.det`, without division: n rows give n times the degree.

    Samuelson's formula: of the characteristic polynomials of a matrix and of what is left of it
    without its first row and column, the one is a Toeplitz matrix times the other.

    References:
        Berkowitz: On computing the determinant in small parallel time using a small number of
        processors (Information Processing Letters 1984).

    Args:
        a: square matrices.
    """
    size = _square("det", a)
    plain = made(a, memory_of(a), None)
    one = wrapped(plain, np.ones(a.shape[:-2], dtype=np.int64))
    if not size:
        return wrapped(a, np.ones(a.shape[:-2], dtype=np.int64))
    coefficients = [one]
    for first in range(size - 1, -1, -1):
        corner, rest = plain[..., first, first], plain[..., first + 1 :, first + 1 :]
        row, column = plain[..., first, first + 1 :], plain[..., first + 1 :, first]
        toeplitz = [one, -corner]
        for _ in range(size - 1 - first):
            toeplitz.append(-vecdot(row, column))
            column = matvec(rest, column)
        coefficients = [
            sum(
                (toeplitz[i - j] * coefficients[j] for j in range(min(i + 1, len(coefficients)))),
                start=0 * one,
            )
            for i in range(len(coefficients) + 1)
        ]
    value = coefficients[-1] if size % 2 == 0 else -coefficients[-1]
    return made(a, memory_of(value), None if a.extent is None else _of_determinant(a.extent, size))


def _of_determinant(extent: Extent, size: int) -> Extent:
    """N! products of n elements; Hadamard: no more than n^(n/2) b^n."""
    power = extent.power(size)
    if power.bound is None:
        return power
    hadamard = math.isqrt(size**size) + 1
    bound = min(math.factorial(size), hadamard) * power.bound
    return Extent(power.degree, power.bits, bound, math.factorial(size) * power.error).kept()
