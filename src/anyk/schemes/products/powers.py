"""Codes whose shares are values of polynomials: with which powers of a point blocks are taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.circle import circle
from anyk.domains.polynomials import vandermonde
from anyk.domains.prime import PrimeField
from anyk.privacy.noise import settled_noise
from anyk.schemes.encoder import Encoder
from anyk.schemes.placement import scattered
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.code import ProductCode, unmasked
from anyk.schemes.products.stable import ranks

__all__ = ["Powers"]


@final
@dataclass(frozen=True, kw_only=True)
class Powers:
    """A code by its exponents: the share at x has A~ = sum_i A_i x^left_i, and B~ in the same way.

    A~ @ B~ is then a polynomial in x; the blocks of the product are to be some of its coefficients,
    with nothing else in them.

    Args:
        left: the exponents of the blocks of A, block (j, l) at j p + l.
        right: of the blocks of B, block (l, k) at l n + k.
        wanted: of the blocks of the product, block (j, k) at j + k m.
        left_masks: of the masks of A; none where nothing is hidden.
        right_masks: of the masks of B.

    Guarantee:
        Any `dimension` shares determine the product. Masks with consecutive exponents e, e + 1, ..
        e + T - 1 hide a factor perfectly from any T shares over a field: their matrix is x_i^e
        times Vandermonde's, so it is regular for distinct points that are not 0. At 0 there is no
        mask, so that shares with masks have the points 1, 2, ..

    Example:
        >>> from anyk.schemes.products.powers import Powers
        >>> Powers(left=(0, 1), right=(0, 2), wanted=(0, 1, 2, 3)).dimension
        4
    """

    left: tuple[int, ...]
    right: tuple[int, ...]
    wanted: tuple[int, ...]
    left_masks: tuple[int, ...] = ()
    right_masks: tuple[int, ...] = ()

    @property
    def dimension(self) -> int:
        """How many coefficients A~ @ B~ has."""
        return max(self.left + self.left_masks) + max(self.right + self.right_masks) + 1

    def turned(self, m: int, n: int) -> Powers:
        """The same for B.T @ A.T, in n x m blocks: the roles of the factors are changed.

        Args:
            m: rows of blocks of A.
            n: columns of blocks of B.
        """
        return Powers(
            left=self.right,
            right=self.left,
            wanted=tuple(self.wanted[k + j * n] for k in range(n) for j in range(m)),
            left_masks=self.right_masks,
            right_masks=self.left_masks,
        )

    def code(self, scheme: AbstractProduct) -> ProductCode:
        """The matrices of this code at the points of a scheme's shares.

        Over a field these are 0, 1, 2, .., or 1, 2, .. with masks; over the complex numbers roots
        of unity, where shares with neighbouring numbers are far apart.

        Args:
            scheme: over a prime field, or the complex numbers.
        """
        shares, size = scheme.workers * scheme.pieces, self.dimension
        terms: NDArray[Any]
        wanted = np.eye(size, dtype=scheme.domain.dtype)[list(self.wanted)]
        if isinstance(scheme.domain, PrimeField):
            points = np.arange(shares, dtype=np.int64) + bool(self.left_masks)
            terms = np.ascontiguousarray(vandermonde(scheme.domain, points, size).T)
            left, right = (
                Encoder(data=_columns(terms, data), masks=_columns(terms, masks))
                for data, masks in self._both
            )
            return ProductCode(left=left, right=right, terms=terms, wanted=wanted, points=points)
        places = scattered(shares)[ranks(scheme.workers, scheme.pieces)]
        terms = circle(shares)[np.outer(places, np.arange(size)) % shares]
        (left, bits), (right, others) = (
            _hidden(scheme, _columns(terms, data), _columns(terms, masks))
            for data, masks in self._both
        )
        if bits is None or others is None:
            return ProductCode(left=left, right=right, terms=terms, wanted=wanted)
        own: Any = scheme
        return ProductCode(
            left=left,
            right=right,
            terms=terms,
            wanted=wanted,
            leakage=max(bits, others),
            data_std=own.data_std,
        )

    @property
    def _both(self) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
        """The exponents of blocks and of masks, of A and of B."""
        return (self.left, self.left_masks), (self.right, self.right_masks)


def _columns(terms: NDArray[Any], exponents: tuple[int, ...]) -> NDArray[Any]:
    """These powers of the points."""
    return np.ascontiguousarray(terms[:, np.array(exponents, dtype=np.intp)])


def _hidden(
    scheme: AbstractProduct, data: NDArray[Any], masks: NDArray[Any]
) -> tuple[Encoder, float | None]:
    """The encoder of one factor with as much noise as is asked for, and what that lets through."""
    if not masks.shape[1]:
        return unmasked(data), None
    sigma, bits = settled_noise(scheme, data, masks, pieces=scheme.pieces)
    masks = masks * (sigma / math.sqrt(masks.shape[1]))
    own: Any = scheme
    return Encoder(data=data, masks=masks).on_grid(data_std=own.data_std, finest=True), bits
