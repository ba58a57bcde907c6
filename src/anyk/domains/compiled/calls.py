"""Calls of compiled loops: each gives what the form in numpy gives, bit for bit, or None.

Where it is None, the caller takes that form. `loops` says why all are exact, `compiling` when they
compute.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.compiled.compiling import LOOPS

if TYPE_CHECKING:
    from anyk.domains.compiled.loops import Prime

__all__ = ["load", "power", "product", "stack", "times"]

_LEAST = 1 << 12  # multiplications in one call, below which it costs more than it gains
_MANY = 1 << 15  # numbers, the same
_WORTH = 8  # multiplications of a matrix, beside which one of two numbers gains as much
_FEW = 4  # rows of the small operand
_NARROW = 16  # columns, of fewer of which a loop over them is too short
_LONGEST = 1 << 32  # terms of a sum
_TYPES = tuple(np.dtype(each) for each in (np.int64, np.uint32, np.uint16, np.uint8))
_INT64, _UINT32 = np.dtype(np.int64), np.dtype(np.uint32)


def load() -> str:
    """From now on in this process, compile at once what is needed.

    Returns:
        Why it can't: that numba is missing, say; "" where it can.

    Example:
        >>> from anyk.domains import compiled
        >>> reason = compiled.load()
    """
    if not LOOPS.closed:
        LOOPS.patience = 0
        LOOPS.loop(0, "across", _UINT32, _UINT32)
    return LOOPS.reason


def product(
    small: NDArray[Any], big: NDArray[Any], modulus: int, dtype: Any = np.int64
) -> NDArray[Any] | None:
    """Exact product of a few rows and a matrix of residues.

    Args:
        small: (rows, inner) of residues in [0, p); int64, uint32, uint16 or uint8.
        big: (inner, columns) of such; one of its axes lies in memory number by number.
        modulus: p < 2**31.
        dtype: of the product.

    Returns:
        ndarray (rows, columns) of residues; None where the form in numpy is to be taken: of more
        than four rows, of few numbers, or where nothing is compiled.

    Example:
        >>> from anyk.domains import compiled
        >>> big = np.ones((2000, 1000), dtype=np.uint32)
        >>> out = compiled.product(np.full((1, 2000), 2), big, 101)
        >>> out is None or out[0, :3].tolist() == [61, 61, 61]
        True
    """
    (rows, inner), columns = small.shape, big.shape[1]
    work = rows * inner * columns
    if LOOPS.closed or rows > _FEW or work < _LEAST or inner >= _LONGEST:
        return None
    from anyk.domains.compiled.loops import BLOCK  # noqa: PLC0415 - import anyk stays quick

    prime = _prime(modulus)
    split = "" if prime[2] >= BLOCK else "_split"
    if columns >= _NARROW and _in_a_row(big):
        name, memory = "across" + split, big
    elif _in_a_row(big.T):
        name, memory = "along" + split, big.T
    elif columns < _NARROW and _in_a_row(big):  # a copy costs less than loops over so few
        name, memory = "along" + split, np.ascontiguousarray(big.T)
    else:
        return None
    loop = LOOPS.loop(work, name, big.dtype, _UINT32)
    if loop is None:
        return None
    step = memory.strides[0] // big.itemsize if len(memory) > 1 else 0
    out = np.empty((rows, columns), np.uint64)
    loop(_flat(memory, step), _fixed(small, _UINT32), step, prime, out)
    return _typed(out, dtype)


def stack(
    left: NDArray[Any], right: NDArray[Any], modulus: int, dtype: Any = np.int64
) -> NDArray[Any] | None:
    """Exact products of pairs of matrices of residues.

    Args:
        left: (pairs, rows, inner) of residues in [0, p); int64, uint32, uint16 or uint8.
        right: (pairs, inner, columns) of such.
        modulus: p < 2**31.
        dtype: of the products.

    Returns:
        ndarray (pairs, rows, columns) of residues; None where the form in numpy is to be taken.
    """
    (pairs, rows, inner), columns = left.shape, right.shape[2]
    work = pairs * rows * inner * columns
    if LOOPS.closed or work < _LEAST or inner >= _LONGEST or not _known(left, right):
        return None
    same = left.dtype if left.dtype == right.dtype else _UINT32
    loop = LOOPS.loop(work, "stacks", same, same)
    if loop is None:
        return None
    out = np.empty(pairs * rows * columns, np.uint64)
    loop(_fixed(left, same), _fixed(right, same), _prime(modulus), out)
    return _typed(out.reshape(pairs, rows, columns), dtype)


def times(left: NDArray[Any], right: NDArray[Any], modulus: int) -> NDArray[np.int64] | None:
    """Products of residues modulo p, element by element.

    Args:
        left: of any shape; int64, uint32, uint16 or uint8.
        right: of the same shape, or one element.
        modulus: p < 2**31.

    Returns:
        int64 ndarray of residues; None where numpy is to be taken.
    """
    if right.size > left.size:
        left, right = right, left
    alike = right.shape == left.shape or (right.size == 1 and right.ndim <= left.ndim)
    if not alike:
        return None
    return _each("times", (left, right), modulus)


def power(values: NDArray[Any], exponent: int, modulus: int) -> NDArray[np.int64] | None:
    """Powers of residues modulo p, element by element.

    Args:
        values: of any shape; int64, uint32, uint16 or uint8.
        exponent: at least 0.
        modulus: p < 2**31.

    Returns:
        int64 ndarray of residues; None where numpy is to be taken.
    """
    return _each("powers", (values,), modulus, exponent) if exponent < _LONGEST else None


def _each(
    name: str, arrays: tuple[NDArray[Any], ...], modulus: int, *numbers: int
) -> NDArray[np.int64] | None:
    """What a loop over elements gives, in the shape of the first array."""
    first = arrays[0]
    if LOOPS.closed or first.size < _MANY or not _known(*arrays):
        return None
    if first.flags.f_contiguous and not first.flags.c_contiguous:
        turned = _each(name, tuple(each.T for each in arrays), modulus, *numbers)
        return None if turned is None else turned.T
    loop = LOOPS.loop(_WORTH * first.size, name, *[each.dtype for each in arrays])
    if loop is None:
        return None
    out = np.empty(first.size, np.uint64)
    flat = [_fixed(each, each.dtype).reshape(-1) for each in arrays]
    loop(*flat, *numbers, _prime(modulus), out)
    return out.view(np.int64).reshape(first.shape)


def _known(*arrays: NDArray[Any]) -> bool:
    return all(each.dtype in _TYPES for each in arrays)


def _in_a_row(matrix: NDArray[Any]) -> bool:
    """Whether each row lies in memory number by number, one row after the other or apart."""
    size, (step, each) = matrix.itemsize, matrix.strides
    return (
        _known(matrix)
        and matrix.flags.aligned
        and (each == size or matrix.shape[1] == 1)
        and (len(matrix) == 1 or (step >= 0 and step % size == 0))
    )


def _flat(matrix: NDArray[Any], step: int) -> NDArray[Any]:
    """The memory of the rows, and of what lies between them, as one row that can't be written."""
    if matrix.flags.c_contiguous:
        flat = matrix.reshape(-1)
    else:
        length = (len(matrix) - 1) * step + matrix.shape[1]
        flat = np.lib.stride_tricks.as_strided(matrix, (length,), (matrix.itemsize,))
    flat.flags.writeable = False
    return flat


def _fixed(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The same in one piece of memory, that can't be written: the kind that loops are made for."""
    fixed = np.require(values, dtype, ("C", "A")).view()
    fixed.flags.writeable = False
    return fixed


@lru_cache(maxsize=256)
def _prime(modulus: int) -> Prime:
    """What the loops compute with, of a modulus."""
    bits = modulus.bit_length()
    depth = min(((1 << 64) - modulus) // (modulus - 1) ** 2, _LONGEST)
    short = ((1 << 2 * bits) - 1) // modulus
    first, inverse = np.uint64(modulus), np.uint64((1 << 64) // modulus)
    return first, inverse, np.uint64(depth), np.uint64(short), np.uint64(bits - 1)


def _typed(words: NDArray[np.uint64], dtype: Any) -> NDArray[Any]:
    return words.view(np.int64) if np.dtype(dtype) == _INT64 else words.astype(dtype)
