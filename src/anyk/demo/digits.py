"""Scikit-learn's 1797 handwritten digits: those the network was taught with, and those held out.

The data come with scikit-learn; nothing is downloaded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.wording import missing_extra

__all__ = ["all_pixels", "held_out", "taught"]

_INK = 16  # pixels come as 0 to 16
_EVERY = 4  # the last of every four digits is held out


def _load() -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415 - an extra, imported where used
    except ImportError as error:
        raise missing_extra("the demo reads scikit-learn's digits", "demo") from error
    images, labels = load_digits(return_X_y=True)
    return images / _INK, labels, np.arange(len(labels)) % _EVERY == _EVERY - 1


def taught() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The 1348 images (1348, 64) of ink 0 to 1, and labels, that the network was trained with.

    Raises:
        ImportError: without scikit-learn.
    """
    images, labels, out = _load()
    return images[~out], labels[~out]


def held_out() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The 449 images (449, 64) of ink 0 to 1, and labels, that the network has never seen.

    Raises:
        ImportError: without scikit-learn.
    """
    images, labels, out = _load()
    return images[out], labels[out]


def all_pixels() -> NDArray[np.int64]:
    """All 1797 images as they come: ndarray (1797, 64) of integers 0 to 16.

    Raises:
        ImportError: without scikit-learn.
    """
    images, _, _ = _load()
    return (images * _INK).astype(np.int64)
