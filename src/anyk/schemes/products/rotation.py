"""`Rotation`: A @ x and A @ B in the reals, as stable as roots of unity, by rotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from anyk.codes.analog.rotation import rotations, turns
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.errors import InvalidArgument
from anyk.schemes.base import AbstractScheme
from anyk.schemes.placement import scattered
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.code import ProductCode, given_to_all, unmasked
from anyk.schemes.products.limits import Can
from anyk.schemes.products.stable import ranks
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.spec import MatMul, Threat

__all__ = ["ROW", "Rotation"]


@final
@dataclass(frozen=True)
class Rotation(AbstractProduct):
    """Roots of unity in the reals: points on the circle are rotations of pairs of blocks.

    The blocks of A make m/2 pairs. Share l holds two blocks, the pair sum_j R^(lj) (pair j), where
    R turns by 2 pi / q, and q is the least odd number of at least as many as there are shares. With
    n > 1 the blocks of B make n/2 pairs, a share holds sum_k R^(lkm/2) (pair k) of them, and a
    worker multiplies four blocks. R is unitarily diagonal, so all matrices to solve are unitarily
    Vandermonde's at roots of unity.

    Args:
        partition: (m, 1, n): m even, n even or 1.
        workers: N.
        domain: the reals.
        adversaries: A, how many workers may answer wrongly.
        colluders: 0: a share is a combination of blocks without a mask.
        pieces: r, how many shares a worker holds.
        verified: whether each answer is checked when it comes.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range or odd, or the inner dimension is cut.
        Unachievable: if m/2 + rD + rA > rN, with n > 1 mn/4 in the place of m/2.

    Guarantee:
        Approximate: any m/2 answers (mn/4 with n > 1) give the product with an error estimate from
        their condition number, which is about O(N^(S + 5.5)) for the worst of them, if S shares are
        spare. Any m/2 + rD + e answers (or mn/4), of which e are lies of at most A workers, name
        the liars too, and up to D never bring about a wrong value; these are lies that are more
        than rounding, and the estimate covers smaller ones. No privacy.

    References:
        Ramamoorthy, Tang: Numerically stable coded matrix computations via circulant and rotation
        matrix embeddings (IEEE TIT 2022), theorems 1 and 3.

    Example:
        >>> scheme = anyk.Rotation(partition=(4, 1, 4), workers=6)
        >>> A, B = np.arange(12.0).reshape(4, 3), np.arange(12.0).reshape(3, 4)
        >>> with anyk.Inline(6) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        >>> bool(np.allclose(outcome.value, A @ B)), outcome.used
        (True, (0, 1, 2, 3))
    """

    domain: AbstractDomain = Reals()

    can: ClassVar = Can(cuts=(True, False, True), domains=(Reals,))

    def check_partition(self) -> None:
        """Refuse what is not made of pairs."""
        m, _, n = self.partition
        if m % 2 or (n % 2 and n > 1):
            fit = m + m % 2, 1, n + n % 2 if n > 1 else 1
            raise InvalidArgument(
                "partition",
                given=repr(self.partition),
                needed="(m, 1, n) with m even, and n even or 1, as blocks are turned in pairs",
                change=f"Pass {fit}.",
            )

    @property
    def enough(self) -> int:
        """One for each pair of blocks of A, and each pair of pairs where B is coded."""
        m, _, n = self.partition
        return m // 2 if n == 1 else m * n // 4

    @property
    def letters(self) -> str:
        """The same as a formula."""
        return "m/2" if self.partition[2] == 1 else "mn/4"

    def build(self) -> ProductCode:
        """Powers of a rotation."""
        m, _, n = self.partition
        shares = self.workers * self.pieces
        places = scattered(shares)[ranks(self.workers, self.pieces)]
        steps = turns(shares)
        left = rotations(np.outer(places, np.arange(m // 2)), steps)
        if n == 1:
            return ProductCode(
                left=unmasked(left, (2, 1)),
                right=given_to_all(shares, self.domain),
                terms=left,
                wanted=np.eye(m),
            )
        right = rotations(np.outer(places, m // 2 * np.arange(n // 2)), steps)
        pairs = left.reshape(shares, 2, m), right.reshape(shares, 2, n)
        return ProductCode(
            left=unmasked(left, (2, 1)),
            right=unmasked(right, (1, 2)),
            terms=np.einsum("iaj,ibk->iabkj", *pairs).reshape(4 * shares, m * n),
            wanted=np.eye(m * n),
        )


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> Rotation:  # noqa: ARG001 - over R
    none_of(threat, "colluders")
    m, p, n = problem.partition
    if p != 1 or m % 2 or (n % 2 and n > 1):
        raise failing(f"p = 1, m even, and n even or 1, that is ({m}, {p}, {n})")
    return Rotation(problem.partition, threat.workers, adversaries=threat.adversaries)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Rotation(partition=(2, 1, 1), workers=1),
        Rotation(partition=(6, 1, 1), workers=5),
        Rotation(partition=(4, 1, 4), workers=6),
        Rotation(partition=(6, 1, 1), workers=3, pieces=2),
        Rotation(partition=(2, 1, 6), workers=2, pieces=2),
        Rotation(partition=(4, 1, 1), workers=5, adversaries=1),
        Rotation(partition=(4, 1, 2), workers=4, adversaries=1, verified=True),
    )


ROW = SchemeRow(
    name="Rotation",
    scheme=Rotation,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Rotation(partition=(m, 1, n), workers=N, adversaries=A)",
        computes="the product of two matrices, cut in m rows and n columns of blocks",
        late="any m/2 + D answers are enough (n = 1), or mn/4 + D, and one more for each lie "
        "among them",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="floating point, with an error estimate",
        when="as published; as stable as `Polynomial` over the reals where m and n are even",
    ),
)
