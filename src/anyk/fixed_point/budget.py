"""Whether integers up to a given size fit modulo some primes, and what to change where not."""

from __future__ import annotations

import math
from collections.abc import Sequence

from anyk.checks import count
from anyk.domains.prime import PrimeField
from anyk.domains.ring import further_fields
from anyk.errors import InvalidArgument, Unachievable

__all__ = [
    "MOST_PRIMES",
    "enough_primes",
    "fits",
    "in_short",
    "prime_count",
    "require_room",
    "require_within",
]

MOST_PRIMES = 16
"""More are never taken: each is one more computation."""


def fits(worst: int, fields: Sequence[PrimeField]) -> bool:
    """Whether integers up to `worst`, of either sign, differ modulo the product: 2·worst < P.

    Example:
        >>> from anyk.fixed_point.budget import fits
        >>> fits(3, [anyk.PrimeField(7)]), fits(4, [anyk.PrimeField(7)])
        (True, False)
    """
    return 2 * worst < math.prod(field.modulus for field in fields)


def enough_primes(worst: int, first: PrimeField) -> int | None:
    """How many primes they fit modulo; None if 16 are too few.

    Args:
        worst: the largest absolute value.
        first: the field of the first prime.

    Example:
        >>> from anyk.fixed_point.budget import enough_primes
        >>> enough_primes(2**40, anyk.PrimeField())
        2
    """
    for number in range(1, MOST_PRIMES + 1):
        if fits(worst, further_fields(first, number)):
            return number
    return None


def require_room(
    worst: int, fields: Sequence[PrimeField], *, terms: str = "", fewer: int | None = None
) -> None:
    """Refuse primes that integers up to `worst` would wrap in.

    Args:
        worst: the largest absolute value.
        fields: of the primes.
        terms: how it came about, as a product of declared numbers; "" where it was not declared.
        fewer: how many fraction bits would do instead; None if that is not known.

    Raises:
        Unachievable: the inequality, its numbers, and what to change.
    """
    if fits(worst, fields):
        return
    enough = enough_primes(worst, fields[0])
    knobs = [f"lower {'magnitude, summands or degree' if terms else 'fraction_bits or magnitude'}"]
    if fewer is not None:
        knobs.insert(0, f"take fraction_bits={fewer}")
    if enough is not None:
        knobs.append(f"take primes={enough}")
    modulus = math.prod(field.modulus for field in fields)
    size = f"{in_short(2 * worst)} < {in_short(modulus)}"
    primes = f"({len(fields)} prime{'s' if len(fields) > 1 else ''})"
    raise Unachievable(
        "embedding",
        given=f"integers up to {in_short(worst)} in the result",
        needed=(
            f"2·n·c·B^d < P, that is 2*{terms} = {size} {primes}, where B is "
            "2^fraction_bits * magnitude, rounded"
            if terms
            else f"twice as much below the product of the primes: {size} {primes}"
        ),
        change=f"{', or '.join(knobs).capitalize()}.",
    )


def require_within(largest: float, worst: int) -> None:
    """Refuse a result that no function within the budget has.

    Args:
        largest: the largest absolute value in the result.
        worst: the largest that the budget allows.

    Raises:
        InvalidArgument: if it is beyond.
    """
    if largest > float(worst):
        raise InvalidArgument(
            "embedding",
            given=f"the integer {largest:.6g} in the result",
            needed=f"at most n·c·B^d = {float(worst):.6g}",
            change=(
                "The function has other terms than stated: raise summands, coefficient or degree, "
                "or make its lower terms homogeneous. Or a worker lied to a scheme without spare "
                "answers: raise adversaries."
            ),
        )


def prime_count(number: int) -> int:
    """Check how many primes are asked for.

    Raises:
        InvalidArgument: if it is not an integer from 1 to 16.
    """
    primes = count("primes", number, least=1)
    if primes > MOST_PRIMES:
        raise InvalidArgument(
            "primes",
            given=str(primes),
            needed=f'at most {MOST_PRIMES}, or "auto"',
            change="Lower it: each prime is one more computation.",
        )
    return primes


def in_short(number: int) -> str:
    """An integer for an error: its digits, or a power of two where those are many.

    Example:
        >>> from anyk.fixed_point.budget import in_short
        >>> in_short(1000), in_short(2**70)
        ('1000', '2^70.00')
    """
    return str(number) if number < 10**12 else f"2^{math.log2(number):.2f}"
