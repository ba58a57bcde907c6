"""What `CSA` and `GCSA` have in common: batches of products, in groups."""

from __future__ import annotations

from dataclasses import dataclass

from anyk.domains.prime import PrimeField
from anyk.errors import Unachievable
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.code import ProductCode
from anyk.schemes.products.cross_subspace import CrossSubspace, divisors, settle_groups
from anyk.schemes.row import failing
from anyk.spec import MatMul, Threat

__all__ = ["AbstractBatches", "sized"]


@dataclass(frozen=True, kw_only=True)
class AbstractBatches(AbstractProduct):
    """A scheme for many products at once by cross subspace alignment.

    Args:
        batch: L, how many products there are.
        groups: l, how many of them a worker computes; it returns their sum.
    """

    batch: int = 1
    groups: int = 1

    def check_partition(self) -> None:
        """Settle batch and groups.

        Raises:
            InvalidArgument: if a number is out of range, or the batch has no such groups.
        """
        settle_groups(self)

    @property
    def _code(self) -> CrossSubspace:
        return CrossSubspace(
            field=self.field,
            partition=self.partition,
            batch=self.batch,
            groups=self.groups,
            masks=self.pieces * self.colluders,
        )

    @property
    def enough(self) -> int:
        """As many as the code has unknown matrices."""
        return self._code.dimension

    @property
    def beside(self) -> int:
        """One for each product."""
        return self.batch

    def build(self) -> ProductCode:
        """That of cross subspace alignment."""
        return self._code.code(self.workers * self.pieces)


def sized(
    kind: type[AbstractBatches], problem: MatMul, threat: Threat, field: PrimeField
) -> AbstractBatches:
    """The scheme with the fewest groups that survives a threat: they cost work, and save answers.

    Args:
        kind: which.
        problem: a batch.
        threat: what to survive.
        field: of the entries.

    Raises:
        Unachievable: if there is none, of the most groups.
    """
    if problem.batch == 1:
        raise failing("L >= 2, that is 1 >= 2: it computes batches")
    every = list(divisors(problem.batch))
    for groups in every[:-1]:
        try:
            scheme = _made(kind, problem, threat, field, groups)
        except Unachievable:
            continue
        if scheme.guarantee.stragglers >= threat.stragglers:
            return scheme
    return _made(kind, problem, threat, field, every[-1])


def _made(
    kind: type[AbstractBatches], problem: MatMul, threat: Threat, field: PrimeField, groups: int
) -> AbstractBatches:
    return kind(
        problem.partition,
        threat.workers,
        domain=field,
        adversaries=threat.adversaries,
        colluders=threat.colluders,
        batch=problem.batch,
        groups=groups,
    )
