"""`PrimeField`: exact arithmetic modulo a prime below 2**31, its products by BLAS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, integer, shown
from anyk.domains import compiled
from anyk.domains.array import FieldArray
from anyk.domains.base import AbstractField, Prepared, product_shapes
from anyk.domains.functions.inside import memory_of
from anyk.domains.integers import integers_of, is_prime
from anyk.domains.kernel import modular_matmul
from anyk.domains.rest import below, lifted, settled, unsigned_for
from anyk.errors import InvalidArgument, NotPolynomial

__all__ = ["PrimeField"]

_LIMIT = 1 << 31
_FEW = 128
_INT64 = np.dtype(np.int64)
_Number = (int, np.integer, np.bool_)


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
        >>> field.array([4, 6]) * field.inverse(2)
        PrimeField(2147483647).array([2, 3])
    """

    modulus: int = _LIMIT - 1

    def __post_init__(self) -> None:
        modulus = count("modulus", self.modulus, least=2)
        object.__setattr__(self, "modulus", modulus)
        if modulus >= _LIMIT or not is_prime(modulus):
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

    @property
    def rest(self) -> np.dtype[Any]:
        """The type of residues at rest: the smallest unsigned one that holds p - 1."""
        return unsigned_for(self.modulus - 1)

    def at_rest(self, values: NDArray[Any]) -> NDArray[Any]:
        """Residues in the smallest unsigned type that holds p - 1, the same array where they are.

        Example:
            >>> field = anyk.PrimeField(251)
            >>> field.at_rest(np.array([1, 250]))
            array([  1, 250], dtype=uint8)
        """
        if not self._counted(values) or values.dtype == self.rest:
            return values
        if not below(values, self.modulus):
            return values
        return settled(values, self.rest)

    def from_rest(self, values: NDArray[Any]) -> NDArray[Any]:
        """Residues as int64."""
        return lifted(values) if self._counted(values) else self.residues(values, "values")

    def holds(self, dtype: Any) -> bool:
        """Whether it is the type in which residues rest and travel."""
        return isinstance(dtype, np.dtype) and bool(dtype == self.rest)

    def array(self, values: Any) -> FieldArray:
        """Residues with their field, ready for arithmetic.

        Args:
            values: array-like of integers in [0, p), any shape.

        Returns:
            FieldArray of that shape, of a copy of the values.

        Raises:
            InvalidArgument: if a value is no integer in [0, p).

        Example:
            >>> anyk.PrimeField(5).array([5])
            Traceback (most recent call last):
            anyk.errors.InvalidArgument: values: got 5 at index (0,); needed: residues from 0 to 4.
            Reduce modulo 5 first, if that is what you mean; embedding=anyk.FixedPoint(..) keeps
            signs.
        """
        return FieldArray(np.array(self.validate(values, "values")), self)

    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Residues as int64, if every value is an integer in [0, p); else InvalidArgument."""
        given = self._bare(values, argument)
        if self._ready(given):
            return np.ascontiguousarray(given, dtype=np.int64).reshape(given.shape)
        array = integers_of(given, argument)
        if array.size and (int(array.min()) < 0 or int(array.max()) >= self.modulus):
            where = np.argwhere((array < 0) | (array >= self.modulus))[0]
            index = tuple(int(i) for i in where)
            raise InvalidArgument(
                argument,
                given=f"{shown(int(array[index]))} at index {index}",
                needed=f"residues from 0 to {self.modulus - 1}",
                change=f"Reduce modulo {self.modulus} first, if that is what you mean; "
                "embedding=anyk.FixedPoint(..) keeps signs.",
            )
        return np.ascontiguousarray(array, dtype=np.int64).reshape(array.shape)

    def residues(self, values: Any, argument: str = "values") -> NDArray[np.int64]:
        """Integers of any dtype, size and sign, as residues.

        Args:
            values: array-like of integers, any shape; a FieldArray over this field.
            argument: its name, for the error.

        Returns:
            int64 ndarray of that shape; the input itself where it is one of residues already.

        Raises:
            InvalidArgument: if a value is no integer.

        Example:
            >>> anyk.PrimeField(7).residues([-1, 2**80])
            array([6, 4])
        """
        if self._ready(values):
            plain: NDArray[Any] = values
            return lifted(plain)
        if isinstance(values, _Number):
            return np.array(int(values) % self.modulus, dtype=np.int64)
        array = integers_of(self._bare(values, argument), argument)
        return np.asarray(array % self.modulus, dtype=np.int64)

    def _bare(self, values: Any, argument: str) -> Any:
        """The values of a FieldArray over this field; anything else as it is."""
        return self._elements(values, argument).values if isinstance(values, FieldArray) else values

    def _elements(self, values: Any, argument: str) -> FieldArray:
        """A FieldArray over this field; of integers, if it is none yet."""
        if not isinstance(values, FieldArray):
            return FieldArray(self.residues(values, argument), self)
        if values.field != self:
            raise InvalidArgument(
                argument,
                given=f"an array over {values.field!r}",
                needed=f"one over {self!r}",
                change="Use one field throughout.",
            )
        return values

    def _ready(self, values: Any) -> bool:
        """Whether these are residues in int64, or as they rest."""
        plain = type(values) is np.ndarray and values.dtype in (_INT64, self.rest)
        return plain and below(values, self.modulus)

    def _counted(self, values: Any) -> bool:
        """Whether these are numbers of a type that residues are kept in, and an ndarray."""
        return type(values) is np.ndarray and (
            values.dtype == _INT64
            or (values.dtype.kind == "u" and values.itemsize < _INT64.itemsize)
        )

    def _operand(self, values: Any, argument: str) -> NDArray[Any]:
        """Residues of a product: the kernel takes those at rest as they are."""
        return values if self._ready(values) else self.residues(values, argument)

    def constant(self, values: Any) -> NDArray[np.int64]:
        """Integers of any size and sign, as residues; InvalidArgument for anything else."""
        return np.array(self.residues(values, "operand"))

    def present(self, values: NDArray[Any]) -> Any:
        """A FieldArray in the same memory: what a function on a field scheme is called with.

        Raises:
            InvalidArgument: if the values are no residues.
        """
        ready = self._ready(values)
        return FieldArray.of_residues(values if ready else self.validate(values, "values"), self)

    @property
    def lends(self) -> bool:
        """True: a FieldArray copies what was lent to it before it writes."""
        return True

    def prepared(self, values: NDArray[Any]) -> Prepared | None:
        """Nothing but that they are residues: products convert them in cache, where they lie."""
        if not self._counted(values) or values.dtype != self.rest:
            return None
        lendable = values.flags.c_contiguous and values.flags.writeable
        return () if lendable and self._ready(values) else None

    def lend(self, values: NDArray[Any], prepared: Prepared) -> Any:  # noqa: ARG002 - of a ring
        """A FieldArray in the same memory, which is copied before it is written in."""
        rests = self._counted(values) and values.dtype == self.rest
        return FieldArray.of_residues(values, self, lent=True) if rests else self.present(values)

    def accept(self, result: Any) -> NDArray[Any]:
        """Residues from what a function returned: a FieldArray, or integers of any sign.

        Those of a FieldArray in memory at rest stay so.
        """
        if isinstance(result, FieldArray):
            own = memory_of(self._elements(result, "answer"))
            rests = own.dtype == self.rest and result.extent is None
            return own if rests else self.validate(result, "answer")
        return np.array(self.residues(result, "answer"))

    def reduce(self, values: Any) -> NDArray[np.int64]:
        """Integers of any size and sign, as residues: quick where they are an int64 ndarray.

        Raises:
            InvalidArgument: if a value is no integer.

        Example:
            >>> anyk.PrimeField(7).reduce(np.array([-1, 8], dtype=np.int8))
            array([6, 1])
        """
        if type(values) is not np.ndarray or values.dtype != _INT64 or not values.ndim:
            return np.array(self.residues(values))
        array: NDArray[np.int64] = values
        # numpy's floor_divide by a scalar is vectorised, its remainder is not
        return array - array // self.modulus * self.modulus

    def times(self, left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.int64]:
        """Products of residues, element by element, by numpy's rules for their shapes.

        Args:
            left: ndarray of residues, in int64 or as they are at rest.
            right: as the left one.

        Example:
            >>> anyk.PrimeField(7).times(np.array([3, 4], dtype=np.uint8), np.array([5, 6]))
            array([1, 3])
        """
        if not (self._counted(left) and self._counted(right)):
            left, right = self.residues(left, "left"), self.residues(right, "right")
        product = compiled.times(left, right, self.modulus)
        return self.reduce(lifted(left) * lifted(right)) if product is None else product

    def power(self, values: Any, exponent: int) -> Any:
        """Integers, as residues, to an integer power; a negative one inverts (0 has no inverse).

        Args:
            values: an integer or array-like of integers of any size and sign.
            exponent: any integer.

        Returns:
            An int for an integer, an int64 ndarray of residues for an array; a FieldArray for a
            FieldArray, as x**exponent.

        Raises:
            InvalidArgument: if a value or the exponent is no integer, or 0 is to be inverted.
            NotPolynomial: if the exponent is negative, and the values are a FieldArray.

        Example:
            >>> anyk.PrimeField(7).power([2, 3, 2**40], -2)
            array([2, 4, 2])
        """
        power = integer("exponent", exponent, change="Take an int; roots are no polynomials.")
        if isinstance(values, FieldArray):
            return self._elements(values, "values") ** power
        if isinstance(values, _Number):
            return int(self._power(self.residues([values]), power)[0])
        return self._power(np.array(self.residues(values)), power)

    def _power(self, values: NDArray[np.int64], exponent: int) -> NDArray[np.int64]:
        """By squaring."""
        if exponent < 0:
            return self._power(self.inverse(values), -exponent)
        powers = compiled.power(values, exponent, self.modulus)
        if powers is not None:
            return powers
        result = np.ones_like(values)
        square = values
        while exponent:
            if exponent & 1:
                result = self.times(result, square)
            exponent >>= 1
            if exponent:
                square = self.times(square, square)
        return result

    def inverse(self, values: Any) -> Any:
        """Multiplicative inverses: pairs are multiplied until few are left for Euclid's algorithm.

        The inverses of a pair are the inverse of its product, times the other one: three products
        a value.

        Args:
            values: an integer or array-like of integers of any size and sign.

        Returns:
            An int for an integer, an int64 ndarray of residues for an array.

        Raises:
            InvalidArgument: if a value is no integer, or 0 modulo p.
            NotPolynomial: if the values are a FieldArray: 1/x of a share is wrong for the data.

        References:
            Montgomery: Speeding the Pollard and elliptic curve methods of factorization (Math.
            Comp. 1987), section 10.3.1.

        Example:
            >>> anyk.PrimeField(7).inverse(2), anyk.PrimeField(7).inverse([1, 3, -1])
            (4, array([1, 5, 6]))
        """
        if isinstance(values, FieldArray):
            raise NotPolynomial(
                "field.inverse of a FieldArray: 1/x is no polynomial. Invert constants alone, as "
                "integers: x * field.inverse(2)."
            )
        if isinstance(values, _Number):
            return int(self.inverse([values])[0])
        residues = self.residues(values)
        if not residues.all():
            raise InvalidArgument(
                "values",
                given="0" if not np.all(values) else f"a multiple of {self.modulus}",
                needed="residues other than 0, which have an inverse",
                change="Leave those that are 0 out.",
            )
        return self._inverses(residues.ravel()).reshape(residues.shape)

    def _inverses(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        if len(values) <= _FEW:
            few = [pow(value, -1, self.modulus) for value in values.tolist()]
            return np.array(few, dtype=np.int64)
        inverses = np.empty_like(values)
        even, odd = values[: len(values) // 2 * 2 : 2], values[1::2]
        products = self._inverses(self.times(even, odd))
        inverses[: 2 * len(odd) : 2] = self.times(products, odd)
        inverses[1::2] = self.times(products, even)
        if len(values) % 2:
            inverses[-1] = pow(int(values[-1]), -1, self.modulus)
        return inverses

    def matmul(self, small: Any, big: Any) -> Any:
        """Exact product modulo p, along the last axis of `small` and the first of `big`.

        Args:
            small: array-like (*rows, inner) of integers of any size and sign.
            big: array-like (inner, *shape) of such.

        Returns:
            int64 ndarray (*rows, *shape) of residues; a FieldArray if one of them is one.

        Raises:
            InvalidArgument: if a value is no integer, or the shapes do not fit.
        """
        if isinstance(small, FieldArray) or isinstance(big, FieldArray):
            first, second = self._elements(small, "small"), self._elements(big, "big")
            tall, wide, shape = product_shapes(first.shape, second.shape)
            return (first.reshape(tall) @ second.reshape(wide)).reshape(shape)
        left, right = self._operand(small, "small"), self._operand(big, "big")
        if left.ndim == right.ndim == 2 and left.shape[1] == right.shape[0]:  # noqa: PLR2004
            return modular_matmul(left, right, self.modulus)
        tall, wide, shape = product_shapes(left.shape, right.shape)
        product: NDArray[Any] = modular_matmul(
            left.reshape(tall), right.reshape(wide), self.modulus
        )
        return product.reshape(shape)
