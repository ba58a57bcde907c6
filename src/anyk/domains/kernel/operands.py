"""Operands as float64 BLAS multiplies them: centred, cut in halves or in limbs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.kernel.form import HALF, Limbs, Wide
from anyk.domains.kernel.reduction import centre

__all__ = ["blank", "constants", "digits", "factors", "fill", "largest", "signed"]

_INT64 = np.dtype(np.int64)
_UINT32 = np.dtype(np.uint32)
_LOW = np.uint32((1 << HALF) - 1)
_HIGH = np.uint32(HALF)


def largest(big: NDArray[Any], modulus: int) -> int:
    """The largest number that an operand may have.

    Args:
        big: residues.
        modulus: p.
    """
    size = big.dtype.itemsize
    return modulus - 1 if size >= _UINT32.itemsize else min(modulus - 1, (1 << 8 * size) - 1)


def signed(residues: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, in a type that is quickly made float64: residues of 31 bits have no sign.

    Args:
        residues: of any integer type.
    """
    return residues.view(np.int32) if residues.dtype == _UINT32 else residues


def factors(small: NDArray[Any], modulus: int, form: Wide) -> list[NDArray[np.float64]]:
    """What the terms of each chunk are multiplied by, (.., rows, terms).

    Args:
        small: (.., rows, inner) of residues.
        modulus: p.
        form: of the product.
    """
    inner, depth = small.shape[-1], form.depth
    whole = signed(small).astype(np.float64)
    centre(whole, modulus)
    if not form.halves:
        return [whole[..., first : first + depth] for first in range(0, inner, depth)]
    times = whole * float(1 << HALF)
    centre(times, modulus)
    return [
        np.concatenate(
            [whole[..., first : first + depth], times[..., first : first + depth]], axis=-1
        )
        for first in range(0, inner, depth)
    ]


def constants(small: NDArray[Any], modulus: int, form: Wide) -> NDArray[np.int64]:
    """What a product begins with, (.., rows, 1): what was taken from the big operand, times a row.

    Args:
        small: (.., rows, inner) of residues.
        modulus: p.
        form: of the product.
    """
    total = small.sum(axis=-1, keepdims=True, dtype=np.int64)
    return np.asarray(total % modulus * form.shift % modulus)


def blank(
    stack: tuple[int, ...], terms: int, columns: int, *, standing: bool
) -> NDArray[np.float64]:
    """Memory for terms of the big operand, (*stack, terms, columns).

    Args:
        stack: lengths of the axes before.
        terms: how many in a column.
        columns: how many.
        standing: whether a column lies in memory number by number.
    """
    if standing:
        return np.empty((*stack, columns, terms)).swapaxes(-1, -2)
    return np.empty((*stack, terms, columns))


def fill(
    filled: NDArray[np.float64], piece: NDArray[Any], form: Wide, words: NDArray[np.uint32] | None
) -> None:
    """Write the terms of one chunk of the big operand where they are multiplied.

    Args:
        filled: (.., terms, columns), of twice as many terms as the piece has if in halves.
        piece: (.., inner, columns) of residues.
        form: of the product.
        words: memory of the piece's shape, needed in halves.
    """
    if not form.halves:
        if form.shift:
            np.subtract(signed(piece), form.shift, out=filled, dtype=np.float64)
        else:
            np.copyto(filled, signed(piece))
        return
    inner = piece.shape[-2]
    if piece.dtype != _UINT32:
        piece = piece.astype(np.uint32, order="K")
    words = np.empty_like(piece) if words is None else words
    np.bitwise_and(piece, _LOW, out=words)
    np.copyto(filled[..., :inner, :], signed(words))
    np.right_shift(piece, _HIGH, out=words)
    np.copyto(filled[..., inner:, :], signed(words))


def digits(small: NDArray[Any], modulus: int, form: Limbs) -> NDArray[np.float64]:
    """The limbs of the small operand, (limbs, rows, inner), the lowest first.

    Args:
        small: (rows, inner) of residues.
        modulus: p.
        form: of the product.
    """
    rest = small.astype(np.int64)
    rest -= modulus * (rest > modulus // 2)
    limbs = np.empty((form.number, *small.shape))
    for limb in limbs[:-1]:
        carried = (rest + (1 << (form.bits - 1))) >> form.bits
        limb[:] = rest - (carried << form.bits)
        rest = carried
    limbs[-1] = rest
    return limbs
