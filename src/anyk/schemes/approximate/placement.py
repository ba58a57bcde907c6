"""Who stands where: a permutation that keeps neighbouring workers far apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["scattered"]

_GOLDEN = (5.0**0.5 - 1.0) / 2.0


def scattered(count: int) -> NDArray[np.intp]:
    """A place for each worker, so that no run of neighbouring workers makes a wide gap.

    Workers with neighbouring numbers often share a rack, a switch or a host, and are late, dead or
    bought together. If they also stood side by side on a curve, a rack that dies would be a gap in
    which nothing of the function is seen, and liars in one rack would be the most about a value.
    The multiples of the golden ratio, modulo 1, are spread about as evenly as can be however many
    of them are taken; worker n stands where the n-th smallest of them comes in their sequence.
    Any S <= 0.38 N neighbours that are missing leave no two adjacent places empty, and any
    S <= 0.61 N no three; as many that are missing at random leave gaps two to three times as wide.
    The permutation depends on the number of workers alone.

    Args:
        count: N.

    Returns:
        intp ndarray (N,): the place of each worker, from 0 to N - 1.

    References:
        Steinhaus's three-distance theorem: Sós, On the distribution mod 1 of the sequence n alpha,
        1958; Knuth, The Art of Computer Programming, volume 3, section 6.4 (the golden ratio).

    Example:
        >>> from anyk.schemes.approximate.placement import scattered
        >>> scattered(8)
        array([0, 5, 2, 7, 4, 1, 6, 3])
    """
    return np.argsort(np.arange(count) * _GOLDEN % 1.0, kind="stable")
