"""Sums of products without error, rounded once: matrix products in pieces that float64 holds."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.randomness.gaussian import UNIT

__all__ = ["EXACT", "UNSETTLED", "by_fractions", "held", "rounded"]

Floats: TypeAlias = NDArray[np.float64]

EXACT = 2.0**-96
"""Times the largest number that blocks may have, is the unit in which they are taken."""

UNSETTLED = 2.0**-900
"""Times the terms of a sum, bounds the chance that it is rounded to the step beside."""

_BITS = 24  # of a piece
_AT_ONCE = 32  # products of two pieces that add up exactly in float64
_OF_MATRIX, _OF_BLOCKS, _OF_NOISE = 4, 4, 5  # pieces
_ORDER = 6  # pieces p and q with p + q beyond that are below 5 * 2^-60 steps a term
_SCALE = 60  # bits: twice the largest sum, in steps
_NOISE = 63  # bits of the noise's whole numbers, sign apart
_BELOW = 64
_UNSURE = 5  # times the terms, in 2^-60 steps: what pieces leave open


def rounded(
    matrix: Floats,
    blocks: Floats,
    noise: NDArray[np.int64],
    below: NDArray[np.uint64],
    *,
    steps: Floats,
    limit: float,
) -> tuple[Floats, NDArray[np.intp]]:
    """The multiple of the step next to each number of matrix·[blocks; noise], as float64.

    Of more than 2^53 steps, the float64 next to it. Blocks are first rounded to multiples of
    `limit` times 2^-96; noise has 64 bits more than its
    whole numbers. All are cut in pieces of 24 bits, and products of pieces are added exactly, but
    for those that together move a sum by less than 2^-57 steps a term.

    Args:
        matrix: ndarray (n, K + T), as `held` makes it.
        blocks: ndarray (K, L), of sizes up to `limit`.
        noise: int64 ndarray (T, L), whole numbers of `anyk.randomness.gaussian.UNIT`.
        below: their further bits, uint64 ndarray (T, L).
        steps: of the rows, powers of two: no sum is larger than 2^59 of them.
        limit: a power of two.

    Returns:
        ndarray (n, L), and the coordinates where what is left out may change the rounding: one of
        2^55 or so.

    References:
        Ozaki, Ogita, Oishi and Rump, Error-free transformations of matrix multiplication by using
        fast routines of matrix multiplication and its applications, 2012.

    Example:
        >>> from anyk.randomness.exact_sums import rounded
        >>> none, below = np.zeros((0, 1), dtype=np.int64), np.zeros((0, 1), dtype=np.uint64)
        >>> two = np.array([[0.3], [0.4]])
        >>> rounded(np.ones((1, 2)), two, none, below, steps=np.ones(1), limit=4.0)
        (array([[1.]]), array([], dtype=int64))
    """
    left = _pieces(matrix / _scales(len(blocks), len(noise), steps, limit), _OF_MATRIX)
    right = [np.zeros((matrix.shape[1], blocks.shape[1])) for _ in range(_OF_NOISE)]
    for whole, part in zip(right, _pieces(blocks / limit, _OF_BLOCKS), strict=False):
        whole[: len(blocks)] = part
    for place, whole in enumerate(right):
        whole[len(blocks) :] = _bits(noise, below, place * _BITS)
    carry: Any = 0
    rests: list[Any] = []
    for order in range(_ORDER, 1, -1):
        pairs = [(p, order - p) for p in range(1, _OF_MATRIX + 1) if 1 <= order - p <= _OF_NOISE]
        total = carry + _product(
            np.concatenate([left[p - 1] for p, _ in pairs], axis=1),
            np.concatenate([right[q - 1] for _, q in pairs]),
        )
        if order > 2:  # noqa: PLR2004 - the first pieces of both
            carry = total >> _BITS
            rests.append(total - (carry << _BITS))
    _, last, middle, first = rests  # the bits below `total`, 24 each
    up, down = _SCALE - 2 * _BITS, 3 * _BITS - _SCALE
    first += 1 << (down - 1)
    made: Floats = ((total << up) + (first >> down)) * steps[:, None]
    beyond = ((first & ((1 << down) - 1)) << 2 * _BITS) + (middle << _BITS) + last
    margin = _UNSURE * matrix.shape[1] + 2
    open_ = (beyond < margin) | (beyond > (1 << (down + 2 * _BITS)) - margin)
    return made, np.flatnonzero(open_.any(axis=0))


def by_fractions(
    matrix: Floats,
    blocks: Floats,
    noise: list[list[Fraction]],
    *,
    steps: Floats,
    limit: float,
) -> Floats:
    """As `rounded`, one number after the other, with noise to any digit.

    Args:
        matrix: ndarray (n, K + T), as `held` makes it.
        blocks: ndarray (K, L), of sizes up to `limit`.
        noise: T lists of L fractions.
        steps: of the rows, powers of two.
        limit: a power of two.

    Returns:
        ndarray (n, L).
    """
    unit = Fraction(limit) * Fraction(EXACT)
    right = [[round(Fraction(float(x)) / unit) * unit for x in row] for row in blocks]
    right += noise
    made = np.empty((len(matrix), blocks.shape[1]))
    for row, place in np.ndindex(made.shape):
        terms = zip(matrix[row], right, strict=True)
        total = sum(Fraction(float(m)) * each[place] for m, each in terms)
        step = Fraction(float(steps[row]))
        made[row, place] = float(math.floor(total / step + Fraction(1, 2)) * step)
    return made


def held(matrix: Floats, blocks: int, *, steps: Floats, limit: float) -> Floats:
    """The matrix to 2^-96 of the most that an entry may be: no change for all but tiny ones.

    Args:
        matrix: ndarray (n, K + T).
        blocks: K.
        steps: of the rows.
        limit: of the blocks' numbers.
    """
    scales = _scales(blocks, matrix.shape[1] - blocks, steps, limit)
    scales *= 2.0 ** (-_OF_MATRIX * _BITS)
    whole: Floats = np.rint(matrix / scales) * scales
    return whole


def _scales(blocks: int, noise: int, steps: Floats, limit: float) -> Floats:
    """Powers of two, above what entries of the matrix may be, ndarray (n, K + T)."""
    sizes = np.concatenate([np.full(blocks, limit), np.full(noise, UNIT * 2.0**_NOISE)])
    scales: Floats = (steps * 2.0**_SCALE)[:, None] / sizes
    return scales


def _pieces(values: Floats, count: int) -> list[Floats]:
    """Numbers of sizes up to 1 as sum of piece_p 2^(-24 p), all whole, below 2^24 but the first."""
    left = np.rint(values * 2.0 ** (count * _BITS))
    pieces = []
    for place in range(count - 1, -1, -1):
        piece = np.floor(left * 2.0 ** (-place * _BITS))
        left -= piece * 2.0 ** (place * _BITS)
        pieces.append(piece)
    return pieces


def _bits(noise: NDArray[np.int64], below: NDArray[np.uint64], start: int) -> NDArray[Any]:
    """24 bits of noise, from this place on below its sign."""
    shift = _NOISE - start - _BITS
    if start == 0:
        return noise >> shift
    mask = (1 << _BITS) - 1
    if shift >= 0:
        return (noise >> shift) & mask
    if shift > -_BITS:
        upper = (noise & ((1 << (_BITS + shift)) - 1)) << -shift
        return upper | (below >> np.uint64(_BELOW + shift)).astype(np.int64)
    return (below >> np.uint64(_BELOW + shift)) & np.uint64(mask)


def _product(small: Floats, big: Floats) -> NDArray[np.int64]:
    """The product of matrices of whole numbers up to 2^24, exactly."""
    total = np.zeros((len(small), big.shape[1]), dtype=np.int64)
    for start in range(0, small.shape[1], _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        total += (small[:, some] @ big[some]).astype(np.int64)
    return total
