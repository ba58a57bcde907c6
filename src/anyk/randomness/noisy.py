"""Data under Gaussian noise, on a grid: D·blocks + M·noise, without error, then rounded once."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.randomness.entropy import AbstractSource
from anyk.randomness.exact_sums import by_fractions, held, rounded
from anyk.randomness.gaussian import LARGEST, MORE, UNIT, bits_below, more_bits, normals
from anyk.randomness.grid import Grid, real_parts

__all__ = ["under_noise"]

Floats: TypeAlias = NDArray[np.float64]

_ROUNDING = 2.0**-52
_LAST = Fraction(1, 1 << (58 + 64 + MORE))  # the last bit of noise
_NEAR = 0.1  # of a step: where float64 errs by that much, exact arithmetic alone is quicker
_BATCH = 1 << 15  # numbers of all shares made at a time: they stay in cache
_SPAN = 1 << 18  # numbers of shares and noise that are there at a time


def under_noise(
    data: NDArray[Any],
    masks: NDArray[Any],
    blocks: NDArray[Any],
    *,
    grid: Grid,
    source: AbstractSource,
) -> NDArray[Any]:
    """Shares D·blocks + M·noise, with fresh noise, which is kept nowhere, rounded to a grid.

    The sums are rounded as if they were computed without error. So shares tell no more than the
    sums themselves, whose noise is Gaussian: the rounding is as good as done by whoever looks. Not
    a bit of a share depends on how a computer rounds or on the order of sums. No time is promised:
    few coordinates, chosen by data and noise, take longer.

    Args:
        data: D, real or complex ndarray (n, K).
        masks: M, ndarray (n, T); noise has variance 1, half of it in each part of a complex number.
        blocks: ndarray (K, *shape).
        grid: of the n shares.
        source: where noise comes from.

    Returns:
        ndarray (n, *shape).

    Raises:
        InvalidArgument: if a number of the blocks is beyond the grid's limit.

    References:
        Mironov, On significance of the least significant bits for differential privacy, 2012;
        Dwork and Roth, The algorithmic foundations of differential privacy, 2014, proposition 2.1
        (post-processing).

    Example:
        >>> from anyk.randomness.entropy import SystemSource
        >>> from anyk.randomness.grid import Grid
        >>> from anyk.randomness.noisy import under_noise
        >>> one, grid = np.ones((1, 1)), Grid(steps=np.array([0.25]), limit=4.0)
        >>> shares = under_noise(one, 0.01 * one, 1.3 * one, grid=grid, source=SystemSource())
        >>> shares
        array([[1.25]])
    """
    grid.check(blocks)
    flat = blocks.reshape(len(blocks), -1)
    columns = flat.shape[1]
    step = max(1, _SPAN // (len(data) + masks.shape[1]))
    spans = [slice(start, start + step) for start in range(0, columns, step)]
    if not (np.iscomplexobj(data) or np.iscomplexobj(masks)):
        matrix, real = np.concatenate([data, masks], axis=1), np.empty((len(data), columns))
        for span in spans:
            real[:, span] = _sums(matrix, flat[:, span], grid, grid.steps, source)
        return real.reshape(-1, *blocks.shape[1:])
    matrix = np.concatenate([real_parts(data), real_parts(masks) * math.sqrt(0.5)], axis=1)
    steps = np.concatenate([grid.steps, grid.steps])
    shares = np.empty((len(data), columns), np.complex128)
    for span in spans:
        parts = np.concatenate([flat[:, span].real, flat[:, span].imag])
        made = _sums(matrix, parts, grid, steps, source)
        shares.real[:, span], shares.imag[:, span] = made.reshape(2, len(data), -1)
    return shares.reshape(-1, *blocks.shape[1:])


def _sums(
    matrix: Floats, blocks: Floats, grid: Grid, steps: Floats, source: AbstractSource
) -> Floats:
    """[D M]·[blocks; noise] on the grid, of real numbers."""
    matrix = held(matrix, len(blocks), steps=steps, limit=grid.limit)
    noise = normals(source, (matrix.shape[1] - len(blocks), blocks.shape[1]))
    made = np.empty((len(steps), blocks.shape[1]))
    batch = max(1, _BATCH // len(steps))
    for start in range(0, blocks.shape[1], batch):
        some = slice(start, start + batch)
        made[:, some], doubtful = _quick(
            matrix, blocks[:, some], noise[:, some], steps=steps, unit=grid.unit
        )
        if doubtful.size:
            places = start + doubtful
            made[:, places] = _exact(
                matrix, blocks[:, places], noise[:, places], steps, grid=grid, source=source
            )
    return made


def _exact(
    matrix: Floats,
    blocks: Floats,
    noise: NDArray[np.int64],
    steps: Floats,
    *,
    grid: Grid,
    source: AbstractSource,
) -> Floats:
    """With 64 more bits of noise, and 960 more where these leave a rounding open."""
    below = bits_below(source, noise.shape)
    made, open_ = rounded(matrix, blocks, noise, below, steps=steps, limit=grid.limit)
    for place in open_:
        high, low = noise[:, place].tolist(), below[:, place].tolist()
        bits = zip(high, low, more_bits(source, len(noise)), strict=True)
        whole = [[((((a << 64) + b) << MORE) + c) * _LAST] for a, b, c in bits]
        one = slice(place, place + 1)
        made[:, one] = by_fractions(matrix, blocks[:, one], whole, steps=steps, limit=grid.limit)
    return made


def _quick(
    matrix: Floats,
    blocks: Floats,
    noise: NDArray[np.int64],
    *,
    steps: Floats,
    unit: float,
) -> tuple[Floats, NDArray[np.intp]]:
    """By float64 alone, and the coordinates where its error may change the rounding."""
    most = np.concatenate([np.abs(blocks).max(axis=1), np.full(len(noise), LARGEST)])
    size, weight = np.abs(matrix) @ most, np.abs(matrix).sum(axis=1)
    terms = matrix.shape[1] + 4  # and what is left of a step: bits below, the unit of the blocks
    error = (_ROUNDING * terms * size + unit * weight) / steps
    if error.max() > _NEAR:
        return np.zeros(()), np.arange(blocks.shape[1])
    sums = matrix @ np.concatenate([blocks, noise * UNIT])
    sums /= steps[:, None]
    whole = np.rint(sums)
    sums -= whole
    np.abs(sums, out=sums)
    whole += 0.0  # there is one zero
    whole *= steps[:, None]
    return whole, np.flatnonzero((sums >= (0.5 - error)[:, None]).any(axis=0))
