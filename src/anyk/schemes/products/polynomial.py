"""`Polynomial`: A @ B from the fewest answers, by a polynomial code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.code import ProductCode, unmasked
from anyk.schemes.products.limits import Can, check_cuts
from anyk.schemes.products.masked import AbstractMasked
from anyk.schemes.products.powers import Powers
from anyk.schemes.products.stable import coefficients, terms_of
from anyk.schemes.row import SchemeRow, SchemeWords
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "Polynomial"]


@final
@dataclass(frozen=True)
class Polynomial(AbstractMasked):
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

    With colluders both factors are masked: A~ = sum_j A_j x^j + sum_t R_t x^(m+t), and
    B~ = sum_k B_k x^(k(m+T)) + sum_t S_t x^((n-1)(m+T)+m+t), so that products with masks share the
    coefficients between those of blocks, and the fewest above them. Then (m+T)(n+1) - 1 answers are
    enough; (m+1)(n+T) - 1 with the roles changed; 2mn + 2T - 1 with all masks above all blocks: the
    least of the three is taken. With r pieces there are rT masks in each.

    Args:
        partition: (m, 1, n).
        workers: N.
        domain: the arithmetic of the entries: a prime field, the reals or the complex numbers.
        adversaries: A, how many workers may answer wrongly.
        colluders: T, how many workers may put their shares together.
        pieces: r, how many shares a worker holds, each at a point of its own.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.
        leakage: bits, a coordinate, that T workers may learn of a factor, over the complex numbers.
            With colluders there, give it or sigma.
        sigma: standard deviation of the sum of a factor's masks, there.
        data_std: standard deviation of the entries, for which leakage and precision are stated.
        tolerance: relative error that is still acceptable, predicted for independent entries, with
            masks over the complex numbers, where everybody answers.

    Raises:
        InvalidArgument: if a number is out of range, D is below A, or the inner dimension is cut.
        Unachievable: if mn + rD + rA > rN (with masks, the number above in the place of mn; rA in
            all with `verified`), the field has fewer than rN elements (rN + 1 with masks), or too
            little precision would be left.

    Guarantee:
        Any mn + D + e answers, of which e are lies of at most A workers, give the product exactly
        and the names of the liars (with r pieces, mn + rD + e of rN answers). Up to D liars never
        bring about a wrong value: answers of which no reading is certain raise `TooManyErrors`,
        and a run waits for more of them first. D + 1 liars who collude can, and no decoder can
        know. With `verified` any mn answers that pass their checks are enough, so that mn + rA of
        rN do, and whoever lies is named when the lie comes, but for a chance of 2**-61 each. In
        floating point the value has an error estimate from the condition number of the answers, and
        a lie is told where it is beyond their rounding.

        Without colluders no privacy: a share is a combination of blocks without a mask. With them,
        over a field, T workers learn nothing of A and B, whatever they compute; masks are drawn
        from the operating system's CSPRNG, and afresh each time. Over the complex numbers T workers
        learn at most `leakage` bits a coordinate of either factor, of independent blocks of
        standard deviation `data_std`. More noise hides more and costs digits: what is learned falls
        as sigma^-2, and the error grows as sigma^2.

    References:
        Yu, Maddah-Ali, Avestimehr: Polynomial codes: an optimal design for high-dimensional coded
        matrix multiplication (NIPS 2017), theorem 1. Subramaniam, Heidarzadeh, Narayanan: Random
        Khatri-Rao-product codes for numerically-stable distributed matrix multiplication (Allerton
        2019), for random coefficients of both factors. Kakar, Ebadifar, Sezgin: On the capacity and
        straggler-robustness of distributed secure matrix multiplication (IEEE Access 2019), for
        (m+T)(n+1) - 1; D'Oliveira, El Rouayheb, Karpuk: GASP codes for secure distributed matrix
        multiplication (IEEE TIT 2020), where masks above all blocks are called GASP_big.

    Example:
        >>> scheme = anyk.Polynomial(partition=(2, 1, 2), workers=6)
        >>> A, B = np.arange(12).reshape(3, 4), np.arange(8).reshape(4, 2)
        >>> with anyk.Inline(6) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        >>> bool((outcome.value == A @ B).all()), outcome.used
        (True, (0, 1, 2, 3))
    """

    can: ClassVar = Can(
        cuts=(True, False, True),
        domains=(PrimeField, Reals, Complex),
        colluders=(PrimeField, Complex),
    )

    @property
    def enough(self) -> int:
        """One for each block of the product; with masks the least of three numbers."""
        return self._powers.dimension

    @property
    def letters(self) -> str:
        """The same as a formula."""
        if not self.colluders:
            return "mn"
        masks = "T" if self.pieces == 1 else "rT"
        return f"min((m+{masks})(n+1), (m+1)(n+{masks}), 2mn+2{masks}) - 1"

    def build(self) -> ProductCode:
        """Powers of the points; in floating point without masks, what is stable."""
        if self.colluders or self.domain.exact:
            return self._powers.code(self)
        m, _, n = self.partition
        left, right = coefficients(self.domain, self.workers, self.pieces, m, n)
        return ProductCode(
            left=unmasked(left),
            right=unmasked(right),
            terms=terms_of(left, right),
            wanted=np.eye(m * n, dtype=self.domain.dtype),
        )

    @property
    def _powers(self) -> Powers:
        m, _, n = self.partition
        masks = self.colluders * self.pieces
        every = (_between(m, n, masks), _between(n, m, masks).turned(m, n), _above(m, n, masks))
        return min(every, key=lambda powers: powers.dimension)


