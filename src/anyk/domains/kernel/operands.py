"""Operands as float64 BLAS multiplies them: centred, cut in halves or in limbs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.kernel.form import HALF, Limbs, Wide
from anyk.domains.kernel.reduction import centre
from anyk.domains.kernel.workspace import Workspace

__all__ = ["blank", "constants", "digits", "factors", "fill", "halving", "largest", "signed"]

_INT64 = np.dtype(np.int64)
_UINT32 = np.dtype(np.uint32)
_LOW = np.uint32((1 << HALF) - 1)
_HIGH = np.uint32(HALF)
_PART = 1 << 14  # terms of which limbs are made at a time, in cache
_RAISE = 0.5


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
    if form.raised:
        made = np.empty((*small.shape[:-1], form.terms))
        made[..., :inner] = whole
        made[..., -1] = _RAISE
        if form.halves:
            np.multiply(whole, float(1 << HALF), out=whole)
            centre(whole, modulus)
            made[..., inner:-1] = whole
        return [made]
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
    stack: tuple[int, ...], form: Wide, columns: int, workspace: Workspace, *, standing: bool
) -> NDArray[np.float64]:
    """Memory for terms of the big operand, (*stack, terms, columns), with those that never change.

    Args:
        stack: lengths of the axes before.
        form: of the product.
        columns: how many.
        workspace: of which memory is taken.
        standing: whether a column lies in memory number by number.
    """
    if standing:
        made = workspace.array((*stack, columns, form.terms)).swapaxes(-1, -2)
    else:
        made = workspace.array((*stack, form.terms, columns))
    if form.raised:
        made[..., -1, :] = 1.0
    return made


def halving(
    stack: tuple[int, ...], form: Wide, columns: int, workspace: Workspace, *, standing: bool
) -> NDArray[np.uint32]:
    """Memory that `fill` needs where the big operand is in halves, (2, *stack, depth, columns).

    Args:
        stack: lengths of the axes before.
        form: of the product.
        columns: how many.
        workspace: of which memory is taken.
        standing: whether a column lies in memory number by number.
    """
    depth = form.depth if form.halves else 0
    if standing:
        return workspace.array((2, *stack, columns, depth), np.uint32).swapaxes(-1, -2)
    return workspace.array((2, *stack, depth, columns), np.uint32)


def fill(
    filled: NDArray[np.float64], piece: NDArray[Any], form: Wide, words: NDArray[np.uint32]
) -> None:
    """Write the terms of one chunk of the big operand where they are multiplied.

    Args:
        filled: (.., terms, columns), of twice as many terms as the piece has if in halves, or more.
        piece: (.., inner, columns) of residues.
        form: of the product.
        words: memory by `halving`, of at least as many terms and columns as the piece.
    """
    inner = piece.shape[-2]
    low, high = filled[..., :inner, :], filled[..., inner : 2 * inner, :]
    if not form.halves:
        if form.shift:
            np.subtract(signed(piece), form.shift, out=low, dtype=np.float64)
        else:
            np.copyto(low, signed(piece))
        return
    half, whole = words[..., :inner, : piece.shape[-1]]
    if piece.dtype != _UINT32:
        np.copyto(whole, piece, casting="unsafe")
        piece = whole
    np.bitwise_and(piece, _LOW, out=half)
    np.copyto(low, signed(half))
    np.right_shift(piece, _HIGH, out=half)
    np.copyto(high, signed(half))


def digits(small: NDArray[Any], modulus: int, form: Limbs) -> NDArray[np.float64]:
    """The limbs of the small operand, (limbs, rows, inner), the lowest first.

    Args:
        small: (rows, inner) of residues.
        modulus: p.
        form: of the product.
    """
    limbs = np.empty((form.number, *small.shape))
    for start in range(0, small.shape[1], _PART):
        part = slice(start, start + _PART)
        rest = small[:, part].astype(np.int64)
        rest -= modulus * (rest > modulus // 2)
        for limb in limbs[:-1, :, part]:
            carried = (rest + (1 << (form.bits - 1))) >> form.bits
            limb[:] = rest - (carried << form.bits)
            rest = carried
        limbs[-1, :, part] = rest
    return limbs
