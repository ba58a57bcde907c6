"""`OrthoPolynomial`: A @ B in the reals by a polynomial code in Chebyshev's basis."""

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
from anyk.schemes.products.stable import ranks, terms_of
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "OrthoPolynomial"]


@final
@dataclass(frozen=True)
class OrthoPolynomial(AbstractProduct):
    """A polynomial code in Chebyshev's basis: A @ B from any mn answers, in the reals.

    The share at the point x is A~ = sum_i A_i q_i(x) and B~ = sum_j B_j q_(jm)(x), by orthonormal
    Chebyshev polynomials, at Chebyshev's points, those of neighbouring shares far apart. As T_i T_j
    is (T_(i+j) + T_|i-j|) / 2, the products q_i q_(jm) are another basis of the degrees below mn.

    `Polynomial` over the reals needs as many answers, and has the smaller condition number: compare
    docs/products-real.md.

    Args:
        partition: (m, 1, n).
        workers: N.
        domain: the reals.
        adversaries: A, how many workers may answer wrongly.
        colluders: 0: a share is a combination of blocks without a mask.
        pieces: r, how many shares a worker holds.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or the inner dimension is cut.
        Unachievable: if mn + rD + rA > rN.

    Guarantee:
        Approximate: any mn answers give the product with an error estimate from their condition
        number, which is O(N^(2(N-mn))) for the worst of them. Any mn + rD + e answers, of which e
        are lies of at most A workers, name the liars too, and up to D never bring about a wrong
        value; these are lies that are more than rounding, and the estimate covers smaller ones. No
        privacy.

    References:
        Fahim, Cadambe: Numerically stable polynomially coded computing (IEEE TIT 2021),
        construction 3 and theorem 4.1.

    Example:
        >>> scheme = anyk.OrthoPolynomial(partition=(2, 1, 2), workers=6)
        >>> A, B = np.arange(12.0).reshape(4, 3), np.arange(6.0).reshape(3, 2)
        >>> with anyk.Inline(6) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        >>> bool(np.allclose(outcome.value, A @ B)), outcome.used
        (True, (0, 1, 2, 3))
    """

    domain: AbstractDomain = Reals()

    can: ClassVar = Can(cuts=(True, False, True), domains=(Reals,))

    @property
    def enough(self) -> int:
        """One for each block of the product."""
        m, _, n = self.partition
        return m * n

    @property
    def letters(self) -> str:
        """The same as a formula."""
        return "mn"

    def build(self) -> ProductCode:
        """Orthonormal polynomials at Chebyshev's points."""
        m, _, n = self.partition
        shares = self.workers * self.pieces
        places = scattered(shares)[ranks(self.workers, self.pieces)]
        left = chebyshev(places, shares, np.arange(m))
        right = chebyshev(places, shares, m * np.arange(n))
        return ProductCode(
            left=unmasked(left),
            right=unmasked(right),
            terms=terms_of(left, right),
            wanted=np.eye(m * n),
        )


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> OrthoPolynomial:  # noqa: ARG001 - over R
    none_of(threat, "colluders")
    check_cuts(OrthoPolynomial.can, problem)
    return OrthoPolynomial(problem.partition, threat.workers, adversaries=threat.adversaries)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        OrthoPolynomial(partition=(1, 1, 1), workers=1),
        OrthoPolynomial(partition=(2, 1, 3), workers=8),
        OrthoPolynomial(partition=(3, 1, 2), workers=4, pieces=2),
        OrthoPolynomial(partition=(2, 1, 2), workers=7, adversaries=1),
    )


ROW = SchemeRow(
    name="OrthoPolynomial",
    scheme=OrthoPolynomial,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="OrthoPolynomial(partition=(m, 1, n), workers=N, adversaries=A)",
        computes="the product of two matrices, cut in m rows and n columns of blocks",
        late="any mn + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="floating point, with an error estimate",
        when="as published; `Polynomial` over the reals is the more stable one",
    ),
)
