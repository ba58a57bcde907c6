"""Trigonometric polynomials: what roots of unity are for the complex numbers, for the reals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["trigonometric", "worst_gap"]


def trigonometric(
    places: NDArray[np.intp], around: int, count: int, *, stride: int = 1
) -> NDArray[np.float64]:
    """A real basis of the span of exp(i s f t), f = -(k-1)/2, -(k-3)/2, .., (k-1)/2.

    It is sqrt(2) cos(s f t) and sqrt(2) sin(s f t) of the positive f, whole for odd k and halves
    for even k, and 1 where 0 is among them, at some of the points t = 2 pi i / N. The change
    between the two bases is unitary, and a row of exponentials is one of Vandermonde's matrix,
    turned: every submatrix of k rows has the condition number that roots of unity have. With
    strides 1 and m the products of m functions and n are a basis for k = mn, by the Kronecker
    product of the changes.

    Args:
        places: i, intp ndarray (rows,).
        around: N.
        count: k.
        stride: s.

    Returns:
        float64 ndarray (rows, k).

    References:
        Ramamoorthy and Tang: Numerically stable coded matrix computations via circulant and
        rotation matrix embeddings (IEEE TIT 2022), lemma 1, for why roots of unity are stable.

    Example:
        >>> from anyk.codes.analog.trigonometric import trigonometric
        >>> V = trigonometric(np.arange(5), 5, 4)
        >>> bool(np.allclose(V.T @ V, 5 * np.eye(4)))
        True
    """
    basis = np.empty((len(places), count))
    first = count % 2
    basis[:, :first] = 1.0
    twice = stride * (2 * np.arange(1, count // 2 + 1) - (0 if first else 1))  # frequencies
    turned = places[:, None] * twice % (2 * around) * (np.pi / around)
    basis[:, first::2] = np.sqrt(2.0) * np.cos(turned)
    basis[:, first + 1 :: 2] = np.sqrt(2.0) * np.sin(turned)
    return basis


def worst_gap(count: int, dimension: int) -> float:
    """By how much errors are amplified, in the worst case, at N points on a circle.

    It is the root mean square norm of the rows of the inverse for k points in a row: the widest gap
    that N - k missing points can leave, and of all sets of k that were tried the worst.

    Args:
        count: N.
        dimension: k.

    Returns:
        The amplification; infinite where double precision does not tell.

    Example:
        >>> from anyk.codes.analog.trigonometric import worst_gap
        >>> round(worst_gap(31, 29), 2), worst_gap(60, 45) > 1e8
        (1.84, True)
    """
    values = np.linalg.svd(trigonometric(np.arange(dimension), count, dimension), compute_uv=False)
    if values[-1] < dimension * np.finfo(np.float64).eps * values[0]:
        return math.inf
    return math.sqrt(float(np.mean(values**-2.0)))
