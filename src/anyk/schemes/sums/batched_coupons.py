"""`BatchedCoupons`: the sum of any function, where each worker draws its batch of blocks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from math import comb
from typing import Any, final

import numpy as np

from anyk.checks import indices_of, instance, settle, shown
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.tensors import domain_for
from anyk.domains.values import Values
from anyk.errors import InvalidArgument, Unachievable
from anyk.randomness.entropy import AbstractSource, SystemSource, residues
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoder, blocks_of, missing_answers
from anyk.schemes.encoded import Encoded
from anyk.schemes.row import SchemeRow, SchemeWords, failing
from anyk.schemes.sums.arguments import no_shares
from anyk.schemes.sums.batches import Batches
from anyk.schemes.sums.voted_sum import VotedSum
from anyk.schemes.tally import AbstractTally, BlockTally, Replicas
from anyk.schemes.voting import Voting
from anyk.spec import Guarantee, Sum, Threat
from anyk.wording import numbered, ranges
from anyk.work import AbstractWork, Function
from anyk.works.added import Added

__all__ = ["ROW", "BatchedCoupons"]

_AS_GIVEN = Values()


@final
@dataclass(frozen=True)
class BatchedCoupons(AbstractScheme):
    """Batched coupons: each worker draws one of B batches, and answers the sum of f over it.

    The sum is known when every batch was answered: as a collector of coupons, after B H_B answers
    in the mean, if there are very many workers. As published; `FractionalRepetition` deals the same
    batches out evenly, needs fewer answers, and never fails.

    Args:
        blocks: K, the number of blocks.
        workers: N, the number of workers.
        batches: B <= K, into how many batches the blocks are cut: a worker has ceil(K/B) blocks.
        domain: what the data are, as for `FractionalRepetition`.
        drawn: the batch of each worker; None, the default, to draw them when data are encoded. The
            scheme of what `encode` returns has them.

    Raises:
        InvalidArgument: if a number is out of range, or `drawn` are no N batches.
        Unachievable: if there are fewer workers than batches, or a batch that nobody has drawn.

    Guarantee:
        Nothing, before batches are drawn: with the probability `failure` nobody draws some batch,
        and `encode` raises `Unachievable`; it may be called again. Of those drawn, any N - S
        answers give the sum, where S + 1 workers have the rarest batch; so do any answers among
        which every batch is. What is late or failed is sent again to idle workers. Two answers on
        one batch that differ raise `TooManyErrors`; who lies alone is not noticed. No privacy.

    References:
        Li, Mousavi Kalan, Avestimehr, Soltanolkotabi: Near-optimal straggler mitigation for
        distributed gradient methods (2017), section 3.

    Example:
        >>> scheme = anyk.BatchedCoupons(blocks=6, workers=40, batches=2)
        >>> round(scheme.failure, 14)
        1.82e-12
        >>> with anyk.Inline(40) as executor:
        ...     anyk.run(scheme, np.square, np.arange(12).reshape(6, 2), executor).value
        array([220, 286])
        >>> anyk.BatchedCoupons(6, 5, 2, drawn=(0, 1, 0, 1, 1)).guarantee.stragglers
        1
    """

    blocks: int
    workers: int
    batches: int
    domain: AbstractDomain = _AS_GIVEN
    drawn: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        settle(self, blocks=1, workers=1, batches=1)
        instance("domain", self.domain, AbstractDomain, change="Pass anyk.Values() or a field.")
        if self.batches > self.blocks:
            raise InvalidArgument(
                "batches",
                given=str(self.batches),
                needed=f"at most blocks = {self.blocks}",
                change="Lower it.",
            )
        if self.workers < self.batches:
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=f"N >= B, that is {self.workers} >= {self.batches}",
                change=f"Take {numbered(self.batches, 'worker')}, or lower batches.",
            )
        if self.drawn is None:
            return
        drawn = indices_of("drawn", self.drawn)
        if len(drawn) != self.workers or max(drawn) >= self.batches:
            raise InvalidArgument(
                "drawn",
                given=shown(self.drawn),
                needed=f"{numbered(self.workers, 'number')} from 0 to {self.batches - 1}",
                change="Leave it out: encode draws them.",
            )
        object.__setattr__(self, "drawn", drawn)
        missing = set(range(self.batches)).difference(drawn)
        if missing:
            raise Unachievable(
                "drawn",
                given=f"nobody with batch {ranges(sorted(missing))}",
                needed="each batch with somebody, which a draw misses with a probability of "
                f"{self.failure:.2g}",
                change="Encode again, for another draw; anyk.FractionalRepetition never misses "
                "one.",
            )

    @property
    def failure(self) -> float:
        """The probability that nobody draws some batch, so that there is no sum.

        By inclusion and exclusion: 1 - sum over j of (-1)^j C(B, j) (1 - j/B)^N, whose terms are
        added as whole numbers over B^N, without rounding.
        """
        batches, workers = self.batches, self.workers
        every = sum(
            (-1) ** left * comb(batches, left) * (batches - left) ** workers
            for left in range(batches)
        )
        return float((batches**workers - every) / batches**workers)

    @property
    def amplification(self) -> float:
        """By how much errors of answers weigh more in the sum than in a plain one: not at all."""
        return 1.0

    @property
    def problem(self) -> Sum:
        """A sum of any function over K blocks."""
        return Sum(blocks=self.blocks)

    @property
    def guarantee(self) -> Guarantee:
        """The sum from any N - S answers, of batches that are drawn; from all, of others."""
        spare = 0 if self.drawn is None else int(np.bincount(self.drawn).min()) - 1
        return Guarantee(
            workers=self.workers,
            threshold=self.workers - spare,
            stragglers=spare,
            adversaries=0,
            colluders=0,
            exact=True,
            leakage=None,
            load=float(self._cut.load),
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """Draw batches, unless they are drawn.

        Args:
            X: array-like (K, *shape).
            source: where draws come from; the operating system's CSPRNG by default.

        Returns:
            Two parts: blocks (N, ceil(K/B), *shape), and which of them count, (N, ceil(K/B)).

        Raises:
            InvalidArgument: if X is not K blocks of the domain.
            Unachievable: if nobody has drawn some batch.
        """
        domain = domain_for(self.domain, X)
        data = domain.at_rest(blocks_of(X, self.blocks, domain))
        drawn = self.drawn
        if drawn is None:
            drawn = tuple(residues(source, self.batches, (self.workers,)).tolist())
        parts = self._cut.parts(data, np.array(drawn), domain.dtype)
        return Encoded(replace(self, domain=domain, drawn=drawn), parts, None)

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """The sum of what the function makes of a worker's blocks.

        Raises:
            InvalidArgument: if another argument is a share: blocks are added after f.
        """
        no_shares(per_worker)
        return Added(function)

    @property
    def columns(self) -> tuple[int, None]:
        """Those of the blocks that a worker holds; which of them count have none."""
        return 2, None

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether every batch is among them; whether all workers are, before batches are drawn."""
        heard = set(indices_of("answered", answered))
        if self.drawn is None:
            return len(heard) >= self.workers
        return len({self.drawn[worker] for worker in heard}) == self.batches

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return BlockTally(self.batches, 1, self._drawn)

    def replicas(self, layout: None) -> Replicas:  # noqa: ARG002
        """Workers that have drawn one batch; one answer on it is wanted."""
        each: list[list[int]] = [[] for _ in range(self.batches)]
        for worker, batch in enumerate(self._drawn):
            each[batch].append(worker)
        return Replicas(each)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """B, which adds up what the function makes of the blocks of a batch."""
        dtype = self.domain.dtype
        data = self._cut.matrix(np.array(self._drawn), dtype)
        return Encoder(data=data, masks=np.zeros((self.workers, 0), dtype=dtype), of_outputs=True)

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:
        """The sum of one answer on each batch.

        Raises:
            NotEnoughAnswers: if a batch has none.
        """
        return self.recovery_by(layout, answered, answered)

    def recovery_by(
        self,
        layout: None,  # noqa: ARG002
        answered: tuple[int, ...],
        workers: tuple[int, ...],
    ) -> AbstractRecovery:
        """The same, of batches that others computed too.

        Raises:
            NotEnoughAnswers: as for `recovery`.
        """
        if not self.sufficient(answered):
            needed = f"one answer on each of {numbered(self.batches, 'batch', 'batches')}"
            raise missing_answers(self, answered, needed)
        held = tuple(self._drawn[share] for share in answered)
        voting = Voting(groups=self.batches, adversaries=0, noticed=0, exact=self.domain.exact)
        return VotedSum(self.domain, voting, held, answered, workers)

    @property
    def _cut(self) -> Batches:
        return Batches(blocks=self.blocks, batches=self.batches)

    @property
    def _drawn(self) -> tuple[int, ...]:
        """The batch of each worker, where they are drawn."""
        if self.drawn is None:
            raise InvalidArgument(
                "drawn",
                given="None",
                needed="the batch of each worker",
                change="Take encoded.scheme, of what encode returns.",
            )
        return self.drawn


def _sized(problem: Sum, threat: Threat, field: PrimeField) -> BatchedCoupons:  # noqa: ARG001 - of none
    workers, load = threat.workers, threat.stragglers + 1
    batches = max(1, min(problem.blocks, workers // load))
    missed = BatchedCoupons(problem.blocks, workers, batches).failure
    raise failing(
        f"every batch drawn: {workers} draws of {batches} miss one with probability {missed:.2g}"
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        BatchedCoupons(blocks=1, workers=2, batches=1),
        BatchedCoupons(blocks=5, workers=6, batches=3, drawn=(0, 1, 2, 2, 1, 0)),
        BatchedCoupons(
            blocks=4, workers=5, batches=2, domain=PrimeField(101), drawn=(0, 1, 1, 0, 1)
        ),
    )


ROW = SchemeRow(
    name="BatchedCoupons",
    scheme=BatchedCoupons,
    solves=Sum,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="BatchedCoupons(blocks=K, workers=N, batches=B)",
        computes="sums of any function",
        late="no promise: each draws its batch, and a batch may be drawn by nobody; "
        "`FractionalRepetition` deals them out",
        wrong="two answers on one batch that differ are noticed",
        curious="no",
        value="as computed: nothing is amplified",
    ),
)
