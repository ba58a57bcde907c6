"""Which primes a scheme holds integers with: those that cost least and have room for its points."""

from __future__ import annotations

from anyk.domains.prime import PrimeField
from anyk.errors import Unachievable
from anyk.fixed_point.primes import LIARS, fields_for, prime_sets
from anyk.schemes.base import AbstractScheme

__all__ = ["primes_of"]


def primes_of(
    scheme: AbstractScheme, worst: int, number: int | None = None, *, least: int = 3
) -> tuple[PrimeField, ...]:
    """The primes that a scheme holds integers up to `worst` with.

    Args:
        scheme: over a prime field.
        worst: the largest absolute value of an integer in the value.
        number: how many are asked for; None for what costs least.
        least: what each of the latter is to reach.

    Example:
        >>> from anyk.schemes.wrappers.primes import primes_of
        >>> few, many = (anyk.Lagrange(blocks=2, degree=1, workers=N) for N in (4, 400))
        >>> primes_of(few, 100), primes_of(many, 100)
        ((PrimeField(251),), (PrimeField(65521),))
        >>> primes_of(anyk.Lagrange(blocks=2, degree=1, workers=4, adversaries=1), 100)
        (PrimeField(2147483647),)
    """
    first: PrimeField = scheme.domain  # type: ignore[assignment] # checked before
    if number is None and first == PrimeField():
        product = LIARS if _looks_for_liars(scheme) else 1
        for fields in prime_sets(worst, product=product, least=least):
            try:
                for field in fields:
                    scheme.over(field)
            except Unachievable:  # too small for its points
                continue
            return fields
    return fields_for(worst, first, number)


def _looks_for_liars(scheme: AbstractScheme) -> bool:
    """Whether answers are held against each other."""
    inner = getattr(scheme, "scheme", scheme)
    return scheme.guarantee.adversaries > 0 or bool(getattr(inner, "detects", 0))
