"""`Replication`: every block computed by several workers; the baseline of everything else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import flag, indices_of, instance, settle
from anyk.codes.agreement import Agreement
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.tensors import domain_for
from anyk.domains.values import Values
from anyk.errors import Unachievable
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import (
    AbstractRecovery,
    AbstractScheme,
    Encoder,
    blocks_of,
    copies_of,
    missing_answers,
)
from anyk.schemes.certainty import noticed_of
from anyk.schemes.encoded import Encoded
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.tally import AbstractTally, BlockTally, Replicas
from anyk.schemes.voting import Told, Voting, chosen
from anyk.spec import Guarantee, Map, Threat
from anyk.wording import numbered

__all__ = ["ROW", "Replication"]

_AS_GIVEN = Values()
_TINY = float(np.finfo(np.float64).tiny)


@final
@dataclass(frozen=True)
class Replication(AbstractScheme):
    """Replicas: worker n computes block n mod K; with workers == blocks, the uncoded baseline.

    Args:
        blocks: K, the number of blocks.
        workers: N >= K, the number of workers.
        adversaries: A, how many workers may answer wrongly and are named.
        detects: D >= A, how many workers may answer wrongly and are noticed: a value is told by
            D + 1 copies of each block that agree. None for A.
        rtol: how far copies that agree may be from each other, by the norm of a whole answer. None
            to go by what f returned: whole numbers must be equal, single precision may differ by
            6e-5, double precision by 1.1e-13, or by 6e-5 where no D + 1 copies agree so closely,
            as f may have computed in single precision; 0.0 for equal to the bit. Over a field all
            copies must be equal.
        domain: what the data are: numbers of any type, as they come, by default; tensors where they
            come as such. `Reals()` for float64 whatever comes, without NaN and Inf.
        reactive: whether D + 1 replicas of a block are enough, and others compute it again where
            these disagree: so nobody computes more as long as nobody lies.

    Raises:
        InvalidArgument: if a number is out of range, or D below A.
        Unachievable: if a block has fewer than A + D + 1 replicas: floor(N/K) < A + D + 1; if it
            has fewer than D + 1, or there are no A + D + 1 workers, where it is reactive.

    Guarantee:
        As soon as D + 1 replicas of each block agree, their value is taken: f(X_1), .., f(X_K) as
        the workers computed it, with the names of the liars if at most A lie. Of D + 1 or more,
        fewer need agree where other blocks show that enough of the D liars are there. With
        r = floor(N/K) replicas a block, any N - r + A + D + 1 answers have them, and any
        N - r + D + 1 if nobody lies. If more than A lie, and their lies differ or are no more than
        D for any block, recovery raises `TooManyErrors`; a run first waits for whoever may still
        answer. D + 1 replicas of one block that tell one lie are believed.

        With `reactive`, replicas alone only notice up to D liars, and a run asks as many others as
        are lacking, until D + 1 agree: each liar costs one more answer on its block.

        Where replicas agree, but most of them not to the bit, as hosts round differently, the value
        is that which is nearest to the others, their spread is its error estimate, and the block is
        not among those known. A lie that is smaller than rtol, by the norm of the answer, passes
        for rounding (than 6e-5 by default, or 1.1e-13 where D + 1 copies in double precision agree
        so closely): the value is then off by the spread at most. A worker that fails counts as
        a straggler, whatever its motive. A worker sees its block: nothing is hidden.

    References:
        Yu et al. (AISTATS 2019), section 1: the repetition baseline, threshold N - floor(N/K) + 1.

    Example:
        >>> scheme = anyk.Replication(blocks=2, workers=6, adversaries=1)
        >>> encoded = scheme.encode(np.array([1.0, 2.0]))
        >>> recovered = encoded.decode(np.array([1.0, 4.0, 1.0, 4.0, 9.0, 4.0]), range(6))
        >>> recovered.value, recovered.suspects
        (array([1., 4.]), (4,))
        >>> scheme.sufficient([0, 1, 2, 3])  # two replicas of each block: enough, if they agree
        True
    """

    blocks: int
    workers: int
    adversaries: int = 0
    detects: int | None = None
    rtol: float | None = None
    domain: AbstractDomain = _AS_GIVEN
    reactive: bool = False

    def __post_init__(self) -> None:
        settle(self, optional="detects", blocks=1, workers=1, adversaries=0, detects=0)
        noticed_of(self.adversaries, self.detects)
        object.__setattr__(self, "rtol", Agreement(self.rtol).rtol)
        instance("domain", self.domain, AbstractDomain, change="Pass anyk.Values() or a field.")
        object.__setattr__(self, "reactive", flag("reactive", self.reactive))
        replicas, needed = self.workers // self.blocks, self._replicas
        bound = "2A + 1" if self.detects is None else "A + D + 1"
        if self.reactive:
            bound = "A + 1" if self.detects is None else "D + 1"
        if replicas < needed:
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=(
                    f"floor(N/K) >= {bound}, that is "
                    f"floor({self.workers}/{self.blocks}) = {replicas} >= {needed}"
                ),
                change=f"Take {numbered(needed * self.blocks, 'worker')}{self._lower}.",
            )

        if self.workers < self._all_named:
            bound = "2A + 1" if self.detects is None else "A + D + 1"
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=f"N >= {bound}, that is {self.workers} >= {self._all_named}, as others "
                "are asked where replicas disagree",
                change=f"Take {numbered(self._all_named, 'worker')}{self._lower}.",
            )

    @property
    def _lower(self) -> str:
        """What can be lowered instead of taking more workers."""
        least = {"detects": self.adversaries}

        def fits(it: Replication) -> bool:
            return it.blocks * it._replicas <= it.workers >= it._all_named

        return or_lower(enough(self, fits, "blocks", "adversaries", "detects", **least))

    @property
    def _least(self) -> int:
        """D + 1: how many replicas of a block must agree."""
        return noticed_of(self.adversaries, self.detects) + 1

    @property
    def _all_named(self) -> int:
        """A + D + 1: how many answers on one block it takes to name A liars."""
        return self.adversaries + self._least

    @property
    def _replicas(self) -> int:
        """How many replicas each block must have."""
        return self._least if self.reactive else self._all_named

    @property
    def problem(self) -> Map:
        """A map of any function over K blocks."""
        return Map(blocks=self.blocks)

    @property
    def guarantee(self) -> Guarantee:
        """The value from any N - floor(N/K) + A + D + 1 answers; A fewer if nobody lies."""
        spare = min(self.workers // self.blocks - self._replicas, self.workers - self._all_named)
        return Guarantee(
            workers=self.workers,
            threshold=self.workers - spare,
            least=self.workers - spare - self._replicas + self._least,
            stragglers=spare,
            adversaries=self.adversaries,
            colluders=0,
            exact=True,
            leakage=None,
            load=1.0,
            reactive=self.reactive and self.adversaries > 0,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:  # noqa: ARG002
        """Share n is block n mod K.

        Args:
            X: array-like (K, *shape).
            source: not used; there are no masks.

        Returns:
            Shares (N, *shape).

        Raises:
            InvalidArgument: if X is not K blocks of the domain.
        """
        domain = domain_for(self.domain, X)
        data = domain.at_rest(blocks_of(X, self.blocks, domain))
        scheme = self if domain is self.domain else replace(self, domain=domain)
        return Encoded(scheme, (data[self._block(np.arange(self.workers))],), None)

    @property
    def columns(self) -> tuple[int]:
        """Those of the blocks: each number of a share is made of its like in them."""
        return (1,)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether each block was answered D + 1 times."""
        replicas = np.bincount(
            self._block(np.array([*set(indices_of("answered", answered))], dtype=int)),
            minlength=self.blocks,
        )
        return bool(replicas.min() >= self._least)

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return BlockTally(self.blocks, self._least)

    def replicas(self, layout: None) -> Replicas:  # noqa: ARG002
        """Workers n, n + K, n + 2K, .. hold one block; D + 1 answers on it are wanted."""
        each = [range(block, self.workers, self.blocks) for block in range(self.blocks)]
        return Replicas(each, self._least)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D: a one where worker n holds block k; there are no masks."""
        data = np.eye(self.blocks, dtype=self.domain.dtype)
        return Encoder(
            data=data[self._block(np.arange(self.workers))],
            masks=np.zeros((self.workers, 0), dtype=self.domain.dtype),
        )

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:  # noqa: ARG002
        """What D + 1 of each block's replicas tell.

        Raises:
            NotEnoughAnswers: if a block was answered fewer than D + 1 times.
        """
        if not self.sufficient(answered):
            replicas = numbered(self._least, "replica")
            needed = f"{replicas} of each of {numbered(self.blocks, 'block')}"
            raise missing_answers(self, answered, needed)
        return _ReplicationRecovery(self, answered, answered)

    def recovery_by(
        self,
        layout: None,
        answered: tuple[int, ...],
        workers: tuple[int, ...],
    ) -> AbstractRecovery:
        """The same, of replicas that other workers computed too.

        Raises:
            NotEnoughAnswers: as for `recovery`.
        """
        self.recovery(layout, answered)
        return _ReplicationRecovery(self, answered, workers)

    def over(self, field: PrimeField) -> Replication:
        """The same copies, of residues of another prime field."""
        return replace(self, domain=field)

    @property
    def _voting(self) -> Voting:
        """What tells the value of a block."""
        return Voting(
            groups=self.blocks,
            adversaries=self.adversaries,
            noticed=self._least - 1,
            rtol=self.rtol,
            exact=self.domain.exact,
            again=self.reactive,
        )

    def _block(self, workers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which block these workers hold."""
        return workers % self.blocks


