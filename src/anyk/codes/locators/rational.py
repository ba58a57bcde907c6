"""Liars among values of any smooth function, by rational functions: the locator of ApproxIFER."""

from __future__ import annotations

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

__all__ = ["rational_votes"]


def rational_votes(
    places: NDArray[np.float64], values: NDArray[np.float64], *, blocks: int, errors: int
) -> NDArray[np.int64]:
    """How many columns suspect each row, where each column suspects `errors` rows.

    For each column y, P and Q of degree K + E - 1 are fitted to P(z_i) = y_i Q(z_i) in the sense
    of least squares, Q with leading coefficient 1. Where y_i is wrong, Q(z_i) has to be near 0:
    the E places with the smallest |Q(z_i)| are suspected. Chebyshev's polynomials are the basis;
    the published powers of z give the same P and Q, with more rounding.

    Args:
        places: z, float64 ndarray (n,), distinct, in [-1, 1].
        values: y, float64 ndarray (n, L).
        blocks: K; n >= 2 (K + E) makes the fit overdetermined.
        errors: E.

    Returns:
        int64 ndarray (n,), E L votes in all.

    References:
        Soleymani, Mahdavifar, Avestimehr and others: ApproxIFER: a model-agnostic approach to
        resilient and robust prediction serving systems (AAAI 2022), algorithm 2.

    Example:
        >>> from anyk.codes.locators.rational import rational_votes
        >>> z = np.linspace(-1, 1, 8)
        >>> y = np.exp(z)[:, None]
        >>> y[5] = 9.0
        >>> rational_votes(z, y, blocks=2, errors=1)
        array([0, 0, 0, 0, 0, 1, 0, 0])
    """
    votes = np.zeros(places.size, dtype=np.int64)
    basis = chebvander(places, blocks + errors - 1)
    for column in values.T:
        times = column[:, None] * basis
        unknown = np.concatenate([basis, -times[:, :-1]], axis=1)
        fitted = np.linalg.lstsq(unknown, times[:, -1])[0]
        locator = basis[:, :-1] @ fitted[basis.shape[1] :] + basis[:, -1]
        votes[np.argsort(np.abs(locator), kind="stable")[:errors]] += 1
    return votes
