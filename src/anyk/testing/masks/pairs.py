"""Which numbers of many encodings are compared, two by two: samples of disjoint pairs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.testing.masks.draws import Draws

__all__ = ["Pair", "pairs"]

Pair: TypeAlias = tuple[str, NDArray[Any], NDArray[Any]]

_MOST = 16  # pairs of one kind
_COORDINATES = (1, 2, 3, 4, 7, 8, 16, 32)
_ENCODINGS = (1, 2, 3)


def pairs(draws: Draws, generator: np.random.Generator) -> Iterator[Pair]:
    """Two samples of numbers, which have nothing to do with each other if masks are honest.

    No number is in two pairs of one sample, so that the pairs are independent. Where there are
    more than 16 samples of a kind, as many are chosen at random.

    Args:
        draws: the encodings.
        generator: which chooses.

    Yields:
        What the two are, in words, and two ndarrays of the same length.
    """
    masks, data = draws.masks, draws.data
    encodings, count, width = masks.shape
    each = range(count)
    apart = [gap for gap in _COORDINATES if gap < width]
    later = [gap for gap in _ENCODINGS if gap < encodings]
    for one, other, gap in _some(
        [(*two, gap) for two in itertools.combinations(each, 2) for gap in (0, 1)], generator
    ):
        first = masks[:, one, : width - gap]
        yield f"masks {one} and {other}{_next(gap)}", first, masks[:, other, gap:]
    for one, gap in _some(list(itertools.product(each, apart)), generator):
        left = _disjoint(width, gap)
        yield f"coordinates {gap} apart", masks[:, one, left], masks[:, one, left + gap]
    for one, gap, aside in _some(list(itertools.product(each, later, (0, 1))), generator):
        left = _disjoint(encodings, gap)
        first, second = masks[left, one, : width - aside], masks[left + gap, one, aside:]
        yield f"encodings {gap} apart{_next(aside)}", first, second
    fresh = masks[: len(data)]
    for block, one in _some(list(itertools.product(range(data.shape[1]), each)), generator):
        yield f"block {block} of the data and mask {one}", data[:, block], fresh[:, one]


def _next(gap: int) -> str:
    return ", one coordinate on" if gap else ""


def _disjoint(length: int, gap: int) -> NDArray[np.intp]:
    """Places whose partner is so far behind them, and is no first of a pair itself."""
    places = np.arange(length - gap)
    first: NDArray[np.intp] = places[places // gap % 2 == 0]
    return first


def _some(items: Sequence[Any], generator: np.random.Generator) -> list[Any]:
    """All of them, or as many as are allowed, chosen at random."""
    if len(items) <= _MOST:
        return list(items)
    chosen = generator.choice(len(items), _MOST, replace=False)
    return [items[place] for place in np.sort(chosen)]
