"""Trigonometric polynomials: what roots of unity are for the complex numbers, for the reals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["angles", "trigonometric", "worst_gap"]


def angles(count: int) -> NDArray[np.float64]:
    """2 pi i / N, as many as there are.

    Args:
        count: N.

    Returns:
        float64 ndarray (N,).

    Example:
        >>> from anyk.codes.analog.trigonometric import angles
        >>> angles(4) / np.pi
        array([0. , 0.5, 1. , 1.5])
    """
    return 2.0 * np.pi * np.arange(count) / count


def trigonometric(
    points: NDArray[np.float64], count: int, *, stride: int = 1
) -> NDArray[np.float64]:
    """A real basis of the span of exp(i s f t), f = -(k-1)/2, -(k-3)/2, .., (k-1)/2.

    It is sqrt(2) cos(s f t) and sqrt(2) sin(s f t) of the positive f, whole for odd k and halves
    for even k, and 1 where 0 is among them. The change between the two bases is unitary, and a row
    of exponentials is one of Vandermonde's matrix, turned: at roots of unity every submatrix of k
    rows has the condition number of Vandermonde's there. With strides 1 and m the products of m
    functions and n are a basis for k = mn, by the Kronecker product of the changes.

    Args:
        points: t, float64 ndarray (N,).
        count: k.
        stride: s.

    Returns:
        float64 ndarray (N, k).

    References:
        Ramamoorthy and Tang: Numerically stable coded matrix computations via circulant and
        rotation matrix embeddings (IEEE TIT 2022), lemma 1, for why roots of unity are stable.

    Example:
        >>> from anyk.codes.analog.trigonometric import angles, trigonometric
        >>> V = trigonometric(angles(5), 4)
        >>> bool(np.allclose(V.T @ V, 5 * np.eye(4)))
        True
    """
    basis = np.empty((len(points), count))
    first = count % 2
    basis[:, :first] = 1.0
    frequencies = stride * (np.arange(1, count // 2 + 1) - (0.0 if first else 0.5))
    turned = points[:, None] * frequencies
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
    values = np.linalg.svd(trigonometric(angles(count)[:dimension], dimension), compute_uv=False)
    if values[-1] < dimension * np.finfo(np.float64).eps * values[0]:
        return math.inf
    return math.sqrt(float(np.mean(values**-2.0)))
