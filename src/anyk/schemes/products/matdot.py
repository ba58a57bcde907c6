"""`MatDot`: A @ B with the inner dimension cut, from the fewest answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.code import ProductCode
from anyk.schemes.products.limits import Can, check_cuts
from anyk.schemes.products.masked import AbstractMasked
from anyk.schemes.products.powers import Powers
from anyk.schemes.products.stable import entangled
from anyk.schemes.row import SchemeRow, SchemeWords
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "MatDot"]


@final
@dataclass(frozen=True)
class MatDot(AbstractMasked):
    """A MatDot code: A @ B from any 2p - 1 answers, A cut in p columns of blocks, B in p rows.

    The share at the point x has two parts, A~ = A_0 + A_1 x + .. + A_(p-1) x^(p-1) and
    B~ = B_(p-1) + B_(p-2) x + .. + B_0 x^(p-1). The coefficient of x^(p-1) in A~ @ B~ is
    sum_l A_l B_l, the product. A worker holds a p-th of each factor, and returns a matrix of the
    size of the whole product: few answers, and large ones.

    Over the reals the powers become p trigonometric polynomials, orthonormal on a circle, the same
    for A and B: the mean of A~ @ B~ over the circle is the product, 2p - 1 answers determine it,
    and their condition number is that of roots of unity.

    With colluders both factors have masks, sum_t R_t x^(p+t) and sum_t S_t x^(p+t): what they are
    multiplied with is above x^(p-1), and 2p + 2T - 1 answers are enough. With r pieces there are rT
    masks in each.

    Args:
        partition: (1, p, 1).
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
        InvalidArgument: if a number is out of range, D is below A, or the outer dimensions are cut.
        Unachievable: if 2p + 2rT - 1 + rD + rA > rN, the field has fewer than rN elements (rN + 1
            with masks), or too little precision would be left.

    Guarantee:
        Any 2p + 2rT - 1 + rD + e answers, of which e are lies of at most A workers, give the
        product exactly and the names of the liars. Up to D liars never bring about a wrong value.
        Over the reals and complex numbers values are approximate, with an error estimate.

        Without colluders no privacy. With them, over a field, T workers learn nothing of A and B,
        whatever they compute; masks are drawn from the operating system's CSPRNG, and afresh each
        time. Over the complex numbers T workers learn at most `leakage` bits a coordinate of
        either factor, of independent blocks of standard deviation `data_std`. More noise hides
        more and costs digits: what is learned falls as sigma^-2, and the error grows as sigma^2.

    References:
        Dutta, Fahim, Haddadpour, Jeong, Cadambe, Grover: On the optimal recovery threshold of coded
        matrix multiplication (IEEE TIT 2020), theorem III.1. Aliasgari, Simeone, Kliewer: Private
        and secure distributed matrix multiplication with flexible communication load (IEEE TIFS
        2020), and López, Matthews, Valvo: Secure MatDot codes (IEEE ITW 2022), for the masks.

    Example:
        >>> scheme = anyk.MatDot(partition=(1, 2, 1), workers=7, colluders=1)
        >>> A, B = np.arange(12).reshape(3, 4), np.arange(8).reshape(4, 2)
        >>> with anyk.Inline(7) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        >>> bool((outcome.value == A @ B).all()), outcome.used
        (True, (0, 1, 2, 3, 4))
    """

    can: ClassVar = Can(
        cuts=(False, True, False),
        domains=(PrimeField, Reals, Complex),
        colluders=(PrimeField, Complex),
    )

    @property
    def enough(self) -> int:
        """One for each coefficient."""
        return self._powers.dimension

    @property
    def letters(self) -> str:
        """The same as a formula."""
        masks = "" if not self.colluders else " + 2T" if self.pieces == 1 else " + 2rT"
        return f"2p{masks} - 1"

    def build(self) -> ProductCode:
        """Powers of the points, of B in the opposite order."""
        if isinstance(self.domain, Reals):
            return entangled(self.workers, self.pieces, self.partition)
        return self._powers.code(self)

    @property
    def _powers(self) -> Powers:
        inner = self.partition[1]
        masks = tuple(range(inner, inner + self.colluders * self.pieces))
        return Powers(
            left=tuple(range(inner)),
            right=tuple(reversed(range(inner))),
            wanted=(inner - 1,),
            left_masks=masks,
            right_masks=masks,
        )


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> MatDot:
    check_cuts(MatDot.can, problem)
    return MatDot(
        problem.partition,
        threat.workers,
        domain=field,
        adversaries=threat.adversaries,
        colluders=threat.colluders,
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        MatDot(partition=(1, 1, 1), workers=1),
        MatDot(partition=(1, 3, 1), workers=8, adversaries=1),
        MatDot(partition=(1, 2, 1), workers=4, domain=PrimeField(11), pieces=2, detects=1),
        MatDot(partition=(1, 2, 1), workers=9, domain=PrimeField(11), colluders=2),
        MatDot(partition=(1, 2, 1), workers=5, colluders=1, pieces=2),
        MatDot(partition=(1, 2, 1), workers=5, domain=Complex()),
        MatDot(partition=(1, 3, 1), workers=8, domain=Reals(), adversaries=1),
        MatDot(partition=(1, 2, 1), workers=7, adversaries=2, colluders=1, verified=True),
        MatDot(partition=(1, 2, 1), workers=6, domain=Complex(), adversaries=1),
        MatDot(partition=(1, 2, 1), workers=9, domain=Complex(), colluders=2, leakage=0.1),
        MatDot(partition=(1, 2, 1), workers=5, domain=Complex(), colluders=1, pieces=2, sigma=30.0),
    )


ROW = SchemeRow(
    name="MatDot",
    scheme=MatDot,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="MatDot(partition=(1, p, 1), workers=N, adversaries=A, colluders=T)",
        computes="the product of two matrices, the inner dimension cut in p",
        late="any 2p + 2T - 1 + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="T workers learn nothing of both factors; over the complex numbers at most so "
        "many bits",
        value="exact over a prime field; floating point, with an error estimate",
        when="the inner dimension is much the longest; with `colluders`, both factors are masked",
    ),
)
