"""Gaussian numbers for noise that a statement rests on: whole numbers of a unit, with no gaps."""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anyk.randomness.entropy import AbstractSource, keystream

__all__ = ["LARGEST", "SKEW", "TAIL", "UNIT", "bits_below", "more_bits", "normals"]

UNIT = 2.0**-58
"""Of the whole numbers that `normals` returns; what is below it is uniform: `bits_below`."""

LARGEST = 32.0
"""No normal number is larger."""

SKEW = 2.0**-48
"""The density of a number is that of a normal one times at least e^-SKEW and at most e^SKEW."""

TAIL = 2.0**-740
"""But for an event of this probability: that a normal number is beyond `LARGEST`."""

_COLUMN = 9  # bits
_CELLS = 1 << _COLUMN  # from 0 to 32
_WIDTH = 4  # bits: a cell is 1/16 wide
_INSIDE = 58 - _WIDTH  # bits of a place in a cell
MORE = 960
"""Random bits of `more_bits`, for what 64 leave open."""

_WHOLE = 1 << (64 + MORE)
_BATCH = 1 << 14  # numbers drawn at a time: they stay in cache
_DIGITS = 340


def normals(source: AbstractSource, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Independent standard normal numbers, rounded down to whole numbers of `UNIT`.

    A cell of width 1/16 is drawn by the normal density at its end next to 0, with as many random
    bits as it takes to decide; a place in it is uniform, one of 2^54, and is accepted with the
    density there over that at the end. So every whole number has its probability to a factor of
    e^`SKEW`: none is missing, however far one looks, and what the computer's exp rounds moves a
    chance a little, but never a number. (A formula that turns uniform floats into normal ones
    leaves gaps, by which noise is told from noise plus data.)

    Args:
        source: where the key comes from.
        shape: of the result.

    Returns:
        int64 ndarray of that shape: z / 2^-58, of a size below 2^63.

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
    chances, others, _ = _table()
    filled = 0
    for words in keystream(source, 6 * batch):
        which, where, lot = words.view(np.uint64).reshape(3, batch)
        column = (which & np.uint64(_CELLS - 1)).view(np.int64)
        own, drawn = chances[column], which >> np.uint64(_COLUMN)
        cell = np.where(drawn < own, column, others[column])
        open_ = np.flatnonzero(drawn == own)  # with a chance of 2^-55
        if open_.size:
            cell[open_] = _decided(source, column[open_])
        inside = (where & np.uint64((1 << _INSIDE) - 1)).view(np.int64)
        beyond = inside * UNIT
        chance = np.exp(-beyond * (cell * 2.0**-_WIDTH + 0.5 * beyond))
        accepted = lot * 2.0**-64 < chance
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

    The density is level over a unit to 2^-53, which `SKEW` covers.

    Args:
        source: where the key comes from.
        shape: of the result.
    """
    total = int(np.prod(shape, dtype=np.int64))
    words = next(keystream(source, 2 * max(total, 1)))
    return words.view(np.uint64)[:total].reshape(shape)


def more_bits(source: AbstractSource, number: int) -> list[int]:
    """Integers of 960 random bits, for what 64 leave open.

    Args:
        source: where the key comes from.
        number: how many.
    """
    room = MORE // 8
    words = next(keystream(source, number * room // 4)).tobytes()
    return [int.from_bytes(words[at : at + room]) for at in range(0, number * room, room)]


def _decided(source: AbstractSource, columns: NDArray[np.int64]) -> list[int]:
    """The cells of draws on the border between their column's own lots and the others'."""
    _, others, finer = _table()
    lots = zip(columns.tolist(), more_bits(source, columns.size), strict=True)
    return [column if lot < finer[column] else int(others[column]) for column, lot in lots]


@lru_cache(maxsize=1)
def _table() -> tuple[NDArray[np.uint64], NDArray[np.int64], tuple[int, ...]]:
    """Walker's table of the cells: of 2^1015 lots in a column, how many are its own; whose others.

    How many are its own comes in two parts, the first 55 bits and 960 more.
    """
    with localcontext() as context:
        context.prec = _DIGITS
        ratio = (Decimal(-1) / 2 ** (2 * _WIDTH + 1)).exp()  # e^(-z^2/2) is its power of cell^2
        weights = [ratio ** (cell * cell) for cell in range(_CELLS)]
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
    first = np.array([chance >> MORE for chance in chances], dtype=np.uint64)
    finer = tuple(chance & ((1 << MORE) - 1) for chance in chances)
    return first, np.array(others, dtype=np.int64), finer
