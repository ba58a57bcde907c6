"""The best set of so many things: of all sets, or by exchanging one thing after the other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["ALL", "Loss", "every", "exchanged", "grown", "places_of_largest"]

ALL: Final = 3000
"""Sets up to which all are tried."""

Loss: TypeAlias = Callable[[NDArray[np.intp]], NDArray[np.float64]]
"""What each of some sets of one size, ndarray (sets, size), is to be chosen against."""

_ROUNDS = 20  # of exchanging one thing


def every(count: int, size: int, most: int = ALL) -> NDArray[np.intp] | None:
    """All sets of so many of 0 .. count - 1, in order; None where they are too many.

    Args:
        count: of things.
        size: of a set.
        most: how many sets are not too many.

    Example:
        >>> from anyk.codes.analog.sets import every
        >>> every(3, 2).tolist(), every(40, 5)
        ([[0, 1], [0, 2], [1, 2]], None)
    """
    total = math.comb(count, size)
    if total > most:
        return None
    return np.array([*itertools.combinations(range(count), size)], np.intp).reshape(total, size)


def grown(
    start: Iterable[int], allowed: NDArray[np.intp], size: int, loss: Loss
) -> NDArray[np.intp]:
    """A set with the things added one by one that are best, each time.

    Args:
        start: the first things.
        allowed: what may be added.
        size: of the set.
        loss: which is to be least.
    """
    chosen = np.array([*start], np.intp)
    while chosen.size < size:
        others = np.setdiff1d(allowed, chosen)
        sets = np.column_stack([np.repeat(chosen[None], others.size, axis=0), others])
        sets = np.sort(sets, axis=1)
        chosen = sets[np.argmin(loss(sets))]
    return chosen


def exchanged(
    start: NDArray[np.intp],
    allowed: NDArray[np.intp],
    loss: Loss,
    *,
    pairs: bool = False,
    enough: float = -math.inf,
) -> tuple[NDArray[np.intp], float]:
    """A set after one thing after the other was exchanged for a better one, and its loss.

    Args:
        start: the set, in order.
        allowed: what may come in.
        loss: which is to be least.
        pairs: whether two things are exchanged at once where one is no better.
        enough: a loss that is not to be improved.
    """
    chosen, least = start, math.inf
    for _ in range(_ROUNDS):
        others = np.setdiff1d(allowed, chosen)
        better, lost = _least(_with(chosen, others, 1), loss)
        if pairs and lost >= min(least, float(loss(chosen[None])[0])) and lost > enough:
            better, lost = _least(_with(chosen, others, 2), loss)
        if lost >= least:
            break
        chosen, least = better, lost
        if least <= enough:
            break
    return chosen, least


def _with(chosen: NDArray[np.intp], others: NDArray[np.intp], at_once: int) -> NDArray[np.intp]:
    """The set itself, and all in which so many things are exchanged for others."""
    outgoing = [*itertools.combinations(range(chosen.size), at_once)]
    incoming = np.array([*itertools.combinations(others, at_once)], np.intp)
    sets = np.repeat(chosen[None], 1 + len(outgoing) * len(incoming), axis=0)
    if len(incoming):
        each = sets[1:].reshape(len(outgoing), len(incoming), chosen.size)
        for some, places in zip(each, outgoing, strict=True):
            some[:, places] = incoming
    return np.sort(sets, axis=1)


def _least(sets: NDArray[np.intp], loss: Loss) -> tuple[NDArray[np.intp], float]:
    """The set with the least loss, the first of several, and its loss."""
    losses = loss(sets)
    place = int(np.argmin(losses))
    return sets[place], float(losses[place])


def places_of_largest(sizes: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """The places of the largest numbers, increasing.

    Args:
        sizes: ndarray (n,).
        count: how many places.
    """
    return np.sort(np.argsort(-sizes, kind="stable")[:count])
