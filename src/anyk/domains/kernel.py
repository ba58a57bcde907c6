"""The hot kernel: an exact matrix product modulo a prime below 2**31, by float64 BLAS.

BLAS makes no rounding error where no sum of absolute values of terms is above 2**53, in whatever
order it adds them. The residues of the small operand are centred, |a| <= p // 2; those of the big
one, b < p, stay as they are, or are cut in halves, b = high * 2**16 + low, of which the numbers are
bits that lie in memory already: a * b = a * low + (2**16 * a mod p) * high modulo p. A term is then
at most (p // 2) * (p - 1), or (p // 2) * (low + high), and the inner dimension goes in chunks of as
many terms as stay below 2**53 - p: 85 of halves for p = 2**31 - 1.

Sums x are reduced by floor(x / p). Rounding moves x / p by at most |x| / p * 2**-53 < 1 / p, the
least that it can be below an integer, and never over one that it reaches: the quotient is right,
and so are its product with p, at most |x| + p <= 2**53, and the difference.

Reference: Dumas, Giorgi, Pernet: Dense linear algebra over word-size prime fields: the FFLAS and
FFPACK packages (ACM TOMS 2008), section 2, for reductions delayed within the mantissa.
"""

from __future__ import annotations

import math
import os
import sys
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["modular_matmul"]

