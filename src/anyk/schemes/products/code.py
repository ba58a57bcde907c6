"""`ProductCode`: what workers hold of two factors, and what their products are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain
from anyk.schemes.encoder import Encoder

__all__ = ["ProductCode", "given_to_all", "unmasked"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ProductCode:
    """A @ B as a linear code: the whole mathematics of one scheme for products.

    Share i holds a part A~_i, of height x depth blocks, and a part B~_i, of depth x width; a worker
    returns A~_i @ B~_i, so height x width products, each a sum of depth terms. All of them are
    combinations of k unknown matrices Y, and so are the blocks of the product:

        product (i, a, b) = sum_u terms[(i, a, b), u] Y_u
        block (j, k)      = sum_u wanted[(j, k), u] Y_u

    Any `enough` shares have k products of full rank. Where B is A's transpose, a worker's one
    product is two, itself and its transpose (`fold`).

    Args:
        left: D and M of A, of m p columns (for each product of a batch) and height x depth rows a
            share.
        right: D and M of B, of p n columns and depth x width rows a share.
        terms: V, ndarray (shares * height * width, k).
        wanted: S, ndarray (m n, k), block (j, k) of the product in row j + k m; those of a batch
            one after the other.
        points: int64 ndarray (shares,), over a prime field: of an evaluation code. Share i's row of
            V is then what k linearly independent polynomials of degree below k are at its point, so
            that liars can be located; factors that a code has of its own for each share are in D
            and M. None where V is no such code, or over the reals.
        fold: residues, ndarray (shares, 2), where B is A's transpose: `points` are then those of
            fold[i, 0] Y + fold[i, 1] Y.T for the answers Y. None elsewhere.
        leakage: bits a coordinate that T workers learn of a factor at most, where masks are
            Gaussian; None elsewhere.
        data_std: the standard deviation of entries for which that is stated.
    """

    left: Encoder
    right: Encoder
    terms: NDArray[Any]
    wanted: NDArray[Any]
    points: NDArray[np.int64] | None = None
    fold: NDArray[np.int64] | None = None
    leakage: float | None = None
    data_std: float = 1.0

    @property
    def dimension(self) -> int:
        """k, how many unknown matrices there are."""
        return int(self.terms.shape[1])

    @property
    def products(self) -> int:
        """How many products an answer is: height x width; two where it is transposed too."""
        return self.left.tiles[0] * self.right.tiles[1] * (1 if self.fold is None else 2)

    @property
    def tiles(self) -> tuple[int, int, int]:
        """Height, depth and width: of how many blocks the parts of a share are."""
        return *self.left.tiles, self.right.tiles[1]

    @property
    def enough(self) -> int:
        """How many shares determine the product, whichever they are."""
        return -(-self.dimension // self.products)

    @property
    def shares(self) -> int:
        """How many there are."""
        return len(self.terms) // self.products

    @cached_property
    def common(self) -> bool:
        """Whether every worker receives B as it is."""
        data = self.right.data
        alike = data.shape[1] == 1 and self.right.tiles == (1, 1) and bool((data == 1).all())
        return alike and not self.right.masks.shape[1]

    def rows(self, shares: tuple[int, ...]) -> NDArray[Any]:
        """V of these shares, ndarray (len(shares) * products, k).

        Args:
            shares: in the order of their answers.
        """
        each = self.products
        return self.terms[(np.array(shares, int)[:, None] * each + np.arange(each)).ravel()]


def unmasked(data: NDArray[Any], tiles: tuple[int, int] = (1, 1)) -> Encoder:
    """The encoder of a factor that is not hidden.

    Args:
        data: D.
        tiles: of how many blocks a part is put together.

    Example:
        >>> from anyk.schemes.products.code import unmasked
        >>> unmasked(np.eye(3)).masks.shape
        (3, 0)
    """
    return Encoder(data=data, masks=np.zeros((len(data), 0), dtype=data.dtype), tiles=tiles)


def given_to_all(shares: int, domain: AbstractDomain) -> Encoder:
    """The encoder of a B that each worker receives as it is.

    Args:
        shares: how many there are.
        domain: of the entries.

    Example:
        >>> from anyk.schemes.products.code import given_to_all
        >>> given_to_all(3, anyk.PrimeField()).data.ravel()
        array([1, 1, 1])
    """
    return unmasked(np.ones((shares, 1), dtype=domain.dtype))
