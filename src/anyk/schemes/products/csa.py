"""`CSA`: a batch of products from few answers, each of them a sum of several products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from anyk.domains.prime import PrimeField
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.batches import AbstractBatches, sized
from anyk.schemes.products.limits import Can
from anyk.schemes.row import SchemeRow, SchemeWords, failing
from anyk.spec import MatMul, Threat

__all__ = ["CSA", "ROW"]


@final
@dataclass(frozen=True, kw_only=True)
class CSA(AbstractBatches):
    """Cross subspace alignment: L products A_q B_q from (l + 1)L/l - 1 answers, or X-secure.

    The batch is cut in l groups of K = L/l products. A worker holds a combination of the A_q of
    each group, and one of the B_q; it multiplies them, group by group, and returns the sum of its
    l products. More groups are fewer answers, and more work: with l = 1 it is Lagrange coding of
    degree 2, with 2K - 1 answers of one product each; with l = 2 a worker computes 2 products.

    With T colluders each combination has T masks, and 2T more answers are needed.

    Args:
        partition: (1, 1, 1): matrices are not cut. `GCSA` cuts them.
        workers: N.
        domain: the prime field of the entries.
        adversaries: A, how many workers may answer wrongly.
        colluders: T, how many workers may put their shares together and learn nothing of A and B.
        pieces: r, how many shares a worker holds, each at a point of its own.
        verified: whether each answer is checked when it comes.
        batch: L, how many products there are: A is (L, rows, inner), B is (L, inner, columns).
        groups: l, a divisor of L.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.

    Raises:
        InvalidArgument: if a number is out of range, l is no divisor of L, or matrices are cut.
        Unachievable: if (l + 1)K - 1 + 2rT + rD + rA > rN, or the field has fewer than L + rN
            elements.

    Guarantee:
        Any (l + 1)K - 1 + rD + e answers, of which e are lies of at most A workers, give all
        products exactly and the names of the liars; with T > 0 any (l + 1)K - 1 + 2rT + rD + e. Up
        to D liars never bring about a wrong value. T workers learn nothing of A and B, whatever
        they compute; some T + 1 do. The products are not hidden from who sees the answers.

    References:
        Jia, Jafar: Cross subspace alignment codes for coded distributed batch computation
        (IEEE TIT 2021, arXiv 1909.13873), theorems 1 and 3.

    Example:
        >>> scheme = anyk.CSA(partition=(1, 1, 1), workers=10, batch=6, groups=2)
        >>> scheme.guarantee.threshold
        8
        >>> A, B = np.arange(36).reshape(6, 2, 3), np.arange(18).reshape(6, 3, 1)
        >>> with anyk.Inline(10) as executor:
        ...     outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        >>> bool((outcome.value == A @ B).all()), outcome.used
        (True, (0, 1, 2, 3, 4, 5, 6, 7))
    """

    can: ClassVar = Can(cuts=(False, False, False), domains=(PrimeField,), colluders=(PrimeField,))

    @property
    def letters(self) -> str:
        """The threshold as a formula."""
        secure = " + 2rT" if self.pieces > 1 else " + 2T"
        return f"(l + 1)L/l - 1{secure * bool(self.colluders)}"


def _sized(problem: MatMul, threat: Threat, field: PrimeField) -> AbstractScheme:
    if problem.partition != (1, 1, 1):
        raise failing(f"m = p = n = 1, that is {problem.partition} = (1, 1, 1): it cuts nothing")
    return sized(CSA, problem, threat, field)


def _examples() -> tuple[AbstractScheme, ...]:
    one, small = (1, 1, 1), PrimeField(101)
    return (
        CSA(one, 1),
        CSA(one, 9, batch=4, groups=1),
        CSA(one, 10, batch=6, groups=2, domain=small),
        CSA(one, 9, batch=6, groups=3),
        CSA(one, 5, batch=3, groups=3),
        CSA(one, 9, batch=4, groups=2, adversaries=1),
        CSA(one, 9, batch=4, groups=2, colluders=1, domain=small),
        CSA(one, 8, batch=2, groups=2, colluders=2, adversaries=1),
        CSA(one, 5, batch=2, groups=2, colluders=1, pieces=2, domain=small),
    )


ROW = SchemeRow(
    name="CSA",
    scheme=CSA,
    solves=MatMul,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="CSA(partition=(1, 1, 1), workers=N, batch=L, groups=l, adversaries=A, colluders=T)",
        computes="L products of matrices at once, each worker the sum of l products",
        late="any (l + 1)L/l - 1 + 2T + D answers are enough, and one more for each lie among them",
        wrong="A liars are named, D >= A are noticed",
        curious="T workers learn nothing of both factors",
        value="exact, over a prime field",
        when="many products at once: the fewest answers to download; both factors masked if asked",
    ),
)
