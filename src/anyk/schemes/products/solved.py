"""The linear algebra of a recovery: what makes the blocks of a product of some answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.linear import LinearCode
from anyk.codes.exact.linear import row_reduce, solve
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.kept import kept
from anyk.schemes.products.code import ProductCode
from anyk.schemes.recovery import read_only

__all__ = ["Solved", "solved_by"]

_SINGULAR = 1e-13  # of the largest singular value, times how many there are


@final
@dataclass(frozen=True, eq=False)
class Solved:
    """What makes the blocks of the product of answers.

    Args:
        wanted: S, ndarray (m n, k).
        unknowns: of the unknown matrices from the products, ndarray (k, products).
        matrix: R = S·unknowns.
        condition: how much errors may be amplified.
    """

    wanted: NDArray[Any]
    unknowns: NDArray[Any]
    matrix: NDArray[Any]
    condition: float

    @property
    def nbytes(self) -> int:
        """Of memory."""
        return self.wanted.nbytes + self.unknowns.nbytes + self.matrix.nbytes

    def apply(self, domain: AbstractDomain, products: NDArray[Any]) -> NDArray[Any]:
        """R·products; what is one of the products as it is, is not computed."""
        plain = (self.matrix != 0).sum(axis=1) == 1
        plain &= (self.matrix == 1).sum(axis=1) == 1
        used = np.flatnonzero((self.matrix[~plain] != 0).any(axis=0))
        if not plain.any():
            if len(used) == len(products):
                return domain.matmul(self.matrix, products)
            return domain.matmul(
                np.ascontiguousarray(self.matrix[:, used]), np.ascontiguousarray(products[used])
            )
        blocks = np.empty((len(self.matrix), *products.shape[1:]), dtype=products.dtype)
        blocks[plain] = products[self.matrix[plain].argmax(axis=1)]
        if not plain.all():
            rest = np.ascontiguousarray(self.matrix[~plain][:, used])
            blocks[~plain] = domain.matmul(rest, np.ascontiguousarray(products[used]))
        return blocks


@kept
def solved_by(domain: AbstractDomain, code: ProductCode, shares: tuple[int, ...]) -> Solved | None:
    """What makes the blocks of the product of the answers on some shares.

    Args:
        domain: of the answers.
        code: of the shares.
        shares: in the order of their answers.

    Returns:
        None, if these do not determine the product.

    Example:
        >>> from anyk.schemes.products.base import code_of
        >>> from anyk.schemes.products.solved import solved_by
        >>> scheme = anyk.MDS(partition=(2, 1, 1), workers=3, domain=anyk.Reals())
        >>> solved_by(scheme.domain, code_of(scheme), (1, 0)).matrix
        array([[0., 1.],
               [1., 0.]])
    """
    if isinstance(domain, PrimeField):
        return _over_field(domain, code, shares)
    return _over_reals(code, shares)


def _over_field(field: PrimeField, code: ProductCode, shares: tuple[int, ...]) -> Solved | None:
    """Of the first answers that determine the product."""
    terms, size = code.rows(shares), code.dimension
    places = list(range(size))
    inverse = solve(field, terms[:size], np.eye(size, dtype=np.int64))
    if inverse is None and len(terms) > size:
        places = list(row_reduce(field, np.ascontiguousarray(terms.T))[1])
        if len(places) == size:
            inverse = solve(field, terms[places], np.eye(size, dtype=np.int64))
    if inverse is None:
        return None
    unknowns = np.zeros((size, len(terms)), dtype=np.int64)
    unknowns[:, places] = inverse
    matrix = read_only(field.matmul(code.wanted, unknowns))
    return Solved(code.wanted, read_only(unknowns), matrix, 1.0)


def _over_reals(code: ProductCode, shares: tuple[int, ...]) -> Solved | None:
    """By least squares; unknown matrices that an answer is are taken as they are."""
    terms, size = code.rows(shares), code.dimension
    alone = ((terms != 0).sum(axis=1) == 1) & ((terms == 1).sum(axis=1) == 1)
    unknowns = np.zeros((size, len(terms)), dtype=terms.dtype)
    every = np.flatnonzero(alone)
    is_of, first = np.unique(terms[every].argmax(axis=1), return_index=True)
    places = every[first]
    unknowns[is_of, places] = 1.0
    left = np.setdiff1d(np.arange(size), is_of)
    condition = 1.0
    if len(left):
        rest = np.flatnonzero(~alone)
        own = terms[np.ix_(rest, left)]
        if len(rest) < len(left):
            return None
        values = np.linalg.svd(own, compute_uv=False)
        if values[-1] <= _SINGULAR * len(left) * values[0]:
            return None
        condition = float(values[0] / values[-1])
        inverse = LinearCode(own).recovery(np.eye(len(left), dtype=own.dtype))
        block = np.zeros((len(left), len(terms)), dtype=terms.dtype)
        block[:, rest] = inverse
        known = terms[np.ix_(rest, is_of)]
        block[:, places] -= inverse @ known
        unknowns[left] = block
    matrix = read_only(code.wanted @ unknowns)
    return Solved(code.wanted, read_only(unknowns), matrix, condition)
