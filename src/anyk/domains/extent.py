"""`Extent`: what is known of field elements as polynomials of the encoded arguments.

A share is given to a function with an extent, and every operation says that of its result:

    share = FieldArray(values, field, Extent(1))                     # in a plain field
    share = FieldArray(values, field, Extent(1, 20, largest, 1))     # in fixed point
    result = function(share)
    result.extent                                                    # Extent(degree=2, bits=40, ..)

- `largest` is B, the largest |round(2^l x)| of the data that the share encodes; the residues of a
  share are as random as its masks, and say nothing of it. The error of a value that was rounded to
  the nearest integer is 1 half unit, that of one rounded at random 2.
- An argument that is not encoded, but was rounded to 2^-l, is
  `FieldArray(residues, field, Extent(0, l, largest, 1))`.
- A result's integer is its value times 2^bits. It is less than `error` / 2 units of 2^-bits away
  from the value of the function on numbers that were not rounded. To have it with more bits,
  multiply the residues by 2^(bits - extent.bits); `extent.aligned(bits)` is what is known then.
- An array without an extent (None) that meets one that has it is a constant: `constant_extent`.
- Whether the result is what a scheme decodes is asked of the result: `anyk.degrees.promised`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from numpy.typing import NDArray

from anyk.errors import InvalidArgument, WouldWrap

__all__ = ["Extent", "constant_extent", "largest_of"]

_MOST_BITS = 1 << 12  # of a bound: no set of primes holds more, and no power takes long
_LARGEST = (1 << _MOST_BITS) - 1


@final
@dataclass(frozen=True, slots=True)
class Extent:
    """What is known of all elements of an array, as polynomials of the encoded arguments.

    Args:
        degree: the highest total degree: 1 for a share, 0 for a constant, -1 for zeros.
        bits: fraction bits; 0 outside of fixed point.
        bound: the largest absolute value of the integers that the elements stand for (of the data,
            not of the residues of shares), in units of 2^-bits; None outside of fixed point.
        error: how far rounding moves an element at most, in half units of 2^-bits.

    Raises:
        WouldWrap: by each operation, if the bound has more bits than any primes hold.

    Example:
        >>> from anyk.domains.extent import Extent
        >>> x = Extent(1, bits=4, bound=48, error=1)  # |x| <= 3 in sixteenths, rounded to nearest
        >>> x.times(x).plus(x)
        Extent(degree=2, bits=8, bound=3072, error=113)
    """

    degree: int
    bits: int = 0
    bound: int | None = None
    error: int = 0

    @property
    def zero(self) -> bool:
        """Whether all elements are 0, and known to be."""
        return self.degree < 0

    def plus(self, other: Extent) -> Extent:
        """Of a sum or a difference of two; the one with fewer bits is multiplied by 2^lacking."""
        if self.bound is None and other.bound is None:
            return _higher(self, other)
        bits, (mine, mistake), (theirs, other_mistake) = _aligned(self, other)
        degree = max(self.degree, other.degree)
        return Extent(degree, bits, mine + theirs, mistake + other_mistake).kept()

    def joined(self, other: Extent) -> Extent:
        """Of an array with elements of both; those with fewer bits are multiplied."""
        if self == other:
            return self
        if self.bound is None and other.bound is None:
            return _higher(self, other)
        bits, (mine, mistake), (theirs, other_mistake) = _aligned(self, other)
        degree = max(self.degree, other.degree)
        return Extent(degree, bits, max(mine, theirs), max(mistake, other_mistake)).kept()

    def times(self, other: Extent, terms: int = 1) -> Extent:
        """Of a sum of so many products, each of one element of both.

        |r s - t u| <= |r| |s - u| + |u| |r - t|, for integers r, s and what they were rounded from.
        """
        degree = self.degree + other.degree
        if self.degree < 0 or other.degree < 0:
            return Extent(-1, 0, None if self.bound is None else 0)
        if self.bound is None and other.bound is None:
            return Extent(degree)
        (mine, theirs), e, f = _bounds(self, other), self.error, other.error
        error = mine * f + theirs * e + (e * f + 1) // 2
        bits = self.bits + other.bits
        return Extent(degree, bits, terms * mine * theirs, terms * error).kept()

    def summed(self, terms: int) -> Extent:
        """Of a sum of so many elements."""
        if self.bound is None or terms == 1:
            return self
        return Extent(self.degree, self.bits, terms * self.bound, terms * self.error).kept()

    def power(self, exponent: int) -> Extent:
        """Of an integer power: (b + e/2)^n - b^n is how far rounding moves it.

        Args:
            exponent: n, at least 0.
        """
        degree = self.degree * exponent
        if self.zero and exponent:
            return self
        if self.bound is None:
            return Extent(degree)
        bits = self.bits * exponent
        if exponent == 0:
            return Extent(degree, bits, 1)
        if exponent * (self.bound + self.error).bit_length() > _MOST_BITS:
            raise WouldWrap(bits=exponent * (self.bound.bit_length() - 1), limit=_LARGEST)
        double = 2 * self.bound
        moved = (double + self.error) ** exponent - double**exponent
        error = -(-moved >> (exponent - 1))
        return Extent(degree, bits, self.bound**exponent, error).kept()

    def divided(self, bits: int) -> Extent:
        """Of the same integers as those of a number that is 2^bits times smaller."""
        return Extent(self.degree, self.bits + bits, self.bound, self.error)

    def kept(self) -> Extent:
        """The same, if there may be primes that hold its integers."""
        if self.bound is not None and self.bound > _LARGEST:
            raise WouldWrap(bits=self.bound.bit_length(), limit=_LARGEST)
        return self

    def aligned(self, bits: int) -> Extent:
        """Of the elements with this many fraction bits, if they have fewer."""
        lacks = bits - self.bits
        if lacks <= 0:
            return self
        bound = None if self.bound is None else self.bound << lacks
        return Extent(self.degree, bits, bound, self.error << lacks).kept()


def constant_extent(largest: int | None, like: Extent) -> Extent:
    """The extent of plain integers that meet an array of a task.

    Args:
        largest: their largest absolute value; of a matrix in a product better the largest sum of
            absolute values that one entry takes. None where that is not known, nor needed outside
            of fixed point.
        like: that of the array.
    """
    degree = 0 if largest or largest is None else -1
    return Extent(degree, 0, None if like.bound is None else largest)


def largest_of(values: NDArray[Any]) -> int:
    """The largest absolute value of integers of any dtype, as a Python int; 0 of none.

    Args:
        values: ndarray of integers, Python's own included.
    """
    if not values.size:
        return 0
    return max(int(values.max()), -int(values.min()))


def _higher(one: Extent, other: Extent) -> Extent:
    """The one of higher degree, outside of fixed point."""
    return one if one.degree > other.degree else other


def _bounds(one: Extent, other: Extent) -> tuple[int, int]:
    if one.bound is None or other.bound is None:
        raise InvalidArgument(
            "operand",
            given="an array in fixed point and one of field elements",
            needed="both of one kind",
            change="Encode both with the same embedding.",
        )
    return one.bound, other.bound


def _aligned(one: Extent, other: Extent) -> tuple[int, tuple[int, int], tuple[int, int]]:
    """The bits of both together, and bound and error of each with as many."""
    (mine, theirs), e, f = _bounds(one, other), one.error, other.error
    lacks = other.bits - one.bits
    if lacks > 0:
        return other.bits, (mine << lacks, e << lacks), (theirs, f)
    return one.bits, (mine, e), (theirs << -lacks, f << -lacks)
