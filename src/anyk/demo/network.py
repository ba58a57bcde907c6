"""The small network of the demo: it reads handwritten digits, and nobody coded it for coding.

A 64-64-32-10 ReLU network of float32 weights, trained by ``scripts/train_digits_network.py`` on
three of every four of scikit-learn's digits. Of the 449 held out it reads 98.2 % right. Any other
function would do: the scheme calls it as a black box.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["WEIGHTS", "logits", "read"]

WEIGHTS = Path(__file__).with_name("digits_network.npz")

_SMUDGE = 0.1  # standard deviation of the smudges, where ink is 0 to 1


@cache
def _layers() -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]:
    """The (weight, bias) of each layer, read once a process."""
    with np.load(WEIGHTS, allow_pickle=False) as file:
        count = len(file.files) // 2
        return tuple(
            (file[f"weight{n}"].astype(float), file[f"bias{n}"].astype(float)) for n in range(count)
        )


def logits(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """One forward pass.

    Args:
        images: ndarray (..., 64) of ink, 0 to 1.

    Returns:
        ndarray (..., 10), one score a digit; the largest is the network's reading.

    Example:
        >>> from anyk.demo.network import logits
        >>> logits(np.zeros((3, 64))).shape
        (3, 10)
    """
    *hidden, (weight, bias) = _layers()
    for inner_weight, inner_bias in hidden:
        images = np.maximum(images @ inner_weight + inner_bias, 0)
    return images @ weight + bias


def read(images: NDArray[np.float64], passes: int = 100) -> NDArray[np.float64]:
    """Read digits with care: the mean scores over many slightly smudged copies of each.

    Reading smudged copies is a common way to steady a network, and it gives every worker real
    work to do. The smudges are the same in every call, so the function is deterministic.

    Args:
        images: ndarray (..., 64) of ink, 0 to 1.
        passes: how many copies.

    Returns:
        ndarray (..., 10) of mean scores.

    Example:
        >>> from anyk.demo.network import read
        >>> read(np.zeros((3, 64)), passes=2).shape
        (3, 10)
    """
    smudges = np.random.default_rng(0).normal(scale=_SMUDGE, size=(passes, 1, images.shape[-1]))
    total = np.zeros((*images.shape[:-1], 10))
    for smudge in smudges:
        total += logits(images + smudge)
    return total / passes