@final
@dataclass(frozen=True)
class _ReplicationRecovery(AbstractRecovery):
    scheme: Replication
    shares: tuple[int, ...]
    workers: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        return self.shares

    @property
    def matrix(self) -> NDArray[Any]:
        scheme = self.scheme
        held = scheme._block(np.array(self.shares))  # noqa: SLF001 - its own scheme
        matrix = np.zeros((scheme.blocks, len(self.shares)), dtype=scheme.domain.dtype)
        for block in range(scheme.blocks):
            matrix[block, np.flatnonzero(held == block)[0]] = 1
        return matrix

    def recover(self, values: NDArray[Any]) -> Recovered:
        scheme = self.scheme
        rows = copies_of(values, self.shares, scheme.domain)
        held = scheme._block(np.array(self.shares))  # noqa: SLF001 - its own scheme
        told = scheme._voting.told(rows, held, self.workers)  # noqa: SLF001 - as above
        value = chosen(rows, told.rows)
        errors = None if told.known.all() else _spread(value, told)
        return Recovered(
            value=value,
            suspects=told.suspects,
            error_estimate=None if errors is None else float(np.sqrt(np.mean(errors**2))),
            known=told.known,
            block_errors=errors,
        )


def _spread(value: NDArray[Any], told: Told) -> NDArray[np.float64]:
    """The errors of blocks whose replicas agree but for rounding, by the size of the value."""
    size = np.abs(np.where(np.isfinite(value), value, 0)).astype(np.float64)
    largest = float(size.max(initial=0.0)) or 1.0
    sizes = np.sqrt(np.mean((size / largest).reshape(len(value), -1) ** 2, axis=1))
    whole = float(np.sqrt(np.mean(sizes**2))) or 1.0
    relative = np.maximum(told.spread * sizes / whole, _TINY)
    errors: NDArray[np.float64] = np.where(told.known, 0.0, relative)
    return errors


def _sized(problem: Map, threat: Threat, field: PrimeField) -> Replication:  # noqa: ARG001 - any domain
    none_of(threat, "colluders")
    return Replication(problem.blocks, threat.workers, adversaries=threat.adversaries)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Replication(blocks=3, workers=3),
        Replication(blocks=2, workers=7, adversaries=1),
        Replication(blocks=2, workers=9, adversaries=1, detects=2),
        Replication(blocks=3, workers=6, detects=1),
        Replication(blocks=2, workers=4, domain=PrimeField()),
        Replication(blocks=2, workers=5, adversaries=1, domain=PrimeField(101), reactive=True),
    )


ROW = SchemeRow(
    name="Replication",
    scheme=Replication,
    solves=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Replication(blocks=K, workers=N, adversaries=A, detects=D)",
        computes="any function",
        late="one of floor(N/K) replicas a block",
        wrong="A liars are named, D >= A are noticed: D + 1 replicas that agree are believed",
        curious="no",
        value="as computed; the baseline",
    ),
)
