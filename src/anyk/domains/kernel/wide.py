"""Products with many rows: the big operand a block of columns at a time, in cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.kernel.form import Wide
from anyk.domains.kernel.operands import blank, fill
from anyk.domains.kernel.reduction import Spare, add, reduce_into, settle

__all__ = ["multiply", "slabs"]

_TALL = 32  # terms, from which on columns that lie in memory number by number are kept so
_HIGH = 256  # rows of a product in cache
_QUIET_HIGH = 64
_QUIET = (1 << 19) - 1  # multiplications in one BLAS call, few enough that it starts no threads
_CACHE = 1 << 17  # float64 numbers of a block
_NARROW, _BROAD = 128, 4096  # columns of a block: enough to call for, few enough to stay in cache
_PREPARED = 1 << 22  # float64 numbers of factors
_MANY = 1000  # sums in a total before it is reduced


def slabs(rows: int, inner: int) -> range:
    """Where the slabs of rows begin of which factors are prepared at a time.

    Args:
        rows: of the small operand.
        inner: of it.
    """
    return range(0, rows, max(_HIGH, _PREPARED // max(1, 2 * inner)))


def multiply(
    span: tuple[int, int],
    *,
    chunks: Sequence[NDArray[np.float64]],
    first: NDArray[np.int64] | None,
    big: NDArray[Any],
    modulus: int,
    form: Wide,
    out: NDArray[Any],
    quiet: bool,
) -> None:
    """Write a span of columns of a product.

    Args:
        span: the first of some columns, and that behind the last.
        chunks: `factors` of the small operand, (rows, terms) each.
        first: `constants` that a product begins with, (rows, 1), where there are some.
        big: (inner, columns) of residues.
        modulus: p < 2**31.
        form: of the product.
        out: (rows, columns), where residues are written.
        quiet: whether BLAS is to start no threads.
    """
    rows, terms = chunks[0].shape
    begin, end = span
    height = min(rows, _QUIET_HIGH if quiet else _HIGH)
    fitting = min(max(_NARROW, _CACHE // max(height, terms)), _BROAD)
    wide = min(fitting, end - begin)
    standing = big.strides[0] < big.strides[1] and form.depth >= _TALL
    blocks = blank((), terms, wide, standing=standing)
    words = None
    if form.halves:
        words = (
            np.empty((wide, form.depth), np.uint32).T
            if standing
            else np.empty((form.depth, wide), np.uint32)
        )
    product, spare = np.empty(height * wide), Spare(height * wide)
    total = None if form.single else np.empty((rows, wide), np.int64)
    for start in range(begin, end, wide):
        stop = min(start + wide, end)
        width = stop - start
        for place, factor in enumerate(chunks):
            piece = big[place * form.depth : (place + 1) * form.depth, start:stop]
            filled = blocks[: factor.shape[1], :width]
            fill(filled, piece, form, None if words is None else words[: len(piece), :width])
            for top in range(0, rows, height):
                some = factor[top : top + height]
                sums = product[: len(some) * width].reshape(len(some), width)
                _matmul(some, filled, sums, quiet=quiet)
                if total is None:
                    reduce_into(out[top : top + height, start:stop], sums, modulus, spare)
                    continue
                part = total[top : top + height, :width]
                if place:
                    add(part, sums)
                    if place % _MANY == 0:
                        np.copyto(part, settle(part, modulus))
                else:
                    np.copyto(part, sums, casting="unsafe")
        if total is not None:
            whole = total[:, :width]
            if first is not None:
                whole += first
            np.copyto(out[:, start:stop], settle(whole, modulus), casting="unsafe")


def _matmul(
    left: NDArray[np.float64], right: NDArray[np.float64], out: NDArray[np.float64], *, quiet: bool
) -> None:
    """One call of BLAS; where it is to be quiet, as many as that needs."""
    narrow = max(1, _QUIET // left.size) if quiet else right.shape[1]
    for start in range(0, right.shape[1], narrow):
        part = slice(start, start + narrow)
        np.matmul(left, right[:, part], out=out[:, part])
