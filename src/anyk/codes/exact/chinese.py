"""Chinese remainder codes: integers by their residues, of which some are wrong.

The answers of n workers are the residues of L integers below B in absolute value, one integer for
each number of an answer, worker i's modulo its own prime p_i. Any k residues tell an integer, as
the product of any k primes is above 2B: two integers below B that agree modulo k primes are equal.
So integers differ in n - k + 1 residues at least, and what counts is how many agree, not which.

A liar spoils its whole row, so liars are located in one integer after another: each that does not
fit names some, and what is left is read without them. Let r be the integer below M, the product of
all n primes, that has all these residues, and E the product of those whose residues are wrong:
E·v = E·r modulo M. Euclid's algorithm on M and r makes pairs (x, y) with x = y·r modulo M; of the
first with |x| <= 2 B E_max, |y| < M / (2 B E_max). The determinant of (x, y) and (E·v, E) is a
multiple of M, and at most E B·M / (2 B E_max) + E·2 B E_max <= M / 2 + 2 B E_max**2 in absolute
value: less than M, so it is 0, if

    4 B E_max**2 < M,

where E_max is the product of the e largest primes. Then x / y is v.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.locators.located import Located
from anyk.domains.balanced_digits import digits_of, fractions, integers, to_modulus

__all__ = ["ChineseCode", "dimension_of"]

_AT_ONCE = 1 << 13  # integers, so that the digits of some stay in cache
_CLOSE = 1e-12  # to the bound: what is, is looked at exactly

Write = Callable[[slice, Sequence[NDArray[np.float64]], Sequence[int]], None]
"""Takes the digits of some of the integers, which are at these places, and the primes of them."""


def dimension_of(primes: Sequence[int], bits: int, errors: int) -> int | None:
    """k: how many residues tell an integer below 2**bits, and, with 2e more, which e are wrong.

    Args:
        primes: p_1, .., p_n, distinct and odd.
        bits: integers are below 2**bits in absolute value.
        errors: e, how many residues are to be located.

    Returns:
        k; None if the primes are too few, whatever k.

    Example:
        >>> from anyk.codes.exact.chinese import dimension_of
        >>> dimension_of((101, 103, 107, 109), bits=12, errors=0)
        2
        >>> dimension_of((101, 103, 107, 109), bits=11, errors=1)
        2
    """
    rising = sorted(primes)
    largest = math.prod(rising[len(rising) - errors :])
    room = (1 << bits) * largest * (4 if errors else 2)
    product = 1
    for many, prime in enumerate(rising, start=1):
        product *= prime
        if product > room and many > errors:
            return many - errors
    return None


@final
@dataclass(frozen=True, eq=False)
class ChineseCode:
    """Integers below 2**bits in absolute value, known by their residues modulo distinct primes.

    Args:
        primes: odd, below 2**23; row i of what is read is modulo primes[i].
        bits: of the bound.
        dimension: k; any k residues tell an integer.

    Guarantee:
        `read` with n >= k + 2e rows finds every set of at most e wrong ones, for certain, where k
        is `dimension_of` for e or more errors. Beyond e wrong rows `exceeded` is true, or it finds
        a set of at most e whose removal leaves the residues of integers below the bound. Whether
        these are certain is for those to say who know how many may lie.

    References:
        Mandelbaum: On a class of arithmetic codes and a decoding algorithm (IEEE Trans. IT 1976);
        Goldreich, Ron, Sudan: Chinese remaindering with errors (IEEE Trans. IT 2000), sections 2
        and 3; Wang, Guy, Davenport: p-adic reconstruction of rational numbers (SIGSAM 1982).

    Example:
        >>> from anyk.codes.exact.chinese import ChineseCode
        >>> from anyk.domains.balanced_digits import integers
        >>> told = []
        >>> code = ChineseCode((101, 103, 107, 109), bits=11, dimension=2)
        >>> residues = np.array([[-10], [-30], [3], [19]])  # of 1,000, but for one
        >>> code.read(residues, 1, lambda places, *read: told.append(integers(*read))).removed
        (2,)
        >>> told
        [array([1000], dtype=object)]
    """

    primes: tuple[int, ...]
    bits: int
    dimension: int

    def read(self, values: NDArray[np.int64], most: int, write: Write) -> Located:
        """Which rows are wrong, and what the others say.

        Args:
            values: int64 ndarray (n, L); what is not the residue nearest to zero is wrong.
            most: e, how many rows may be wrong; 2e <= n - k.
            write: called with the digits of all integers, some at a time; what was written is of
                no use if `exceeded`.

        Returns:
            The wrong rows, all of them named; `exceeded` if no set of at most e explains the rest.
        """
        half = np.array(self.primes, dtype=np.int64)[:, None] // 2
        strange = ((values > half) | (values < -half)).any(axis=1)
        wrong = set(np.flatnonzero(strange).tolist())
        for start in range(0, values.shape[1], _AT_ONCE):
            places = slice(start, start + _AT_ONCE)
            few = values[:, places].astype(np.float64)
            while len(wrong) <= most:
                kept = [row for row in range(len(self.primes)) if row not in wrong]
                base, others = kept[: self.dimension], kept[self.dimension :]
                primes = [self.primes[row] for row in base]
                digits = digits_of([few[row] for row in base], primes)
                bad = self._misfit(digits, primes, few, others)
                if bad is None:
                    write(places, digits, primes)
                    break
                column = [int(few[row, bad]) for row in kept]
                errors = self._errors(column, kept, most - len(wrong))
                if not errors:
                    return Located(exceeded=True)
                wrong |= errors
            else:
                return Located(exceeded=True)
        found = tuple(sorted(wrong))
        return Located(removed=found, named=found)

    def _misfit(
        self,
        digits: list[NDArray[np.float64]],
        primes: list[int],
        rows: NDArray[np.float64],
        others: list[int],
    ) -> int | None:
        """The place of an integer that is too large, or that one of the other rows contradicts."""
        limit = (1 << self.bits) / math.prod(primes)
        size = np.abs(fractions(digits, primes))
        for place in np.flatnonzero(size >= limit * (1.0 - _CLOSE)).tolist():
            (value,) = integers([digit[place : place + 1] for digit in digits], primes)
            if abs(value) >= 1 << self.bits:
                return place
        for row in others:
            other = np.flatnonzero(to_modulus(digits, primes, self.primes[row]) != rows[row])
            if other.size:
                return int(other[0])
        return None

    def _errors(self, residues: Sequence[int], rows: list[int], most: int) -> set[int] | None:
        """The rows that are wrong about one integer, at most so many; None if there is none."""
        primes = [self.primes[row] for row in rows]
        product = math.prod(primes)
        whole = 0
        for residue, prime in zip(residues, primes, strict=True):
            rest = product // prime
            whole += residue * pow(rest, -1, prime) * rest
        stop = 2 * (1 << self.bits) * math.prod(sorted(primes)[len(primes) - most :])
        (x, y), (after, next_y) = (product, 0), (whole % product, 1)
        while after > stop:
            quotient = x // after
            (x, y), (after, next_y) = (after, next_y), (x - quotient * after, y - quotient * next_y)
        value, left = divmod(after, next_y)
        if left or abs(value) >= 1 << self.bits:
            return None
        pairs: Any = zip(rows, residues, primes, strict=True)
        wrong = {row for row, residue, prime in pairs if (value - residue) % prime}
        return wrong if len(wrong) <= most else None
