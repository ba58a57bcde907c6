"""`Entangled`: A @ B cut in any way, from the fewest answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.code import ProductCode
from anyk.schemes.products.limits import Can
from anyk.schemes.products.powers import Powers
from anyk.schemes.products.stable import entangled
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "Entangled"]


@final
@dataclass(frozen=True)
class Entangled(AbstractProduct):
    """An entangled polynomial code: A @ B from any pmn + p - 1 answers, A and B cut in any way.

    Blocks A_jl and B_lk, j < m, l < p, k < n. The share at the point x has two parts,
    A~ = sum_jl A_jl x^(l + jp) and B~ = sum_lk B_lk x^(p-1-l + kpm). Block (j, k) of the product,
    sum_l A_jl B_lk, is the coefficient of x^(p-1 + jp + kpm) in A~ @ B~. With p = 1 it is
    `Polynomial`, with m = n = 1 `MatDot`; a larger p makes answers larger and fewer.

    Over the reals the powers become products of trigonometric polynomials: p of frequencies in
    steps of 1 for the inner dimension, m in steps of p for A, and n in steps of pm for B. As many
    answers determine the product, and their condition number is that of roots of unity.

    Args:
        partition: (m, p, n).
        workers: N.
        domain: the arithmetic of the entries: a prime field, the reals or the complex numbers.
        adversaries: A, how many workers may answer wrongly.
        colluders: 0: a share is a combination of blocks without a mask.
        pieces: r, how many shares a worker holds, each at a point of its own.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or D is below A.
        Unachievable: if pmn + p - 1 + rD + rA > rN, or the field has fewer than rN elements.

    Guarantee:
        Any pmn + p - 1 + rD + e answers, of which e are lies of at most A workers, give the product
        exactly and the names of the liars. Up to D liars never bring about a wrong value. Over the
        reals and complex numbers values are approximate, with an error estimate. No privacy: a
        share is a combination of blocks without a mask.

    References:
        Yu, Maddah-Ali, Avestimehr: Straggler mitigation in distributed matrix multiplication:
        fundamental limits and optimal coding (IEEE TIT 2020), theorem 1.

    Example:
        >>> scheme = anyk.Entangled(partition=(2, 2, 1), workers=9)
        >>> A, B = np.arange(12).reshape(3, 4), np.arange(8).reshape(4, 2)
        >>> with anyk.Inline(9) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        >>> bool((outcome.value == A @ B).all()), len(outcome.used)
        (True, 5)
    """

    can: ClassVar = Can(cuts=(True, True, True), domains=(PrimeField, Reals, Complex))

    @property
    def enough(self) -> int:
        """One for each coefficient."""
        return self._powers.dimension

    @property
    def letters(self) -> str:
        """The same as a formula."""
        return "pmn + p - 1"

    def build(self) -> ProductCode:
        """Powers of the points."""
        if isinstance(self.domain, Reals):
            return entangled(self.workers, self.pieces, self.partition)
        return self._powers.code(self)

    @property
    def _powers(self) -> Powers:
        m, p, n = self.partition
        return Powers(
            left=tuple(layer + j * p for j in range(m) for layer in range(p)),
            right=tuple(p - 1 - layer + k * p * m for layer in range(p) for k in range(n)),
            wanted=tuple(p - 1 + j * p + k * p * m for k in range(n) for j in range(m)),
        )


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> Entangled:
    none_of(threat, "colluders")
    m, p, n = problem.partition
    if p == 1 or m * n == 1:
        told = "Polynomial" if p == 1 else "MatDot"
        raise failing(f"1 < p and 1 < mn, that is 1 < {p} and 1 < {m * n}: else take {told}")
    return Entangled(
        problem.partition, threat.workers, domain=field, adversaries=threat.adversaries
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Entangled(partition=(1, 1, 1), workers=1),
        Entangled(partition=(2, 2, 1), workers=9, adversaries=1),
        Entangled(partition=(1, 2, 2), workers=9, domain=PrimeField(11), detects=1),
        Entangled(partition=(2, 2, 2), workers=7, domain=PrimeField(101), pieces=2),
        Entangled(partition=(2, 2, 1), workers=7, adversaries=1, verified=True),
        Entangled(partition=(2, 2, 1), workers=8, domain=Complex(), adversaries=1),
        Entangled(partition=(1, 3, 1), workers=4, domain=Complex(), pieces=2),
        Entangled(partition=(2, 2, 2), workers=11, domain=Reals()),
        Entangled(partition=(2, 3, 1), workers=12, domain=Reals(), adversaries=1),
    )


ROW = SchemeRow(
    name="Entangled",
    scheme=Entangled,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Entangled(partition=(m, p, n), workers=N, adversaries=A)",
        computes="the product of two matrices, all dimensions cut",
        late="any pmn + p - 1 + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="exact over a prime field; floating point, with an error estimate",
        when="both factors are large, and the inner dimension too",
    ),
)
