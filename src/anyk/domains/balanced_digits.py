"""Integers from balanced residues: mixed-radix digits nearest to zero, all of them in float64.

An integer v with |v| < P/2, P = p_1···p_k of odd numbers below 2**23, is
v = d_1 + p_1 (d_2 + p_2 (d_3 + ..)) with |d_l| <= p_l / 2, by Garner's algorithm on residues
nearest to zero: no other sign is kept, and v / P is known to a few units of 2**-53 of itself, as
in each step of (.. (d_1 / p_1 + d_2) / p_2 + ..) what is added is 0 or at least twice as large as
what is there. Each product of a digit and a residue is below 2**47.

References: Knuth: The Art of Computer Programming, volume 2 (3rd edition), section 4.3.2, for
Garner's method and balanced digits; Dekker: A floating-point technique for extending the available
precision (Numerische Mathematik 1971), for sums and products without error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from anyk.domains.balanced import balanced, balanced_number

__all__ = ["digits_of", "fractions", "integers", "rounded", "to_modulus", "wrapped"]

Digits = Sequence[NDArray[np.float64]]

_MOST_BITS = 1000  # of P, so that float64 holds what is below it
_SPLIT = float((1 << 27) + 1)
_DOUBT = 2.0**-90  # more than all rounding of a pair of numbers, by the first of them
_SMALL = float(1 << 62)
_NORMAL = 2.0**-1021


def digits_of(residues: Digits, primes: Sequence[int]) -> list[NDArray[np.float64]]:
    """The digits of the integers that have these residues, least significant first.

    Args:
        residues: k float64 ndarrays of one shape, of residues nearest to zero.
        primes: k distinct odd primes below 2**23.

    Example:
        >>> from anyk.domains.balanced_digits import digits_of
        >>> digits_of([np.array([-2.0]), np.array([0.0])], (5, 7))  # -7 = -2 + 5 · (-1)
        [array([-2.]), array([-1.])]
    """
    digits: list[NDArray[np.float64]] = []
    for residue, prime in zip(residues, primes, strict=True):
        digit = residue
        for known, base in zip(digits, primes, strict=False):
            inverse = balanced_number(pow(base, -1, prime), prime)
            digit = balanced((digit - known) * inverse, prime)
        digits.append(digit)
    return digits


def fractions(digits: Digits, primes: Sequence[int]) -> NDArray[np.float64]:
    """The quotient v / P, in [-1/2, 1/2], with a relative error below 2**-50."""
    share = digits[0] * (1.0 / primes[0])
    for digit, prime in zip(digits[1:], primes[1:], strict=True):
        share += digit
        share *= 1.0 / prime
    return share


def to_modulus(digits: Digits, primes: Sequence[int], modulus: int) -> NDArray[np.float64]:
    """The residue of v modulo another odd number below 2**23, nearest to zero."""
    value = balanced(digits[-1], modulus)
    for digit, prime in zip(digits[-2::-1], primes[-2::-1], strict=True):
        value = balanced(value * balanced_number(prime, modulus) + digit, modulus)
    return value


def wrapped(digits: Digits, primes: Sequence[int]) -> NDArray[np.int64]:
    """The residue of v modulo 2**64, as int64: v itself where |v| < 2**63."""
    value = digits[-1].astype(np.int64)
    for digit, prime in zip(digits[-2::-1], primes[-2::-1], strict=True):
        value *= prime
        value += digit.astype(np.int64)
    return value


def integers(digits: Digits, primes: Sequence[int]) -> NDArray[np.object_]:
    """The same integers as Python's integers, in an object ndarray."""
    pairs = zip(digits[-2::-1], primes[-2::-1], strict=True)
    value = reduce(
        lambda high, low: high * low[1] + low[0].astype(np.int64).astype(object),
        pairs,
        digits[-1].astype(np.int64).astype(object),
    )
    return np.asarray(value, dtype=object)


def rounded(
    digits: Digits, primes: Sequence[int], exponents: NDArray[np.int64]
) -> NDArray[np.float64]:
    """v·2**exponent as float64, correctly rounded: to nearest, half to even, subnormals too.

    Args:
        digits: of v, ndarrays (L,).
        primes: of the digits.
        exponents: int64 ndarray (L,); no result may be beyond the largest float64.

    Example:
        >>> from anyk.domains.balanced_digits import digits_of, rounded
        >>> digits = digits_of([np.array([-2.0]), np.array([0.0])], (5, 7))
        >>> rounded(digits, (5, 7), np.array([-1]))
        array([-3.5])
    """
    if math.prod(primes).bit_length() > _MOST_BITS:
        return _exactly(digits, primes, exponents)
    high, low = _pair(digits, primes)
    doubt = np.abs(high) * _DOUBT
    unsure = high + (low + doubt) != high + (low - doubt)
    small = np.abs(high) < _SMALL
    high[small] = wrapped([digit[small] for digit in digits], primes)  # rounded by the conversion
    unsure &= ~small
    with np.errstate(under="ignore"):
        value = np.ldexp(high, exponents)
    unsure |= (np.abs(value) < _NORMAL) & (high != 0.0)  # would have been rounded twice
    if unsure.any():
        few = [digit[unsure] for digit in digits]
        value[unsure] = _exactly(few, primes, exponents[unsure])
    return value


def _exactly(
    digits: Digits, primes: Sequence[int], exponents: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The same, one by one: Python's conversion and division of integers round correctly."""
    whole = integers(digits, primes)
    pairs = zip(whole.tolist(), exponents.tolist(), strict=True)
    each = (float(v << e) if e >= 0 else v / (1 << -e) for v, e in pairs)
    return np.fromiter(each, dtype=np.float64, count=len(whole))


def _pair(digits: Digits, primes: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A sum of two float64, the second below half a unit of the first, by Horner's rule."""
    high, low = digits[-1].copy(), np.zeros_like(digits[-1])
    for digit, prime in zip(digits[-2::-1], primes[-2::-1], strict=True):
        split = high * _SPLIT
        upper = split - (split - high)  # 26 bits, times 23 bits
        first, second = upper * prime, (high - upper) * prime
        total, lost = _two_sum(first, second)
        total, more = _two_sum(total, digit)
        low = low * prime + (lost + more)
        high, low = _two_sum(total, low)
    return high, low


def _two_sum(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A sum, and what rounding took from it."""
    total = one + other
    part = total - one
    return total, (one - (total - part)) + (other - part)
