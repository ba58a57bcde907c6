"""Residues nearest to zero, modulo odd numbers below 2**23: products by one float64 BLAS call.

Such a residue is at most 2**22 in absolute value, a product of two at most 2**44, and a sum of 512
of them at most 2**53: whatever the order of a BLAS, every partial sum is exact. Longer sums go in
chunks, which are reduced in between; so no length of a sum overflows.

To reduce x, x - p·rint(x·(1/p)) is computed. The two roundings move x·(1/p) by at most
|x|/p·2**-52, so that the result is at most p/2 + |x|·2**-52 in absolute value. For |x| < 2**51 that
is less than (p + 1)/2, and the result, an integer, is the residue nearest to zero; for |x| <= 2**53
it is beyond p/2 by at most 2, and a second reduction makes it so.

Reference: Dumas, Giorgi, Pernet: Dense linear algebra over word-size prime fields: the FFLAS and
FFPACK packages (ACM TOMS 2008), section 2, for reductions delayed within the mantissa.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import shown
from anyk.domains.extent import largest_of
from anyk.domains.integers import is_prime
from anyk.errors import InvalidArgument

__all__ = [
    "LARGEST_MODULUS",
    "balanced",
    "balanced_integers",
    "balanced_number",
    "largest_primes",
    "product_modulo",
]

LARGEST_MODULUS: Final = (1 << 23) - 1
"""The largest modulus of which 512 products of residues add up exactly."""

_CHUNK = 512


def balanced(values: NDArray[np.float64], modulus: int) -> NDArray[np.float64]:
    """The residues nearest to zero of whole numbers in float64.

    Args:
        values: whole numbers below 2**51 in absolute value.
        modulus: odd, below 2**23.

    Example:
        >>> from anyk.domains.balanced import balanced
        >>> balanced(np.array([3.0, 4.0, -11.0, 2.0**50]), 7)
        array([ 3., -3.,  3., -3.])
    """
    quotient = values * (1.0 / modulus)
    np.rint(quotient, out=quotient)
    quotient *= modulus
    return np.subtract(values, quotient, out=quotient)


def balanced_integers(values: NDArray[Any], modulus: int) -> NDArray[Any]:
    """The same of Python's integers, of any size.

    Args:
        values: object ndarray.
        modulus: odd, of any size.

    Example:
        >>> from anyk.domains.balanced import balanced_integers
        >>> balanced_integers(np.array([2**80, -4], dtype=object), 7)
        array([-3, 3], dtype=object)
    """
    half = modulus // 2
    return np.asarray((values + half) % modulus - half)


def balanced_number(number: int, modulus: int) -> float:
    """The same of one integer, of any size."""
    half = modulus // 2
    return float((number + half) % modulus - half)


@lru_cache(maxsize=32)
def largest_primes(number: int) -> tuple[int, ...]:
    """The largest primes below 2**23, falling.

    Example:
        >>> from anyk.domains.balanced import largest_primes
        >>> largest_primes(3)
        (8388593, 8388587, 8388581)
    """
    candidates = range(LARGEST_MODULUS, 2, -2)
    return tuple(islice((each for each in candidates if is_prime(each)), number))


def product_modulo(modulus: Any, left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.int64]:
    """The product left @ right modulo a number, each residue the one nearest to zero.

    Args:
        modulus: ndarray of one odd number from 3 to 2**23 - 1.
        left: int64 ndarray (rows, inner) of residues nearest to zero.
        right: int64 ndarray (inner, columns) or (inner,) of such.

    Raises:
        InvalidArgument: if they are not, so that nothing is ever rounded.

    Example:
        >>> from anyk.domains.balanced import product_modulo
        >>> product_modulo(np.array([7]), np.array([[3, 2]]), np.array([3, -1]))
        array([0])
    """
    p = largest_of(np.ravel(modulus)) if np.size(modulus) == 1 else 0
    if not (3 <= p <= LARGEST_MODULUS and p % 2):  # noqa: PLR2004 - the first odd prime
        raise _wrong(shown(modulus), "one odd modulus from 3 to 2**23 - 1")
    for factor in (left, right):
        if factor.dtype != np.int64 or largest_of(factor) > p // 2:
            raise _wrong(
                f"{factor.dtype} up to {largest_of(factor)}", f"int64 up to {p // 2} either way"
            )
    inner = left.shape[-1]
    total = np.zeros(left.shape[:-1] + right.shape[1:])
    for start in range(0, inner, _CHUNK):
        here = slice(start, start + _CHUNK)
        terms = left[:, here].astype(np.float64) @ right[here].astype(np.float64)
        total += balanced(terms, p)
    return balanced(total, p).astype(np.int64)


def _wrong(given: str, needed: str) -> InvalidArgument:
    return InvalidArgument(
        "share",
        given=given,
        needed=needed,
        change="Multiply the shares that anyk.Residues encodes.",
    )
