"""Plain numbers that meet field elements: their residues, and what is known of them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractField
from anyk.domains.extent import Extent, largest_of
from anyk.domains.rest import below, lifted, unsigned_for
from anyk.errors import InvalidArgument

__all__ = ["Known", "as_residues", "centred", "constant", "order_of", "power_of_two"]

Known = tuple[NDArray[np.int64], Extent | None]
"""Residues, and what is known of them."""

_INT64 = np.dtype(np.int64)


def constant(field: AbstractField, numbers: Any, like: Extent | None) -> Known:
    """Plain numbers as field elements.

    In fixed point a float is what it is: an integer times a power of two.

    Args:
        field: of the residues.
        numbers: integers of any size and sign; in fixed point floats as well.
        like: the extent of the array that they meet; None if it has none.

    Raises:
        InvalidArgument: if they are no such numbers.

    Example:
        >>> from anyk.domains.functions.constants import constant
        >>> from anyk.domains.extent import Extent
        >>> residues, extent = constant(anyk.PrimeField(7), [0.5, -1], Extent(1, 8, 100))
        >>> residues, extent.bits, extent.bound  # 1 and -2 halves
        (array([1, 5]), 1, 2)
    """
    if like is None:
        return field.constant(numbers), None
    if like.bound is None:
        residues = field.constant(numbers)
        nothing = isinstance(numbers, (int, float)) and not numbers
        return residues, Extent(-1 if nothing else 0)
    if type(numbers) is int:
        degree = 0 if numbers else -1
        return field.constant(numbers), Extent(degree, 0, abs(numbers))
    whole, bits = _dyadic(numbers)
    residues = field.constant(whole)
    largest = largest_of(np.asarray(whole))
    return residues, Extent(0 if largest else -1, bits, largest)


def _dyadic(numbers: Any) -> tuple[Any, int]:
    """Floats as integers and the bits after their binary point; anything else as it is."""
    plain = isinstance(numbers, (float, list, tuple, np.ndarray, np.generic))
    array = np.asarray(numbers) if plain else None
    if array is None or array.dtype.kind != "f" or not np.isfinite(array).all():
        return numbers, 0
    if isinstance(numbers, list | tuple):  # large integers beside floats are no floats
        array = np.array(numbers, dtype=object)
    ratios = [_ratio(each) for each in array.flat]
    bits = max((below.bit_length() - 1 for _, below in ratios), default=0)
    whole = np.empty(len(ratios), dtype=object)
    whole[:] = [(above << bits) // below for above, below in ratios]
    return whole.reshape(array.shape), bits


def _ratio(number: Any) -> tuple[int, int]:
    if isinstance(number, (int, float, np.floating)):
        return number.as_integer_ratio()
    return int(number), 1


@lru_cache(maxsize=64)
def order_of(field: AbstractField) -> int:
    """How many elements a field has.

    Args:
        field: of the integers modulo a prime.
    """
    return int(field.constant(-1)) + 1


def centred(field: AbstractField, residues: NDArray[Any]) -> NDArray[np.int64]:
    """The integers nearest to zero that residues stand for.

    Args:
        field: of the residues.
        residues: ndarray, as they are in memory.
    """
    order, whole = order_of(field), lifted(residues)
    return np.where(whole > order // 2, whole - order, whole)


def as_residues(values: Any, field: AbstractField) -> NDArray[Any]:
    """Residues as a FieldArray holds them, if they are residues.

    Of int64, or of the type in which they rest, they are the same memory.

    Args:
        values: ndarray of integers in [0, p).
        field: the field.

    Raises:
        InvalidArgument: if a value is none.
    """
    array = np.asarray(values)
    order = order_of(field)
    ready = array.dtype in (_INT64, unsigned_for(order - 1))
    if (
        not below(array, order)
        if ready
        else array.dtype.kind not in "iu"
        or (array.size and not (array.min() >= 0 and array.max() < order))
    ):
        raise InvalidArgument(
            "values",
            given=f"{type(values).__name__} of dtype {array.dtype}",
            needed=f"an ndarray of residues from 0 to {order - 1}",
            change="Take field.array(values) for residues, or field.constant for any integers.",
        )
    return array if ready else array.astype(np.int64)


def power_of_two(number: Any) -> int | None:
    """The exponent of a power of two; None of anything else.

    Args:
        number: anything.
    """
    if not isinstance(number, (int, float)) or not 1 <= number < math.inf or number != int(number):
        return None
    whole = int(number)
    return whole.bit_length() - 1 if whole & (whole - 1) == 0 else None
