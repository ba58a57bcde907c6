"""A few columns for many, which nobody can foresee, so that no lie is made to vanish in them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.randomness.entropy import AbstractSource, SystemSource, residues

__all__ = ["disguise"]

Floats: TypeAlias = NDArray[np.float64]

_COLUMNS = 64
_TIMES = 4  # that the columns are folded: what cancels in one shows in another
_LARGEST = 1e8  # times the size of honest values, and no lie is larger


def disguise(values: Floats, *, scale: float, source: AbstractSource = SystemSource()) -> Floats:
    """A few combinations of columns, of which nobody knows in advance which they are.

    Each column is multiplied by a random number, of either sign and of size 1/2 to 3/2, and added
    to one of 16; this is done four times, with other numbers. Any difference between rows keeps
    its mean square in expectation, whatever it is chosen to be: two numbers cancel to a share e
    of their size with a chance of about e in one time, e^4 in all (for whoever can't foresee the
    random numbers). What is much larger than `scale` is cut first, so that it can't drown the
    rest in rounding.

    Args:
        values: ndarray (n, L).
        scale: the size of honest values, positive.
        source: where the random numbers come from.

    Returns:
        ndarray (n, min(L, 64)), divided by the scale.

    References:
        Charikar, Chen and Farach-Colton, Finding frequent items in data streams, 2002, section 3.

    Example:
        >>> from anyk.randomness.sketch import disguise
        >>> disguise(np.ones((5, 1000)), scale=1.0).shape
        (5, 64)
    """
    width = values.shape[1]
    with np.errstate(over="ignore"):  # by a subnormal scale; it is cut at once
        cut = np.clip(values / scale, -_LARGEST, _LARGEST)
    if width <= _COLUMNS:
        return cut
    words = residues(source, 1 << 30, (_TIMES, width))
    weights = np.where(words & 1, 1.0, -1.0) * (0.5 + (words >> 1) / float(1 << 29))
    folded = np.concatenate([_fold(cut, each) for each in weights], axis=1)
    return np.asarray(folded / np.sqrt(np.mean(weights**2) * width / (_COLUMNS // _TIMES)))


def _fold(values: Floats, weights: Floats) -> Floats:
    """Every 16th of the weighted columns added up, ndarray (n, 16)."""
    (rows, width), few = values.shape, _COLUMNS // _TIMES
    whole = width - width % few
    folded: Floats = np.einsum(
        "nlc,lc->nc",
        values[:, :whole].reshape(rows, -1, few),
        weights[:whole].reshape(-1, few),
    )
    folded[:, : width - whole] += values[:, whole:] * weights[whole:]
    return folded
