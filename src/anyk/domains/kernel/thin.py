"""Products with few rows: the small operand is cut in limbs, the big one is read once, as it is.

Its residues become float64 a block at a time, in cache, and each limb of each row is multiplied by
the block: a matrix-vector product, for which BLAS needs no copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.kernel.form import Limbs
from anyk.domains.kernel.operands import signed
from anyk.domains.kernel.reduction import centre, reduce_into

__all__ = ["multiply", "stands"]

_BLOCK = 1 << 16  # float64 numbers in cache
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


def multiply(
    span: tuple[int, int],
    *,
    limbs: NDArray[np.float64],
    big: NDArray[Any],
    modulus: int,
    form: Limbs,
    out: NDArray[Any],
) -> None:
    """Write a span of columns of a product.

    Args:
        span: the first of some columns, and that behind the last.
        limbs: `digits` of the small operand, (limbs, rows, inner).
        big: (inner, columns) of residues.
        modulus: p < 2**31.
        form: of the product.
        out: (rows, columns), where residues are written.
    """
    part = slice(*span)
    vectors = limbs.reshape(-1, limbs.shape[-1])
    some = signed(big)[:, part]
    sums = (_along if stands(big) else _across)(vectors, some, modulus, form.depth)
    _join(sums.reshape(*limbs.shape[:2], -1), modulus, form, out[:, part])


def _join(sums: NDArray[np.float64], modulus: int, form: Limbs, out: NDArray[Any]) -> None:
    """From the sums of each limb, (limbs, rows, columns), those of the product."""
    value = sums[-1]
    for each in sums[-2::-1]:
        centre(value, modulus)
        value *= float(1 << form.bits)
        centre(value, modulus)
        centre(each, modulus)
        value += each
    reduce_into(out, value, modulus)


def _along(
    vectors: NDArray[np.float64], big: NDArray[Any], modulus: int, depth: int
) -> NDArray[np.float64]:
    """Sums along columns that lie in memory number by number: many of one, or of several."""
    inner, columns = big.shape
    out = np.zeros((len(vectors), columns))
    width = max(1, min(columns, _BLOCK // depth))
    group = max(1, min(inner // depth, _BLOCK // (width * depth)))
    room = np.empty(width * group * depth)
    for start in range(0, columns, width):
        stop = min(start + width, columns)
        total = out[:, start:stop]
        for done, (first, last, size) in enumerate(_pieces(inner, depth, group)):
            piece = big[first:last, start:stop].T.reshape(stop - start, -1, size)
            filled = room[: piece.size].reshape(-1, stop - start, size)
            np.copyto(filled, piece.swapaxes(0, 1))
            sums = _products(vectors[:, first:last].reshape(len(vectors), -1, size), filled)
            if inner > depth:
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
    vectors: NDArray[np.float64], big: NDArray[Any], modulus: int, depth: int
) -> NDArray[np.float64]:
    """Sums across rows that lie in memory number by number: a few rows at a time."""
    inner, columns = big.shape
    out = np.zeros((len(vectors), columns))
    width = min(columns, _BROAD)
    height = max(1, min(inner, depth, _BLOCK // width))
    room, part = np.empty(height * width), np.empty((len(vectors), width))
    for start in range(0, columns, width):
        stop = min(start + width, columns)
        total = out[:, start:stop]
        for done, first in enumerate(range(0, inner, depth)):
            last = min(first + depth, inner)
            sums = np.empty((len(vectors), stop - start))
            for top in range(first, last, height):
                bottom = min(top + height, last)
                filled = room[: (bottom - top) * (stop - start)].reshape(-1, stop - start)
                np.copyto(filled, big[top:bottom, start:stop])
                place = sums if top == first else part[:, : stop - start]
                _vectors_times(vectors[:, top:bottom], filled, place)
                if top != first:
                    sums += place
            if inner > depth:
                centre(sums, modulus)
            total += sums
            if (done + 1) % _MANY == 0:
                centre(total, modulus)
    return out


def _vectors_times(
    vectors: NDArray[np.float64], filled: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    if len(vectors) > _VECTORS:
        np.matmul(vectors, filled, out=out)
        return
    for each, place in zip(vectors, out, strict=True):
        np.matmul(each, filled, out=place)
