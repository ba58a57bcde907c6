"""`FractionalRepetition`: the sum of any function, from groups of workers that hold the same."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import flag, indices_of, instance, settle
from anyk.codes.agreement import Agreement
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex
from anyk.domains.tensors import domain_for
from anyk.domains.values import Values
from anyk.errors import Unachievable
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoder, blocks_of, missing_answers
from anyk.schemes.certainty import noticed_of
from anyk.schemes.encoded import Encoded
from anyk.schemes.precision import over
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.sums.arguments import no_shares
from anyk.schemes.sums.batches import Batches
from anyk.schemes.sums.voted_sum import VotedSum
from anyk.schemes.tally import AbstractTally, BlockTally, Replicas
from anyk.schemes.voting import Voting
from anyk.spec import Guarantee, Sum, Threat
from anyk.wording import numbered
from anyk.work import AbstractWork, Function
from anyk.works.added import Added

__all__ = ["ROW", "FractionalRepetition"]

_AS_GIVEN = Values()


@final
@dataclass(frozen=True)
class FractionalRepetition(AbstractScheme):
    """Groups of workers that hold the same blocks, and answer the sum of f over them.

    The blocks are cut in G batches, as equal as can be, and worker n holds batch n mod G: of
    neighbours no two are of one group. The sum is that of one right answer a group: nothing is
    amplified, whatever the numbers are.

    Args:
        blocks: K, the number of blocks.
        workers: N, the number of workers.
        stragglers: S, how many answers may be missing. G is the largest number of groups for which
            each has S + A + D + 1 workers, and smaller where a worker has no fewer blocks for it;
            then more may be missing.
        adversaries: A, how many workers may answer wrongly and are named.
        detects: D >= A, how many workers may answer wrongly and are noticed: a sum is told by D + 1
            workers of a group who agree. None for A.
        rtol: how far answers that agree may be from each other, as for `Replication`.
        reactive: whether groups have S + D + 1 workers, and others compute a batch again where two
            of them disagree: as long as nobody lies, D + 1 compute what A + D + 1 would.
        domain: what the data are: numbers of any type, as they come, by default; tensors where they
            come as such. A prime field, or `Reals()` for float64 whatever comes.

    Raises:
        InvalidArgument: if a number is out of range, or D below A.
        Unachievable: if there are fewer than S + A + D + 1 workers.

    Guarantee:
        As soon as D + 1 workers of each group agree, their answers are added: f(X_1) + .. + f(X_K),
        with the names of the liars if at most A lie. Whole numbers are added exactly, floats as
        workers computed them, in their type. Any N - S answers have them, and any set in which each
        group has D + 1 that agree. Of D + 1 answers fewer need agree where other groups show that
        enough of the D liars are there.

        If more than A lie, recovery raises `TooManyErrors`, unless D + 1 workers of one group tell
        one lie: that is believed. Where answers agree, but most of them not to the bit, the value
        has an error estimate: how far they are apart. A lie smaller than that passes for rounding.

        With `reactive`, answers of a worker's own batch only notice up to D liars. A run then asks
        as many others as are lacking, one worker once, until D + 1 agree: each liar costs one
        more answer in the group, and is named. It waits for them; nobody who is late by the
        executor's measure holds it up.
        No privacy: a worker holds blocks in the clear.

    References:
        Tandon, Lei, Dimakis, Karampatziakis: Gradient coding (ICML 2017), section 4. Chen, Wang,
        Charles, Papailiopoulos: DRACO (ICML 2018), theorem 1: 2A + 1 copies name A liars. Gupta,
        Vaidya: Randomized reactive redundancy for Byzantine fault-tolerance in parallelized
        learning (2019), section 4.1, the deterministic scheme.

    Example:
        >>> scheme = anyk.FractionalRepetition(blocks=6, workers=9, stragglers=0, adversaries=1)
        >>> X = np.arange(12).reshape(6, 2)
        >>> from anyk.faults import Corrupt, Faulty
        >>> with Faulty(anyk.Threads(9), {4: Corrupt()}) as executor:
        ...     outcome = anyk.run(scheme, np.square, X, executor)
        >>> outcome.value, scheme.guarantee.load
        (array([220, 286]), 2.0)
    """

    blocks: int
    workers: int
    stragglers: int
    adversaries: int = 0
    detects: int | None = None
    rtol: float | None = None
    reactive: bool = False
    domain: AbstractDomain = _AS_GIVEN

    def __post_init__(self) -> None:
        settle(
            self, optional="detects", blocks=1, workers=1, stragglers=0, adversaries=0, detects=0
        )
        noticed_of(self.adversaries, self.detects)
        object.__setattr__(self, "rtol", Agreement(self.rtol).rtol)
        object.__setattr__(self, "reactive", flag("reactive", self.reactive))
        instance("domain", self.domain, AbstractDomain, change="Pass anyk.Values() or a field.")
        if not self._fits():
            bound = "S + 2A + 1" if self.detects is None else "S + A + D + 1"
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=f"N >= {bound}, that is {self.workers} >= {self._needed}",
                change=f"Take {numbered(self._needed, 'worker')}{self._lower}.",
            )

    @property
    def _needed(self) -> int:
        """S + A + D + 1: how many workers it takes to name the liars of one group."""
        return self.stragglers + self.adversaries + self._least

    def _fits(self) -> bool:
        """Whether there are so many."""
        return self._needed <= self.workers

    @property
    def _lower(self) -> str:
        """What can be lowered instead of taking more workers."""
        names = ("stragglers", "adversaries", "detects")
        least = {"detects": self.adversaries}
        return or_lower(enough(self, FractionalRepetition._fits, *names, **least))

    @property
    def _least(self) -> int:
        """D + 1: how many workers of a group must agree."""
        return noticed_of(self.adversaries, self.detects) + 1

    @property
    def groups(self) -> int:
        """G, the number of groups."""
        each = self._needed - (self.adversaries if self.reactive else 0)
        most = min(self.workers // each, self.blocks)
        return -(-self.blocks // -(-self.blocks // most))

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
        """The sum from any N - S answers, and more where groups are larger than they need be."""
        groups, all_named = self.groups, self.adversaries + self._least
        each = self.workers // groups
        few = 0 if self.reactive else self.adversaries
        spare = min(each - self._least - few, self.workers - all_named)
        return Guarantee(
            workers=self.workers,
            threshold=self.workers - spare,
            least=self.workers - spare - few,
            stragglers=spare,
            adversaries=self.adversaries,
            colluders=0,
            exact=True,
            leakage=None,
            load=float(-(-self.blocks // groups)),
            reactive=self.reactive and self.adversaries > 0,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:  # noqa: ARG002
        """The batch of each worker.

        Args:
            X: array-like (K, *shape).
            source: not used; there are no masks.

        Returns:
            Two parts: blocks (N, ceil(K/G), *shape), and which of them count, (N, ceil(K/G)).

        Raises:
            InvalidArgument: if X is not K blocks of the domain.
        """
        domain = domain_for(self.domain, X)
        data = domain.at_rest(blocks_of(X, self.blocks, domain))
        parts = self._batches.parts(data, self._groups_of_all, domain.dtype)
        return Encoded(over(self, domain), parts, None)

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
        """Whether each group has D + 1 answers."""
        groups = self.groups
        heard = np.array([*set(indices_of("answered", answered))], dtype=int) % groups
        return bool(np.bincount(heard, minlength=groups).min() >= self._least)

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return BlockTally(self.groups, self._least)

    def replicas(self, layout: None) -> Replicas:  # noqa: ARG002
        """The workers of a group hold one batch; D + 1 answers on it are wanted."""
        groups = self.groups
        return Replicas([range(each, self.workers, groups) for each in range(groups)], self._least)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """B, which adds up what the function makes of the blocks of a batch."""
        dtype = self.domain.dtype
        data = self._batches.matrix(self._groups_of_all, dtype)
        return Encoder(data=data, masks=np.zeros((self.workers, 0), dtype=dtype), of_outputs=True)

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:
        """The sum of what D + 1 workers of each group tell.

        Raises:
            NotEnoughAnswers: if a group has fewer answers.
        """
        return self.recovery_by(layout, answered, answered)

    def recovery_by(
        self,
        layout: None,  # noqa: ARG002
        answered: tuple[int, ...],
        workers: tuple[int, ...],
    ) -> AbstractRecovery:
        """The same, of batches that workers of other groups computed too.

        Raises:
            NotEnoughAnswers: as for `recovery`.
        """
        if not self.sufficient(answered):
            each = numbered(self._least, "answer")
            needed = f"{each} of each of {numbered(self.groups, 'group')}"
            raise missing_answers(self, answered, needed)
        held = tuple(share % self.groups for share in answered)
        return VotedSum(self.domain, self._voting, held, answered, workers)

    def over(self, field: PrimeField) -> FractionalRepetition:
        """The same groups, over another prime field."""
        return replace(self, domain=field)

    @property
    def _batches(self) -> Batches:
        return Batches(blocks=self.blocks, batches=self.groups)

    @property
    def _groups_of_all(self) -> NDArray[np.intp]:
        """The group of each worker."""
        return np.arange(self.workers) % self.groups

    @property
    def _voting(self) -> Voting:
        """What tells the answer of a group."""
        return Voting(
            groups=self.groups,
            adversaries=self.adversaries,
            noticed=self._least - 1,
            rtol=self.rtol,
            exact=self.domain.exact,
            again=self.reactive,
        )


def _sized(problem: Sum, threat: Threat, field: PrimeField) -> FractionalRepetition:  # noqa: ARG001 - any domain
    none_of(threat, "colluders")
    return FractionalRepetition(
        problem.blocks, threat.workers, threat.stragglers, adversaries=threat.adversaries
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        FractionalRepetition(blocks=1, workers=1, stragglers=0),
        FractionalRepetition(blocks=6, workers=6, stragglers=1),
        FractionalRepetition(blocks=7, workers=8, stragglers=1, domain=PrimeField()),
        FractionalRepetition(blocks=4, workers=7, stragglers=0, adversaries=1),
        FractionalRepetition(
            blocks=5, workers=9, stragglers=1, adversaries=1, domain=PrimeField(101)
        ),
        FractionalRepetition(blocks=3, workers=6, stragglers=0, detects=1, domain=Complex()),
        FractionalRepetition(
            blocks=4, workers=6, stragglers=0, adversaries=1, reactive=True, domain=PrimeField(13)
        ),
    )


ROW = SchemeRow(
    name="FractionalRepetition",
    scheme=FractionalRepetition,
    solves=Sum,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="FractionalRepetition(blocks=K, workers=N, stragglers=S, adversaries=A, detects=D)",
        computes="sums of any function",
        late="any N - S answers are enough; a worker computes K/floor(N/(S + A + D + 1)) blocks",
        wrong="A liars are named, D >= A noticed; `reactive=True` asks others where two disagree",
        curious="no",
        value="as computed: nothing is amplified",
    ),
)
