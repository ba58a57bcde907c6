"""Vectors of clients as residues, with their weight, and sums of them as numbers again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, instance, settle, shown
from anyk.domains.integers import integers_of
from anyk.domains.prime import PrimeField
from anyk.domains.ring import further_fields
from anyk.errors import InvalidArgument, Unachievable
from anyk.fixed_point.format import FixedPoint

__all__ = ["Numbers", "Vectors", "Whole"]

_TWO = 2  # primes
# of 24 bits, where products of 64 residues need no halves; a number takes 4 bytes in any case
_SHORT = PrimeField(2**24 - 3), PrimeField(2**24 - 17)
_SIGN = 63  # bits to the right: all ones of a negative number, else none


@final
@dataclass(frozen=True)
class Whole:
    """Integers of either sign.

    Args:
        magnitude: the largest absolute value of one; larger ones are refused, at the client.

    Raises:
        InvalidArgument: if it is below 1.

    Example:
        >>> from anyk import aggregation
        >>> aggregation.Whole(1000)
        Whole(magnitude=1000)
    """

    magnitude: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "magnitude", count("magnitude", self.magnitude, least=1))


Numbers: TypeAlias = FixedPoint | Whole | PrimeField
"""What clients hold: reals, integers, or residues of a field."""


@final
@dataclass(frozen=True, kw_only=True)
class Vectors:
    """What a client holds, and whether sums of so many fit the primes.

    Args:
        length: d, numbers of a vector.
        clients: N, how many vectors are added at most.
        numbers: what they are.
        most_weight: W, the largest weight; None where nobody is weighted.
        extra: by how much noise may enlarge the integer of one number.

    Raises:
        InvalidArgument: if one is out of range.
        Unachievable: if sums may be beyond what two primes hold.
    """

    length: int
    clients: int
    numbers: Numbers
    most_weight: int | None = None
    extra: int = 0

    def __post_init__(self) -> None:
        settle(self, optional="most_weight", length=1, clients=1, most_weight=1)
        object.__setattr__(self, "extra", count("extra", self.extra, least=0))
        change = "Pass anyk.FixedPoint(fraction_bits=16, magnitude=8.0) for reals."
        instance("numbers", self.numbers, (FixedPoint, Whole, PrimeField), change=change)
        if isinstance(self.numbers, PrimeField) and (self.most_weight or self.extra):
            raise InvalidArgument(
                "numbers",
                given=repr(self.numbers),
                needed="FixedPoint or Whole where vectors are weighted or noise is added",
                change="Residues have no size: leave weights and noise out, or take one of these.",
            )
        if isinstance(self.numbers, FixedPoint) and not self._plain(self.numbers):
            raise InvalidArgument(
                "numbers",
                given=shown(self.numbers),
                needed="fraction_bits, magnitude and rounding alone",
                change="Leave degree, summands, coefficient, factors and primes out: a sum has "
                "degree 1, and the plan counts the clients.",
            )
        modulus = math.prod(field.modulus for field in further_fields(PrimeField(), _TWO))
        if 2 * self.bound >= modulus:
            raise Unachievable(
                "numbers",
                given=f"sums of integers up to 2^{math.log2(self.bound):.1f}",
                needed="clients * weight * 2^fraction_bits * magnitude, and noise, below "
                f"2^{math.log2(modulus / 2):.1f}, half the product of two primes",
                change="Lower fraction_bits, magnitude, most_weight or clients.",
            )

    @staticmethod
    def _plain(numbers: FixedPoint) -> bool:
        """Whether nothing is declared that belongs to functions."""
        declared = numbers.degree, numbers.summands, numbers.coefficient
        return set(declared) == {None} and not numbers.factors and numbers.primes == "auto"

    @property
    def weighted(self) -> bool:
        """Whether clients have weights, which are one more number of each vector."""
        return self.most_weight is not None

    @property
    def entries(self) -> int:
        """Numbers that a client sends: d, and its weight."""
        return self.length + self.weighted

    @property
    def largest(self) -> int:
        """The largest absolute value of an integer of one client."""
        if isinstance(self.numbers, PrimeField):
            return 0
        size = self.numbers.magnitude if isinstance(self.numbers, Whole) else self.numbers.worst
        return size * (self.most_weight or 1) + self.extra

    @property
    def bound(self) -> int:
        """The largest absolute value of an integer of a sum."""
        return self.clients * max(self.largest, self.most_weight or 0)

    @cached_property
    def fields(self) -> tuple[PrimeField, ...]:
        """The primes: as few as the sums need, and of those the ones that multiply faster."""
        if isinstance(self.numbers, PrimeField):
            return (self.numbers,)
        long = further_fields(PrimeField(), _TWO)
        choices = _SHORT[:1], long[:1], _SHORT, long
        return next(
            each for each in choices if 2 * self.bound < math.prod(field.modulus for field in each)
        )

    def integers(self, vector: Any, weight: int = 1) -> NDArray[np.int64]:
        """The integers of a client's vector, times its weight; its weight behind them.

        Args:
            vector: array-like of d numbers, any shape.
            weight: of this client, from 1 to W.

        Returns:
            int64 ndarray (d,) or (d + 1,).

        Raises:
            InvalidArgument: if a number is not finite or too large (which, where, and the limit),
                there are not d of them, or the weight is out of range. Nothing is ever clipped.
        """
        if self.weighted:
            weight = count("weight", weight, least=1, most=self.most_weight)
        elif count("weight", weight, least=0) != 1:
            raise InvalidArgument(
                "weight",
                given=shown(weight),
                needed="1, as the plan has no weights",
                change="Give the plan most_weight=, the largest weight of a client.",
            )
        array = self._whole(vector).ravel()
        if len(array) != self.length:
            raise InvalidArgument(
                "vector",
                given=f"{len(array)} numbers",
                needed=f"{self.length}, as the plan says",
                change="Make the plan with length= of what clients hold.",
            )
        if not self.weighted:
            return array
        weighted = np.empty(self.entries, dtype=np.int64)
        np.multiply(array, weight, out=weighted[:-1])
        weighted[-1] = weight
        return weighted

    def _whole(self, vector: Any) -> NDArray[np.int64]:
        """Its numbers, as integers."""
        if isinstance(self.numbers, FixedPoint):
            return self.numbers.integers(vector)
        if isinstance(self.numbers, PrimeField):
            return self.numbers.validate(vector, "vector").astype(np.int64, copy=False)
        array = integers_of(vector, "vector")
        most = self.numbers.magnitude
        if array.size and (int(array.max()) > most or int(array.min()) < -most):
            at = tuple(int(i) for i in np.argwhere((array > most) | (array < -most))[0])
            raise InvalidArgument(
                "vector",
                given=f"{shown(int(array[at]))} at index {at}",
                needed=f"at most magnitude={most} in absolute value",
                change="Raise magnitude, for all clients.",
            )
        return np.asarray(array, dtype=np.int64)

    def residues(self, integers: NDArray[np.int64], field: PrimeField) -> NDArray[np.int64]:
        """Integers modulo one of the primes.

        Args:
            integers: int64 ndarray, with signs.
            field: of the prime.
        """
        if -field.modulus < int(integers.min()) and int(integers.max()) < field.modulus:
            return integers + (integers >> _SIGN & field.modulus)
        return field.reduce(integers)

    def whole(self, residues: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        """The integers of a sum, from its residues modulo each of the primes.

        Args:
            residues: int64 ndarray for each prime.
        """
        if isinstance(self.numbers, PrimeField):
            return residues[0]
        first, modulus = residues[0], self.fields[0].modulus
        value = first
        if len(self.fields) > 1:
            second = self.fields[1]
            digit = second.reduce((residues[1] - first) * 1)
            digit = second.reduce(digit * second.inverse(modulus % second.modulus))
            value, modulus = first + modulus * digit, modulus * second.modulus
        return np.where(value > modulus // 2, value - modulus, value)

    def read(self, integers: NDArray[np.int64]) -> NDArray[Any]:
        """The numbers of a sum: float64 of reals, and int64 of integers and residues.

        Args:
            integers: of `whole`, d of them.
        """
        if isinstance(self.numbers, FixedPoint):
            return np.ldexp(integers.astype(np.float64), -self.numbers.fraction_bits)
        return integers
