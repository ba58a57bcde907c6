"""`PolyDot`: A @ B cut in any way, between `Polynomial` and `MatDot`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.code import ProductCode
from anyk.schemes.products.limits import Can
from anyk.schemes.products.powers import Powers
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "PolyDot"]


@final
@dataclass(frozen=True)
class PolyDot(AbstractProduct):
    """A PolyDot code: A @ B from any mn(2p - 1) answers, A and B cut in any way.

    Blocks A_jl and B_lk, j < m, l < p, k < n. The share at the point x has two parts,
    A~ = sum_jl A_jl x^(j + ml) and B~ = sum_lk B_lk x^(m(p-1-l) + m(2p-1)k). Block (j, k) of the
    product, sum_l A_jl B_lk, is the coefficient of x^(j + m(p-1) + m(2p-1)k) in A~ @ B~. With
    m = n = t and p = s any t^2 (2s - 1) answers are enough. `Entangled` needs fewer wherever p and
    mn are more than 1: take that; this one is here to be compared with.

    Args:
        partition: (m, p, n).
        workers: N.
        domain: the arithmetic of the entries: a prime field or the complex numbers.
        adversaries: A, how many workers may answer wrongly.
        colluders: 0: a share is a combination of blocks without a mask.
        pieces: r, how many shares a worker holds, each at a point of its own.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or D is below A.
        Unachievable: if mn(2p - 1) + rD + rA > rN, or the field has fewer than rN elements.

    Guarantee:
        Any mn(2p - 1) + rD + e answers, of which e are lies of at most A workers, give the product
        exactly and the names of the liars. Up to D liars never bring about a wrong value. Over the
        complex numbers values are approximate, with an error estimate. No privacy: a share is a
        combination of blocks without a mask.

    References:
        Dutta, Fahim, Haddadpour, Jeong, Cadambe, Grover: On the optimal recovery threshold of coded
        matrix multiplication (IEEE TIT 2020), theorem V.1.

    Example:
        >>> scheme = anyk.PolyDot(partition=(2, 2, 1), workers=9)
        >>> A, B = np.arange(12).reshape(3, 4), np.arange(8).reshape(4, 2)
        >>> with anyk.Inline(9) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        >>> bool((outcome.value == A @ B).all()), len(outcome.used)
        (True, 6)
    """

    can: ClassVar = Can(cuts=(True, True, True), domains=(PrimeField, Complex))

    @property
    def enough(self) -> int:
        """One for each coefficient."""
        return self._powers.dimension

    @property
    def letters(self) -> str:
        """The same as a formula."""
        return "mn(2p - 1)"

    def build(self) -> ProductCode:
        """Powers of the points."""
        return self._powers.code(self)

    @property
    def _powers(self) -> Powers:
        m, p, n = self.partition
        step = m * (2 * p - 1)
        return Powers(
            left=tuple(j + m * layer for j in range(m) for layer in range(p)),
            right=tuple(m * (p - 1 - layer) + step * k for layer in range(p) for k in range(n)),
            wanted=tuple(j + m * (p - 1) + step * k for k in range(n) for j in range(m)),
        )


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> PolyDot:
    none_of(threat, "colluders")
    m, p, n = problem.partition
    if p == 1 or m * n == 1:
        told = "Polynomial" if p == 1 else "MatDot"
        raise failing(f"1 < p and 1 < mn, that is 1 < {p} and 1 < {m * n}: else take {told}")
    return PolyDot(problem.partition, threat.workers, domain=field, adversaries=threat.adversaries)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        PolyDot(partition=(1, 1, 1), workers=1),
        PolyDot(partition=(2, 2, 1), workers=9, adversaries=1),
        PolyDot(partition=(1, 2, 2), workers=9, domain=PrimeField(11), detects=1),
        PolyDot(partition=(2, 2, 2), workers=7, domain=PrimeField(101), pieces=2),
        PolyDot(partition=(2, 2, 1), workers=7, adversaries=1, verified=True),
        PolyDot(partition=(2, 2, 1), workers=8, domain=Complex(), adversaries=1),
        PolyDot(partition=(1, 3, 1), workers=4, domain=Complex(), pieces=2),
    )


ROW = SchemeRow(
    name="PolyDot",
    scheme=PolyDot,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="PolyDot(partition=(m, p, n), workers=N, adversaries=A)",
        computes="the product of two matrices, all dimensions cut",
        late="any mn(2p - 1) + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="exact over a prime field; floating point (complex), with an error estimate",
        when="as published; `Entangled` needs fewer answers",
    ),
)
