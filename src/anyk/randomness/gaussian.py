"""Gaussian numbers for noise that a statement rests on: whole numbers of a unit, with no gaps."""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anyk.randomness.entropy import AbstractSource, keystream

__all__ = ["LARGEST", "SKEW", "TAIL", "UNIT", "bits_below", "normals"]

UNIT = 2.0**-59
"""Of the whole numbers that `normals` returns; what is below it is uniform: `bits_below`."""

LARGEST = 10.0
"""No normal number is larger."""

SKEW = 2.0**-49
"""The density of a number is that of a normal one times at least e^-SKEW and at most e^SKEW."""

TAIL = 2.0**-56
"""But for an event of this probability: cells are drawn in steps of 2^-64, the last at 9.2."""

_CELLS = 256  # from 0 to 16, so that 8 bits choose one
_WIDTH = 4  # bits: a cell is 1/16 wide
_INSIDE = 59 - _WIDTH  # bits of a place in a cell
_WHOLE = 1 << 64
_BATCH = 1 << 14  # numbers drawn at a time: they stay in cache
_DIGITS = 40


def normals(source: AbstractSource, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Independent standard normal numbers, rounded down to whole numbers of `UNIT`.

    A cell of width 1/16 is drawn by the normal density at its end next to 0, from a table with
    steps of 2^-64; a place in it is uniform, one of 2^55, and is accepted with the density there
    over that at the end. So every whole number has its probability to a factor of e^`SKEW`: none
    is missing, however far one looks, and what the computer's exp rounds moves a chance a little,
    but never a number. (A formula that turns uniform floats into normal ones leaves gaps, by which
    noise is told from noise plus data.)

    Args:
        source: where the key comes from.
        shape: of the result.

    Returns:
        int64 ndarray of that shape: z / 2^-59, of a size below 2^63.

    References:
        von Neumann, Various techniques used in connection with random digits, 1951 (rejection);
        Walker, An efficient method for generating discrete random variables with general
        distributions, 1977; Karney, Sampling exactly from the normal distribution, 2016; Mironov,
        On significance of the least significant bits for differential privacy, 2012.

    Example:
        >>> from anyk.randomness.entropy import SystemSource
        >>> from anyk.randomness.gaussian import UNIT, normals
        >>> numbers = normals(SystemSource(), (10_000,)) * UNIT
        >>> bool(abs(numbers.mean()) < 0.1 and abs(numbers.std() - 1) < 0.1)
        True
    """
    total = int(np.prod(shape, dtype=np.int64))
    out = np.empty(total, dtype=np.int64)
    batch = min(_BATCH, max(total, 64))
    chances, others = _table()
    filled = 0
    for words in keystream(source, 6 * batch):
        which, where, lot = words.view(np.uint64).reshape(3, batch)
        column = (which & np.uint64(_CELLS - 1)).view(np.int64)
        cell = np.where((which >> np.uint64(8)) < chances[column], column, others[column])
        inside = (where & np.uint64((1 << _INSIDE) - 1)).view(np.int64)
        beyond = inside * UNIT
        chance = np.exp(-beyond * (cell * 2.0**-_WIDTH + 0.5 * beyond))
        accepted = (lot >> np.uint64(11)) * 2.0**-53 < chance
        size = (cell << _INSIDE) + inside
        size ^= where.view(np.int64) >> 63  # of a negative number the bits are those of -1 - size
        kept = size[accepted][: total - filled]
        out[filled : filled + len(kept)] = kept
        filled += len(kept)
        if filled == total:
            break
    return out.reshape(shape)


def bits_below(source: AbstractSource, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    """The 64 bits below the whole numbers of `normals`, where more are needed: uniform.

    The density is level over a unit to 2^-55, which `SKEW` covers.

    Args:
        source: where the key comes from.
        shape: of the result.
    """
    total = int(np.prod(shape, dtype=np.int64))
    words = next(keystream(source, 2 * max(total, 1)))
    return words.view(np.uint64)[:total].reshape(shape)


@lru_cache(maxsize=1)
def _table() -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Walker's table of the cells: of 2^56 lots in a column, how many are its own; whose others."""
    with localcontext() as context:
        context.prec = _DIGITS
        weights = [(-((Decimal(cell) / 2**_WIDTH) ** 2) / 2).exp() for cell in range(_CELLS)]
        total = sum(weights)
        left = [int(weight * _WHOLE / total) for weight in weights]
    left[0] += _WHOLE - sum(left)
    room = _WHOLE // _CELLS
    chances, others = [room] * _CELLS, list(range(_CELLS))
    small = [cell for cell in range(_CELLS) if left[cell] < room]
    large = [cell for cell in range(_CELLS) if left[cell] >= room]
    while small:
        poor, rich = small.pop(), large[-1]
        chances[poor], others[poor] = left[poor], rich
        left[rich] -= room - left[poor]
        if left[rich] < room:
            small.append(large.pop())
    return np.array(chances, dtype=np.uint64), np.array(others, dtype=np.int64)
