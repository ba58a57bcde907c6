"""The product of two matrices of residues: and which form it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains import compiled
from anyk.domains.kernel import thin, wide
from anyk.domains.kernel.form import wide_form
from anyk.domains.kernel.operands import constants, factors, largest
from anyk.domains.kernel.tiny import write_tiny

__all__ = ["modular_matmul", "write_product"]

_ROWS = 4, 12  # a few: as many as have limbs, else whole, else in halves
_SHORT = 32  # terms, of fewer of which a sum is not worth limbs


def modular_matmul(
    small: NDArray[Any], big: NDArray[Any], modulus: int, dtype: Any = np.int64
) -> NDArray[Any]:
    """Exact product of two matrices of residues.

    The operand with fewer numbers takes the part of the small one. Threads are BLAS's own, as many
    as the environment allows it: threads of ours beside them, which wait for a while for the next
    call, took longer than one.

    ==================  ==============  =============  =================  =======================
    rows, terms         the modulus     `small`        `big`              float64 products a term
    ==================  ==============  =============  =================  =======================
    few, and 32 terms   any             1 to 3 limbs   as it is           as many as limbs
    others              terms p**2 / 2  centred        as it is           1
                        below 2**53
    others              p < 2**25.5     centred        less p / 2         1
    others              p > 2**25.5     centred        halves of 16 bits  2
    ==================  ==============  =============  =================  =======================

    Few rows are 12 where the others would be in halves, and 4 elsewhere. Up to 4 rows take a
    compiled loop where numba is installed (`compiled.product`): the same residues. Up to 8,192
    multiplications are made in uint64 at once (`tiny`).

    Three limbs of 11 bits have sums of 4,096 terms, halves of 85. They are quicker up to some 12
    rows, of which BLAS makes a third product for little; beyond, halves are.

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
    if write_tiny(small, big, modulus, out, work):
        return
    if columns < rows:
        write_product(big.T, small.T, modulus, out.T)
        return
    if rows <= _ROWS[0] and inner >= _SHORT:  # at once: to ask how large numbers are is a pass
        _write_few(small, big, modulus, out)
        return
    form = wide_form(inner, modulus, largest(big, modulus))
    if rows <= _ROWS[form.halves]:
        if inner >= _SHORT:
            _write_few(small, big, modulus, out)
            return
        if _write_compiled(small, big, modulus, out):
            return
    slabs = wide.slabs(rows, inner)
    for row in slabs:
        slab = slice(row, row + slabs.step)
        wide.multiply(
            chunks=factors(small[slab], modulus, form),
            first=constants(small[slab], modulus, form) if form.shift else None,
            big=big,
            modulus=modulus,
            form=form,
            out=out[slab],
        )


def _write_few(small: NDArray[Any], big: NDArray[Any], modulus: int, out: NDArray[Any]) -> None:
    """Write a product with few rows."""
    if not _write_compiled(small, big, modulus, out):
        thin.multiply(small, big, modulus, out)


def _write_compiled(
    small: NDArray[Any], big: NDArray[Any], modulus: int, out: NDArray[Any]
) -> bool:
    """Have a compiled loop write a product, where there is one."""
    made = compiled.product(small, big, modulus, out.dtype.type)
    if made is None:
        return False
    out[:] = made
    return True
