"""Coefficients of both factors that are stable in floating point, however many are missing."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.circle import circle
from anyk.codes.analog.parities import parities
from anyk.codes.analog.trigonometric import angles, trigonometric, worst_gap
from anyk.domains.base import AbstractDomain
from anyk.domains.real import Complex
from anyk.schemes.approximate.placement import scattered

__all__ = ["coefficients", "on_a_circle", "ranks", "terms_of"]

_WORST: Final = 1e3
"""By how much the worst pattern may amplify errors on a circle; that of random codes is near it."""

_MOST: Final = 1000  # points, whose worst gap is looked at


def ranks(workers: int, pieces: int) -> NDArray[np.intp]:
    """In which order shares are given places: the first pieces of all workers, then the second.

    What comes first is computed first by each worker; so blocks that are shares as they are come
    before their combinations.

    Args:
        workers: N.
        pieces: r.

    Returns:
        intp ndarray (N r,): the rank of each share.

    Example:
        >>> from anyk.schemes.products.stable import ranks
        >>> ranks(3, 2)
        array([0, 3, 1, 4, 2, 5])
    """
    share = np.arange(workers * pieces)
    return share % pieces * workers + share // pieces


def on_a_circle(shares: int, dimension: int) -> bool:
    """Whether points on a circle are as good as random coefficients in the worst case, or better.

    Args:
        shares: how many there are.
        dimension: how many are enough.

    Example:
        >>> from anyk.schemes.products.stable import on_a_circle
        >>> on_a_circle(31, 29), on_a_circle(60, 45)
        (True, False)
    """
    return shares <= _MOST and worst_gap(shares, dimension) <= _WORST


def coefficients(
    domain: AbstractDomain, workers: int, pieces: int, m: int, n: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """D of both factors, so that rows of their Kronecker products are well conditioned.

    Points on a circle, powers over the complex numbers and trigonometric polynomials over the
    reals, are the best where few shares are spare: their condition number is that of roots of
    unity. Neighbouring shares are far apart on the circle, so that a rack that dies is no gap. The
    more shares are spare, the wider is the worst gap, and errors grow exponentially with it. Then
    the first mn shares are blocks as they are, and the others have random coefficients.

    Args:
        domain: the reals or the complex numbers.
        workers: N.
        pieces: r.
        m: blocks of the left factor.
        n: blocks of the right factor.

    Returns:
        ndarrays (N r, m) and (N r, n).

    Example:
        >>> from anyk.schemes.products.stable import coefficients
        >>> left, right = coefficients(anyk.Reals(), 5, 1, 2, 2)
        >>> left.shape, right.shape
        ((5, 2), (5, 2))
    """
    shares, own = workers * pieces, ranks(workers, pieces)
    if on_a_circle(shares, m * n):
        places = scattered(shares)[own]
        if isinstance(domain, Complex):
            roots = circle(shares)[places][:, None]
            return roots ** np.arange(m), roots ** (m * np.arange(n))
        turned = angles(shares)[places]
        return trigonometric(turned, m), trigonometric(turned, n, stride=m)
    spare = parities(shares - m * n, m, n, domain.dtype)
    eyes = np.repeat(np.eye(m), n, axis=0), np.tile(np.eye(n), (m, 1))
    left, right = (
        np.vstack([eye.astype(domain.dtype), rows])[own]
        for eye, rows in zip(eyes, spare, strict=True)
    )
    return left, right


def terms_of(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """V where the unknown matrices are the blocks of the product: rows of Kronecker products.

    Args:
        left: D of A, ndarray (shares, m).
        right: D of B, ndarray (shares, n).

    Returns:
        ndarray (shares, m n); block (j, k) in column j + k m.

    Example:
        >>> from anyk.schemes.products.stable import terms_of
        >>> terms_of(np.array([[1, 2]]), np.array([[1, 10]]))
        array([[ 1,  2, 10, 20]])
    """
    products: NDArray[Any] = np.einsum("ij,ik->ikj", left, right)
    return products.reshape(len(left), -1)
