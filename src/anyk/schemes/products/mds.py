"""`MDS`: A @ x from any m of the shares, of which the first m are the blocks of A themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.polynomials import lagrange_matrix
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.code import ProductCode, given_to_all, unmasked
from anyk.schemes.products.limits import Can, check_cuts
from anyk.schemes.products.stable import coefficients, ranks
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.spec import MatMul, Threat

__all__ = ["MDS", "ROW"]


@final
@dataclass(frozen=True)
class MDS(AbstractProduct):
    """A systematic code over rows of blocks: A @ B from any m answers; every worker has B whole.

    The first m shares are the blocks A_1, .., A_m, and the others are combinations of them. With
    pieces, the blocks are what all workers compute first, and combinations what they compute last.

    Over a field a share is the value at a point of the polynomial of degree m - 1 through the
    blocks. In floating point it is one of a trigonometric polynomial (over the complex numbers, a
    polynomial) on a circle, while the widest gap that shares may leave is harmless; if more shares
    are spare, of which a gap would cost all digits, coefficients are random, the best of a few
    that are drawn by a fixed, public seed.

    Args:
        partition: (m, 1, 1).
        workers: N.
        domain: the arithmetic of the entries: a prime field, the reals or the complex numbers.
        adversaries: A, how many workers may answer wrongly.
        colluders: 0: a share is a combination of blocks without a mask.
        pieces: r, how many shares a worker holds.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or another dimension is cut.
        Unachievable: if m + rD + rA > rN, or the field has fewer than rN elements.

    Guarantee:
        Any m answers give the product: exactly over a field, and in floating point with an error
        estimate from the condition number. Blocks that were answered as they are, are returned as
        they are. Any m + rD + e answers, of which e are lies of at most A workers, name the liars
        too, and up to D never bring about a wrong value; in floating point these are lies that are
        more than rounding, and the estimate covers smaller ones. No privacy.

    References:
        Lee, Lam, Pedarsani, Papailiopoulos, Ramchandran: Speeding up distributed machine learning
        using codes (IEEE TIT 2018), section III.

    Example:
        >>> scheme = anyk.MDS(partition=(4, 1, 1), workers=6, domain=anyk.Reals())
        >>> A, x = np.arange(24.0).reshape(8, 3), np.array([1.0, -1.0, 2.0])
        >>> with anyk.Inline(6) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, x), executor)
        >>> bool((outcome.value == A @ x).all()), outcome.used
        (True, (0, 1, 2, 3))
    """

    can: ClassVar = Can(cuts=(True, False, False), domains=(PrimeField, Reals, Complex))

    @property
    def enough(self) -> int:
        """One for each block of A."""
        return self.partition[0]

    @property
    def letters(self) -> str:
        """The same as a letter."""
        return "m"

    def build(self) -> ProductCode:
        """Lagrange's basis at the points 0, 1, ..; in floating point, what is stable."""
        order = ranks(self.workers, self.pieces)
        field = self.domain
        points = None
        if isinstance(field, PrimeField):
            points = order.astype(np.int64)
            data = lagrange_matrix(field, np.arange(self.enough), points)
        else:
            data = self._systematic(order)
        return ProductCode(
            left=unmasked(data),
            right=given_to_all(len(data), self.domain),
            terms=data,
            wanted=np.eye(self.enough, dtype=self.domain.dtype),
            points=points,
        )

    def _systematic(self, order: NDArray[np.intp]) -> NDArray[Any]:
        """The same span of columns, the first shares being the blocks."""
        data, _ = coefficients(self.domain, self.workers, self.pieces, self.enough, 1)
        first = np.argsort(order)[: self.enough]
        data = np.linalg.solve(data[first].T, data.T).T
        data[first] = np.eye(self.enough)
        return np.ascontiguousarray(data)


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> MDS:
    none_of(threat, "colluders")
    check_cuts(MDS.can, problem)
    return MDS(problem.partition, threat.workers, domain=field, adversaries=threat.adversaries)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        MDS(partition=(1, 1, 1), workers=1),
        MDS(partition=(3, 1, 1), workers=6, domain=PrimeField(101), adversaries=1),
        MDS(partition=(5, 1, 1), workers=4, pieces=2),
        MDS(partition=(4, 1, 1), workers=6, domain=Reals()),
        MDS(partition=(3, 1, 1), workers=5, domain=Complex()),
        MDS(partition=(7, 1, 1), workers=3, pieces=3, domain=Reals()),
        MDS(partition=(4, 1, 1), workers=18, domain=Reals()),
        MDS(partition=(3, 1, 1), workers=7, domain=Reals(), adversaries=1),
        MDS(partition=(2, 1, 1), workers=5, domain=Complex(), verified=True, adversaries=1),
    )


ROW = SchemeRow(
    name="MDS",
    scheme=MDS,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="MDS(partition=(m, 1, 1), workers=N, adversaries=A, pieces=r)",
        computes="the product of two matrices, the first cut in m rows of blocks",
        late="any m + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="exact over a prime field; floating point, with an error estimate",
        when="A is large and B small: A x, or an A that stays on the workers",
    ),
)
