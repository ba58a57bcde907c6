"""The matrices of cross subspace alignment: many products, whose unwanted parts fall together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import settle
from anyk.domains.polynomials import products_of, vandermonde
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument
from anyk.schemes.encoder import Encoder
from anyk.schemes.products.code import ProductCode

__all__ = ["CrossSubspace", "divisors", "settle_groups"]


@final
@dataclass(frozen=True, kw_only=True)
class CrossSubspace:
    """A batch of L = l K products A_q B_q, in l groups of K, each in m x p x n blocks.

    Product k of group i has a point f_ik of its own, and each share a point x that is none of
    these. With y = f_ik - x and R = mpn, the share at x has for each group i

        A~_i = D_i (sum_k y^-R sum_(j,u) A_ik[j,u] y^(u + pj)        + sum_t Z_it x^t)
        B~_i = W    (sum_k y^-R sum_(u,v) B_ik[u,v] y^(p-1-u + pmv)  + sum_t Z'_it x^t)

    where D_i = prod_k y^R over the group, and W = prod y^R over all points, so that a worker's sum
    of A~_i B~_i over the groups is a polynomial in x. Block (j, v) of A_ik B_ik is in the
    coefficient of W y^(pj + pmv + p-1 - R); all that is not wanted has no pole, and falls together
    in W times the powers of x below `rest`.

    Args:
        field: of the entries.
        partition: (m, p, n).
        batch: L, how many products there are.
        groups: l, how many of them a worker adds up.
        masks: Z, how many there are for each group; as many shares tell nothing.

    References:
        Jia, Jafar: Cross subspace alignment codes for coded distributed batch computation
        (IEEE TIT 2021), theorems 1 to 3; W is this library's, and keeps the code in which liars are
        located a plain Reed-Solomon code.
    """

    field: PrimeField
    partition: tuple[int, int, int]
    batch: int
    groups: int
    masks: int = 0

    @property
    def poles(self) -> int:
        """R = mpn, how many powers of a pole there are."""
        m, p, n = self.partition
        return m * p * n

    @property
    def each(self) -> int:
        """K, the products of a group."""
        return self.batch // self.groups

    @property
    def rest(self) -> int:
        """How many powers of x the unwanted parts have together."""
        if self.masks:
            return self.poles * self.each + 2 * self.masks - 1
        return self.poles * (self.each - 1) + self.partition[1] - 1

    @property
    def dimension(self) -> int:
        """How many answers determine the products: R L, and the rest."""
        return self.poles * self.batch + self.rest

    def code(self, shares: int) -> ProductCode:
        """The code, for so many shares.

        Args:
            shares: how many.
        """
        field, size = self.field, self.poles
        points = np.arange(self.batch, self.batch + shares, dtype=np.int64)
        far = field.reduce(np.arange(self.batch, dtype=np.int64)[None] - points[:, None])
        high = field.power(far, size)  # y^R
        whole = products_of(field, high)
        cauchy = field.inverse(high)
        left, right = self._factors(far, cauchy, high, whole)
        powers = np.ascontiguousarray(vandermonde(field, points, self.rest).T)
        terms = np.concatenate([_powers(field, far, cauchy, size), powers], axis=1)
        return ProductCode(
            left=left,
            right=right,
            terms=field.reduce(terms * whole[:, None]),
            wanted=self._wanted(),
            points=points,
        )

    def _factors(
        self,
        far: NDArray[np.int64],
        cauchy: NDArray[np.int64],
        high: NDArray[np.int64],
        whole: NDArray[np.int64],
    ) -> tuple[Encoder, Encoder]:
        """Encoders of A and B: rows by shares and groups, columns by products and blocks."""
        (m, p, n), field, shares = self.partition, self.field, len(far)
        of_group = products_of(field, high.reshape(shares, self.groups, self.each))
        u, j, v = np.arange(p), np.arange(m), np.arange(n)
        exponents = (
            (u[None, :] + p * j[:, None]).ravel(),  # of block (j, u) at j p + u
            ((p - 1 - u)[:, None] + p * m * v[None, :]).ravel(),  # of block (u, v) at u n + v
        )
        scales = (of_group, np.broadcast_to(whole[:, None], (shares, self.groups)))
        points = np.arange(self.batch, self.batch + shares, dtype=np.int64)
        hidden = np.ascontiguousarray(vandermonde(field, points, self.masks).T)
        made = []
        for powers, scale, tiles in zip(
            exponents, scales, ((1, self.groups), (self.groups, 1)), strict=True
        ):
            table = np.stack([field.power(far, int(e)) for e in powers], axis=-1)
            own = field.reduce(table * cauchy[..., None])  # (shares, products, blocks)
            own = own.reshape(shares, self.groups, -1)
            own = field.reduce(own * scale[..., None])
            masks = field.reduce(hidden[:, None, :] * scale[..., None])
            made.append(Encoder(data=self._apart(own), masks=self._apart(masks), tiles=tiles))
        return made[0], made[1]

    def _apart(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows (shares, groups, c) with columns of their own for each group."""
        shares, groups, width = rows.shape
        apart = np.zeros((shares, groups, groups, width), dtype=np.int64)
        for group in range(groups):
            apart[:, group, group] = rows[:, group]
        return apart.reshape(shares * groups, groups * width)

    def _wanted(self) -> NDArray[np.int64]:
        """S: the blocks are what is left of the first R coefficients, the other factors taken out.

        Around f_ik the answer is y^-R (c_0 + c_1 y + ..) g(y), where block (j, v) is one of the
        c_t, and g the product of (f_ih - f_ik + y)^R over the others of the group.
        """
        (m, p, n), field, size = self.partition, self.field, self.poles
        wanted = np.zeros((self.batch, n, m, self.dimension), dtype=np.int64)
        for q in range(self.batch):
            inverse = _inverse_series(field, self._series(q))
            for v in range(n):
                for j in range(m):
                    t = p - 1 + p * j + p * m * v
                    # the coefficient of y^(s-R) is the unknown matrix R - 1 - s of this pole
                    wanted[q, v, j, q * size + size - 1 - np.arange(t + 1)] = inverse[t::-1]
        return wanted.reshape(self.batch * m * n, -1)

    def _series(self, q: int) -> NDArray[np.int64]:
        """The first R coefficients of g."""
        first = q - q % self.each
        series = np.zeros(self.poles, dtype=np.int64)
        series[0] = 1
        for other in range(first, first + self.each):
            for _ in range(self.poles if other != q else 0):
                shifted = np.concatenate([[0], series[:-1]])
                series = self.field.reduce(series * (other - q) + shifted)
        return series


def settle_groups(scheme: Any) -> None:
    """Settle batch and groups of a scheme.

    Args:
        scheme: with these fields.

    Raises:
        InvalidArgument: if a number is out of range, or the batch has no such groups.
    """
    settle(scheme, batch=1, groups=1)
    if scheme.batch % scheme.groups:
        *fits, last = (str(number) for number in divisors(scheme.batch))
        raise InvalidArgument(
            "groups",
            given=str(scheme.groups),
            needed=f"a divisor of batch={scheme.batch}, as groups are of one size",
            change=f"Pass {', '.join(fits)} or {last}." if fits else f"Pass {last}.",
        )


def divisors(number: int) -> Iterator[int]:
    """How many groups of one size a batch may have, the fewest first.

    Args:
        number: of products.

    Example:
        >>> from anyk.schemes.products.cross_subspace import divisors
        >>> list(divisors(6))
        [1, 2, 3, 6]
    """
    return (each for each in range(1, number + 1) if number % each == 0)


def _powers(
    field: PrimeField, far: NDArray[np.int64], cauchy: NDArray[np.int64], size: int
) -> NDArray[np.int64]:
    """y^-1, .., y^-R of each point, ndarray (shares, L R)."""
    each = [field.reduce(cauchy * field.power(far, size - e)) for e in range(1, size + 1)]
    return np.stack(each, axis=-1).reshape(len(far), -1)


def _inverse_series(field: PrimeField, series: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first coefficients of 1 / series."""
    first = pow(int(series[0]), -1, field.modulus)
    inverse = np.zeros_like(series)
    inverse[0] = first
    for place in range(1, len(series)):
        known = field.reduce(series[1 : place + 1] * inverse[place - 1 :: -1])
        inverse[place] = -int(known.sum()) * first % field.modulus
    return inverse
