"""`GCSA`: a batch of products of matrices that are cut in blocks, as `CSA` of whole ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from anyk.domains.prime import PrimeField
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.batches import AbstractBatches, sized
from anyk.schemes.products.limits import Can
from anyk.schemes.row import SchemeRow, SchemeWords
from anyk.spec import MatMul, Threat

__all__ = ["GCSA", "ROW"]


@final
@dataclass(frozen=True, kw_only=True)
class GCSA(AbstractBatches):
    """Generalised cross subspace alignment: L products of matrices cut in m x p and p x n blocks.

    With one product it is an entangled polynomial code, with blocks that are whole matrices `CSA`.
    An answer is one block of m n of a product: mn times smaller than one of `CSA`, and a share is
    mp or pn times smaller.

    Args:
        partition: (m, p, n), how each A_q and B_q is cut.
        workers: N.
        domain: the prime field of the entries.
        adversaries: A, how many workers may answer wrongly.
        colluders: T, how many workers may put their shares together and learn nothing of A and B.
        pieces: r, how many shares a worker holds, each at a point of its own.
        verified: whether each answer is checked when it comes.
        batch: L, how many products there are: A is (L, rows, inner), B is (L, inner, columns).
        groups: l, a divisor of L: a worker returns the sum of l products.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, or l is no divisor of L.
        Unachievable: if R + rD + rA > rN for the R below, or the field has fewer than L + rN
            elements.

    Guarantee:
        With K = L/l let R = mpn((l + 1)K - 1) + p - 1, and mpn(l + 1)K + 2rT - 1 where T > 0. Any
        R + rD + e answers, of which e are lies of at most A workers, give all products exactly and
        the names of the liars. Up to D liars never bring about a wrong value. T workers learn
        nothing of A and B, whatever they compute; some T + 1 do. The products are not hidden from
        who sees the answers.

    References:
        Jia, Jafar: Cross subspace alignment codes for coded distributed batch computation
        (IEEE TIT 2021, arXiv 1909.13873), theorems 2 and 3.

    Example:
        >>> scheme = anyk.GCSA(partition=(2, 1, 1), workers=8, batch=2, groups=1)
        >>> scheme.guarantee.threshold
        6
        >>> A, B = np.arange(12).reshape(2, 3, 2), np.arange(4).reshape(2, 2, 1)
        >>> with anyk.Inline(8) as executor:
        ...     bool((anyk.run(scheme, np.matmul, (A, B), executor).value == A @ B).all())
        True
    """

    can: ClassVar = Can(cuts=(True, True, True), domains=(PrimeField,), colluders=(PrimeField,))

    @property
    def letters(self) -> str:
        """R of the guarantee as a formula."""
        if not self.colluders:
            return "mpn((l + 1)L/l - 1) + p - 1"
        return f"mpn(l + 1)L/l + 2{'r' * (self.pieces > 1)}T - 1"


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> AbstractScheme:
    return sized(GCSA, problem, threat, field)


def _examples() -> tuple[AbstractScheme, ...]:
    small = PrimeField(101)
    return (
        GCSA((2, 2, 1), 7),
        GCSA((2, 1, 1), 8, batch=2),
        GCSA((2, 1, 1), 9, batch=2, adversaries=1, domain=small),
        GCSA((1, 2, 1), 10, batch=2, groups=2, colluders=2),
        GCSA((1, 2, 2), 14, batch=2, groups=2),
        GCSA((2, 1, 1), 6, batch=2, groups=1, colluders=1, pieces=2, domain=small),
    )


ROW = SchemeRow(
    name="GCSA",
    scheme=GCSA,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="GCSA(partition=(m, p, n), workers=N, batch=L, groups=l, adversaries=A, colluders=T)",
        computes="L products of matrices at once, each cut in blocks",
        late="any mpn((l + 1)L/l - 1) + p - 1 + D answers are enough, mpn(l + 1)L/l + 2T - 1 + D "
        "where T > 0, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="T workers learn nothing of both factors",
        value="exact, over a prime field",
        when="the same, of matrices that are cut too",
    ),
)
