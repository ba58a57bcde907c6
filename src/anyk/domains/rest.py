"""Residues at rest: the smallest unsigned type that holds them, and int64 to compute with.

A product or a sum of unsigned numbers wraps in silence, and a negative one is a large one: numbers
at rest are moved, compared and sent as they are, and computed with after `lifted`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["below", "lifted", "settled", "unsigned_for", "unsigned_of"]

_INT64 = np.dtype(np.int64)
_SMALL = frozenset(map(np.dtype, ("?", "i1", "i2", "i4", "u1", "u2", "u4")))


@lru_cache(maxsize=256)
def unsigned_for(largest: int) -> np.dtype[Any]:
    """The smallest unsigned type that holds a number.

    Args:
        largest: the number, below 2**64.

    Example:
        >>> from anyk.domains.rest import unsigned_for
        >>> [str(unsigned_for(prime - 1)) for prime in (251, 257, 65537, 2**31 - 1)]
        ['uint8', 'uint16', 'uint32', 'uint32']
    """
    return np.min_scalar_type(largest)


def lifted(residues: NDArray[Any]) -> NDArray[np.int64]:
    """Residues of any type as int64: the array itself where it is of that type.

    Args:
        residues: ndarray of int64, or of an unsigned type of at most 32 bits.

    Example:
        >>> from anyk.domains.rest import lifted
        >>> lifted(np.array([200, 100], dtype=np.uint8)) * 2
        array([400, 200])
    """
    return residues if residues.dtype == _INT64 else residues.astype(np.int64)


def settled(residues: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Residues in the type in which they rest: the array itself where it is of that type.

    An array of which rows or columns are one and the same memory stays one.

    Args:
        residues: ndarray of integers that the type holds.
        dtype: the type.

    Example:
        >>> from anyk.domains.rest import settled
        >>> alike = np.broadcast_to(np.array([1, 2]), (1000, 2))
        >>> settled(alike, np.dtype(np.uint8)).strides
        (0, 1)
    """
    if residues.dtype == dtype:
        return residues
    if 0 in residues.strides and residues.size:
        once = tuple(slice(0, 1) if not step else slice(None) for step in residues.strides)
        return np.broadcast_to(residues[once].astype(dtype), residues.shape)
    return residues.astype(dtype)


def below(residues: NDArray[Any], limit: int) -> bool:
    """Whether all are in [0, limit), in one pass: what is negative is large without a sign.

    Args:
        residues: ndarray of int64, or of an unsigned type.
        limit: the number that they are below.

    Example:
        >>> from anyk.domains.rest import below
        >>> below(np.array([0, 6]), 7), below(np.array([-1, 0]), 7)
        (True, False)
    """
    plain = residues.view(np.uint64) if residues.dtype == _INT64 else residues
    return bool(np.maximum.reduce(plain, axis=None, initial=0) < limit)


def unsigned_of(values: Any, limit: int) -> NDArray[Any] | None:
    """An ndarray of few bytes a number as it lies, if all are in [0, limit); None for any other.

    Whoever can compute with it so needs no int64 of each: of pictures those take eight times the
    memory.

    Args:
        values: what came from outside.
        limit: the number that they must be below.

    Example:
        >>> from anyk.domains.rest import unsigned_of
        >>> unsigned_of(np.array([0, 9], dtype=np.int16), 11)
        array([0, 9], dtype=uint16)
        >>> unsigned_of(np.array([0, -9], dtype=np.int16), 2**31 - 1) is None
        True
    """
    if type(values) is not np.ndarray or values.dtype not in _SMALL:
        return None
    bits = 8 * values.itemsize - (values.dtype.kind == "i")  # negative ones are larger without sign
    plain = values.view(f"u{values.itemsize}")
    return plain if below(plain, min(limit, 1 << bits)) else None
