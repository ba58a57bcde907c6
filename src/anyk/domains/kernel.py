"""The hot kernel: an exact matrix product modulo a prime below 2**31, by float64 BLAS.

The residues of the small operand are centred and cut in two limbs, a = high * 2**15 + low with
|high| <= 2**15 and |low| <= 2**14. A product of a limb with a residue is below 2**46, so that 64
of them add up to at most 2**52 and BLAS makes no rounding error. Both limbs are multiplied in one
BLAS call, a block of columns at a time that stays in cache; the inner dimension goes in chunks.

Reference: Dumas, Giorgi, Pernet: Dense linear algebra over word-size prime fields: the FFLAS and
FFPACK packages (ACM TOMS 2008), section 2, for reductions delayed within the mantissa.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["modular_matmul"]

_HALF = 15
_CHUNK = 64
_COLUMNS = 8192
_ROWS = 128
_WORKSPACE = 1 << 18  # float64 numbers that a group of chunks may take


def modular_matmul(
    small: NDArray[np.int64], big: NDArray[np.int64], modulus: int
) -> NDArray[np.int64]:
    """Exact product of two matrices of residues.

    Args:
        small: int64 ndarray (rows, inner) of residues in [0, p); the operand that is cut in limbs.
        big: int64 ndarray (inner, columns) of residues in [0, p).
        modulus: p < 2**31.

    Returns:
        int64 ndarray (rows, columns) of residues in [0, p).

    Example:
        >>> from anyk.domains.kernel import modular_matmul
        >>> modular_matmul(np.array([[2**30, 2]]), np.array([[4], [5]]), 2**31 - 1)
        array([[12]])
    """
    out = np.empty((small.shape[0], big.shape[1]), dtype=np.int64)
    for row in range(0, len(small), _ROWS):
        _multiply(small[row : row + _ROWS], big, modulus, out[row : row + _ROWS])
    return out


def _multiply(
    small: NDArray[np.int64], big: NDArray[np.int64], modulus: int, out: NDArray[np.int64]
) -> None:
    """Write small @ big modulo p to out, in blocks of columns and chunks of the inner dimension."""
    rows, inner = small.shape
    if not inner:
        out[:] = 0
        return
    size = min(_CHUNK, inner)
    chunks = -(-inner // size)
    centred = np.where(small > modulus // 2, small - modulus, small)
    high = (centred + (1 << (_HALF - 1))) >> _HALF
    limbs = np.zeros((2 * rows, chunks * size))
    limbs[:rows, :inner] = high << _HALF  # scaled by a power of two: just as exact
    limbs[rows:, :inner] = centred - (high << _HALF)
    stacked = np.ascontiguousarray(limbs.reshape(2 * rows, chunks, size).swapaxes(0, 1))
    columns = min(_COLUMNS, max(big.shape[1], 1))
    group = max(1, min(chunks, _WORKSPACE // (2 * rows * columns)))
    factor = np.zeros((group, size, columns))
    product = np.empty((group, 2 * rows, columns))
    quotient = np.empty((group, rows, columns))
    total = np.empty((rows, columns))
    for start in range(0, big.shape[1], columns):
        stop = min(start + columns, big.shape[1])
        wide = stop - start
        total[:] = 0
        for first in range(0, chunks, group):
            last = min(first + group, chunks)
            piece = big[first * size : last * size, start:stop]
            rest = factor[: last - first].reshape(-1, columns)[:, :wide]
            np.copyto(rest[: len(piece)], piece)
            rest[len(piece) :] = 0
            terms = product[: last - first, :, :wide]
            np.matmul(stacked[first:last], factor[: last - first, :, :wide], out=terms)
            residues = _recombine(terms, rows, modulus, quotient[: last - first, :, :wide])
            if chunks == 1:
                np.copyto(out[:, start:stop], residues[0], casting="unsafe")
            else:
                total[:, :wide] += residues.sum(axis=0)
        if chunks > 1:  # fewer than 2**21 chunks: the sums of residues are below 2**52
            sums = total[:, :wide]
            sums -= np.floor(sums / modulus) * modulus
        if chunks != 1:
            np.copyto(out[:, start:stop], total[:, :wide], casting="unsafe")


def _recombine(
    terms: NDArray[np.float64], rows: int, modulus: int, quotient: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add high and low modulo p, in place, as float64 residues in [0, p); 2**15 divides high.

    The first reduction, modulo 2**15 * p, need only make the high part small: any quotient near
    the true one does, and multiples of 2**15 * p below 2**68 are exact in float64.
    The second is exact: |x| / p < 2**21, so that rounding moves the quotient by at most 2**-33,
    less than the distance 1/p > 2**-31 that a fraction below 1 keeps from 1.
    """
    high, low = terms[:, :rows], terms[:, rows:]
    step = float(modulus << _HALF)
    np.multiply(high, 1.0 / step, out=quotient)
    np.rint(quotient, out=quotient)
    np.multiply(quotient, step, out=quotient)
    np.subtract(high, quotient, out=high)
    np.add(high, low, out=high)
    np.divide(high, float(modulus), out=quotient)
    np.floor(quotient, out=quotient)
    np.multiply(quotient, float(modulus), out=quotient)
    np.subtract(high, quotient, out=high)
    return high
