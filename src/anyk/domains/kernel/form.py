"""How an operand is cut so that sums are exact, and how many terms one may have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import final

from anyk.domains.kernel.reduction import raised_room, room

__all__ = ["HALF", "Limbs", "Wide", "limbs_form", "wide_form"]

HALF = 16
"""Bits of the lower half of a residue."""

_FEW = 16  # terms: sums of fewer whole residues are reduced too often to be worth their while
_DEEP = 1024  # terms, beyond which an array of them leaves the cache
_MOST = 3  # limbs
_LONG = 11  # bits of a limb, of three


@final
@dataclass(frozen=True)
class Wide:
    """The small operand stays whole, |a| <= p // 2, and the big one b is cut or moved.

    In halves, b = high * 2**16 + low, a * b is a * low + (2**16 * a mod p) * high modulo p: two
    terms of one sum, at most (p // 2) * (low + high) together. Moved, a * b is
    a * (b - shift) + shift * a: a constant of each row, and terms half as large.

    Args:
        halves: whether b is cut in halves.
        shift: what is taken from b.
        depth: how many terms are summed at a time.
        single: whether these are all that the product has.
        raised: whether 1/2 is added to a single sum, which is then reduced without a division.
    """

    halves: bool
    shift: int
    depth: int
    single: bool
    raised: bool

    @property
    def terms(self) -> int:
        """Of a sum, as BLAS makes it: two of a halved one, and that of 1/2."""
        return self.depth * (1 + self.halves) + self.raised


@final
@dataclass(frozen=True)
class Limbs:
    """The big operand stays whole, 0 <= b < p, and the small one is cut in limbs.

    These are its digits to base 2**bits, from -2**(bits - 1) on, and each has a sum of its own.

    Args:
        number: of limbs.
        bits: of each.
        depth: how many terms of one sum are exact.
    """

    number: int
    bits: int
    depth: int


@lru_cache(maxsize=256)
def wide_form(inner: int, modulus: int, largest: int) -> Wide:
    """The form of a product with many rows.

    Args:
        inner: how many terms an element of the product has.
        modulus: p < 2**31.
        largest: of the big operand's numbers.
    """
    most, half = room(modulus), modulus // 2
    deep = min(inner, _DEEP)
    whole = most // max(1, half * largest)
    if whole >= deep:
        return _wide(inner, deep, half * largest)
    shift = (largest + 1) // 2
    moved = most // (half * shift)
    if moved >= _FEW:
        return _wide(inner, min(deep, moved), half * shift, shift=shift)
    term = half * ((1 << HALF) - 1 + (largest >> HALF))
    return _wide(inner, most // term, term, halves=True)


def _wide(inner: int, depth: int, term: int, *, halves: bool = False, shift: int = 0) -> Wide:
    """In pieces of about one length, each term of which is at most so large."""
    pieces = -(-inner // depth)
    single = pieces == 1 and not shift
    raised = single and inner * term <= raised_room()
    return Wide(halves, shift, -(-inner // pieces), single, raised)


def limbs_form(inner: int, modulus: int, largest: int, enough: int) -> Limbs:
    """The form of a product with few rows: as few limbs as have sums of enough terms.

    Args:
        inner: how many terms an element of the product has.
        modulus: p < 2**31.
        largest: of the big operand's numbers.
        enough: terms of a sum, with which it is not reduced too often.
    """
    most, half = room(modulus), modulus // 2
    for number in range(1, _MOST + 1):
        bits = half.bit_length() if number == 1 else -(-(half.bit_length() + 1) // number)
        digit = half if number == 1 else 1 << (bits - 1)
        depth = most // max(1, digit * largest)
        if depth >= min(inner, enough) or number == _MOST:
            break
    return Limbs(number, bits, min(depth, max(1, inner)))
