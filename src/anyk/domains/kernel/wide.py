"""Products with many rows: the big operand a block of columns at a time, in cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.kernel.form import Wide
from anyk.domains.kernel.operands import blank, fill, halving
from anyk.domains.kernel.reduction import Spare, add, reduce_into, settle
from anyk.domains.kernel.workspace import borrowed

__all__ = ["multiply", "slabs"]

_TALL = 32  # terms, from which on columns that lie in memory number by number are kept so
_HIGH = 256  # rows of a product in cache
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
    *,
    chunks: Sequence[NDArray[np.float64]],
    first: NDArray[np.int64] | None,
    big: NDArray[Any],
    modulus: int,
    form: Wide,
    out: NDArray[Any],
) -> None:
    """Write a product.

    Args:
        chunks: `factors` of the small operand, (rows, terms) each.
        first: `constants` that a product begins with, (rows, 1), where there are some.
        big: (inner, columns) of residues.
        modulus: p < 2**31.
        form: of the product.
        out: (rows, columns), where residues are written.
    """
    rows, terms = chunks[0].shape
    end = out.shape[1]
    height = min(rows, _HIGH)
    fitting = min(max(_NARROW, _CACHE // max(height, terms)), _BROAD)
    wide = min(fitting, end)
    standing = big.strides[0] < big.strides[1] and form.depth >= _TALL
    workspace = borrowed()
    blocks = blank((), form, wide, workspace, standing=standing)
    words = halving((), form, wide, workspace, standing=standing)
    product = workspace.array((height * wide,))
    spare = Spare(height * wide, workspace)
    total = None if form.single else workspace.array((rows, wide), np.int64)
    for start in range(0, end, wide):
        stop = min(start + wide, end)
        width = stop - start
        for place, factor in enumerate(chunks):
            piece = big[place * form.depth : (place + 1) * form.depth, start:stop]
            filled = blocks[: factor.shape[1], :width]
            fill(filled, piece, form, words)
            for top in range(0, rows, height):
                some = factor[top : top + height]
                sums = product[: len(some) * width].reshape(len(some), width)
                np.matmul(some, filled, out=sums)
                if total is None:
                    place_of = out[top : top + height, start:stop]
                    reduce_into(place_of, sums, modulus, spare, raised=form.raised)
                    continue
                part = total[top : top + height, :width]
                if place:
                    add(part, sums, spare)
                    if place % _MANY == 0:
                        settle(part, part, modulus, spare)
                else:
                    np.copyto(part, sums, casting="unsafe")
        if total is None:
            continue
        for top in range(0, rows, height):
            part = total[top : top + height, :width]
            if first is not None:
                part += first[top : top + height]
            settle(out[top : top + height, start:stop], part, modulus, spare)
    workspace.give_back()
