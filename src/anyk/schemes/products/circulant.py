"""`Circulant`: A @ x in the reals, as stable as roots of unity, by cyclic shifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from anyk.codes.analog.circulant import prime_from, shifts
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.schemes.base import AbstractScheme
from anyk.schemes.placement import scattered
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.code import ProductCode, given_to_all, unmasked
from anyk.schemes.products.limits import Can, check_cuts
from anyk.schemes.products.stable import ranks
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "Circulant"]


@final
@dataclass(frozen=True)
class Circulant(AbstractProduct):
    """Roots of unity in the reals: points on the circle are cyclic shifts of groups of blocks.

    Let q be the least prime that is no less than the number of shares. The blocks of A make k
    groups of q - 1 (the last one may lack some, which are as zeros), each the coordinates of q
    blocks of sum 0. Share l holds the q - 1 blocks sum_j P^(lj) (group j), where P shifts these q
    by one. On groups of sum 0 the eigenvalues of P are the q-th roots of unity without 1, so all
    matrices to solve are unitarily Vandermonde's at these.

    It is here to be compared with: blocks are many, and encoding multiplies large matrices, while
    `MDS` and `Rotation` have no larger condition number.

    Args:
        partition: (m, 1, 1).
        workers: N.
        domain: the reals.
        adversaries: A, how many workers may answer wrongly.
        colluders: 0: a share is a combination of blocks without a mask.
        pieces: r, how many shares a worker holds.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or another dimension is cut.
        Unachievable: if k + rD + rA > rN for the k below.

    Guarantee:
        Approximate: any k = m / (q - 1) answers, rounded up, give the product with an error
        estimate from their condition number, which is about O(N^(S + 5.5)) for the worst of them,
        if S shares are spare. Any k + rD + e answers, of which e are lies of at most A workers,
        name the liars too, and up to D never bring about a wrong value; these are lies that are
        more than rounding, and the estimate covers smaller ones. No privacy.

    References:
        Ramamoorthy, Tang: Numerically stable coded matrix computations via circulant and rotation
        matrix embeddings (IEEE TIT 2022), theorem 2.

    Example:
        >>> scheme = anyk.Circulant(partition=(12, 1, 1), workers=5)
        >>> A, x = np.arange(24.0).reshape(12, 2), np.array([1.0, -1.0])
        >>> with anyk.Inline(5) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, x), executor)
        >>> bool(np.allclose(outcome.value, A @ x)), outcome.used
        (True, (0, 1, 2))
    """

    domain: AbstractDomain = Reals()

    can: ClassVar = Can(cuts=(True, False, False), domains=(Reals,))

    @property
    def order(self) -> int:
        """The least prime q that is no less than the number of shares, nor 2."""
        return prime_from(max(self.workers * self.pieces, 3))

    @property
    def enough(self) -> int:
        """One for each group of q - 1 blocks."""
        return -(-self.partition[0] // (self.order - 1))

    @property
    def letters(self) -> str:
        """The same as a formula."""
        return "k"

    def build(self) -> ProductCode:
        """Powers of a shift."""
        shares, order = self.workers * self.pieces, self.order
        places = scattered(shares)[ranks(self.workers, self.pieces)]
        rows = shifts(np.outer(places, np.arange(self.enough)), order)
        rows = np.ascontiguousarray(rows[:, : self.partition[0]])
        return ProductCode(
            left=unmasked(rows, (order - 1, 1)),
            right=given_to_all(shares, self.domain),
            terms=rows,
            wanted=np.eye(self.partition[0]),
        )


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> Circulant:  # noqa: ARG001 - over R
    none_of(threat, "colluders")
    check_cuts(Circulant.can, problem)
    return Circulant(problem.partition, threat.workers, adversaries=threat.adversaries)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Circulant(partition=(2, 1, 1), workers=1),
        Circulant(partition=(12, 1, 1), workers=5),
        Circulant(partition=(12, 1, 1), workers=2, pieces=2),
        Circulant(partition=(8, 1, 1), workers=5),
        Circulant(partition=(8, 1, 1), workers=5, adversaries=1),
    )


ROW = SchemeRow(
    name="Circulant",
    scheme=Circulant,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Circulant(partition=(m, 1, 1), workers=N, adversaries=A)",
        computes="the product of two matrices, the first cut in m rows of blocks",
        late="any k + D answers are enough, k = m/(q - 1) rounded up, q the least prime of at "
        "least rN, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="floating point, with an error estimate",
        when="as published; A x, as stable as `Rotation`",
    ),
)
