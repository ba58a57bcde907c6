"""The product of two matrices of residues: which form it takes, and how threads share it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.kernel import thin, wide
from anyk.domains.kernel.form import limbs_form, wide_form
from anyk.domains.kernel.operands import constants, digits, factors, largest
from anyk.domains.kernel.threads import allowed, share_out

__all__ = ["modular_matmul"]

_LARGE = 1 << 24  # multiplications from which on threads are worth their while
_QUIET = 1 << 19  # multiplications from which on BLAS starts threads
_ROWS = 4  # a few
_SHORT = 32  # terms, of fewer of which a sum is not worth limbs
_ENOUGH = 1024, 128  # terms of a sum of limbs, along and across


def modular_matmul(
    small: NDArray[Any], big: NDArray[Any], modulus: int, dtype: Any = np.int64
) -> NDArray[Any]:
    """Exact product of two matrices of residues.

    A large product is shared among threads, at most as many as the environment allows BLAS.

    Args:
        small: (rows, inner) of residues in [0, p), of any integer type; the operand that is
            centred, or cut in limbs.
        big: (inner, columns) of residues in [0, p), of any integer type.
        modulus: p < 2**31.
        dtype: of the product: any integer type that holds p - 1.

    Returns:
        ndarray (rows, columns) of residues in [0, p).

    Example:
        >>> from anyk.domains.kernel import modular_matmul
        >>> modular_matmul(np.array([[2**30, 2]]), np.array([[4], [5]]), 2**31 - 1)
        array([[12]])
    """
    (rows, inner), columns = small.shape, big.shape[1]
    if not rows * inner * columns:
        return np.zeros((rows, columns), dtype)
    if columns < rows and columns <= _ROWS:
        return modular_matmul(big.T, small.T, modulus, dtype).T
    out = np.empty((rows, columns), dtype)
    most, work = largest(big, modulus), rows * inner * columns
    threads = allowed() if work >= _QUIET else 1
    if rows <= _ROWS and inner >= _SHORT:
        enough = _ENOUGH[not thin.stands(big)]
        limbed = limbs_form(inner, modulus, most, enough)
        limbs = digits(small, modulus, limbed)
        multiply = partial(
            thin.multiply, limbs=limbs, big=big, modulus=modulus, form=limbed, out=out
        )
        share_out(multiply, columns, threads if work >= _LARGE else 1)
        return out
    form = wide_form(inner, modulus, most)
    for row in wide.slabs(rows, inner):
        slab = slice(row, row + wide.slabs(rows, inner).step)
        first = constants(small[slab], modulus, form) if form.shift else None
        write = partial(
            wide.multiply,
            chunks=factors(small[slab], modulus, form),
            first=first,
            big=big,
            modulus=modulus,
            form=form,
            out=out[slab],
            quiet=threads > 1,
        )
        share_out(write, columns, threads if work >= _LARGE else 1)
    return out
