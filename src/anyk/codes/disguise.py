"""A few columns for many, which nobody can foresee, so that no lie is made to vanish in them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.privacy.entropy import AbstractSource, SystemSource, residues

__all__ = ["disguise"]

Floats: TypeAlias = NDArray[np.float64]

_COLUMNS = 64
_LARGEST = 1e8  # times the size of honest values, and no lie is larger


def disguise(values: Floats, *, scale: float, source: AbstractSource = SystemSource()) -> Floats:
    """A few combinations of columns, of which nobody knows in advance which they are.

    Each column is multiplied by a random number, of either sign and of size 1/2 to 3/2, and added
    to one of 64. Any difference between rows keeps its mean square in expectation; none vanishes,
    whatever it is chosen to be, but by foreseeing the numbers. What is much larger than `scale`
    is cut first, so that it can't drown the rest in rounding.

    Args:
        values: ndarray (n, L).
        scale: the size of honest values, positive.
        source: where the random numbers come from.

    Returns:
        ndarray (n, min(L, 64)), divided by the scale.

    References:
        Charikar, Chen and Farach-Colton, Finding frequent items in data streams, 2002, section 3.

    Example:
        >>> from anyk.codes.disguise import disguise
        >>> disguise(np.ones((5, 1000)), scale=1.0).shape
        (5, 64)
    """
    rows, width = values.shape
    cut = np.clip(values / scale, -_LARGEST, _LARGEST)
    if width <= _COLUMNS:
        return cut
    words = residues(source, 1 << 30, (width,))
    weights = np.where(words & 1, 1.0, -1.0) * (0.5 + (words >> 1) / float(1 << 29))
    whole = width - width % _COLUMNS
    folded = np.einsum(
        "nlc,lc->nc",
        cut[:, :whole].reshape(rows, -1, _COLUMNS),
        weights[:whole].reshape(-1, _COLUMNS),
    )
    folded[:, : width - whole] += cut[:, whole:] * weights[whole:]
    return np.asarray(folded / np.sqrt(np.mean(weights**2) * width / _COLUMNS))
