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

__all__ = ["modular_matmul", "write_product"]

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
    out = np.empty((len(small), big.shape[1]), dtype)
    write_product(small, big, modulus, out)
    return out


def write_product(small: NDArray[Any], big: NDArray[Any], modulus: int, out: NDArray[Any]) -> None:
    """Write the product of two matrices of residues.

    Args:
        small: (rows, inner) of residues in [0, p).
        big: (inner, columns) of residues in [0, p).
        modulus: p < 2**31.
        out: (rows, columns), of any strides.
    """
    (rows, inner), columns = small.shape, big.shape[1]
    work = rows * inner * columns
    if not work:
        out[:] = 0
        return
    if columns < rows if min(rows, columns) <= _ROWS else small.size > big.size:
        write_product(big.T, small.T, modulus, out.T)
        return
    threads = allowed() if work >= _QUIET else 1
    most = largest(big, modulus)
    if rows <= _ROWS and inner >= _SHORT:
        limbed = limbs_form(inner, modulus, most, _ENOUGH[not thin.stands(big)])
        limbs = digits(small, modulus, limbed)
        multiply = partial(
            thin.multiply, limbs=limbs, big=big, modulus=modulus, form=limbed, out=out
        )
        share_out(multiply, columns, threads if work >= _LARGE else 1)
        return
    form = wide_form(inner, modulus, most)
    slabs = wide.slabs(rows, inner)
    for row in slabs:
        slab = slice(row, row + slabs.step)
        write = partial(
            wide.multiply,
            chunks=factors(small[slab], modulus, form),
            first=constants(small[slab], modulus, form) if form.shift else None,
            big=big,
            modulus=modulus,
            form=form,
            out=out[slab],
            quiet=threads > 1,
        )
        share_out(write, columns, threads if work >= _LARGE else 1)
