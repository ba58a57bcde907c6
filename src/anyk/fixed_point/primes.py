"""Which primes hold results: as small as they may be, and several where those cost less than one.

A product of residues takes one product of floats a term where p < 2^25, and two above. Residues lie
in memory and travel as unsigned integers of 1, 2 or 4 bytes. And each prime has masks of its own,
calls, and answers to decode. So a set of primes costs, for each of them,

    products + bytes / 4 + 1 / 2,

and of sets that cost the same the one with fewest primes is taken. `benchmarks/primes_by_budget.py`
measures what that takes beside the fewest primes of 31 bits: 0.8 of the time for shares and for
products with a vector, and half of it for products of matrices, where two or three primes of 24
bits take the place of as many.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from anyk.domains.integers import is_prime
from anyk.domains.prime import PrimeField
from anyk.domains.ring import further_fields
from anyk.fixed_point.budget import MOST_PRIMES, enough_primes

__all__ = ["LIARS", "fields_for", "prime_sets", "smallest"]

LIARS: Final = PrimeField().modulus
"""What the product of the primes is at least where liars are looked for.

Up to A of them are found with the chance that is promised, whatever the primes are: checks and
random combinations are as many as p takes. Of more, whose lies differ from the truth modulo each of
the primes, a coincidence stays as unlikely as over the default field.
"""

_BYTES: Final = {8: 1, 16: 2, 24: 4, 25: 4, 31: 4}
"""Bits of primes that are thought of, and the bytes of a residue at rest."""

_ONE_PRODUCT: Final = 25  # bits, up to which a term takes one product of floats
_SHALLOW: Final = 24  # bits, beyond which sums of products are reduced sooner, the larger p is


@lru_cache(maxsize=256)
def prime_sets(
    worst: int, *, product: int = 1, least: int = 3
) -> tuple[tuple[PrimeField, ...], ...]:
    """Sets of primes that hold integers up to `worst`, of either sign, the cheapest first.

    Args:
        worst: the largest absolute value.
        product: what the product of the primes is to reach anyhow.
        least: what each of them is to reach.

    Returns:
        Sets of at most 16 primes; () where so many hold too little.

    Example:
        >>> from anyk.fixed_point.primes import prime_sets
        >>> prime_sets(2**14)[0], prime_sets(2**14, product=2**31 - 1)[0]
        ((PrimeField(65521),), (PrimeField(2147483647),))
        >>> prime_sets(2**40)[0]
        (PrimeField(16777213), PrimeField(16777199))
    """
    needed = max(2 * worst + 1, product)
    found = []
    for bits in _BYTES:
        number = math.ceil(needed.bit_length() / bits)
        for many in (number, number + 1):
            fields = _set_of(bits, many, needed) if many <= MOST_PRIMES else None
            if fields is not None and smallest(fields).modulus >= least:
                found.append((_cost(bits, many), many, bits, fields))
                break
    return tuple(fields for *_, fields in sorted(found, key=lambda each: each[:3]))


def fields_for(worst: int, first: PrimeField, number: int | None = None) -> tuple[PrimeField, ...]:
    """The fields that hold integers up to `worst`; too few, where 16 primes hold too little.

    Args:
        worst: the largest absolute value.
        first: of them; the default 2^31 - 1 stands for those that cost least.
        number: how many there are to be: then the others are the largest. None for what is enough.

    Example:
        >>> from anyk.fixed_point.primes import fields_for
        >>> fields_for(1000, anyk.PrimeField()), fields_for(1000, anyk.PrimeField(), 1)
        ((PrimeField(65521),), (PrimeField(2147483647),))
    """
    if number is None and first == PrimeField():
        sets = prime_sets(worst)
        if sets:
            return sets[0]
    return further_fields(first, number or enough_primes(worst, first) or MOST_PRIMES)


def smallest(fields: Iterable[PrimeField]) -> PrimeField:
    """The field with fewest elements.

    Args:
        fields: one or more.
    """
    return min(fields, key=lambda each: each.modulus)


def _cost(bits: int, number: int) -> float:
    return number * ((1 if bits <= _ONE_PRODUCT else 2) + _BYTES[bits] / 4 + 1 / 2)


def _set_of(bits: int, number: int, needed: int) -> tuple[PrimeField, ...] | None:
    """So many primes of so many bits, if their product reaches what is needed.

    The largest there are, as masks are drawn without rejecting many words; but the smallest that
    will do where sums are reduced sooner the larger they are.
    """
    largest = _largest(bits, number)
    if largest is None or math.prod(each.modulus for each in largest) < needed:
        return None
    if not _SHALLOW < bits <= _ONE_PRODUCT:
        return largest
    start = max(1 << _SHALLOW, math.ceil(needed ** (1 / number)))
    odd = (each for each in itertools.count(start | 1, 2) if is_prime(each))
    smallest = tuple(PrimeField(each) for each in itertools.islice(odd, number))
    fits = smallest[-1].modulus >> bits == 0
    return smallest if fits and math.prod(each.modulus for each in smallest) >= needed else largest


@lru_cache(maxsize=64)
def _largest(bits: int, number: int) -> tuple[PrimeField, ...] | None:
    """So many primes below 2^bits, the largest; None where there are fewer of so many bits."""
    below = range((1 << bits) - 1, 1 << (bits - 1), -2)
    fields = (PrimeField(each) for each in below if is_prime(each))
    found = tuple(itertools.islice(fields, number))
    return found if len(found) == number else None
