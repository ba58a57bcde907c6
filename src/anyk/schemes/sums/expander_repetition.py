"""`ExpanderRepetition`: the sum of any function, or an estimate of it, from any answers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass
from typing import Any, final

import numpy as np

from anyk.checks import indices_of, settle
from anyk.codes.analog.expander import expander
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument, Unachievable
from anyk.schemes.approximate.common import (
    check_answers,
    check_threat,
    least_answers,
    stragglers_of,
)
from anyk.schemes.base import AbstractScheme
from anyk.schemes.recovery import AbstractRecovery
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.schemes.sums.code import GradientCode
from anyk.schemes.sums.estimate import EstimatedSum
from anyk.schemes.sums.gradient import AS_GIVEN, AbstractGradientCode, gradient_domain
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spec import Guarantee, Sum, Threat
from anyk.wording import numbered

__all__ = ["ROW", "ExpanderRepetition"]

_FEWEST = 3  # blocks: a circle of an odd number of edges has no fewer


@final
@dataclass(frozen=True)
class ExpanderRepetition(AbstractGradientCode):
    """An approximate gradient code: f(X_1) + .. + f(X_K), or an estimate, from any answers.

    A graph has a block at each vertex and a worker at each edge, and the worker answers f(X_i) +
    f(X_j) of the two blocks at its ends: 2N/K workers for each block. What those who answered tell
    of the sum is taken as a whole: the combination of their answers that leaves least of the row of
    ones. Of a connected part of the graph that is left it is exact, if there is a circle of an odd
    number of edges in it; the others are estimated by the mean. The graph is an expander: of many
    drawn, one in which small parts have many edges to the rest.

    Args:
        blocks: K, 3 or more.
        workers: N, K/2 or more, and no more than pairs of blocks.
        stragglers: S, how many late workers a run does not wait for; None for half of the
            redundancy, max(0, (N - K) // 2).
        domain: what the data are: finite numbers of any type, as they come, by default, or tensors.
            `Reals()` or `Complex()` for that type, whatever comes.

    Raises:
        InvalidArgument: if a number is out of range, or the domain is another, as a field is.
        Unachievable: if workers are too many or too few for the blocks, or S for the workers.

    Guarantee:
        Approximate: a value with an error estimate from any answers, at least two of them; N - S
        are what a run waits for. The sum is `known` where the answers tell it up to rounding, and
        nothing contradicts it. Else what the answers do not tell is taken from the mean of all
        blocks, without bias, where blocks are exchangeable: the estimate is that of the standard
        deviation of its error, by how blocks vary in the answers, and no less than with a
        confidence of 98 % on that. Blocks of which a few are much larger than all others break
        it, where these are late; shuffle rows over blocks. Nobody who lies is named, though answers
        that contradict each other count in the estimate. The sum is of the type of f's results
        where these are floats or complex numbers, and a float else. No privacy: a worker holds
        blocks in the clear.

    References:
        Glasgow, Wootters: Approximate gradient coding with optimal decoding (IEEE JSAIT 2021, arXiv
        2006.09638), section III: assignment by graphs. Raviv, Tamo, Tandon, Dimakis: Gradient
        coding from cyclic MDS codes and expander graphs (IEEE TIT 2020), section VI. Henderson:
        Best linear unbiased estimation and prediction under a selection model (Biometrics 1975).

    Example:
        >>> scheme = anyk.ExpanderRepetition(blocks=10, workers=20, stragglers=6)
        >>> X = np.random.default_rng(0).standard_normal((10, 5))
        >>> with anyk.Inline(20) as executor:
        ...     outcome = anyk.run(scheme, np.cos, X, executor)
        >>> bool(outcome.known[0]), bool(np.allclose(outcome.value, np.cos(X).sum(axis=0)))
        (True, True)
    """

    blocks: int
    workers: int
    _: KW_ONLY
    stragglers: int | None = None
    domain: AbstractDomain = AS_GIVEN

    def __post_init__(self) -> None:
        settle(self, optional="stragglers", blocks=_FEWEST, workers=1, stragglers=0)
        object.__setattr__(self, "domain", gradient_domain(self.domain))
        if isinstance(self.domain, PrimeField):
            raise InvalidArgument(
                "domain",
                given=repr(self.domain),
                needed="the reals or complex numbers, or tensors: residues have no estimate",
                change="Take anyk.FractionalRepetition or anyk.CyclicRepetition.",
            )
        most, least = self.blocks * (self.blocks - 1) // 2, -(-self.blocks // 2)
        if not least <= self.workers <= most:
            few = self.workers < least
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=f"K/2 <= N, that is {self.blocks}/2 <= {self.workers}"
                if few
                else f"N <= K (K - 1)/2, that is {self.workers} <= {most}",
                change=f"Add {numbered(least - self.workers, 'worker')}, or lower blocks."
                if few
                else "Cut the data in more blocks.",
            )
        check_threat(self.blocks, self.workers, self.stragglers)

    @property
    def _late(self) -> int:
        """S."""
        return stragglers_of(self.blocks, self.workers, self.stragglers)

    @property
    def problem(self) -> Sum:
        """A sum of any function over K blocks."""
        return Sum(blocks=self.blocks)

    @property
    def guarantee(self) -> Guarantee:
        """Approximate, from any N - S answers."""
        return Guarantee(
            workers=self.workers,
            threshold=self.workers - self._late,
            stragglers=self._late,
            adversaries=0,
            colluders=0,
            exact=False,
            leakage=None,
            load=2.0,
        )

    def build(self) -> GradientCode:
        """B: two ones a worker."""
        matrix = np.zeros((self.workers, self.blocks))
        matrix[np.arange(self.workers)[:, None], expander(self.blocks, self.workers)] = 1.0
        return GradientCode(matrix, int(np.linalg.matrix_rank(matrix)))

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether at least N - S workers answered."""
        return len(set(indices_of("answered", answered))) >= self.guarantee.threshold

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.guarantee.threshold)

    def recovery(self, layout: Any, answered: tuple[int, ...]) -> AbstractRecovery:  # noqa: ARG002
        """The combination of these answers that is nearest to the sum.

        Raises:
            NotEnoughAnswers: if there are fewer than two.
        """
        check_answers(self, answered, least_answers(self.blocks))
        return EstimatedSum(code=self.code, domain=self.domain, shares=answered)


def _sized(problem: Sum, threat: Threat, field: PrimeField) -> ExpanderRepetition:  # noqa: ARG001 - over the reals
    none_of(threat, "adversaries", "colluders")
    blocks, workers = problem.blocks, threat.workers
    pairs = blocks * (blocks - 1) // 2
    if blocks < _FEWEST:
        raise failing(f"K >= {_FEWEST}, that is {blocks} >= {_FEWEST}")
    if 2 * workers < blocks:
        raise failing(f"K/2 <= N, that is {blocks}/2 <= {workers}")
    used = min(workers, pairs)
    late = threat.stragglers - (workers - used)
    return ExpanderRepetition(blocks, used, stragglers=max(late, 0))


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        ExpanderRepetition(3, 2),
        ExpanderRepetition(5, 10, stragglers=0),
        ExpanderRepetition(8, 16),
    )


ROW = SchemeRow(
    name="ExpanderRepetition",
    scheme=ExpanderRepetition,
    solves=Sum,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="ExpanderRepetition(blocks=K, workers=N, stragglers=S)",
        computes="sums of any function; each worker computes two of K blocks",
        late="any number of answers; what they do not tell of the sum is estimated",
        wrong="no",
        curious="no",
        value="floating point: as decoded, or estimated, with an error estimate",
    ),
)
