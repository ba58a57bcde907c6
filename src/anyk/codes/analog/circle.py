"""Points on circles: where a code over the complex numbers keeps blocks, keys and workers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["circle", "lagrange_basis", "spread"]


def circle(count: int) -> NDArray[np.complex128]:
    """Roots of unity, exp(2 pi i n / N), to the last bit or so.

    Angles are taken from the nearest of 1, i, -1 and -i. Rounded as a whole, an angle of nearly
    2 pi would be off by three bits, and so would powers of a point be from each other.

    Args:
        count: N.

    Returns:
        complex128 ndarray (N,), counter-clockwise from 1.

    Example:
        >>> from anyk.codes.analog.circle import circle
        >>> circle(4).round(6) + 0.0
        array([ 1.+0.j,  0.+1.j, -1.+0.j,  0.-1.j])
    """
    numbers = np.arange(count)
    quarters = (8 * numbers + count) // (2 * count)
    angles = 0.5 * np.pi * (4 * numbers - quarters * count) / count
    turns = np.array([1.0, 1.0j, -1.0, -1.0j])[quarters % 4]
    points: NDArray[np.complex128] = turns * np.exp(1j * angles)
    return points


def spread(places: int, keys: int) -> NDArray[np.intp]:
    """Which of many places in a row the keys take: every (places/keys)-th, the last among them.

    Keys side by side are nearly the same combination for a worker far from them, so that two
    workers cancel it; spread out they are not.

    Args:
        places: K + T, the number of places.
        keys: T.

    Returns:
        intp ndarray (T,), increasing.

    Example:
        >>> from anyk.codes.analog.circle import spread
        >>> spread(5, 2), spread(4, 1)
        (array([2, 4]), array([3]))
    """
    return np.array([-(-(key + 1) * places // keys) - 1 for key in range(keys)], dtype=np.intp)


def lagrange_basis(
    points: NDArray[np.complex128], nodes: int, radius: float
) -> NDArray[np.complex128]:
    """Lagrange's basis for nodes beta_j on a circle: l_j(z) = (1/m) sum_{l<m} (z / beta_j)^l.

    Args:
        points: z, complex128 ndarray (n,).
        nodes: m.
        radius: of their circle.

    Returns:
        complex128 ndarray (n, m).

    References:
        Soleymani, Mahdavifar, Avestimehr: Analog Lagrange coded computing (IEEE JSAIT 2021),
        section III.

    Example:
        >>> from anyk.codes.analog.circle import circle, lagrange_basis
        >>> bool(np.allclose(lagrange_basis(1.5 * circle(3), 3, 1.5), np.eye(3)))
        True
    """
    quotients = points[:, None] / (radius * circle(nodes))
    basis = np.zeros_like(quotients)
    for _ in range(nodes):
        basis = basis * quotients + 1.0 / nodes
    return basis
