"""`ResidueRing`: integers too large for one prime, as residues modulo several."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, instance, several, shown
from anyk.domains.base import AbstractDomain, Prepared, ndarray_of, product_shapes
from anyk.domains.integers import is_prime
from anyk.domains.prime import PrimeField
from anyk.domains.rest import below, lifted, settled, unsigned_for
from anyk.errors import InvalidArgument

__all__ = ["ResidueRing", "further_fields"]

_LARGEST = (1 << 31) - 1
_MOST_FIELDS = 1024


@final
@dataclass(frozen=True)
class ResidueRing(AbstractDomain):
    """The integers modulo P = p_1···p_L, each element as its L residues.

    An array of shape `shape` of ring elements is an int64 ndarray (*shape, L): entry l of the last
    axis is the residue modulo p_l. The ring is the product of the fields, so that whatever is
    linear in it is computed field by field.

    Args:
        fields: the L prime fields, of distinct odd characteristic.

    Raises:
        InvalidArgument: if they are not.

    References:
        Shoup: A Computational Introduction to Number Theory and Algebra (2nd edition, 2009),
        chapter 2, the Chinese remainder map.

    Example:
        >>> from anyk.domains.ring import ResidueRing
        >>> ring = ResidueRing((anyk.PrimeField(5), anyk.PrimeField(7)))
        >>> ring.constant([-1, 12]).tolist()
        [[4, 6], [2, 5]]
    """

    fields: tuple[PrimeField, ...]

    def __post_init__(self) -> None:
        fields = several("fields", self.fields, change="Pass a tuple of them.")
        object.__setattr__(self, "fields", fields)
        fine = self.fields and all(isinstance(field, PrimeField) for field in self.fields)
        if not fine or len(set(self.primes)) != len(self.fields) or 2 in self.primes:  # noqa: PLR2004 - the even prime
            raise InvalidArgument(
                "fields",
                given=shown(self.fields),
                needed="prime fields of distinct odd moduli",
                change="Take primes below 2**31, each once.",
            )

    @property
    def primes(self) -> tuple[int, ...]:
        """p_1, .., p_L."""
        return tuple(field.modulus for field in self.fields)

    @property
    def modulus(self) -> int:
        """P, the product of the primes."""
        return math.prod(self.primes)

    @property
    def exact(self) -> bool:
        """True: nothing rounds."""
        return True

    @property
    def dtype(self) -> Any:
        """int64, holding residues along the last axis."""
        return np.dtype(np.int64)

    @property
    def rest(self) -> np.dtype[Any]:
        """The type of ring elements at rest: the smallest unsigned one that holds all residues."""
        return unsigned_for(max(self.primes) - 1)

    def at_rest(self, values: NDArray[Any]) -> NDArray[Any]:
        """Ring elements in the smallest unsigned type that holds the residues of all primes."""
        if values.dtype != np.int64 or not below(values, max(self.primes)):
            return values
        return settled(values, self.rest)

    def from_rest(self, values: NDArray[Any]) -> NDArray[Any]:
        """Ring elements as int64."""
        return lifted(values)

    def holds(self, dtype: Any) -> bool:
        """Whether it is the type in which ring elements rest and travel."""
        return isinstance(dtype, np.dtype) and bool(dtype == self.rest)

    def constant(self, values: Any) -> NDArray[np.int64]:
        """Integers of any size and sign as ring elements, int64 ndarray (*shape, L)."""
        return self.join([field.constant(values) for field in self.fields])

    def part(self, values: NDArray[Any], place: int) -> NDArray[Any]:
        """The residues modulo one of the primes, C-contiguous, in the type of all."""
        return np.ascontiguousarray(values[..., place]).reshape(values.shape[:-1])

    def join(self, parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Ring elements from their residues modulo each of the primes, of one shape."""
        return parts[0][..., None] if len(parts) == 1 else np.stack(parts, axis=-1)

    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Ring elements as int64, if entry l of the last axis is in [0, p_l); else InvalidArgument.

        Raises:
            InvalidArgument: if the last axis is not L, or a value is no residue.
        """
        array = self._along(values, argument)
        parts = [
            field.validate(array[..., place], argument) for place, field in enumerate(self.fields)
        ]
        if array.dtype == np.int64:
            return np.ascontiguousarray(array)
        return self.join(parts)

    def _along(self, values: Any, argument: str) -> NDArray[Any]:
        """An ndarray whose last axis is that of the primes."""
        array = ndarray_of(values, argument, kind="integers")
        if array.ndim == 0 or array.shape[-1] != len(self.fields):
            raise InvalidArgument(
                argument,
                given=f"shape {array.shape}",
                needed=f"residues modulo {len(self.fields)} primes along the last axis",
                change="Compute the same function modulo each prime.",
            )
        return array

    def present(self, values: NDArray[Any]) -> Any:
        """A tuple of FieldArrays, one a prime; `EachPrime` runs work on each."""
        array = self._along(values, "values")
        return tuple(
            field.present(field.at_rest(self.part(array, place)))
            for place, field in enumerate(self.fields)
        )

    @property
    def lends(self) -> bool:
        """True: a FieldArray copies what was lent to it before it writes."""
        return True

    def prepared(self, values: NDArray[Any]) -> Prepared | None:
        """The residues modulo each prime, of several, where they lie behind each other.

        They take as much memory as the share, once more.
        """
        lendable = values.dtype == self.rest and values.flags.c_contiguous
        if not lendable or not values.flags.writeable or values.shape[-1:] != (len(self.fields),):
            return None
        parts = [field.at_rest(values[..., place]) for place, field in enumerate(self.fields)]
        if any(part.dtype != field.rest for part, field in zip(parts, self.fields, strict=True)):
            return None
        if any(not below(part, p) for part, p in zip(parts, self.primes, strict=True)):
            return None
        return () if len(parts) == 1 else tuple(np.array(part, order="C") for part in parts)

    def lend(self, values: NDArray[Any], prepared: Prepared) -> Any:
        """A tuple of FieldArrays, whose memory is copied before it is written in."""
        parts = prepared or (values[..., 0],)
        return tuple(field.lend(part, ()) for field, part in zip(self.fields, parts, strict=True))

    def accept(self, result: Any) -> NDArray[Any]:
        """What a function returned for each prime, as ring elements.

        Raises:
            InvalidArgument: if the results are not over their fields, or differ in shape.
        """
        if not isinstance(result, (tuple, list)) or len(result) != len(self.fields):
            raise InvalidArgument(
                "answer",
                given=shown(result),
                needed=f"one result modulo each of {len(self.fields)} primes",
                change="Compute the same function modulo each prime.",
            )
        parts = [field.accept(part) for field, part in zip(self.fields, result, strict=True)]
        if len({part.shape for part in parts}) > 1:
            raise InvalidArgument(
                "answer",
                given=f"shapes {[part.shape for part in parts]}",
                needed="one shape, whatever the prime",
                change="Compute the same function modulo each prime.",
            )
        return self.join(parts)

    def matmul(self, small: Any, big: Any) -> NDArray[Any]:
        """Exact product, field by field: (*rows, inner, L) by (inner, *shape, L)."""
        left, right = self._along(small, "small"), self._along(big, "big")
        product_shapes(left.shape[:-1], right.shape[:-1])
        return self.join(
            [
                field.matmul(self.part(left, place), self.part(right, place))
                for place, field in enumerate(self.fields)
            ]
        )


def further_fields(first: PrimeField, number: int) -> tuple[PrimeField, ...]:
    """A field, then those of the largest other primes below 2**31.

    Args:
        first: the first of them.
        number: how many in all, at most 1024.

    Raises:
        InvalidArgument: if the first is no field, or the number out of range.

    Example:
        >>> from anyk.domains.ring import further_fields
        >>> further_fields(anyk.PrimeField(2**31 - 1), 2)
        (PrimeField(2147483647), PrimeField(2147483629))
    """
    instance("first", first, PrimeField, change="Pass anyk.PrimeField().")
    return _further(first, count("number", number, least=1, most=_MOST_FIELDS))


@lru_cache(maxsize=64)
def _further(first: PrimeField, number: int) -> tuple[PrimeField, ...]:
    others = (
        PrimeField(candidate)
        for candidate in itertools.count(_LARGEST, -2)
        if candidate != first.modulus and is_prime(candidate)
    )
    return (first, *itertools.islice(others, number - 1))
