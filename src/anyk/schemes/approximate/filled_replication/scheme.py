"""`FilledReplication`: copies of every block, and what no copy answered in time is filled in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, final

import numpy as np

from anyk.checks import indices_of, settle
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.tensors import domain_for
from anyk.domains.values import Values
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.approximate.common import (
    approximate_guarantee,
    check_answers,
    check_smoothing,
    check_threat,
    least_answers,
    stragglers_of,
)
from anyk.schemes.approximate.filled_replication.layout import (
    FilledLayout,
    filled_layout,
    in_units,
)
from anyk.schemes.approximate.filled_replication.recovery import FilledRecovery
from anyk.schemes.base import AbstractScheme, Encoder, blocks_of
from anyk.schemes.encoded import Encoded
from anyk.schemes.precision import copies_domain
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.schemes.tally import AbstractTally, CountTally, Replicas
from anyk.spec import Guarantee, Map, Threat

__all__ = ["ROW", "FilledReplication"]

_AS_GIVEN = Values(finite=True)


@final
@dataclass(frozen=True)
class FilledReplication(AbstractScheme):
    """Replication that guesses: copies of each block, and the lost blocks filled in.

    Every worker computes f of one whole block, and every block has floor(N/K) workers; the
    N mod K workers left over take the blocks that are farthest from all others. A block that is
    answered for is as its worker computed it. A block of which every copy is late is estimated
    from the others, by their order on a short path or by their distances, in the way that predicts
    the answers that did come best. Where copies of one block differ by more than rounding, the
    answers bear noise, and they are smoothed as far as that noise asks for.

    There may be fewer workers than blocks: then most blocks are estimated.

    Args:
        blocks: K.
        workers: N.
        stragglers: S, how many late workers a run does not wait for; None for half of the
            redundancy, max(0, (N - K) // 2): the other half is spent on accuracy.
        smoothing: lambda of the smoothing spline along the path, then the one way to fill in, at
            all blocks; None to choose the way by the answers.
        domain: what the data are: finite numbers of any type, as they come, by default; tensors
            where they come as such. `Reals()` for float64 whatever comes.

    Raises:
        InvalidArgument: if an argument is out of range.
        Unachievable: if it leaves too few answers.

    Guarantee:
        Approximate: a value with an error estimate from any answers, at least min(K, 2) of them;
        N - S are what a run waits for. Any floor(N/K) - 1 late workers cost no error at all, if
        the answers bear no noise; S late workers leave at most S / floor(N/K) blocks to be
        estimated. Where all answers are of fewer than 4 blocks and some blocks are lost, the
        estimate is infinite. The value has the dtype of f's results; where these are whole numbers
        or booleans nothing is estimated, and every block must be answered for, by copies that are
        equal: else there is no value (`NotEnoughAnswers`). Nobody who lies is named, and nothing is
        hidden: a worker sees its block. How small the error is: docs/measured.md.

    References:
        Shepard, A two-dimensional interpolation function for irregularly-spaced data, 1968;
        Cressie, Statistics for Spatial Data, 1993, section 3.2 (kriging); Mallows, Some comments
        on C_p, 1973 (how far to smooth).

    Example:
        >>> scheme = anyk.FilledReplication(5, 7)
        >>> encoded = scheme.encode(np.array([0.0, 1.0, 2.0, 3.0, 4.0]))
        >>> answered = [worker for worker in range(7) if encoded.shares[worker] != 1.0]
        >>> encoded.decode(2 * encoded.shares[answered] + 1, answered).value.round(6)
        array([1., 3., 5., 7., 9.])
    """

    blocks: int
    workers: int
    _: KW_ONLY
    stragglers: int | None = None
    smoothing: float | None = None
    domain: AbstractDomain = _AS_GIVEN

    def __post_init__(self) -> None:
        settle(self, optional="stragglers", blocks=1, workers=1, stragglers=0)
        check_threat(self.blocks, self.workers, self.stragglers)
        check_smoothing("smoothing", self.smoothing, optional=True)
        object.__setattr__(self, "domain", copies_domain(self.domain))

    @property
    def problem(self) -> Map:
        """Any function of each of K blocks."""
        return Map(blocks=self.blocks)

    @property
    def guarantee(self) -> Guarantee:
        """Approximate, from any N - S answers."""
        return approximate_guarantee(
            workers=self.workers,
            stragglers=stragglers_of(self.blocks, self.workers, self.stragglers),
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:  # noqa: ARG002
        """One whole block a worker.

        Args:
            X: array-like (K, *shape).
            source: not used; there is no noise.

        Returns:
            The shares, ndarray (N, *shape).

        Raises:
            InvalidArgument: if X is not K blocks of finite numbers.
        """
        domain = domain_for(self.domain, X)
        scheme = self if domain is self.domain else replace(self, domain=domain)
        array = blocks_of(X, self.blocks, domain)
        layout = filled_layout(in_units(array), self.workers)
        return Encoded(scheme, (array[layout.order][layout.held],), layout)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether at least N - S workers answered."""
        return len(set(indices_of("answered", answered))) >= self.guarantee.threshold

    def tally(self, layout: FilledLayout) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.guarantee.threshold)

    def replicas(self, layout: FilledLayout) -> Replicas:
        """The workers that hold one block; one answer on each that anybody holds is wanted."""
        holders = np.argsort(layout.held, kind="stable")
        ends = np.flatnonzero(np.diff(layout.held[holders])) + 1
        return Replicas([each.tolist() for each in np.split(holders, ends)])

    def encoder(self, layout: FilledLayout, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D: a one where worker n holds block k; there is no noise."""
        held = np.eye(self.blocks)[layout.order][layout.held]
        return Encoder(data=held, masks=np.zeros((self.workers, 0)))

    def recovery(self, layout: FilledLayout, answered: tuple[int, ...]) -> FilledRecovery:
        """The blocks of these workers, and the others filled in.

        Raises:
            NotEnoughAnswers: if there are fewer than min(K, 2).
        """
        check_answers(self, answered, least_answers(self.blocks))
        return FilledRecovery(
            order=layout.order,
            positions=layout.positions,
            distances=layout.distances,
            held=layout.held[list(answered)],
            smoothing=self.smoothing,
            scheme=self,
            workers=answered,
        )


def _sized(problem: Map, threat: Threat, field: PrimeField) -> FilledReplication:  # noqa: ARG001 - over the reals
    none_of(threat, "adversaries", "colluders")
    return FilledReplication(problem.blocks, threat.workers, stragglers=threat.stragglers)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        FilledReplication(blocks=1, workers=2),
        FilledReplication(blocks=3, workers=8),
        FilledReplication(blocks=3, workers=9, smoothing=1e-3),
    )


ROW = SchemeRow(
    name="FilledReplication",
    scheme=FilledReplication,
    solves=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="FilledReplication(blocks=K, workers=N, stragglers=S)",
        computes="any function",
        late="any number of answers; a block whose every copy is late is estimated from the others",
        wrong="no",
        curious="no",
        value="as computed, or estimated, with an error estimate",
    ),
)
