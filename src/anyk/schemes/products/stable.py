"""Coefficients of both factors that are stable in floating point, however many are missing."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.circle import circle
from anyk.codes.analog.parities import parities
from anyk.codes.analog.trigonometric import trigonometric, worst_gap
from anyk.domains.base import AbstractDomain
from anyk.domains.real import Complex
from anyk.schemes.placement import scattered
from anyk.schemes.products.code import ProductCode, unmasked

__all__ = ["coefficients", "entangled", "on_a_circle", "ranks", "terms_of"]

_WORST: Final = 1e3
"""By how much the worst pattern may amplify errors on a circle; that of random codes is near it."""

_NOTHING: Final = 1e-12  # of a mean that is 0, or half at least
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
        right = trigonometric(places, shares, n, stride=m)
        return trigonometric(places, shares, m), right
    spare = parities(shares - m * n, m, n, domain.dtype)
    eyes = np.repeat(np.eye(m), n, axis=0), np.tile(np.eye(n), (m, 1))
    left, second = (
        np.vstack([eye.astype(domain.dtype), rows])[own]
        for eye, rows in zip(eyes, spare, strict=True)
    )
    return left, second


def entangled(workers: int, pieces: int, partition: tuple[int, int, int]) -> ProductCode:
    """Entangled polynomials in the reals: A @ B cut in any way, from any pmn + p - 1 shares.

    Let u be a real orthonormal basis of p functions with frequencies in steps of 1, a one of m in
    steps of p, and b one of n in steps of pm, all around 0. The share at t has
    A~ = sum A_jl a_j(t) u_l(t) and B~ = sum B_lk u_l(t) b_k(t), and frequencies in A~ @ B~ are
    below (pmn + p - 1)/2. The mean of u_l u_l' over a circle is 1 for l = l', and else 0; what
    else is in u_l u_l' has frequencies from 1 to p - 1, and a_j b_k a_j' b_k' has multiples of p
    alone. So the mean of (A~ @ B~) a_j b_k is sum_l A_jl B_lk, block (j, k) of the product. A basis
    for the frequencies of A~ @ B~ has the condition number of roots of unity.

    Args:
        workers: N.
        pieces: r.
        partition: (m, p, n).

    Example:
        >>> from anyk.schemes.products.stable import entangled
        >>> code = entangled(5, 1, (1, 3, 1))
        >>> code.dimension, code.wanted.round(6).tolist()
        (5, [[1.0, 0.0, 0.0, 0.0, 0.0]])
    """
    m, p, n = partition
    shares, size = workers * pieces, p * m * n + p - 1

    def of(places: NDArray[np.intp], around: int) -> list[NDArray[np.float64]]:
        steps = (p, 1), (m, p), (n, p * m)
        return [trigonometric(places, around, count, stride=stride) for count, stride in steps]

    places = scattered(shares)[ranks(workers, pieces)]
    inner, rows, columns = of(places, shares)
    left = np.einsum("ij,il->ijl", rows, inner).reshape(shares, -1)
    right = np.einsum("il,ik->ilk", inner, columns).reshape(shares, -1)
    many = 2 * size  # points, over which a mean is that over the circle
    _, rows, columns = of(np.arange(many), many)
    wanted = terms_of(rows, columns).T @ trigonometric(np.arange(many), many, size) / many
    return ProductCode(
        left=unmasked(left),
        right=unmasked(right),
        terms=trigonometric(places, shares, size),
        wanted=np.where(np.abs(wanted) < _NOTHING, 0.0, wanted),
    )


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
