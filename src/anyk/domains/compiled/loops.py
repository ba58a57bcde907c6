"""The loops that numba compiles, one a function, over memory in a row.

Products of two residues below p < 2**31 are below 2**62: four of them fit in 64 bits, and so do
`depth` of them beside one residue, where p - 1 + depth * (p - 1)**2 < 2**64. Those are the loops
with one sum. Elsewhere a sum of up to four products is cut in its low and its high 32 bits, which
are summed apart: each sum stays below 2**64 for 2**32 such numbers, and
high * 2**32 + low = (high mod p) * (2**32 mod p) + (low mod p), below 2**62 + 2**31, modulo p.

Factors of a multiplication are below 2**32 and known to be (the masks say so of int64), so that
the compiler takes for them the instruction that processors have on vectors.

A number x < 2**64 is reduced with inverse = 2**64 // p: x / p - x * inverse / 2**64 is in [0, 1),
so that the quotient q = x * inverse // 2**64 is right or one too small: x - q * p is in [0, 2p),
below 2**32, and its low 32 bits are all of it.

The product x < 2**2n of two residues, for p of n bits, is reduced by fewer multiplications, with
short = (2**2n - 1) // p: x / p - (x // 2**(n - 1)) * short / 2**(n + 1) is in [0, 2), less than
x / 2**2n + 2**(n - 1) / p, so that the quotient is at most two too small: x - q * p is in [0, 3p).

References:
    Barrett: Implementing the Rivest Shamir and Adleman public key encryption algorithm on a
    standard digital signal processor (CRYPTO 1986), for quotients by an inverse made once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "across",
    "across_split",
    "along",
    "along_split",
    "powers",
    "stacks",
    "times",
]

Words = NDArray[np.uint64]
Factors = NDArray[np.uint32]
Prime = tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64]
"""p, 2**64 // p, the depth of one sum, (2**2n - 1) // p, and n - 1."""

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_NONE = np.uint64(0)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_WIDE = 2048  # sums at a time
_PART = 512  # numbers at a time, while their powers are made

BLOCK = 1024
"""Terms at a time, which stay in cache for the further rows of factors."""


def reduced(number: np.uint64, prime: Prime) -> np.uint64:
    """The residue of a number below 2**64."""
    modulus, inverse, _, _, _ = prime
    low, high = number & _LOW, number >> _HALF
    inverse_low, inverse_high = inverse & _LOW, inverse >> _HALF
    middle = high * inverse_low + ((low * inverse_low) >> _HALF)
    other = low * inverse_high + (middle & _LOW)
    quotient = high * inverse_high + (middle >> _HALF) + (other >> _HALF)
    rest = (number - (quotient & _LOW) * modulus) & _LOW
    least: np.uint64 = np.minimum(rest, (rest - modulus) & _LOW)
    return least


def lowered(number: np.uint64, prime: Prime) -> np.uint64:
    """The residue of a product of two residues."""
    modulus, _, _, short, below = prime
    quotient = (((number >> below) & _LOW) * (short & _LOW)) >> (below + _TWO)
    rest = number - (quotient & _LOW) * (modulus & _LOW)
    rest = np.minimum(rest, rest - modulus)
    least: np.uint64 = np.minimum(rest, rest - modulus)
    return least


def settled(numbers: Words, prime: Prime) -> None:
    """Reduce numbers below 2**64, in place."""
    for place in range(numbers.size):
        numbers[place] = reduced(numbers[place], prime)


def joined(low: Words, high: Words, prime: Prime) -> None:
    """The residues of high * 2**32 + low, in the place of low."""
    shift = reduced(_LOW, prime) + _ONE
    for place in range(low.size):
        above = reduced(high[place], prime) * shift
        low[place] = reduced(above + reduced(low[place], prime), prime)


def along(memory: NDArray[Any], factors: Factors, step: int, prime: Prime, out: Words) -> None:
    """Products of each row of memory with each row of factors; the depth is at least a block."""
    rows, inner = factors.shape
    out[:] = _NONE
    for place in range(out.shape[1]):
        for first in range(0, inner, BLOCK):
            size = min(BLOCK, inner - first)
            terms = memory[place * step + first : place * step + first + size]
            for row in range(rows):
                own = factors[row, first : first + size]
                total = _NONE
                for each in range(size):
                    total += (np.uint64(terms[each]) & _LOW) * np.uint64(own[each])
                out[row, place] += reduced(total, prime)
    for row in range(rows):
        settled(out[row], prime)


def along_split(
    memory: NDArray[Any], factors: Factors, step: int, prime: Prime, out: Words
) -> None:
    """As `along`, of any depth, in two sums."""
    rows, inner = factors.shape
    further = np.zeros(out.shape, np.uint64)
    out[:] = _NONE
    for place in range(out.shape[1]):
        for first in range(0, inner, BLOCK):
            size = min(BLOCK, inner - first)
            terms = memory[place * step + first : place * step + first + size]
            for row in range(rows):
                own = factors[row, first : first + size]
                low = high = _NONE
                for each in range(size):
                    number = (np.uint64(terms[each]) & _LOW) * np.uint64(own[each])
                    low += number & _LOW
                    high += number >> _HALF
                out[row, place] += low
                further[row, place] += high
    for row in range(rows):
        joined(out[row], further[row], prime)


