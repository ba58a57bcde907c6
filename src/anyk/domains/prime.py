"""`PrimeField`: exact arithmetic modulo a prime below 2**31, its products by BLAS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count
from anyk.domains.array import FieldArray
from anyk.domains.base import AbstractField, ndarray_of
from anyk.domains.kernel import modular_matmul
from anyk.errors import InvalidArgument

__all__ = ["PrimeField"]

_LIMIT = 1 << 31
_MANTISSA = 53  # bits of a float64
_FEW = 128


def _is_prime(number: int) -> bool:
    """Miller-Rabin; these four bases decide every number below 3.2e9 (Jaeschke 1993)."""
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


@final
@dataclass(frozen=True)
class PrimeField(AbstractField):
    """The integers modulo a prime p < 2**31, with an exact matrix product at BLAS speed.

    Args:
        modulus: the prime p, 2**31 - 1 by default.

    Raises:
        InvalidArgument: if the modulus is composite or out of range.

    Guarantee:
        Every result is exact; `anyk.domains.kernel` says why.

    References:
        Shoup: A Computational Introduction to Number Theory and Algebra (2nd edition, 2009),
        chapter 2.

    Example:
        >>> field = anyk.PrimeField(2**31 - 1)
        >>> field.matmul(np.array([[2**30, 2]]), np.array([[4], [5]]))
        array([[12]])
        >>> field.array([1, 2]) * 3
        PrimeField(2147483647).array([3, 6])
    """

    modulus: int = _LIMIT - 1

    def __post_init__(self) -> None:
        modulus = count("modulus", self.modulus, least=2)
        object.__setattr__(self, "modulus", modulus)
        if modulus >= _LIMIT or not _is_prime(modulus):
            raise InvalidArgument(
                "modulus",
                given=str(modulus),
                needed="a prime below 2**31",
                change="Take 2**31 - 1 unless something else asks for a smaller one.",
            )

    def __repr__(self) -> str:
        return f"PrimeField({self.modulus})"

    @property
    def exact(self) -> bool:
        """True: nothing rounds."""
        return True

    @property
    def dtype(self) -> Any:
        """int64, holding residues in [0, p)."""
        return np.dtype(np.int64)

    def array(self, values: Any) -> FieldArray:
        """Residues with their field, ready for arithmetic.

        Args:
            values: array-like of integers in [0, p), any shape.

        Returns:
            FieldArray of that shape.

        Raises:
            InvalidArgument: if a value is no integer in [0, p).

        Example:
            >>> anyk.PrimeField(5).array([5])
            Traceback (most recent call last):
            anyk.errors.InvalidArgument: values: got 5 at index (0,); needed: residues from 0 to 4.
            Reduce modulo 5 first, if that is what you mean; embedding=anyk.FixedPoint(..) keeps
            signs.
        """
        return FieldArray(self.validate(values, "values"), self)

    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Residues as int64, if every value is an integer in [0, p); else InvalidArgument."""
        if isinstance(values, FieldArray):
            if values.field != self:
                raise _wrong(argument, f"an array over {values.field!r}", f"one over {self!r}")
            values = values.values
        array = _integers(values, argument)
        if array.size and (int(array.min()) < 0 or int(array.max()) >= self.modulus):
            where = np.argwhere((array < 0) | (array >= self.modulus))[0]
            index = tuple(int(i) for i in where)
            raise InvalidArgument(
                argument,
                given=f"{array[index]} at index {index}",
                needed=f"residues from 0 to {self.modulus - 1}",
                change=f"Reduce modulo {self.modulus} first, if that is what you mean; "
                "embedding=anyk.FixedPoint(..) keeps signs.",
            )
        return np.ascontiguousarray(array, dtype=np.int64).reshape(array.shape)

    def constant(self, values: Any) -> NDArray[np.int64]:
        """Integers of any size and sign, as residues; InvalidArgument for anything else."""
        array = _integers(values, "operand")
        return np.asarray(array % self.modulus, dtype=np.int64)

    def present(self, values: NDArray[Any]) -> Any:
        """A FieldArray: what a function on a field scheme is called with."""
        return FieldArray(values, self)

    def accept(self, result: Any) -> NDArray[Any]:
        """Residues from what a function returned: a FieldArray, or integers of any sign."""
        if isinstance(result, FieldArray):
            return self.validate(result, "answer")
        return self.constant(result)

    def reduce(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """The residues in [0, p) of int64 values."""
        # numpy's floor_divide by a scalar is vectorised, its remainder is not
        return values - values // self.modulus * self.modulus

    def power(self, values: NDArray[np.int64], exponent: int) -> NDArray[np.int64]:
        """Residues to an integer power, by squaring; a negative one inverts (0 has no inverse)."""
        if exponent < 0:
            return self.power(self.inverse(values), -exponent)
        result = np.full_like(values, 1 % self.modulus)
        square = values
        while exponent:
            if exponent & 1:
                result = self.reduce(result * square)
            exponent >>= 1
            if exponent:
                square = self.reduce(square * square)
        return result

    def inverse(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Multiplicative inverses: pairs are multiplied until few are left for Euclid's algorithm.

        The inverses of a pair are the inverse of its product, times the other one: three products
        a value.

        Raises:
            InvalidArgument: if a value is 0.

        References:
            Montgomery: Speeding the Pollard and elliptic curve methods of factorization (Math.
            Comp. 1987), section 10.3.1.
        """
        if not np.all(values):
            raise InvalidArgument(
                "values",
                given="0",
                needed="residues other than 0, which have an inverse",
                change="Leave those that are 0 out.",
            )
        return self._inverses(values.ravel()).reshape(values.shape)

    def _inverses(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        if len(values) <= _FEW:
            few = [pow(value, -1, self.modulus) for value in values.tolist()]
            return np.array(few, dtype=np.int64)
        inverses = np.empty_like(values)
        even, odd = values[: len(values) // 2 * 2 : 2], values[1::2]
        products = self._inverses(self.reduce(even * odd))
        inverses[: 2 * len(odd) : 2] = self.reduce(products * odd)
        inverses[1::2] = self.reduce(products * even)
        if len(values) % 2:
            inverses[-1] = pow(int(values[-1]), -1, self.modulus)
        return inverses

    def matmul(self, small: NDArray[Any], big: NDArray[Any]) -> NDArray[Any]:
        """Exact product modulo p, along the first axis of `big`.

        Args:
            small: int64 ndarray (rows, inner) of residues.
            big: int64 ndarray (inner, *shape) of residues.

        Returns:
            int64 ndarray (rows, *shape) of residues.
        """
        flat = big.reshape(big.shape[0], math.prod(big.shape[1:]))
        return modular_matmul(small, flat, self.modulus).reshape(len(small), *big.shape[1:])


def _wrong(argument: str, given: str, needed: str) -> InvalidArgument:
    return InvalidArgument(argument, given=given, needed=needed, change="Use one field throughout.")


def _integers(values: Any, argument: str) -> NDArray[Any]:
    """An array of integers, from integers or from floats without a fraction."""
    plain = type(values) is np.ndarray
    array = values if plain else ndarray_of(values, argument, kind="integers")
    if array.dtype.kind in "iub":
        return array if array.dtype == np.uint64 else array.astype(np.int64, copy=False)
    if array.dtype.kind == "O" and all(isinstance(item, int) for item in array.flat):
        return array
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
