"""`OrthoMatDot`: A @ B in the reals with the inner dimension cut, by Chebyshev polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from anyk.codes.analog.chebyshev import chebyshev
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.schemes.base import AbstractScheme
from anyk.schemes.placement import scattered
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.code import ProductCode, unmasked
from anyk.schemes.products.limits import Can, check_cuts
from anyk.schemes.products.stable import ranks
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "OrthoMatDot"]


@final
@dataclass(frozen=True)
class OrthoMatDot(AbstractProduct):
    """MatDot in the reals: A @ B from any 2p - 1 answers, A cut in p columns, B in p rows.

    The share at the point x is A~ = sum_i A_i q_i(x) and B~ = sum_i B_i q_i(x), by the orthonormal
    Chebyshev polynomials q_0, .., q_(p-1). Their product has degree 2p - 2, and its mean in the
    sense of Chebyshev's weight is sum_i A_i B_i, the coefficient of T_0. The points are
    Chebyshev's, those of neighbouring shares far apart.

    `MatDot` over the reals needs as many answers, and has the smaller condition number: compare
    docs/products-real.md.

    Args:
        partition: (1, p, 1).
        workers: N.
        domain: the reals.
        adversaries: A, how many workers may answer wrongly.
        colluders: 0: a share is a combination of blocks without a mask.
        pieces: r, how many shares a worker holds.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or another dimension is cut.
        Unachievable: if 2p - 1 + rD + rA > rN.

    Guarantee:
        Approximate: any 2p - 1 answers give the product with an error estimate from their condition
        number, which is O(N^(2(N-2p+1))) for the worst of them. Any 2p - 1 + rD + e answers, of
        which e are lies of at most A workers, name the liars too, and up to D never bring about a
        wrong value; these are lies that are more than rounding, and the estimate covers smaller
        ones. No privacy.

    References:
        Fahim, Cadambe: Numerically stable polynomially coded computing (IEEE TIT 2021),
        construction 1 and theorem 4.1.

    Example:
        >>> scheme = anyk.OrthoMatDot(partition=(1, 2, 1), workers=4)
        >>> A, B = np.arange(12.0).reshape(3, 4), np.arange(8.0).reshape(4, 2)
        >>> with anyk.Inline(4) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        >>> bool(np.allclose(outcome.value, A @ B)), outcome.used
        (True, (0, 1, 2))
    """

    domain: AbstractDomain = Reals()

    can: ClassVar = Can(cuts=(False, True, False), domains=(Reals,))

    @property
    def enough(self) -> int:
        """One more than the degree of the product."""
        return 2 * self.partition[1] - 1

    @property
    def letters(self) -> str:
        """The same as a formula."""
        return "2p - 1"

    def build(self) -> ProductCode:
        """Orthonormal polynomials at Chebyshev's points."""
        shares = self.workers * self.pieces
        places = scattered(shares)[ranks(self.workers, self.pieces)]
        terms = chebyshev(places, shares, np.arange(self.enough))
        factor = unmasked(np.ascontiguousarray(terms[:, : self.partition[1]]))
        wanted = np.zeros((1, self.enough))
        wanted[0, 0] = 1.0
        return ProductCode(left=factor, right=factor, terms=terms, wanted=wanted)


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> OrthoMatDot:  # noqa: ARG001 - over R
    none_of(threat, "colluders")
    check_cuts(OrthoMatDot.can, problem)
    return OrthoMatDot(problem.partition, threat.workers, adversaries=threat.adversaries)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        OrthoMatDot(partition=(1, 1, 1), workers=1),
        OrthoMatDot(partition=(1, 2, 1), workers=5),
        OrthoMatDot(partition=(1, 3, 1), workers=4, pieces=2),
        OrthoMatDot(partition=(1, 2, 1), workers=6, adversaries=1),
    )


ROW = SchemeRow(
    name="OrthoMatDot",
    scheme=OrthoMatDot,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="OrthoMatDot(partition=(1, p, 1), workers=N, adversaries=A)",
        computes="the product of two matrices, the inner dimension cut in p",
        late="any 2p - 1 + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="floating point, with an error estimate",
        when="as published; `MatDot` over the reals is the more stable one",
    ),
)
