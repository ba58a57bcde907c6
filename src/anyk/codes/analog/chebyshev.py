"""Chebyshev's points and polynomials: the stable real basis on an interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["chebyshev", "chebyshev_points"]


def chebyshev_points(count: int) -> NDArray[np.float64]:
    """The zeros of T_N, cos((2 i + 1) pi / (2N)).

    Args:
        count: N.

    Returns:
        float64 ndarray (N,), decreasing, in (-1, 1).

    Example:
        >>> from anyk.codes.analog.chebyshev import chebyshev_points
        >>> chebyshev_points(3).round(3) + 0.0
        array([ 0.866,  0.   , -0.866])
    """
    return np.cos((2 * np.arange(count) + 1) * np.pi / (2 * count))


def chebyshev(
    places: NDArray[np.intp], count: int, degrees: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Orthonormal Chebyshev polynomials, T_0 and sqrt(2) T_i, at some of Chebyshev's points.

    At all N of them the columns of degrees below N are orthogonal, of norm sqrt(N), and any k rows
    of the first k columns have a condition number of O(N^(2(N-k))).

    Args:
        places: of the points among the N, intp ndarray (rows,).
        count: N.
        degrees: intp ndarray (k,).

    Returns:
        float64 ndarray (rows, k).

    References:
        Fahim and Cadambe: Numerically stable polynomially coded computing (IEEE TIT 2021),
        theorem 4.1.

    Example:
        >>> from anyk.codes.analog.chebyshev import chebyshev
        >>> V = chebyshev(np.arange(5), 5, np.arange(4))
        >>> bool(np.allclose(V.T @ V, 5 * np.eye(4)))
        True
    """
    turned = (2 * places[:, None] + 1) * degrees % (4 * count)  # T_i(cos t) = cos(i t)
    values: NDArray[np.float64] = np.cos(turned * (np.pi / (2 * count)))
    values[:, degrees > 0] *= np.sqrt(2.0)
    return values
