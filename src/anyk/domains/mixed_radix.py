"""From residues modulo several primes back to one integer: the Chinese remainder theorem in numpy.

An integer v with |v| < P/2, where P = p_1···p_L, is the residues v mod p_1, .., v mod p_L, stored
along the last axis. Garner's algorithm finds the digits of v = d_1 + p_1 (d_2 + p_2 (d_3 + ..)),
each below its prime, in products below 2**62. Two primes fit in int64; more go in limbs of 32 bits.

Reference: Knuth: The Art of Computer Programming, volume 2 (3rd edition), section 4.3.2, for
Garner's method.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.checks import several
from anyk.domains.prime import PrimeField
from anyk.domains.ring import ResidueRing

__all__ = ["nearest_floats", "signed_integers"]

_WORD = 2  # so many primes below 2**31 have a product below 2**62
_LIMB = 32  # bits
_HEAD = 64  # bits


def signed_integers(residues: Any, primes: Sequence[int]) -> NDArray[Any]:
    """The integers v, |v| <= P/2, that have these residues.

    Args:
        residues: integers (*shape, L), entry l in [0, p_l).
        primes: L distinct odd primes below 2**31.

    Raises:
        InvalidArgument: if the primes are none, or an entry is no residue.

    Returns:
        Object ndarray of that shape, of Python integers.

    Example:
        >>> from anyk.domains.mixed_radix import signed_integers
        >>> signed_integers(np.array([[1, 1, 1], [4, 6, 10]]), (5, 7, 11)).tolist()
        [1, -1]
    """
    ring = _ring(primes)
    primes, residues = ring.primes, ring.validate(residues, "residues")
    digits = [digit.astype(object) for digit in _digits(residues, primes)]
    value = reduce(
        lambda high, place: high * place[0] + place[1],
        zip(primes[-2::-1], digits[-2::-1], strict=True),
        digits[-1],
    )
    product = math.prod(primes)
    above = np.asarray(value > product // 2, dtype=object)
    return np.asarray(value - product * above, dtype=object)


def nearest_floats(residues: Any, primes: Sequence[int]) -> NDArray[np.float64]:
    """The same integers as float64, each correctly rounded: exact below 2**53, half to even above.

    Args:
        residues: integers (*shape, L), entry l in [0, p_l).
        primes: L distinct odd primes below 2**31.

    Raises:
        InvalidArgument: if the primes are none, or an entry is no residue.

    Returns:
        float64 ndarray of that shape.

    Example:
        >>> from anyk.domains.mixed_radix import nearest_floats
        >>> nearest_floats(np.array([[1, 1, 1], [4, 6, 10]]), (5, 7, 11))
        array([ 1., -1.])
    """
    ring = _ring(primes)
    primes, residues = ring.primes, ring.validate(residues, "residues")
    digits = _digits(residues, primes)
    if len(primes) <= _WORD:
        product = math.prod(primes)
        value = digits[0] if len(primes) == 1 else digits[0] + primes[0] * digits[1]
        return (value - product * (value > product // 2)).astype(np.float64)
    negative = _above_half(digits, primes)
    moduli = np.array(primes, dtype=np.int64)
    turned = np.where(negative[..., None] & (residues != 0), moduli - residues, residues)
    size = _rounded(_limbs(_digits(turned, primes), primes))
    return np.where(negative, -size, size)


def _ring(primes: Iterable[int]) -> ResidueRing:
    """The ring of these primes, if they are distinct and odd."""
    every = several("primes", primes, change="Pass a tuple of them.")
    return _known_ring(every) if all(type(prime) is int for prime in every) else _made_ring(every)


def _made_ring(primes: tuple[int, ...]) -> ResidueRing:
    return ResidueRing(tuple(PrimeField(prime) for prime in primes))


_known_ring = lru_cache(maxsize=64)(_made_ring)


def _digits(residues: NDArray[np.int64], primes: Sequence[int]) -> list[NDArray[np.int64]]:
    """Garner's mixed-radix digits, least significant first."""
    digits: list[NDArray[np.int64]] = []
    for place, prime in enumerate(primes):
        digit = residues[..., place]
        for known, base in zip(digits, primes, strict=False):
            product = (digit - known) * pow(base, -1, prime)  # below 2**62 either way
            digit = product - product // prime * prime
        digits.append(digit)
    return digits


def _above_half(digits: Sequence[NDArray[np.int64]], primes: Sequence[int]) -> NDArray[np.bool_]:
    """Whether v > P/2 in [0, P), by comparing digits from the least significant up."""
    half = math.prod(primes) // 2
    above = np.zeros(digits[0].shape, dtype=np.bool_)
    for digit, prime in zip(digits, primes, strict=True):
        half, own = divmod(half, prime)
        above = (digit > own) | ((digit == own) & above)
    return above


def _limbs(digits: Sequence[NDArray[np.int64]], primes: Sequence[int]) -> list[NDArray[np.uint64]]:
    """The digits as limbs of 32 bits, least significant first, by Horner's rule."""
    words = [digit.astype(np.uint64) for digit in digits]
    limbs = [words[-1]]
    for prime, word in zip(primes[-2::-1], words[-2::-1], strict=True):
        carry = word
        for place, limb in enumerate(limbs):
            total = limb * np.uint64(prime) + carry  # below 2**32 * 2**31 + 2**32
            limbs[place] = total & np.uint64((1 << _LIMB) - 1)
            carry = total >> np.uint64(_LIMB)
        limbs.append(carry)
    return limbs


def _rounded(limbs: Sequence[NDArray[np.uint64]]) -> NDArray[np.float64]:
    """Round to nearest, half to even: the leading 64 bits, the last of them sticky."""
    head = np.zeros(limbs[0].shape, dtype=np.uint64)
    lost = np.zeros(head.shape, dtype=np.bool_)
    shift = np.zeros(head.shape, dtype=np.int64)
    for limb in reversed(limbs):
        used = np.frexp(head.astype(np.float64))[1]  # may be one too many, never too few
        take = np.clip(_HEAD - used, 0, _LIMB).astype(np.uint64)
        left = np.uint64(_LIMB) - take
        head = (head << take) | (limb >> left)
        lost |= limb != (limb >> left) << left
        shift += left.astype(np.int64)
    return np.ldexp((head | lost.astype(np.uint64)).astype(np.float64), shift)
