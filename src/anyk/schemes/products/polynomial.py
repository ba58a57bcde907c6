"""`Polynomial`: A @ B from the fewest answers, by a polynomial code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from anyk.domains.polynomials import vandermonde
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.base import AbstractProduct, Can
from anyk.schemes.products.code import ProductCode, unmasked
from anyk.schemes.products.stable import coefficients, terms_of
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "Polynomial"]


@final
@dataclass(frozen=True)
class Polynomial(AbstractProduct):
    """A polynomial code: A @ B from any m n answers, A cut in m rows of blocks, B in n columns.

    The share at the point x has two parts, A~ = A_0 + A_1 x + .. + A_(m-1) x^(m-1) and
    B~ = B_0 + B_1 x^m + .. + B_(n-1) x^((n-1)m). A worker returns A~ @ B~, a polynomial of degree
    m n - 1 in x whose coefficients are the blocks of the product. What does not divide evenly is
    filled with zeros.

    Over a field the points are 0, 1, 2, .., and over the complex numbers roots of unity. Over the
    reals the powers become trigonometric polynomials, of frequencies with steps of 1 for A, and of
    m for B: real, one block a share, and of the condition number of roots of unity. Neighbouring
    shares are far apart on the circle. Where so many shares are spare that the widest gap between
    them would cost more than three digits, the first mn shares are pairs of blocks as they are, and
    the others have random coefficients, the best of a few that a fixed, public seed draws.

    Args:
        partition: (m, 1, n).
        workers: N.
        domain: the arithmetic of the entries: a prime field, the reals or the complex numbers.
        adversaries: A, how many workers may answer wrongly.
        colluders: 0: a share is a combination of blocks without a mask.
        pieces: r, how many shares a worker holds, each at a point of its own.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, D is below A, or the inner dimension is cut.
        Unachievable: if mn + rD + rA > rN, or mn + rA > rN with `verified`, or the field has fewer
            than rN elements.

    Guarantee:
        Any mn + D + e answers, of which e are lies of at most A workers, give the product exactly
        and the names of the liars (with r pieces, mn + rD + e of rN answers). Up to D liars never
        bring about a wrong value: answers of which no reading is certain raise `TooManyErrors`,
        and a run waits for more of them first. D + 1 liars who collude can, and no decoder can
        know. With `verified` any mn answers that pass their checks are enough, so that mn + rA of
        rN do, and whoever lies is named when the lie comes, but for a chance of 2**-61 each. In
        floating point the value has an error estimate from the condition number of the answers, and
        a lie is told where it is beyond their rounding. No privacy: a share is a combination of
        blocks without a mask.

    References:
        Yu, Maddah-Ali, Avestimehr: Polynomial codes: an optimal design for high-dimensional coded
        matrix multiplication (NIPS 2017), theorem 1. Subramaniam, Heidarzadeh, Narayanan: Random
        Khatri-Rao-product codes for numerically-stable distributed matrix multiplication (Allerton
        2019), for random coefficients of both factors.

    Example:
        >>> scheme = anyk.Polynomial(partition=(2, 1, 2), workers=6)
        >>> A, B = np.arange(12).reshape(3, 4), np.arange(8).reshape(4, 2)
        >>> with anyk.Inline(6) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        >>> bool((outcome.value == A @ B).all()), outcome.used
        (True, (0, 1, 2, 3))
    """

    can: ClassVar = Can(cuts=(True, False, True), domains=(PrimeField, Reals, Complex))

    @property
    def enough(self) -> int:
        """Mn."""
        m, _, n = self.partition
        return m * n

    @property
    def letters(self) -> str:
        """Mn."""
        return "mn"

    def build(self) -> ProductCode:
        """Powers of the points 0, 1, 2, ..; in floating point, what is stable."""
        m, _, n = self.partition
        points = None
        if isinstance(self.domain, PrimeField):
            points = np.arange(self.workers * self.pieces, dtype=np.int64)
            powers = np.ascontiguousarray(vandermonde(self.domain, points, m * n).T)
            left, right = np.ascontiguousarray(powers[:, :m]), powers[:, : m * n : m]
        else:
            left, right = coefficients(self.domain, self.workers, self.pieces, m, n)
            powers = terms_of(left, right)
        return ProductCode(
            left=unmasked(left),
            right=unmasked(np.ascontiguousarray(right)),
            terms=powers,
            wanted=np.eye(m * n, dtype=self.domain.dtype),
            points=points,
        )


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> Polynomial:
    none_of(threat, "colluders")
    inner = problem.partition[1]
    if inner != 1:
        raise failing(f"p = 1, that is {inner} = 1: it does not cut the inner dimension")
    return Polynomial(
        problem.partition, threat.workers, domain=field, adversaries=threat.adversaries
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Polynomial(partition=(1, 1, 1), workers=1),
        Polynomial(partition=(2, 1, 2), workers=6),
        Polynomial(partition=(3, 1, 1), workers=6, domain=PrimeField(101), adversaries=1),
        Polynomial(partition=(2, 1, 3), workers=4, pieces=2),
        Polynomial(partition=(2, 1, 2), workers=6, domain=PrimeField(13), adversaries=1),
        Polynomial(partition=(3, 1, 2), workers=6, adversaries=1, pieces=2),
        Polynomial(partition=(2, 1, 2), workers=7, domain=PrimeField(101), detects=2),
        Polynomial(partition=(2, 1, 3), workers=8, domain=Reals()),
        Polynomial(partition=(2, 1, 2), workers=6, domain=Complex()),
        Polynomial(partition=(3, 1, 2), workers=4, pieces=2, domain=Reals()),
        Polynomial(partition=(2, 1, 2), workers=6, adversaries=2, verified=True),
    )


ROW = SchemeRow(
    name="Polynomial",
    scheme=Polynomial,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Polynomial(partition=(m, 1, n), workers=N, adversaries=A, detects=D)",
        computes="the product of two matrices, cut in m rows and n columns of blocks",
        late="any mn + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed (over a field)",
        curious="no",
        value="exact over a prime field; floating point, with an error estimate",
    ),
)
