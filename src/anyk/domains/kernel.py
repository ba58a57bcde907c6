"""The hot kernel: an exact matrix product modulo a prime below 2**31, by float64 BLAS.

The residues of the small operand are centred and cut in two limbs, a = high * 2**15 + low with
|high| <= 2**15 and |low| <= 2**14. The big operand b is widened to (c, b), where c is 2**15 * b
reduced to |c| <= p/2, so that a * b = high * c + low * b modulo p. Each product is below 2**45, and
64 pairs of them add up to less than 2**52: BLAS makes no rounding error, and the quotient of the
sum by p is below 2**21, so that rounding moves it by at most 2**-33, less than the distance
1/p > 2**-31 that a fraction below 1 keeps from 1. Longer inner dimensions go in chunks of 64.

Reference: Dumas, Giorgi, Pernet: Dense linear algebra over word-size prime fields: the FFLAS and
FFPACK packages (ACM TOMS 2008), section 2, for reductions delayed within the mantissa.
"""

from __future__ import annotations

import os
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["modular_matmul"]

_HALF = 15
_CHUNK = 64
_ROWS = 256
_QUIET = 1 << 19  # multiplications in one BLAS call, few enough that it starts no threads
_COLUMNS = range(1024, 8192)  # at a time: enough to call for, few enough to stay in cache
_WORKSPACE = 1 << 18  # float64 numbers that a group of chunks may take
_LARGE = 1 << 24  # multiplications from which on threads are worth their while
_THREADS = 4
_MANY = 1 << 20  # chunks, from which on sums are reduced as they grow
_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def modular_matmul(
    small: NDArray[np.int64], big: NDArray[np.int64], modulus: int
) -> NDArray[np.int64]:
    """Exact product of two matrices of residues.

    A large product is shared among threads, at most as many as the environment allows BLAS.

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
    rows, columns = small.shape[0], big.shape[1]
    if not small.shape[1]:
        return np.zeros((rows, columns), dtype=np.int64)
    out = np.empty((rows, columns), dtype=np.int64)
    threads = _threads() if rows * small.shape[1] * columns >= _LARGE else 1
    edges = [columns * part // threads for part in range(threads + 1)]
    for row in range(0, rows, _ROWS):
        limbs = _limbs(small[row : row + _ROWS], modulus)
        write = partial(_multiply, limbs, big, modulus, out[row : row + _ROWS])
        if threads == 1:
            write((0, columns))
        else:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - large arrays alone

            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(write, pairwise(edges)))
    return out


def _threads() -> int:
    """As many as there are cores and the environment allows BLAS, at most four."""
    allowed = [int(os.environ[name]) for name in _LIMITS if os.environ.get(name, "").isdigit()]
    return max(1, min(_THREADS, os.cpu_count() or 1, *allowed))


def _limbs(small: NDArray[np.int64], modulus: int) -> NDArray[np.float64]:
    """High and low limbs side by side for each chunk, ndarray (chunks, rows, 2 size)."""
    rows, inner = small.shape
    size = min(_CHUNK, inner)
    chunks = -(-inner // size)
    centred = np.where(small > modulus // 2, small - modulus, small)
    high = (centred + (1 << (_HALF - 1))) >> _HALF
    limbs = np.zeros((2, rows, chunks * size))
    limbs[0, :, :inner] = high
    limbs[1, :, :inner] = centred - (high << _HALF)
    parted = limbs.reshape(2, rows, chunks, size)
    return np.ascontiguousarray(parted.transpose(2, 1, 0, 3)).reshape(chunks, rows, 2 * size)


def _multiply(
    limbs: NDArray[np.float64],
    big: NDArray[np.int64],
    modulus: int,
    out: NDArray[np.int64],
    span: tuple[int, int],
) -> None:
    """Write these columns of the product, a block of columns and a group of chunks at a time."""
    chunks, rows, double = limbs.shape
    begin, end = span
    wide = min(max(_QUIET // (rows * double), _COLUMNS.start), _COLUMNS.stop, end - begin)
    height = max(1, min(rows, _QUIET // (double * max(wide, 1))))
    group = max(1, min(chunks, _WORKSPACE // ((rows + double) * max(wide, 1))))
    factor = np.zeros((group, double, wide))
    product = np.empty((group, rows, wide))
    spare = np.empty(group * max(rows, double // 2) * wide)
    total = np.empty((rows, wide))
    for start in range(begin, end, max(wide, 1)):
        stop = min(start + wide, end)
        sums = total[:, : stop - start]
        sums[:] = 0.0
        for first in range(0, chunks, group):
            last = min(first + group, chunks)
            piece = big[first * double // 2 : last * double // 2, start:stop]
            terms = product[: last - first, :, : stop - start]
            widened = _widen(piece, modulus, factor[: last - first, :, : stop - start], spare)
            for top in range(0, rows, height):
                here = slice(top, top + height)
                np.matmul(limbs[first:last, here], widened, out=terms[:, here])
            _reduce(terms, modulus, spare)
            if chunks > 1:
                sums += terms.sum(axis=0)
            if chunks > _MANY:
                _reduce(sums, modulus, spare)
        if chunks > 1:  # sums of fewer than 2**21 residues are below 2**52
            _reduce(sums, modulus, spare)
        np.copyto(out[:, start:stop], sums if chunks > 1 else terms[0], casting="unsafe")


def _widen(
    piece: NDArray[np.int64],
    modulus: int,
    factor: NDArray[np.float64],
    spare: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Put (2**15 * b reduced, b) of each chunk into the factor; what lacks rows ends in zeros."""
    size = factor.shape[1] // 2
    for chunk in range(len(factor)):
        rows = piece[chunk * size : (chunk + 1) * size]
        lower = factor[chunk, size : size + len(rows)]
        upper = factor[chunk, : len(rows)]
        quotient = spare[: upper.size].reshape(upper.shape)
        np.copyto(lower, rows)
        np.multiply(lower, float(1 << _HALF) / modulus, out=quotient)
        np.rint(quotient, out=quotient)
        np.multiply(quotient, float(modulus), out=quotient)
        np.multiply(lower, float(1 << _HALF), out=upper)
        np.subtract(upper, quotient, out=upper)
        factor[chunk, size + len(rows) :] = 0.0
        factor[chunk, len(rows) : size] = 0.0
    return factor


def _reduce(terms: NDArray[np.float64], modulus: int, spare: NDArray[np.float64]) -> None:
    """Reduce integers below 2**52 to [0, p), in place."""
    quotient = spare[: terms.size].reshape(terms.shape)
    np.divide(terms, float(modulus), out=quotient)
    np.floor(quotient, out=quotient)
    np.multiply(quotient, float(modulus), out=quotient)
    np.subtract(terms, quotient, out=terms)
