"""How large the integers are that residues have room for, and how many primes that takes."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Final

from anyk.codes.exact.chinese import dimension_of
from anyk.domains.balanced import largest_primes
from anyk.errors import InvalidArgument
from anyk.schemes.certainty import Certainty
from anyk.schemes.products.whole_factors import WholeFactor

__all__ = ["MOST_BITS", "MOST_PRIMES", "certainty_of", "require_room"]

MOST_BITS: Final = 1 << 13
"""Of an entry of a product: those of any float64 have half as many."""

MOST_PRIMES: Final = 1 << 14
"""That are looked for."""

_BITS = 22  # each prime has more
_BEYOND = Fraction(2) ** 1023  # float64 ends above it


@lru_cache(maxsize=256)
def certainty_of(
    shares: int,
    bits: int,
    *,
    adversaries: int,
    detects: int | None,
    pieces: int,
    verified: bool,
) -> Certainty | None:
    """When integers below 2**bits are certain, that were read from residues.

    Args:
        shares: how many primes there are.
        bits: b.
        adversaries: A.
        detects: D.
        pieces: r.
        verified: whether each answer is checked when it comes.

    Returns:
        None where that takes more primes than are looked for.

    Example:
        >>> from anyk.schemes.products.residue_room import certainty_of
        >>> some = {"detects": None, "pieces": 1, "verified": False}
        >>> certainty_of(6, 63, adversaries=1, **some).threshold
        5
    """
    named = 0 if verified else adversaries

    def of(dimension: int) -> Certainty:
        return Certainty(
            dimension=dimension,
            adversaries=named,
            detects=None if verified else detects,
            pieces=pieces,
        )

    number = max(shares, of(-(-bits // _BITS) + 1).threshold + pieces * adversaries)
    if number > MOST_PRIMES:
        return None
    dimension = dimension_of(largest_primes(number), bits, pieces * named)
    return of(dimension or number)


def require_room(A: WholeFactor, B: WholeFactor, bits: int) -> None:
    """Refuse factors of which a product may be larger than what is promised to be told.

    Args:
        A: the left factor, of two axes.
        B: the right one.
        bits: entries of a product of integers are below 2**bits.

    Raises:
        InvalidArgument: if an entry may be too large for them, or for a float64.
    """
    inner = A.integers.shape[1]
    needed = (inner * A.largest * B.largest).bit_length()
    real = A.exponents is not None or B.exponents is not None
    if real and inner * A.top * B.top >= _BEYOND:
        raise InvalidArgument(
            "X",
            given="floats of which a product may be beyond the largest float64",
            needed="inner times the largest entries of A and of B below 2**1023",
            change="Divide a factor by a power of two, and multiply the value by it.",
        )
    if needed <= bits:
        return
    scaled = ", when its factors are scaled to integers" if real else ""
    if needed > MOST_BITS:
        raise InvalidArgument(
            "X",
            given=f"factors of which a product may have {needed} bits{scaled}",
            needed=f"at most {MOST_BITS} bits",
            change="Multiply smaller numbers.",
        )
    raise InvalidArgument(
        "bits",
        given=f"{bits}, and factors of which a product may have {needed}{scaled}",
        needed=f"at least {needed}",
        change=f"Pass bits={needed}, with as many more workers as that takes.",
    )
