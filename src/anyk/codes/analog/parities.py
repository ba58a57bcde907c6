"""Random coefficients for spare shares: what is stable where many may be missing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["parities"]

_DRAWS: Final = 6
_PATTERNS: Final = 120
_SEED: Final = 20180301  # public: coefficients are no secret, and one scheme has always the same


@lru_cache(maxsize=32)
def parities(
    spare: int, left: int, right: int, dtype: Any = np.float64
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Coefficients of two factors, so that rows of their Kronecker products repair what is missing.

    The first mn rows are the unit vectors of the mn pairs; row mn + i is the Kronecker product of
    row i of both. Any mn rows have an inverse with probability 1, and care is taken that it is a
    small one: a few are drawn, by a seed that is the same for ever, and the best is kept, by the
    most that it amplifies errors over many patterns of what is missing.

    Args:
        spare: how many rows.
        left: m.
        right: n; with 1, the coefficients of that factor are 1.
        dtype: float64, or complex128 for coefficients of absolute value 1.

    Returns:
        ndarrays (spare, m) and (spare, n), read-only.

    References:
        Subramaniam, Heidarzadeh, Narayanan: Random Khatri-Rao-product codes for numerically-stable
        distributed matrix multiplication (Allerton 2019), for products without the first mn rows.

    Example:
        >>> from anyk.codes.analog.parities import parities
        >>> a, b = parities(2, 3, 1)
        >>> a.shape, b.tolist()
        ((2, 3), [[1.0], [1.0]])
    """
    generator = np.random.Generator(np.random.PCG64(_SEED))
    best, least = None, math.inf
    for _ in range(_DRAWS):
        drawn = tuple(_coefficients(generator, spare, count, dtype) for count in (left, right))
        rows = np.einsum("ij,ik->ijk", *drawn).reshape(spare, -1)
        worst = max(_amplified(rows, *pattern) for pattern in _patterns(spare, left * right))
        if best is None or worst < least:
            best, least = drawn, worst
    if best is None:
        raise ArithmeticError("no coefficients were drawn")
    for each in best:
        each.flags.writeable = False
    return best[0], best[1]


def _coefficients(
    generator: np.random.Generator, spare: int, count: int, dtype: Any
) -> NDArray[Any]:
    """None of them is near 0: one block that is missing is repaired by any row."""
    if count == 1:
        return np.ones((spare, 1), dtype=dtype)
    drawn: NDArray[Any] = generator.random((spare, count))
    if np.dtype(dtype).kind == "c":
        drawn = np.exp(2j * np.pi * drawn)
    else:
        drawn = generator.choice(np.array([-1.0, 1.0]), drawn.shape) * (0.5 + drawn)
    return drawn / math.sqrt(count)


def _patterns(spare: int, blocks: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Missing blocks, and as many rows that are there: at random, and few of them."""
    generator = np.random.Generator(np.random.PCG64(_SEED))
    most = min(spare, blocks)
    for number in range(_PATTERNS):
        lost = generator.permutation(blocks + spare)[:spare]
        missing, there = lost[lost < blocks], np.setdiff1d(np.arange(spare), lost - blocks)
        if number % 2 or not len(missing):
            few = int(generator.integers(1, min(most, 4) + 1))
            missing = generator.choice(blocks, few, replace=False)
            there = generator.choice(spare, few, replace=False)
        yield missing, there


def _amplified(rows: NDArray[Any], missing: NDArray[np.intp], there: NDArray[np.intp]) -> float:
    """The norm of the inverse that repairs these blocks."""
    smallest = np.linalg.svd(rows[np.ix_(there, missing)], compute_uv=False)[-1]
    return math.inf if smallest == 0.0 else 1.0 / float(smallest)
