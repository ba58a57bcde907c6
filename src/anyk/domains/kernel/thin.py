"""Products with few rows: the small operand is cut in limbs, the big one is read once, as it is.

Its residues become float64 a block at a time, in cache, and each limb of each row is multiplied by
the block: a matrix-vector product, for which BLAS needs no copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.kernel.form import Limbs, limbs_form
from anyk.domains.kernel.operands import digits, largest, signed
from anyk.domains.kernel.reduction import Spare, centre, reduce_into
from anyk.domains.kernel.workspace import Workspace, borrowed

__all__ = ["multiply", "stands"]

_ENOUGH = 128, 1024  # terms of a sum, across and along
_BLOCK = 1 << 16  # float64 numbers in cache
_SPAN = 1 << 14  # columns whose sums are in memory at a time, at most
_SUMS = 1 << 17  # of all vectors, the same
_BROAD = 1 << 12  # columns of a block, at most
_VECTORS = 5  # limbs of rows: more are quicker by one product of matrices
_NARROW = 64  # columns, of fewer of which a block would have little
_MANY = 1 << 20  # residues in a sum before it is reduced


def stands(big: NDArray[Any]) -> bool:
    """Whether the big operand is taken column by column.

    Args:
        big: (inner, columns).
    """
    return big.strides[0] < big.strides[1] or big.shape[1] < _NARROW


def multiply(small: NDArray[Any], big: NDArray[Any], modulus: int, out: NDArray[Any]) -> None:
    """Write a product.

    Args:
        small: (rows, inner) of residues.
        big: (inner, columns) of residues.
        modulus: p < 2**31.
        out: (rows, columns), where residues are written.
    """
    (rows, inner), standing = small.shape, stands(big)
    form = limbs_form(inner, modulus, largest(big, modulus), _ENOUGH[standing])
    vectors = digits(small, modulus, form).reshape(-1, inner)
    add_up = _along if standing else _across
    span = max(_BROAD, min(_SPAN, _SUMS // len(vectors)))
    for first in range(0, big.shape[1], span):
        part = slice(first, first + span)
        workspace = borrowed()
        sums = add_up(vectors, signed(big[:, part]), modulus, form.depth, workspace)
        _join(sums.reshape(form.number, rows, -1), modulus, form, out[:, part], workspace)
        workspace.give_back()


def _join(
    sums: NDArray[np.float64], modulus: int, form: Limbs, out: NDArray[Any], workspace: Workspace
) -> None:
    """From the sums of each limb, (limbs, rows, columns), those of the product.

    Centred, they are below 2**30 + 3, and three of 11 bits make less than 2**53 - p.
    """
    value, spare = sums[-1], Spare(sums.size, workspace)
    if form.number > 1:
        centre(sums, modulus, spare)
        for each in sums[-2::-1]:
            value *= float(1 << form.bits)
            value += each
    reduce_into(out, value, modulus, spare)


def _along(
    vectors: NDArray[np.float64],
    big: NDArray[Any],
    modulus: int,
    depth: int,
    workspace: Workspace,
) -> NDArray[np.float64]:
    """Sums along columns that lie in memory number by number."""
    inner, columns = big.shape
    if depth < inner:
        return _along_in_pieces(vectors, big, modulus, depth, workspace)
    out = workspace.array((len(vectors), columns))
    width = max(1, min(columns, _BLOCK // inner))
    room = workspace.array((width, inner))
    for start in range(0, columns, width):
        piece = big[:, start : start + width].T
        filled = room[: len(piece)]
        np.copyto(filled, piece)
        place = out[:, start : start + width]
        if len(vectors) > _VECTORS:
            np.matmul(vectors, filled.T, out=place)
            continue
        for each, sums in zip(vectors, place, strict=True):
            np.dot(filled, each, out=sums)
    return out


def _along_in_pieces(
    vectors: NDArray[np.float64],
    big: NDArray[Any],
    modulus: int,
    depth: int,
    workspace: Workspace,
) -> NDArray[np.float64]:
    """The same of longer columns: many pieces of one, or of several, at a time."""
    inner, columns = big.shape
    out = workspace.array((len(vectors), columns))
    out[:] = 0
    width = max(1, min(columns, _BLOCK // depth))
    group = max(1, min(inner // depth, _BLOCK // (width * depth)))
    room = workspace.array((width * group * depth,))
    for start in range(0, columns, width):
        stop = min(start + width, columns)
        total = out[:, start:stop]
        for done, (first, last, size) in enumerate(_pieces(inner, depth, group)):
            piece = big[first:last, start:stop].T.reshape(stop - start, -1, size)
            filled = room[: piece.size].reshape(-1, stop - start, size)
            np.copyto(filled, piece.swapaxes(0, 1))
            sums = _products(vectors[:, first:last].reshape(len(vectors), -1, size), filled)
            centre(sums, modulus)
            total += sums.sum(axis=1)
            if (done + 1) % max(1, _MANY // group) == 0:
                centre(total, modulus)
    return out


def _pieces(inner: int, depth: int, group: int) -> Iterator[tuple[int, int, int]]:
    """Where groups of sums begin and end, and how many terms each sum has; the last has fewer."""
    whole = inner // depth * depth
    for first in range(0, whole, group * depth):
        yield first, min(first + group * depth, whole), depth
    if whole < inner:
        yield whole, inner, inner - whole


def _products(vectors: NDArray[np.float64], filled: NDArray[np.float64]) -> NDArray[np.float64]:
    """(vectors, number, size) by (number, width, size): (vectors, number, width)."""
    if len(vectors) > _VECTORS:
        return np.asarray(np.matmul(vectors.swapaxes(0, 1), filled.mT)).swapaxes(0, 1)
    return np.stack([np.matmul(filled, each[:, :, None])[..., 0] for each in vectors])


def _across(
    vectors: NDArray[np.float64],
    big: NDArray[Any],
    modulus: int,
    depth: int,
    workspace: Workspace,
) -> NDArray[np.float64]:
    """Sums across rows that lie in memory number by number: a few rows at a time."""
    inner, columns = big.shape
    out = workspace.array((len(vectors), columns))
    width = min(columns, _BROAD)
    pieces = -(-depth // max(1, _BLOCK // width))
    height = -(-depth // pieces)
    room = workspace.array((height * width,))
    part = workspace.array((len(vectors) * width * (pieces > 1),))
    again = len(vectors) * width * (depth < inner)
    more, spare = workspace.array((again,)), Spare(again, workspace)
    for start in range(0, columns, width):
        size = min(width, columns - start)
        total = out[:, start : start + size]
        for done, first in enumerate(range(0, inner, depth)):
            last = min(first + depth, inner)
            sums = more[: len(vectors) * size].reshape(-1, size) if first else total
            for top in range(first, last, height):
                bottom = min(top + height, last)
                filled = room[: (bottom - top) * size].reshape(-1, size)
                np.copyto(filled, big[top:bottom, start : start + size])
                _add_products(vectors[:, top:bottom], filled, sums, part, top == first)
            if depth < inner:
                centre(sums, modulus, spare)
            if first:
                total += sums
            if (done + 1) % _MANY == 0:
                centre(total, modulus)
    return out


def _add_products(
    vectors: NDArray[np.float64],
    filled: NDArray[np.float64],
    sums: NDArray[np.float64],
    part: NDArray[np.float64],
    begin: bool,  # noqa: FBT001 - of sums, or else they go on
) -> None:
    """Of each vector with a block, its product, to what it has."""
    if len(vectors) > _VECTORS:
        if begin:
            np.matmul(vectors, filled, out=sums)
        else:
            sums += np.matmul(vectors, filled, out=part[: sums.size].reshape(sums.shape))
        return
    part = part[: filled.shape[1]]
    for each, place in zip(vectors, sums, strict=True):
        if begin:
            np.dot(each, filled, out=place)
        else:
            np.dot(each, filled, out=part)
            np.add(place, part, out=place)
