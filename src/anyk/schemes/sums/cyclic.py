"""What cyclic gradient codes have in common: as many blocks as workers, and any N - S answers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass

from anyk.checks import indices_of, settle
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.errors import Unachievable
from anyk.schemes.base import missing_answers
from anyk.schemes.certainty import Certainty, noticed_of
from anyk.schemes.recovery import AbstractRecovery
from anyk.schemes.row import failing
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.sums.gradient import AS_GIVEN, AbstractGradientCode, gradient_domain
from anyk.schemes.sums.gradient_recovery import GradientRecovery
from anyk.schemes.tally import AbstractTally
from anyk.spec import Guarantee, Sum, Threat

__all__ = ["AbstractCyclicCode", "check_size"]


@dataclass(frozen=True)
class AbstractCyclicCode(AbstractGradientCode):
    """A gradient code with N blocks, of which worker n holds n, n + 1, .. around the circle.

    Any k = N - S - D - A of the answers determine all others. A code builds the matrix; all else is
    here.

    Args:
        workers: N, and the number of blocks K.
        stragglers: S, how many answers may be missing.
        domain: what the data are.
        detects: D, how many workers may answer wrongly and are noticed; A where it is None.
        adversaries: A, how many workers may answer wrongly and are named.
    """

    workers: int
    stragglers: int
    domain: AbstractDomain = AS_GIVEN
    detects: int | None = None
    _: KW_ONLY
    adversaries: int = 0

    def check_domain(self) -> None:
        """Refuse a domain for which there is no matrix.

        Raises:
            InvalidArgument: if it is one.
        """

    def __post_init__(self) -> None:
        settle(self, optional="detects", workers=1, stragglers=0, detects=0, adversaries=0)
        object.__setattr__(self, "domain", gradient_domain(self.domain))
        self.check_domain()
        noticed_of(self.adversaries, self.detects)
        if not self._fits():
            raise Unachievable(
                "stragglers",
                given=str(self.stragglers),
                needed=self._needed,
                change=f"Take {self.more + 1} workers{self._lower}.",
            )
        if isinstance(self.domain, PrimeField) and self.domain.modulus < self.workers:
            raise Unachievable(
                "domain",
                given=repr(self.domain),
                needed=f"a modulus of at least N = {self.workers}",
                change="Take a larger prime; 2**31 - 1 is the default.",
            )

    def _fits(self) -> bool:
        """Whether the answers that are needed are fewer than there are workers."""
        return self.more < self.workers

    @property
    def _needed(self) -> str:
        """The inequality that fails."""
        terms = [("S", self.stragglers)]
        if self.detects is None and self.adversaries:
            terms.append(("2A", 2 * self.adversaries))
        elif self.detects is not None:
            terms.append(("D", self.detects))
            terms += [("A", self.adversaries)] if self.adversaries else []
        letters, numbers = zip(*terms, strict=True)
        added = " + ".join(map(str, numbers))
        return f"{' + '.join(letters)} < N, that is {added} < {self.workers}"

    @property
    def _lower(self) -> str:
        """What can be lowered instead of adding workers."""
        least, names = {"detects": self.adversaries}, ("stragglers", "adversaries", "detects")
        return or_lower(enough(self, AbstractCyclicCode._fits, *names, **least))

    @property
    def more(self) -> int:
        """S + D + A: how many blocks a worker holds beyond one."""
        noticed = self.adversaries if self.detects is None else self.detects
        return self.stragglers + noticed + self.adversaries

    @property
    def certainty(self) -> Certainty:
        """When answers are certain."""
        return Certainty(
            dimension=self.workers - self.more,
            adversaries=self.adversaries,
            detects=self.detects,
        )

    @property
    def problem(self) -> Sum:
        """A sum of any function over N blocks."""
        return Sum(blocks=self.workers)

    @property
    def guarantee(self) -> Guarantee:
        """The sum from any N - S answers, or A fewer where nobody lies."""
        return Guarantee(
            workers=self.workers,
            threshold=self.certainty.threshold,
            least=self.certainty.least,
            stragglers=self.stragglers,
            adversaries=self.adversaries,
            colluders=0,
            exact=self.domain.exact,
            leakage=None,
            load=self.more + 1.0,
        )

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether there are as many as determine the sum, beyond those that D workers gave."""
        return self.certainty.margin(set(indices_of("answered", answered))) >= 0

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return self.certainty.tally

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:  # noqa: ARG002
        """The combination of these answers that is the sum, after the liars are located.

        Raises:
            NotEnoughAnswers: if they are not sufficient.
        """
        if not self.sufficient(answered):
            raise missing_answers(self, answered, self.certainty.needed)
        return GradientRecovery(
            code=self.code, domain=self.domain, certainty=self.certainty, shares=answered
        )


def check_size(problem: Sum, threat: Threat) -> None:
    """Refuse a threat that no cyclic code of as many workers as blocks survives.

    Args:
        problem: a sum.
        threat: what to survive.

    Raises:
        Unachievable: with the inequality that fails.
    """
    blocks, late, lies = problem.blocks, threat.stragglers, 2 * threat.adversaries
    if blocks > threat.workers:
        raise failing(f"K <= N, that is {blocks} <= {threat.workers}")
    if late + lies >= blocks:
        letters, numbers = ("S + 2A", f"{late} + {lies}") if lies else ("S", str(late))
        raise failing(f"{letters} < K, that is {numbers} < {blocks}")