def _between(m: int, n: int, masks: int) -> Powers:
    """Products of masks of A and blocks of B lie between those of two blocks."""
    step = m + masks
    return Powers(
        left=tuple(range(m)),
        right=tuple(range(0, n * step, step)),
        wanted=tuple(j + k * step for k in range(n) for j in range(m)),
        left_masks=tuple(range(m, step)),
        right_masks=tuple(range((n - 1) * step + m, n * step)),
    )


def _above(m: int, n: int, masks: int) -> Powers:
    """Products with masks lie above all those of two blocks."""
    above = tuple(range(m * n, m * n + masks))
    return Powers(
        left=tuple(range(m)),
        right=tuple(range(0, m * n, m)),
        wanted=tuple(range(m * n)),
        left_masks=above,
        right_masks=above,
    )


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> Polynomial:
    check_cuts(Polynomial.can, problem)
    return Polynomial(
        problem.partition,
        threat.workers,
        domain=field,
        adversaries=threat.adversaries,
        colluders=threat.colluders,
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
        Polynomial(partition=(2, 1, 2), workers=11, colluders=1, adversaries=1),
        Polynomial(partition=(1, 1, 3), workers=12, domain=PrimeField(13), colluders=2),
        Polynomial(partition=(2, 1, 1), workers=5, colluders=1, pieces=2),
        Polynomial(partition=(2, 1, 2), workers=9, domain=Complex(), colluders=1, leakage=0.1),
        Polynomial(
            partition=(2, 1, 1), workers=6, domain=Complex(), colluders=1, pieces=2, sigma=30.0
        ),
    )


ROW = SchemeRow(
    name="Polynomial",
    scheme=Polynomial,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Polynomial(partition=(m, 1, n), workers=N, adversaries=A, colluders=T)",
        computes="the product of two matrices, cut in m rows and n columns of blocks",
        late="any mn + D answers are enough, and one more for each lie among them; with colluders "
        "(m+T)(n+1) - 1 instead of mn, or less",
        wrong="A liars are named, D >= A are noticed",
        curious="T workers learn nothing of both factors; over the complex numbers at most so "
        "many bits",
        value="exact over a prime field; floating point, with an error estimate",
        when="both factors are large: each worker is sent 1/m of A and 1/n of B",
    ),
)
