"""Factors of a product as integers: floats are such, times a power of two a row or column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.balanced import balanced, balanced_integers, balanced_number
from anyk.domains.base import ndarray_of
from anyk.domains.extent import largest_of
from anyk.domains.integers import integers_of
from anyk.domains.real import Reals
from anyk.errors import InvalidArgument

__all__ = ["WholeFactor", "whole_factor"]

_MANTISSA = 53  # bits of a float64
_BYTES = 8  # of a float64
_DIRECT = 1 << 51  # integers below are reduced in one go
_LIMB = 32  # bits
_AT_ONCE = 1 << 13  # numbers, so that they stay in cache


@final
@dataclass(frozen=True, eq=False)
class WholeFactor:
    """A matrix, or a vector, of integers, and the powers of two by which they are multiplied.

    Args:
        integers: ndarray of int64, of uint64, or of Python's integers.
        shifts: int64 ndarray of the same shape: entry x stands for x·2**shift; None for 0.
        largest: the largest absolute value of x·2**shift.
        top: the largest absolute value of the factor itself.
        exponents: int64 ndarray: of each row of a left factor, of each column of a right one, one
            for a vector; the factor is x·2**shift·2**exponent. None where it came as integers.

    Example:
        >>> from anyk.schemes.products.whole_factors import whole_factor
        >>> factor = whole_factor([[0.5, 3.0], [2.0**80, 1.0]], "A", axis=1)
        >>> factor.integers.tolist(), factor.shifts.tolist(), factor.exponents.tolist()
        ([[1, 6], [4503599627370496, 1]], [[0, 0], [28, 0]], [-1, 0])
        >>> factor.modulo([7]).tolist()  # 2**80 is 4 modulo 7, and so -3
        [[[1, -1], [-3, 1]]]
    """

    integers: NDArray[Any]
    shifts: NDArray[np.int64] | None
    largest: int
    top: Fraction
    exponents: NDArray[np.int64] | None

    def modulo(self, primes: Sequence[int]) -> NDArray[np.int64]:
        """The integers modulo each of some primes below 2**23, nearest to zero.

        Args:
            primes: L of them.

        Returns:
            int64 ndarray (L, *shape).
        """
        whole, shifts = self.integers.reshape(-1), self.shifts
        powers = [_powers(0 if shifts is None else int(shifts.max()), prime) for prime in primes]
        residues = np.empty((len(primes), whole.size), dtype=np.int64)
        for start in range(0, whole.size, _AT_ONCE):
            here = slice(start, start + _AT_ONCE)
            high, low = _limbs(whole[here])
            own = None if shifts is None else shifts.reshape(-1)[here]
            for row, prime, table in zip(residues, primes, powers, strict=True):
                each = _joined(high, low, prime)
                row[here] = each if own is None else balanced(each * table[own], prime)
        return residues.reshape(len(primes), *self.integers.shape)


def whole_factor(values: Any, argument: str, *, axis: int) -> WholeFactor:
    """What a user passed as a factor, without any rounding.

    Args:
        values: array-like of integers of any size, or of floats up to float64.
        argument: its name, for the error.
        axis: along which entries share a power of two: 1 of a left factor, 0 of a right one.

    Raises:
        InvalidArgument: if there are no such numbers in it, or NaN or infinity.
    """
    array = ndarray_of(values, argument, kind="numbers")
    if array.ndim <= axis:
        raise InvalidArgument(
            argument,
            given=f"a factor of shape {array.shape}",
            needed="a matrix" if axis else "a matrix or a vector",
            change="Reshape it.",
        )
    if array.dtype.kind == "f" and not _python_integers(values):
        if array.dtype.itemsize > _BYTES:
            raise InvalidArgument(
                argument,
                given=f"dtype {array.dtype}",
                needed="floats of at most 64 bits, or integers",
                change="Convert it to float64, which rounds it.",
            )
        return _of_floats(Reals().validate(array, argument), axis)
    whole = integers_of(values, argument)
    largest = largest_of(whole)
    return WholeFactor(whole, None, largest, Fraction(largest), None)


def _python_integers(values: Any) -> bool:
    """Whether a list is of integers alone, of which numpy makes floats where they are large."""
    if not isinstance(values, (list, tuple)):
        return False
    return all(isinstance(each, int) for each in np.asarray(values, dtype=object).flat)


def _of_floats(values: NDArray[np.float64], axis: int) -> WholeFactor:
    """Each float64 is 53 bits times a power of two; what all have in common is put in front."""
    fraction, exponent = np.frexp(values)
    whole = np.ldexp(fraction, _MANTISSA).astype(np.int64)
    places = exponent.astype(np.int64) - _MANTISSA
    lowest = np.frexp((whole & -whole).astype(np.float64))[1] - 1  # zeros at the end
    none = whole == 0
    far = np.iinfo(np.int64).max
    known = np.where(none, far, places + lowest)
    smallest = np.min(known, axis=axis, keepdims=True, initial=far)
    smallest[smallest == far] = 0
    up = np.where(none, 0, places - smallest)
    shifts = np.maximum(up, 0)
    whole >>= np.maximum(-up, 0)
    most = int(shifts.max(initial=0))
    largest = largest_of(whole[shifts == most]) << most  # what is multiplied has all 53 bits
    top = Fraction(float(np.abs(values).max(initial=0.0)))
    return WholeFactor(
        whole, shifts if most else None, largest, top, np.ravel(smallest).astype(np.int64)
    )


def _powers(most: int, prime: int) -> NDArray[np.float64]:
    """2**0, .., 2**most modulo a prime, nearest to zero."""
    powers = [1]
    for _ in range(most):
        powers.append(2 * powers[-1] % prime)
    return balanced(np.array(powers, dtype=np.float64), prime)


def _limbs(whole: NDArray[Any]) -> tuple[NDArray[Any] | None, NDArray[Any]]:
    """Integers as high·2**32 + low in float64, or without high ones; Python's as they are."""
    if whole.dtype == object:
        return None, whole
    if largest_of(whole) < _DIRECT:
        return None, whole.astype(np.float64)
    kind = whole.dtype.type
    low = whole & kind((1 << _LIMB) - 1)
    return (whole >> kind(_LIMB)).astype(np.float64), low.astype(np.float64)


def _joined(high: NDArray[Any] | None, low: NDArray[Any], prime: int) -> NDArray[np.float64]:
    """What `_limbs` took apart, modulo a prime."""
    if low.dtype == object:
        return balanced_integers(low, prime).astype(np.float64)
    if high is None:
        return balanced(low, prime)
    power = balanced_number(1 << _LIMB, prime)
    return balanced(balanced(high, prime) * power + low, prime)
