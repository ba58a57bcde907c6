"""`PartialWork`: the sum of any function, of which late workers have done a part."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import indices_of, instance, settle
from anyk.codes.agreement import Agreement
from anyk.codes.exact.chunks import chunk_order
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.tensors import domain_for
from anyk.domains.values import Values
from anyk.errors import InvalidArgument, Unachievable
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoder, blocks_of, missing_answers
from anyk.schemes.certainty import noticed_of
from anyk.schemes.encoded import Encoded
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.sums.voted_sum import VotedSum
from anyk.schemes.tally import AbstractTally, BlockTally, Replicas
from anyk.schemes.voting import Voting
from anyk.spec import Guarantee, Sum, Threat
from anyk.wording import numbered

__all__ = ["ROW", "PartialWork"]

_AS_GIVEN = Values()


@final
@dataclass(frozen=True)
class PartialWork(AbstractScheme):
    """The work of partial stragglers: f(X_1) + .. + f(X_K) for any f, chunk by chunk.

    Each block, or chunk, is computed by c = S + 1 workers, and each worker holds c K/N of them,
    which it computes in an order of its own and answers one by one. The sum is known when each
    chunk was answered by one of its workers: what a slow worker has done counts, and nobody's
    second half is waited for where somebody's first half has it. With A and D, c = S + A + D + 1
    workers compute each chunk, and D + 1 that agree tell it.

    A worker does not begin a chunk that is known by then, once most workers have answered.

    Args:
        workers: N.
        stragglers: S, how many workers may be missing altogether; each costs every worker K/N
            chunks more.
        blocks: K, a multiple of N; N by default. With more of them, less of what a late worker was
            doing is lost, and each has a message of its own.
        adversaries: A, how many workers may answer wrongly and are named.
        detects: D >= A, how many workers may answer wrongly and are noticed. None for A.
        rtol: how far copies that agree may be from each other; see `Replication`.
        domain: what the data are: numbers of any type, as they come, by default; tensors where they
            come as such; or `Reals()`, `Complex()` or a prime field.

    Raises:
        InvalidArgument: if a number is out of range, D below A, or K no multiple of N.
        Unachievable: if S + A + D >= N.

    Guarantee:
        All answers of any N - S workers give the sum, with the names of at most A liars, and so do
        fewer that have each chunk often enough. Floats are added in double precision and rounded
        once, whole numbers exactly, in 64 bits; over a field the sum is exact. What is said of
        liars, and of copies that differ by rounding, is as for `Replication`. No privacy: a worker
        holds chunks in the clear.

        A worker sends a message for each chunk that it computes, each as large as the sum: up to
        c K/N, where the paper has it send one, which combines what it has done when the master has
        heard enough, and where a gradient code such as `CyclicRepetition` has one as well.

    References:
        Ramamoorthy, Meng, Girimaji: Leveraging partial stragglers within gradient coding (NeurIPS
        2024): chunks that count one by one, and their order.

    Example:
        >>> scheme = anyk.PartialWork(workers=4, stragglers=1)
        >>> X = np.arange(8.0).reshape(4, 2)
        >>> scheme.encode(X).shares[[0, 1, 2, 3], 0]  # worker 0: chunks 0 and 1; worker 1: 1 and 2
        array([0., 2., 2., 4.])
        >>> with anyk.Threads(4) as executor:
        ...     anyk.run(scheme, np.square, X, executor).value
        array([56., 84.])
    """

    workers: int
    stragglers: int
    blocks: int | None = None
    adversaries: int = 0
    detects: int | None = None
    rtol: float | None = None
    domain: AbstractDomain = _AS_GIVEN

    def __post_init__(self) -> None:
        settle(self, optional="detects", workers=1, stragglers=0, adversaries=0, detects=0)
        settle(self, optional="blocks", blocks=1)
        noticed_of(self.adversaries, self.detects)
        object.__setattr__(self, "rtol", Agreement(self.rtol).rtol)
        instance("domain", self.domain, AbstractDomain, change="Pass anyk.Values() or a field.")
        if self._chunks % self.workers:
            more = -(-self._chunks // self.workers) * self.workers
            raise InvalidArgument(
                "blocks",
                given=str(self.blocks),
                needed=f"a multiple of workers = {self.workers}, as all compute as many",
                change=f"Take {more}.",
            )
        if not self._fits():
            least = {"detects": self.adversaries}
            lower = or_lower(
                enough(self, PartialWork._fits, "stragglers", "adversaries", "detects", **least)
            )
            bound = "S + 2A" if self.detects is None else "S + A + D"
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=f"N > {bound} = {self._copies - 1}",
                change=f"Take {numbered(self._copies, 'worker')}{lower}.",
            )

    def _fits(self) -> bool:
        """Whether each chunk has so many workers."""
        return self._copies <= self.workers

    @property
    def _chunks(self) -> int:
        """K."""
        return self.workers if self.blocks is None else self.blocks

    @property
    def _least(self) -> int:
        """D + 1: how many copies of a chunk must agree."""
        return noticed_of(self.adversaries, self.detects) + 1

    @property
    def _copies(self) -> int:
        """How many workers compute each chunk."""
        return self.stragglers + self.adversaries + self._least

    @property
    def _held(self) -> NDArray[np.intp]:
        """The chunk of each share."""
        return chunk_order(self.workers, self._chunks, self._copies).ravel()

    @property
    def problem(self) -> Sum:
        """A sum of any function over K blocks."""
        return Sum(blocks=self._chunks)

    @property
    def guarantee(self) -> Guarantee:
        """The sum from all that any N - S workers answer, or any answers with all chunks."""
        pieces = self._copies * (self._chunks // self.workers)
        without = self.workers * pieces - self._copies  # all answers on other chunks
        return Guarantee(
            workers=self.workers,
            threshold=without + self.adversaries + self._least,
            least=without + self._least,
            stragglers=self.stragglers,
            adversaries=self.adversaries,
            colluders=0,
            exact=True,
            leakage=None,
            load=float(pieces),
            pieces=pieces,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:  # noqa: ARG002
        """The chunks of each worker, in its order.

        Args:
            X: array-like (K, *shape).
            source: not used; there are no masks.

        Returns:
            Shares (N * pieces, *shape).

        Raises:
            InvalidArgument: if X is not K blocks of the domain.
        """
        domain = domain_for(self.domain, X)
        data = domain.at_rest(blocks_of(X, self._chunks, domain))
        scheme = self if domain is self.domain else replace(self, domain=domain)
        return Encoded(scheme, (data[self._held],), None)

    @property
    def columns(self) -> tuple[int]:
        """Those of the blocks: each number of a share is made of its like in them."""
        return (1,)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether each chunk was answered D + 1 times."""
        held = self._held
        shares = [each for each in set(indices_of("answered", answered)) if each < len(held)]
        answers = np.bincount(held[shares], minlength=self._chunks)
        return bool(answers.min() >= self._least)

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return BlockTally(self._chunks, self._least, self._held.tolist())

    def replicas(self, layout: None) -> Replicas:  # noqa: ARG002
        """The shares on each chunk; where nobody lies, one answer spares the others their work."""
        order = np.argsort(self._held, kind="stable").reshape(self._chunks, self._copies)
        return Replicas(order.tolist(), self._least, self.guarantee.pieces, spare=self._least == 1)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D: a one where a share is a chunk; there are no masks."""
        data = np.eye(self._chunks, dtype=self.domain.dtype)[self._held]
        return Encoder(data=data, masks=np.zeros((len(data), 0), dtype=self.domain.dtype))

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:
        """The sum of what D + 1 copies of each chunk tell.

        Raises:
            NotEnoughAnswers: if a chunk was answered fewer than D + 1 times.
        """
        pieces = self.guarantee.pieces
        return self.recovery_by(layout, answered, tuple(share // pieces for share in answered))

    def recovery_by(
        self,
        layout: None,  # noqa: ARG002
        answered: tuple[int, ...],
        workers: tuple[int, ...],
    ) -> AbstractRecovery:
        """The same, of chunks that other workers computed too.

        Raises:
            NotEnoughAnswers: as for `recovery`.
        """
        if not self.sufficient(answered):
            copies = numbered(self._least, "answer")
            raise missing_answers(self, answered, f"{copies} on each of {self._chunks} blocks")
        held = tuple(self._held[list(answered)].tolist())
        return VotedSum(self.domain, self._voting, held, answered, workers)

    @property
    def _voting(self) -> Voting:
        """What tells the answer on a chunk."""
        return Voting(
            groups=self._chunks,
            adversaries=self.adversaries,
            noticed=self._least - 1,
            rtol=self.rtol,
            exact=self.domain.exact,
            apart=False,
        )

    def over(self, field: PrimeField) -> PartialWork:
        """The same chunks, of residues of another prime field."""
        return replace(self, domain=field)


def _sized(problem: Sum, threat: Threat, field: PrimeField) -> PartialWork:  # noqa: ARG001 - any domain
    none_of(threat, "colluders")
    if problem.blocks % threat.workers:
        raise failing(f"K a multiple of N: {problem.blocks} blocks for {threat.workers} workers")
    scheme = PartialWork(
        workers=threat.workers,
        stragglers=threat.stragglers,
        blocks=problem.blocks,
        adversaries=threat.adversaries,
    )
    return replace(scheme, blocks=None) if problem.blocks == threat.workers else scheme


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        PartialWork(workers=1, stragglers=0),
        PartialWork(workers=4, stragglers=1),
        PartialWork(workers=4, stragglers=2, blocks=8, domain=PrimeField()),
        PartialWork(workers=5, stragglers=1, adversaries=1, domain=PrimeField(101)),
        PartialWork(workers=4, stragglers=0, adversaries=1),
        PartialWork(workers=4, stragglers=1, detects=1),
    )


ROW = SchemeRow(
    name="PartialWork",
    scheme=PartialWork,
    solves=Sum,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="PartialWork(workers=N, stragglers=S, blocks=K, adversaries=A, detects=D)",
        computes="sums of any function, over a multiple of N blocks",
        late="S workers, and what late ones have done counts; a worker computes S + A + D + 1 "
        "blocks of N, one by one",
        wrong="A liars are named, D >= A are noticed",
        curious="no",
        value="exact, but for the rounding of a sum of floats",
    ),
)
