"""Products of a few numbers, for which a call of BLAS takes longer to prepare than to make.

A sum of terms below p**2 is exact in uint64 as long as it is below 2**64: at the largest primes,
that is four terms. The remainders of longer sums are added, and reduced once more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["depth_of", "write_tiny"]

_LARGEST = (1 << 64) - 1
_TINY = 1 << 13  # multiplications, up to which this is quicker, as many times as there are sums
_INT64 = np.dtype(np.int64)


def depth_of(modulus: int) -> int:
    """How many terms of a sum are exact.

    Args:
        modulus: p < 2**31.
    """
    return _LARGEST // max(1, (modulus - 1) ** 2)


def write_tiny(
    small: NDArray[Any], big: NDArray[Any], modulus: int, out: NDArray[Any], work: int
) -> bool:
    """Write products of a few numbers; False where there are too many.

    Args:
        small: (.., rows, inner) of residues, inner > 0.
        big: (.., inner, columns) of residues; the axes before are broadcast.
        modulus: p < 2**31.
        out: where residues are written.
        work: how many multiplications there are.
    """
    if work > _TINY:
        return False
    inner, depth = small.shape[-1], depth_of(modulus)
    if inner > depth and work * -(-inner // depth) > _TINY:
        return False
    one, other = _unsigned(small), _unsigned(big)
    total = one[..., :depth] @ other[..., :depth, :]
    for first in range(depth, inner, depth):
        total %= modulus
        sums = one[..., first : first + depth] @ other[..., first : first + depth, :]
        sums %= modulus
        total += sums
    np.remainder(total, modulus, out=out, casting="unsafe")
    return True


def _unsigned(residues: NDArray[Any]) -> NDArray[np.uint64]:
    return residues.view(np.uint64) if residues.dtype == _INT64 else residues.astype(np.uint64)
