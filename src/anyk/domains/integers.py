"""Integers from outside: arrays of any integer dtype, lists, whole floats; and which are prime."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import ndarray_of
from anyk.errors import InvalidArgument

__all__ = ["integers_of", "is_prime"]

_MANTISSA = 53  # bits of a float64


def integers_of(values: Any, argument: str) -> NDArray[Any]:
    """An array of integers, from integers or from floats without a fraction.

    Args:
        values: array-like of any shape.
        argument: its name, for the error.

    Returns:
        int64 ndarray; uint64 or object where int64 may not hold them.

    Raises:
        InvalidArgument: if a value is no integer, or a float so large that it may be rounded.

    Example:
        >>> from anyk.domains.integers import integers_of
        >>> integers_of([2**63, -1], "X")
        array([9223372036854775808, -1], dtype=object)
    """
    plain = type(values) is np.ndarray
    array = values if plain else ndarray_of(values, argument, kind="integers")
    if array.dtype.kind in "iub":
        return array if array.dtype == np.uint64 else array.astype(np.int64, copy=False)
    if array.dtype.kind == "O" or (array.dtype.kind == "f" and isinstance(values, (list, tuple))):
        # numpy makes floats of a list of integers of which some need a sign and some 64 bits
        whole = _python_integers(array if array.dtype.kind == "O" else values)
        if whole is not None:
            return whole
    if array.dtype.kind == "f":
        # from 2**bits on, an integer may be another one that was rounded to this dtype
        bits = min(np.finfo(array.dtype).nmant + 1, _MANTISSA)
        array = array.astype(np.promote_types(array.dtype, np.float64), copy=False)
        whole = np.isfinite(array) & (array == np.floor(array)) & (np.abs(array) < 2.0**bits)
        if whole.all():
            return array.astype(np.int64)
        index = tuple(int(i) for i in np.argwhere(~whole)[0])
        raise InvalidArgument(
            argument,
            given=f"{array[index]} at index {index}",
            needed=f"integers, without a fraction, and below 2**{bits} where they come as floats",
            change="For real numbers pass embedding=anyk.FixedPoint(..) to a map or a sum, or take "
            "a scheme over the reals. Or scale and round them to integers first.",
        )
    raise InvalidArgument(
        argument,
        given=f"{type(values).__name__} of dtype {array.dtype}",
        needed="integers",
        change="Convert it.",
    )


def _python_integers(values: Any) -> NDArray[Any] | None:
    """Python's integers in an object ndarray; None if there are other things too."""
    array = np.asarray(values, dtype=object)
    try:
        whole = [
            int(item) if isinstance(item, np.bool_) else operator.index(item) for item in array.flat
        ]
    except TypeError:
        return None
    return np.array(whole, dtype=object).reshape(array.shape)


def is_prime(number: int) -> bool:
    """Whether a number below 3.2e9 is prime, by Miller-Rabin with four bases.

    References:
        Jaeschke: On strong pseudoprimes to several bases (Math. Comp. 1993), table 1.

    Example:
        >>> from anyk.domains.integers import is_prime
        >>> [number for number in range(20) if is_prime(number)]
        [2, 3, 5, 7, 11, 13, 17, 19]
    """
    if number < 2:  # noqa: PLR2004 - the first prime
        return False
    bases = (2, 3, 5, 7)
    for base in bases:
        if number % base == 0:
            return number == base
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in bases:
        power = pow(base, odd, number)
        if power in {1, number - 1}:
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True