_EXACT = 1 << 53
_HALF = 16  # bits
_FEW = 16  # terms: a chunk of fewer whole residues is reduced too often to be worth its while
_DEEP = 256  # rows of floats that a chunk takes, at most
_TALL = 32  # terms, from which on columns that lie in memory one by one are kept so
_ROWS = 256
_HIGH = 64  # rows in one BLAS call, at most
_QUIET = (1 << 19) - 1  # multiplications in one BLAS call, few enough that it starts no threads
_COLUMNS = range(1024, 4096)  # at a time: enough to call for, few enough to stay in cache
_WORKSPACE = 1 << 18  # float64 numbers for a group of chunks of them
_LARGE = 1 << 24  # multiplications from which on threads are worth their while
_THREADS = 4
_MANY = 1 << 20  # chunks, from which on sums are reduced as they grow
_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def modular_matmul(
    small: NDArray[np.int64],
    big: NDArray[Any],
    modulus: int,
    dtype: type[np.int64 | np.uint32] = np.int64,
) -> NDArray[Any]:
    """Exact product of two matrices of residues.

    A large product is shared among threads, at most as many as the environment allows BLAS.

    ======================================  ====================  =============
    where                                   residues of `big`     products
    ======================================  ====================  =============
    16 terms are exact (p < 2**25), or all  as they are           1 a term
    elsewhere                               in halves of 16 bits  2 a term
    ======================================  ====================  =============

    Args:
        small: int64 ndarray (rows, inner) of residues in [0, p); the operand that is centred.
        big: int64 or uint32 ndarray (inner, columns) of residues in [0, p).
        modulus: p < 2**31.
        dtype: of the product: np.int64 or np.uint32.

    Returns:
        ndarray (rows, columns) of residues in [0, p).

    Example:
        >>> from anyk.domains.kernel import modular_matmul
        >>> modular_matmul(np.array([[2**30, 2]]), np.array([[4], [5]]), 2**31 - 1)
        array([[12]])
    """
    (rows, inner), columns = small.shape, big.shape[1]
    if not inner:
        return np.zeros((rows, columns), dtype)
    out = np.empty((rows, columns), dtype)
    halves, depth = _form(inner, modulus)
    depth = min(depth, _DEEP // (1 + halves))
    threads = _threads() if rows * inner * columns >= _LARGE else 1
    edges = [columns * part // threads for part in range(threads + 1)]
    for row in range(0, rows, _ROWS):
        factors = _factors(small[row : row + _ROWS], modulus, depth, halves=halves)
        here = out[row : row + _ROWS]
        write = partial(_multiply, factors, big, modulus, here, halves=halves)
        if threads == 1:
            write((0, columns))
        else:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - large arrays alone

            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(write, pairwise(edges)))
    return out


def _form(inner: int, modulus: int) -> tuple[bool, int]:
    """Whether residues of the big operand are cut in halves, and how many terms are exact."""
    room, largest = _EXACT - modulus, modulus // 2
    whole = room // (largest * (modulus - 1))
    if whole >= min(inner, _FEW):
        return False, min(inner, whole)
    low, high = (1 << _HALF) - 1, (modulus - 1) >> _HALF
    return True, min(inner, room // (largest * (low + high)))


def _threads() -> int:
    """As many as there are cores and the environment allows BLAS, at most four."""
    allowed = [int(os.environ[name]) for name in _LIMITS if os.environ.get(name, "").isdigit()]
    return max(1, min(_THREADS, os.cpu_count() or 1, *allowed))


def _factors(
    small: NDArray[np.int64], modulus: int, size: int, *, halves: bool
) -> NDArray[np.float64]:
    """What the rows of each chunk of the big operand are multiplied by, (chunks, rows, ..)."""
    rows, inner = small.shape
    chunks = -(-inner // size)
    both = np.zeros((1 + halves, rows, chunks * size))
    own = both[0, :, :inner]
    own[:] = small
    _centre(own, modulus)
    if halves:
        further = both[1, :, :inner]
        np.multiply(own, float(1 << _HALF), out=further)
        _centre(further, modulus)
    if chunks == 1 and not halves:
        return both
    parted = both.reshape(len(both), rows, chunks, size).transpose(2, 1, 0, 3)
    return parted.reshape(chunks, rows, len(both) * size)


def _centre(terms: NDArray[np.float64], modulus: int) -> None:
    """Reduce integers below 2**47 to |x| <= p // 2, in place.

    A quotient is 1 / 2p at least from the next half, and rounding moves it by 2**-37 at most.
    """
    quotient = np.rint(terms / modulus)
    quotient *= modulus
    terms -= quotient


def _multiply(
    factors: NDArray[np.float64],
    big: NDArray[Any],
    modulus: int,
    out: NDArray[Any],
    span: tuple[int, int],
    *,
    halves: bool,
) -> None:
    """Write these columns of the product, a block of columns and a group of chunks at a time."""
    chunks, rows, deep = factors.shape
    size = deep // (1 + halves)
    begin, end = span
    height = min(rows, _HIGH)
    narrow = max(1, _QUIET // (height * deep))
    room = min(_WORKSPACE, (chunks * size + rows) * (end - begin) // 4)
    fitting = room // (deep + 3 * rows)
    wide = min(max(fitting, _COLUMNS.start), _COLUMNS.stop)
    wide = max(1, min(max(1, wide // narrow) * narrow, 2 * _COLUMNS.stop, end - begin))
    group = max(1, min(chunks, _WORKSPACE // ((deep + 2 * rows) * wide)))
    filled, product, spare, total = _room(
        (group, deep, wide), (group, rows, wide), (group, rows, wide), (1, rows, wide)
    )
    if big.strides[0] < big.strides[1] and size >= _TALL:
        filled = filled.reshape(group, wide, deep).transpose(0, 2, 1)
    for start in range(begin, end, wide):
        stop = min(start + wide, end)
        sums = total[0, :, : stop - start]
        for first in range(0, chunks, group):
            last = min(first + group, chunks)
            terms = product[: last - first, :, : stop - start]
            other = filled[: last - first, :, : stop - start]
            _fill(other, big[first * size : last * size, start:stop], halves=halves)
            for left in range(0, stop - start, narrow):
                for top in range(0, rows, height):
                    part = np.s_[:, top : top + height, left : left + narrow]
                    np.matmul(factors[first:last, part[1]], other[..., part[2]], out=terms[part])
            _reduce(terms, modulus, spare)
            if chunks == 1:
                sums = terms[0]
                continue
            np.add(terms.sum(axis=0), sums if first else 0.0, out=sums)
            if chunks > _MANY:
                _reduce(sums, modulus, spare)
        if chunks > 1:  # sums of fewer than 2**21 residues are below 2**52
            _reduce(sums, modulus, spare)
        np.copyto(out[:, start:stop], sums, casting="unsafe")


def _room(*shapes: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """Arrays in one piece of memory: several are given back to the system time and again."""
    sizes = [math.prod(shape) for shape in shapes]
    room = np.empty(sum(sizes))
    arrays = []
    for size, shape in zip(sizes, shapes, strict=True):
        arrays.append(room[:size].reshape(shape))
        room = room[size:]
    return arrays


def _fill(factor: NDArray[np.float64], piece: NDArray[Any], *, halves: bool) -> None:
    """Put the residues of each chunk, or their halves, where they are multiplied.

    Where the last chunk lacks rows, it ends in zeros.
    """
    size = factor.shape[1] // (1 + halves)
    parts: tuple[NDArray[Any], ...] = _halves(piece) if halves else (piece,)
    for chunk in range(len(factor)):
        for place, part in enumerate(parts):
            own = factor[chunk, place * size : (place + 1) * size]
            rows = part[chunk * size : (chunk + 1) * size]
            np.copyto(own[: len(rows)], rows)
            own[len(rows) :] = 0.0


def _halves(piece: NDArray[Any]) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """The 16 lowest bits of residues, and the 16 above, as they lie in memory."""
    size = piece.itemsize
    if piece.strides[0] == size != piece.strides[1]:
        low, high = _halves(piece.T)
        return low.T, high.T
    if piece.strides[1] != size or sys.byteorder != "little":
        piece = np.ascontiguousarray(piece, dtype=f"<u{size}")
    words, step = piece.view("<u2"), size * 8 // _HALF
    return words[:, 0::step], words[:, 1::step]


def _reduce(terms: NDArray[np.float64], modulus: int, spare: NDArray[np.float64]) -> None:
    """Reduce integers up to 2**53 - p, of either sign, to [0, p), in place."""
    quotient = spare.ravel()[: terms.size].reshape(terms.shape)
    np.divide(terms, float(modulus), out=quotient)
    np.floor(quotient, out=quotient)
    np.multiply(quotient, float(modulus), out=quotient)
    np.subtract(terms, quotient, out=terms)
