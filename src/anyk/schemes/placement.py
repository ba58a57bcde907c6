"""Who stands where: a permutation that keeps neighbouring workers far apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["scattered"]

_STEP = 2.0**0.5 - 1.0


def scattered(count: int) -> NDArray[np.intp]:
    """A place for each worker, so that no run of neighbouring workers makes a wide gap.

    Workers with neighbouring numbers often share a rack, a switch or a host, and are late, dead or
    attacked together. If they also stood side by side on a curve, a rack that dies would be a gap
    in which nothing of the function is seen, and liars in one rack would be the most about a value.
    The multiples of sqrt(2), modulo 1, are spread evenly however many of them are taken; worker n
    has the place of the n-th smallest of them in their sequence. Any S <= 0.41 N neighbours that
    are missing leave no two adjacent places empty, and any S <= 0.58 N no three; as many that are
    missing at random leave gaps two to three times as wide. (The golden ratio does as well, 0.38
    and 0.61; but whoever scatters something else by it, such as faults in a test, would pick
    workers that stand side by side.) The permutation depends on the number of workers alone.

    Args:
        count: N.

    Returns:
        intp ndarray (N,): the place of each worker, from 0 to N - 1.

    References:
        Sós, On the distribution mod 1 of the sequence n alpha, 1958 (the three-distance theorem);
        Kuipers and Niederreiter, Uniform Distribution of Sequences, 1974, section 2.3.

    Example:
        >>> from anyk.schemes.placement import scattered
        >>> scattered(8)
        array([0, 5, 3, 1, 6, 4, 2, 7])
    """
    return np.argsort(np.arange(count) * _STEP % 1.0, kind="stable")
