"""`Summed`: the sum over the blocks, by any exact scheme that maps them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, final

from anyk.checks import instance
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.domains.tensors import Torch
from anyk.domains.values import Values
from anyk.errors import InvalidArgument
from anyk.fixed_point.format import FixedPoint
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoded, Encoder
from anyk.schemes.maps.lagrange import Lagrange
from anyk.schemes.maps.replication import Replication
from anyk.schemes.maps.shamir import Shamir
from anyk.schemes.row import SchemeRow, SchemeWords, WrapperRow, failing
from anyk.schemes.summing import summed
from anyk.schemes.tally import AbstractTally
from anyk.spec import Guarantee, Map, Sum, Threat
from anyk.work import AbstractWork, Function

__all__ = ["ROW", "Summed"]

_DOMAINS = (
    PrimeField,
    Reals,
    Complex,
    Values,
    Torch,
)  # not residues that a recovery turns into reals


@final
@dataclass(frozen=True)
class Summed(AbstractScheme):
    """The sum f(X_1) + .. + f(X_K), by a scheme that computes f(X_1), .., f(X_K) exactly.

    Shares, promise and liars are those of the scheme within; its recovery R becomes 1^T·R, one
    combination of the answers.

    Args:
        scheme: an exact scheme for maps, such as Lagrange, Shamir or Replication.

    Raises:
        InvalidArgument: if it is not for maps, or not exact.

    Guarantee:
        That of the scheme within; an error estimate becomes that of the sum, which is larger where
        blocks cancel. The one who decodes could also have the values of the single blocks: nothing
        is hidden from the master.

    References:
        Yu, Avestimehr: Harmonic coding (ISIT 2019), section III, which compares `Harmonic` with
        Lagrange coding and secret sharing used in this way.

    Example:
        >>> scheme = anyk.Summed(anyk.Lagrange(blocks=3, degree=2, workers=8, adversaries=1))
        >>> scheme.problem, scheme.guarantee.threshold
        (Sum(blocks=3, degree=2), 7)
        >>> with anyk.Inline(8) as executor:
        ...     anyk.run(scheme, np.square, [[1, 2], [3, 4], [5, 6]], executor).value
        array([35, 56])
    """

    scheme: AbstractScheme

    def __post_init__(self) -> None:
        change = "Pass anyk.Lagrange(...), anyk.Shamir(...) or anyk.Replication(...)."
        instance("scheme", self.scheme, AbstractScheme, change=change)
        exact, problem, domain = (
            self.scheme.guarantee.exact,
            self.scheme.problem,
            self.scheme.domain,
        )
        if not (exact and isinstance(problem, Map) and isinstance(domain, _DOMAINS)):
            raise InvalidArgument(
                "scheme",
                given=repr(self.scheme),
                needed="an exact scheme for maps, whose value is linear in the answers",
                change=change,
            )

    @property
    def problem(self) -> Sum:
        """A sum of the same degree over the same blocks."""
        problem = self.scheme.problem
        return Sum(blocks=problem.blocks, degree=problem.degree)  # type: ignore[union-attr] # __post_init__ checked

    @property
    def domain(self) -> AbstractDomain:
        """That of the scheme within."""
        return self.scheme.domain

    @property
    def guarantee(self) -> Guarantee:
        """That of the scheme within."""
        return self.scheme.guarantee

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """The shares of the scheme within.

        Args:
            X: array-like (K, *shape), the blocks.
            source: where masks come from; the operating system's CSPRNG by default.

        Returns:
            Shares (N, *shape).

        Raises:
            InvalidArgument: if X is not K blocks of the domain.
        """
        return self._around(self.scheme.encode(X, source=source))

    def encode_argument(
        self,
        values: Any,
        embedding: FixedPoint | None = None,
        *,
        layout: Any = None,
        source: AbstractSource = SystemSource(),
    ) -> Encoded:
        """Those of the scheme within."""
        return self._around(
            self.scheme.encode_argument(values, embedding, layout=layout, source=source)
        )

    @staticmethod
    def _around(within: Encoded) -> Encoded:
        """The same shares, for a sum."""
        return Encoded(Summed(within.scheme), within.parts, within.layout)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether they are for the scheme within."""
        return self.scheme.sufficient(answered)

    def tally(self, layout: Any) -> AbstractTally:
        """That of the scheme within."""
        return self.scheme.tally(layout)

    def encoder(self, layout: Any, operand: int = 0) -> Encoder:
        """D and M of the scheme within."""
        return self.scheme.encoder(layout, operand)

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """That of the scheme within."""
        return self.scheme.work(function, per_worker)

    def over(self, field: PrimeField) -> Summed:
        """The sum by the same scheme over another prime field."""
        return Summed(self.scheme.over(field))

    def recovery(self, layout: Any, answered: tuple[int, ...]) -> AbstractRecovery:
        """The recovery of the scheme within, summed.

        Raises:
            NotEnoughAnswers: if they are too few for the scheme within.
        """
        within = self.scheme.recovery(layout, answered)
        checked = bool(self.guarantee.adversaries) or not self.domain.exact
        return summed(within, self.domain, checked=checked)


def _sized(within: SchemeRow, problem: Sum, threat: Threat, field: PrimeField) -> Summed:
    scheme = within.size(Map(blocks=problem.blocks, degree=problem.degree), threat, field)
    if not scheme.guarantee.exact:
        raise failing("an exact scheme: the error of a sum is not estimated")
    return Summed(scheme)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Summed(Lagrange(blocks=2, degree=2, workers=8, adversaries=1, colluders=1)),
        Summed(Shamir(blocks=3, degree=2)),
        Summed(Replication(blocks=2, workers=3)),
    )


ROW = WrapperRow(
    name="Summed",
    scheme=Summed,
    solves=Sum,
    around=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Summed(scheme)",
        computes="sums, by any exact scheme for maps",
        late="as the scheme",
        wrong="as the scheme",
        curious="as the scheme",
        value="exact",
    ),
)
