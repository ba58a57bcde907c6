"""Discrete Gaussian numbers: integers y with a chance that goes as e^(-y^2 / (2 s^2))."""

from __future__ import annotations

import math
from bisect import bisect_right
from decimal import Decimal, localcontext
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from anyk.checks import real
from anyk.randomness.entropy import AbstractSource, keystream, residues
from anyk.randomness.gaussian import LARGEST, MORE, more_bits

__all__ = ["LEAST_STD", "MOST_STD", "discrete_gaussian"]

LEAST_STD = 0.5
"""The smallest standard deviation, for which sums of such numbers are understood."""

MOST_STD = 2.0**34
"""The largest one."""

_FINE = 16  # cells in a standard deviation, where it holds so many integers
_DIGITS = 340
_BITS = 64  # of a lot, and MORE where they leave it open


def discrete_gaussian(
    source: AbstractSource, std: float, shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Independent integers y with probabilities in proportion to e^(-y^2 / (2 std^2)).

    A cell of at most std / 16 integers, or one integer, is drawn by the weight of its end next to
    0, with as many random bits as it takes to decide; a place in it is uniform, and accepted with
    the weight there over that at the end; a sign is drawn, and one of the two zeros refused.

    Args:
        source: where the keys come from.
        std: from 1/2 to 2**34.
        shape: of the result.

    Returns:
        int64 ndarray of that shape; none is beyond 33 std.

    Raises:
        InvalidArgument: if std is out of range.

    Guarantee:
        Every integer has its probability to a factor of e^(2^-48), but for an event of
        probability 2^-740 for each number: that it is beyond 32 std.

    References:
        Canonne, Kamath, Steinke: The discrete Gaussian for differential privacy (NeurIPS 2020),
        definition 1; von Neumann, 1951, for rejection.

    Example:
        >>> from anyk.randomness.discrete_gaussian import discrete_gaussian
        >>> from anyk.randomness.entropy import SystemSource
        >>> numbers = discrete_gaussian(SystemSource(), 3.0, (10_000,))
        >>> bool(abs(numbers.mean()) < 0.3 and abs(numbers.std() - 3) < 0.3)
        True
    """
    needed, change = "a number from 1/2 to 2**34", "Take another scale, or finer numbers."
    size = real("std", std, least=LEAST_STD, most=MOST_STD, needed=needed, change=change)
    total = int(np.prod(shape, dtype=np.int64))
    out = np.empty(total, dtype=np.int64)
    width = max(1, int(size / _FINE))
    filled = 0
    while filled < total:
        many = (total - filled) + (total - filled) // 4 + 16
        words = next(keystream(source, 4 * many)).view(np.uint64).reshape(2, many)
        cell = _cells(source, size, words[0].copy())
        signs, lot = words[1] & np.uint64(1), (words[1] >> np.uint64(1)) * 2.0**-63
        inside = residues(source, width, (many,))
        chance = np.exp(-(inside * (2.0 * width * cell + inside)) / (2.0 * size * size))
        value = cell * width + inside
        kept = value[(lot < chance) & ((value != 0) | (signs == 0))]
        kept = kept * np.where(signs[(lot < chance) & ((value != 0) | (signs == 0))] == 0, 1, -1)
        kept = kept[: total - filled]
        out[filled : filled + len(kept)] = kept
        filled += len(kept)
    return out.reshape(shape)


def _cells(source: AbstractSource, std: float, words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """A cell for each lot; 960 more bits are drawn where its 64 are those of a border."""
    first, whole = _borders(std)
    cell = np.searchsorted(first, words, side="right").astype(np.int64)
    open_ = np.flatnonzero(np.isin(words, first))
    for place, more in zip(open_.tolist(), more_bits(source, open_.size), strict=True):
        cell[place] = bisect_right(whole, (int(words[place]) << MORE) | more)
    return cell


@lru_cache(maxsize=8)
def _borders(std: float) -> tuple[NDArray[np.uint64], tuple[int, ...]]:
    """Of 2^1024 lots, those below which are of a cell or one before it: 64 bits, and all bits."""
    width = max(1, int(std / _FINE))
    cells = math.ceil(LARGEST * std / width) + 1
    with localcontext() as context:
        context.prec = _DIGITS
        scale = Decimal(width) / Decimal(std)
        weights = [(-((scale * cell) ** 2) / 2).exp() for cell in range(cells)]
        whole = 1 << (_BITS + MORE)
        sums = list(accumulate(weights))
        borders = tuple(int(whole * each / sums[-1]) for each in sums[:-1])
    return np.array([each >> MORE for each in borders], dtype=np.uint64), borders
