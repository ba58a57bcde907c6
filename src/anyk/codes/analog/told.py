"""Numbers that tell how far rounding may have moved them, in their last binary digit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["marked", "told"]

_DIGITS = 53  # binary, of a double


def marked(values: NDArray[Any], sizes: NDArray[Any], kind: np.dtype[Any]) -> NDArray[Any]:
    """Sums of terms as odd multiples of a power of two: of about their own rounding.

    Where terms cancel, the sum is small, and its rounding is not: nothing else would tell. A number
    is moved by one rounding of the sum of its terms' sizes at most, or one of `kind`.

    Args:
        values: float64 or complex128 ndarray.
        sizes: the sums of their terms' absolute values, of real and imaginary parts each, ndarray
            of the same shape and dtype.
        kind: the type of floats or complex numbers that they are to be of.

    Returns:
        ndarray of this type; 0 where all terms are 0.

    Example:
        >>> from anyk.codes.analog.told import marked, told
        >>> one = marked(np.array([0.0, 3.0]), np.array([2.0, 3.0]), np.dtype(float))
        >>> np.abs(one - [0.0, 3.0]) < 1e-15, told(one) * 2.0**52
        (array([ True,  True]), array([2., 2.]))
    """
    finest = np.finfo(kind)
    numbers, size = _parts(values), _parts(sizes)
    digits = finest.nmant + 1
    least = int(np.log2(float(finest.smallest_subnormal))) + _DIGITS
    _, exponents = np.frexp(np.maximum(size, np.ldexp(np.abs(numbers), _DIGITS - digits)))
    exponents = np.maximum(exponents, least)
    with np.errstate(over="ignore", invalid="ignore"):  # a domain refuses Inf and NaN
        odd = 2.0 * np.floor(np.ldexp(numbers, _DIGITS - 1 - exponents)) + 1.0
        out = np.where(size > 0.0, np.ldexp(odd, exponents - _DIGITS), numbers)
        return out.view(values.dtype).reshape(values.shape).astype(kind)


def told(values: NDArray[Any]) -> NDArray[np.float64]:
    """What the last binary digit of each number is worth; of complex ones, of both parts together.

    Args:
        values: ndarray of floats or complex numbers.

    Example:
        >>> from anyk.codes.analog.told import told
        >>> told(np.array([0.0, 1.0, 6.0, 0.625]))
        array([0.   , 1.   , 2.   , 0.125])
    """
    parts = _parts(values.astype(np.complex128 if values.dtype.kind == "c" else np.float64))
    mantissas, exponents = np.frexp(np.where(np.isfinite(parts), parts, 0.0))
    whole = np.ldexp(mantissas, _DIGITS).astype(np.int64)
    digits: NDArray[np.float64] = np.ldexp((whole & -whole).astype(np.float64), exponents - _DIGITS)
    if values.dtype.kind == "c":
        digits = np.hypot(digits[0::2], digits[1::2])
    return digits.reshape(values.shape)


def _parts(values: NDArray[Any]) -> NDArray[np.float64]:
    """Real numbers as a vector, or real and imaginary parts."""
    wide = np.complex128 if values.dtype.kind == "c" else np.float64
    parts: NDArray[np.float64] = np.ascontiguousarray(values, dtype=wide).ravel().view(np.float64)
    return parts
