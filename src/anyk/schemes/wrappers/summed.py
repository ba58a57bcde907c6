"""`Summed`: the sum over the blocks, by any exact scheme that maps them."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import instance
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.domains.tensors import Torch
from anyk.domains.values import Values, added
from anyk.errors import InvalidArgument
from anyk.fixed_point.format import FixedPoint
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoder, rows_of
from anyk.schemes.encoded import Encoded
from anyk.schemes.maps.lagrange import Lagrange
from anyk.schemes.maps.replication import Replication
from anyk.schemes.maps.shamir import Shamir
from anyk.schemes.row import SchemeRow, SchemeWords, WrapperRow, failing
from anyk.schemes.tally import AbstractTally, Replicas
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

    @property
    def columns(self) -> tuple[int | None, ...] | None:
        """Those of the scheme within."""
        return self.scheme.columns

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
        return self._summed(self.scheme.recovery(layout, answered))

    def recovery_by(
        self, layout: Any, answered: tuple[int, ...], workers: tuple[int, ...]
    ) -> AbstractRecovery:
        """The same, where shares were answered by others than those that hold them."""
        return self._summed(self.scheme.recovery_by(layout, answered, workers))

    def replicas(self, layout: Any) -> Replicas | None:
        """Those of the scheme within."""
        return self.scheme.replicas(layout)

    def _summed(self, within: AbstractRecovery) -> AbstractRecovery:
        """A recovery of the scheme within, and then the sum."""
        rows = within.matrix
        checked = bool(self.guarantee.adversaries) or not self.domain.exact
        checked = checked or not rows.any(axis=0).all()
        return _SummedRecovery(self, within, self._sum(rows)[None], checked)

    def _sum(self, rows: NDArray[Any]) -> NDArray[Any]:
        if isinstance(self.domain, (Values, Torch)):
            return added(rows, "values")
        ones = np.ones((1, len(rows)), dtype=self.domain.dtype)
        return self.domain.matmul(ones, rows).reshape(rows.shape[1:])


@final
@dataclass(frozen=True, eq=False)
class _SummedRecovery(AbstractRecovery):
    scheme: Summed
    within: AbstractRecovery
    row: NDArray[Any]
    checked: bool  # an answer that R leaves out is there to check the others

    @property
    def answered(self) -> tuple[int, ...]:
        return self.within.answered

    @property
    def matrix(self) -> NDArray[Any]:
        return self.row

    def recover(self, values: NDArray[Any]) -> Recovered:
        if self.checked:  # a liar is to be named, and changes the combination
            recovered = self.within.recover(values)
            value = self.scheme._sum(recovered.value)  # noqa: SLF001 - its own scheme
            estimate = _of_sum(recovered, value)
            return Recovered(
                value=value,
                suspects=recovered.suspects,
                error_estimate=estimate,
                known=np.full(1, estimate is None),
                block_errors=None if estimate is None else np.full(1, estimate),
            )
        domain = self.scheme.domain
        array = rows_of(values, self.answered, domain)
        value = domain.matmul(self.row, array).reshape(array.shape[1:])
        return Recovered(value=value, known=np.ones(1, dtype=np.bool_))


def _of_sum(recovered: Recovered, value: NDArray[Any]) -> float | None:
    """The relative error of the sum: K errors add up, and values of either sign cancel.

    By Cauchy's inequality no sum of K errors is larger than sqrt(K) times all of them together.
    """
    if recovered.error_estimate is None:
        return None
    size = float(np.linalg.norm(value))
    most = math.sqrt(len(recovered.value)) * float(np.linalg.norm(recovered.value))
    return recovered.error_estimate * most / size if size else math.inf


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