def four(memory: NDArray[Any], start: int, step: int, size: int) -> Any:
    """The same columns of four rows of memory."""
    one = memory[start : start + size]
    two = memory[start + step : start + step + size]
    three = memory[start + 2 * step : start + 2 * step + size]
    return one, two, three, memory[start + 3 * step : start + 3 * step + size]


def across(memory: NDArray[Any], factors: Factors, step: int, prime: Prime, out: Words) -> None:
    """Sums of the rows of memory, each times its factor in a row of factors."""
    (rows, inner), columns = factors.shape, out.shape[1]
    depth = min(np.int64(prime[2]), inner)
    out[:] = _NONE
    for first in range(0, columns, _WIDE):
        size = min(_WIDE, columns - first)
        for top in range(0, inner, depth):
            bottom = min(top + depth, inner)
            fours = bottom - (bottom - top) % 4
            for place in range(top, fours, 4):
                one, two, three, last = four(memory, place * step + first, step, size)
                for row in range(rows):
                    own, by = out[row, first : first + size], factors[row, place : place + 4]
                    for each in range(size):
                        number = (np.uint64(one[each]) & _LOW) * np.uint64(by[0])
                        number += (np.uint64(two[each]) & _LOW) * np.uint64(by[1])
                        number += (np.uint64(three[each]) & _LOW) * np.uint64(by[2])
                        number += (np.uint64(last[each]) & _LOW) * np.uint64(by[3])
                        own[each] += number
            for place in range(fours, bottom):
                one = memory[place * step + first : place * step + first + size]
                for row in range(rows):
                    own, factor = out[row, first : first + size], np.uint64(factors[row, place])
                    for each in range(size):
                        own[each] += (np.uint64(one[each]) & _LOW) * factor
            for row in range(rows):
                settled(out[row, first : first + size], prime)


def across_split(
    memory: NDArray[Any], factors: Factors, step: int, prime: Prime, out: Words
) -> None:
    """As `across`, of any depth, in two sums."""
    (rows, inner), columns = factors.shape, out.shape[1]
    fours = inner - inner % 4
    further = np.zeros(out.shape, np.uint64)
    out[:] = _NONE
    for first in range(0, columns, _WIDE):
        size = min(_WIDE, columns - first)
        for place in range(0, fours, 4):
            one, two, three, last = four(memory, place * step + first, step, size)
            for row in range(rows):
                low, by = out[row, first : first + size], factors[row, place : place + 4]
                high = further[row, first : first + size]
                for each in range(size):
                    number = (np.uint64(one[each]) & _LOW) * np.uint64(by[0])
                    number += (np.uint64(two[each]) & _LOW) * np.uint64(by[1])
                    number += (np.uint64(three[each]) & _LOW) * np.uint64(by[2])
                    number += (np.uint64(last[each]) & _LOW) * np.uint64(by[3])
                    low[each] += number & _LOW
                    high[each] += number >> _HALF
        for place in range(fours, inner):
            one = memory[place * step + first : place * step + first + size]
            for row in range(rows):
                low, factor = out[row, first : first + size], np.uint64(factors[row, place])
                high = further[row, first : first + size]
                for each in range(size):
                    number = (np.uint64(one[each]) & _LOW) * factor
                    low[each] += number & _LOW
                    high[each] += number >> _HALF
    for row in range(rows):
        joined(out[row], further[row], prime)


def stacks(left: NDArray[Any], right: NDArray[Any], prime: Prime, out: Words) -> None:
    """Products of pairs of matrices, in two sums."""
    pairs, inner, columns = right.shape
    size = out.size // pairs
    spare = np.empty(size, np.uint64)
    for pair in range(pairs):
        sums = out[pair * size : (pair + 1) * size]
        sums[:] = spare[:] = _NONE
        for row in range(left.shape[1]):
            low = sums[row * columns : (row + 1) * columns]
            high = spare[row * columns : (row + 1) * columns]
            for place in range(inner):
                terms, factor = right[pair, place], np.uint64(left[pair, row, place]) & _LOW
                for each in range(columns):
                    number = (np.uint64(terms[each]) & _LOW) * factor
                    low[each] += number & _LOW
                    high[each] += number >> _HALF
        joined(sums, spare, prime)


def times(left: NDArray[Any], right: NDArray[Any], prime: Prime, out: Words) -> None:
    """Products of pairs, or of all with the one on the right."""
    if right.size == 1:
        factor = np.uint64(right[0]) & _LOW
        for place in range(left.size):
            out[place] = lowered((np.uint64(left[place]) & _LOW) * factor, prime)
    else:
        for place in range(left.size):
            number = (np.uint64(left[place]) & _LOW) * (np.uint64(right[place]) & _LOW)
            out[place] = lowered(number, prime)


def powers(values: NDArray[Any], exponent: int, prime: Prime, out: Words) -> None:
    """Powers by squaring, of a part at a time, in cache."""
    squares = np.empty(_PART, np.uint64)
    for first in range(0, out.size, _PART):
        size = min(_PART, out.size - first)
        own, terms = out[first : first + size], values[first : first + size]
        for place in range(size):
            squares[place] = np.uint64(terms[place])
        own[:] = _ONE
        left = exponent
        while left:
            if left & 1:
                for place in range(size):
                    own[place] = lowered((own[place] & _LOW) * (squares[place] & _LOW), prime)
            left >>= 1
            if left:
                for place in range(size):
                    square = squares[place] & _LOW
                    squares[place] = lowered(square * square, prime)
