"""What liars answer who know the scheme: attacks on a curve through bounded answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["ATTACKS", "Attack"]

Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]

Attack: TypeAlias = Callable[[np.random.Generator, Floats, Places, int, float], Floats]
"""Called with a source of randomness, all honest answers (N, L) in the order of the curve, the
worker next to each value (K,), how many lie, and the bound on numbers; returns all answers."""


def _together(generator: np.random.Generator, near: Places, workers: int, liars: int) -> Places:
    """Liars in a row, around the place of a value."""
    centre = int(generator.choice(near))
    start = int(np.clip(centre - liars // 2, 0, workers - liars))
    return np.arange(start, start + liars)


def _scattered(
    generator: np.random.Generator, answers: Floats, near: Places, liars: int, bound: float
) -> Floats:
    """Anywhere, as large as may be, with random signs."""
    del near
    spoiled = answers.copy()
    who = generator.choice(len(answers), liars, replace=False)
    spoiled[who] = bound * generator.choice(np.array([-1.0, 1.0]), spoiled[who].shape)
    return spoiled


def _agreed(
    generator: np.random.Generator, answers: Floats, near: Places, liars: int, bound: float
) -> Floats:
    """In a row around one value, all with the same largest answer."""
    spoiled = answers.copy()
    who = _together(generator, near, len(answers), liars)
    spoiled[who] = bound * generator.choice(np.array([-1.0, 1.0]), answers.shape[1])
    return spoiled


def _smooth(
    generator: np.random.Generator, answers: Floats, near: Places, liars: int, bound: float
) -> Floats:
    """In a row around one value, on a smooth bump that begins and ends with the truth."""
    spoiled = answers.copy()
    who = _together(generator, near, len(answers), liars)
    window = np.sin(np.pi * (np.arange(liars) + 1.0) / (liars + 1.0)) ** 2
    heights = bound * generator.choice(np.array([-1.0, 1.0]), answers.shape[1])
    spoiled[who] += window[:, None] * (heights - answers[who])
    return spoiled


def _gentle(
    generator: np.random.Generator, answers: Floats, near: Places, liars: int, bound: float
) -> Floats:
    """The same bump, a tenth as high: harder to see."""
    return answers + 0.1 * (_smooth(generator, answers, near, liars, bound) - answers)


ATTACKS: dict[str, Attack] = {
    "scattered": _scattered,
    "agreed": _agreed,
    "smooth": _smooth,
    "gentle": _gentle,
}
