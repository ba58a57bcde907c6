"""Powers of a cyclic shift in place of points on the unit circle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anyk.domains.integers import is_prime

__all__ = ["prime_from", "shifts"]


def prime_from(least: int) -> int:
    """The smallest prime that is not below a number.

    Args:
        least: the number.

    Example:
        >>> from anyk.codes.analog.circulant import prime_from
        >>> prime_from(1), prime_from(8), prime_from(31)
        (2, 11, 31)
    """
    number = max(least, 2)
    while not is_prime(number):
        number += 1
    return number


def shifts(exponents: NDArray[np.intp], order: int) -> NDArray[np.float64]:
    """U^T P^e U of the cyclic shift P of q rows, U an isometry onto the vectors of sum 0.

    On these vectors the eigenvalues of P are the q-th roots of unity without 1, and powers of each
    of them by different exponents modulo a prime q are different.

    Args:
        exponents: e, intp ndarray (rows, columns).
        order: q, prime.

    Returns:
        float64 ndarray ((q - 1) rows, (q - 1) columns): an orthogonal matrix in the place of each
        e.

    References:
        Ramamoorthy and Tang: Numerically stable coded matrix computations via circulant and
        rotation matrix embeddings (IEEE TIT 2022), section IV.

    Example:
        >>> from anyk.codes.analog.circulant import shifts
        >>> once, thrice = shifts(np.array([[1]]), 3), shifts(np.array([[3]]), 3)
        >>> bool(np.allclose(once @ once @ once, np.eye(2))), bool(np.allclose(thrice, np.eye(2)))
        (True, True)
    """
    root, group = np.sqrt(order), order - 1
    onto = np.vstack([np.eye(group) - 1.0 / (root * (root + 1.0)), np.full(group, -1.0 / root)])
    moved = np.stack([onto.T @ np.roll(onto, step, axis=0) for step in range(order)])
    rows, columns = exponents.shape
    apart: NDArray[np.float64] = moved[exponents % order].transpose(0, 2, 1, 3)
    return apart.reshape(group * rows, group * columns)
