"""`Replication`: every block computed by several workers; the baseline of everything else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import indices_of, instance, settle
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
    Encoded,
    Encoder,
    blocks_of,
    missing_answers,
)
from anyk.schemes.certainty import noticed_of
from anyk.schemes.copies import CopiesRecovery
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.tally import AbstractTally, BlockTally, Replicas
from anyk.spec import Guarantee, Map, Threat
from anyk.wording import numbered

__all__ = ["ROW", "Replication"]

_ADVICE = "If nobody lies, hosts round differently by more than rtol= allows: raise it."
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

    Raises:
        InvalidArgument: if a number is out of range, or D below A.
        Unachievable: if a block has fewer than A + D + 1 replicas: floor(N/K) < A + D + 1.

    Guarantee:
        As soon as D + 1 replicas of each block agree, their value is taken: f(X_1), .., f(X_K) as
        the workers computed it, with the names of the liars if at most A lie. With r = floor(N/K)
        replicas a block, any N - r + A + D + 1 answers have them, and any N - r + D + 1 if nobody
        lies. If more than A lie, and their lies differ or are no more than D for any block,
        recovery raises `TooManyErrors`; a run first waits for whoever may still answer. D + 1
        replicas of one block that tell one lie are believed.

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

    def __post_init__(self) -> None:
        settle(self, optional="detects", blocks=1, workers=1, adversaries=0, detects=0)
        noticed_of(self.adversaries, self.detects)
        object.__setattr__(self, "rtol", Agreement(self.rtol).rtol)
        instance("domain", self.domain, AbstractDomain, change="Pass anyk.Values() or a field.")
        replicas = self.workers // self.blocks
        needed = self.adversaries + self._least
        if replicas < needed:
            bound = "2A + 1" if self.detects is None else "A + D + 1"
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=(
                    f"floor(N/K) >= {bound}, that is "
                    f"floor({self.workers}/{self.blocks}) = {replicas} >= {needed}"
                ),
                change=f"Take {numbered(needed * self.blocks, 'worker')}{self._lower}.",
            )

    @property
    def _lower(self) -> str:
        """What can be lowered instead of taking more workers."""
        least = {"detects": self.adversaries}

        def fits(it: Replication) -> bool:
            return it.blocks * (it.adversaries + it._least) <= it.workers

        return or_lower(enough(self, fits, "blocks", "adversaries", "detects", **least))

    @property
    def _least(self) -> int:
        """D + 1: how many replicas of a block must agree."""
        return noticed_of(self.adversaries, self.detects) + 1

    @property
    def problem(self) -> Map:
        """A map of any function over K blocks."""
        return Map(blocks=self.blocks)

    @property
    def guarantee(self) -> Guarantee:
        """The value from any N - floor(N/K) + A + D + 1 answers; A fewer if nobody lies."""
        spare = self.workers // self.blocks - self.adversaries - self._least
        return Guarantee(
            workers=self.workers,
            threshold=self.workers - spare,
            least=self.workers - spare - self.adversaries,
            stragglers=spare,
            adversaries=self.adversaries,
            colluders=0,
            exact=True,
            leakage=None,
            load=1.0,
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
        data = blocks_of(X, self.blocks, domain)
        scheme = self if domain is self.domain else replace(self, domain=domain)
        return Encoded(scheme, (data[self._block(np.arange(self.workers))],), None)

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
        return self._recovery(answered, answered)

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
        return self._recovery(answered, workers)

    def _recovery(self, answered: tuple[int, ...], workers: tuple[int, ...]) -> CopiesRecovery:
        return CopiesRecovery(
            blocks=self.blocks,
            domain=self.domain,
            rtol=self.rtol,
            adversaries=self.adversaries,
            least=self._least,
            shares=answered,
            held=self._block(np.array(answered, dtype=np.intp)),
            workers=workers,
        )

    def over(self, field: PrimeField) -> Replication:
        """The same copies, of residues of another prime field."""
        return replace(self, domain=field)

    def _block(self, workers: NDArray[np.intp]) -> NDArray[np.intp]:
        """Which block these workers hold."""
        return workers % self.blocks


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
