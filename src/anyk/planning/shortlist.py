"""Which schemes meet a threat: each one built, or the inequality that fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from anyk.checks import instance, several, shown
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument, Unachievable
from anyk.schemes.base import AbstractScheme
from anyk.schemes.catalogue import CATALOGUE
from anyk.schemes.row import SchemeRow, WrapperRow
from anyk.spec import Map, MatMul, Sum, Threat

__all__ = ["Candidate", "Shortlist", "schemes_for"]


@final
@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One scheme, weighed against a threat.

    Args:
        name: how it is called.
        scheme: built for the problem and the threat; None if it does not qualify.
        reason: the inequality that fails, with its numbers; empty if none does.

    Example:
        >>> anyk.schemes_for(anyk.Map(blocks=4), anyk.Threat(workers=3)).candidates[0]
        Candidate(name='Lagrange', scheme=None, reason='a polynomial: degree is None')
    """

    name: str
    scheme: AbstractScheme | None
    reason: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Shortlist:
    """The schemes that qualify, and why the others do not.

    Args:
        problem: what to compute.
        threat: what to survive.
        candidates: one for each scheme that solves problems of this kind.

    Example:
        >>> print(anyk.schemes_for(anyk.Sum(blocks=3, degree=2), anyk.Threat(workers=6)))
        Sum(blocks=3, degree=2) under Threat(workers=6, stragglers=0, adversaries=0, colluders=0, leakage=None)
        Harmonic                   5 workers, exact
        Frobenius                  no: d <= 1, that is 2 <= 1
        CyclicRepetition           3 workers, approximate
        CyclicMDS                  3 workers, approximate
        ExpanderRepetition         3 workers, approximate
        FractionalRepetition       6 workers, exact
        PartialWork                no: K a multiple of N: 3 blocks for 6 workers
        BatchedCoupons             no: every batch drawn: 6 draws of 3 miss one with probability 0.26
        YeAbbe                     3 workers, approximate
        Summed(Lagrange)           6 workers, exact
        Summed(Shamir)             no: dT + 2A + 1 <= floor(N/K), that is 2*1 + 2*0 + 1 = 3 <= floor(6/3) = 2
        Summed(Replication)        6 workers, exact
        Summed(AnalogLagrange)     no: an exact scheme: the error of a sum is not estimated
        Summed(ChebyshevLagrange)  no: an exact scheme: the error of a sum is not estimated
        Summed(FilledReplication)  no: an exact scheme: the error of a sum is not estimated
        Summed(VeiledReplication)  no: T >= 1, that is 0 >= 1: it hides data, at a price in accuracy
        Summed(Spline)             no: an exact scheme: the error of a sum is not estimated
        Summed(Berrut)             no: an exact scheme: the error of a sum is not estimated
    """  # noqa: E501 - a table

    problem: Map | Sum | MatMul
    threat: Threat
    candidates: tuple[Candidate, ...]

    @property
    def schemes(self) -> tuple[AbstractScheme, ...]:
        """Those that qualify, ready to use."""
        return tuple(each.scheme for each in self.candidates if each.scheme is not None)

    def __iter__(self) -> Iterator[AbstractScheme]:
        return iter(self.schemes)

    def __len__(self) -> int:
        return len(self.schemes)

    def __str__(self) -> str:
        width = max((len(each.name) for each in self.candidates), default=0)
        lines = [f"{self.problem!r} under {self.threat!r}"]
        lines += [f"{each.name.ljust(width)}  {_verdict(each)}" for each in self.candidates]
        return "\n".join(lines if self.candidates else [*lines, "no scheme computes it"])


def _verdict(candidate: Candidate) -> str:
    if candidate.scheme is None:
        return f"no: {candidate.reason}"
    promise = candidate.scheme.guarantee
    return f"{promise.workers} workers, {'exact' if promise.exact else 'approximate'}"


def _rows(
    problem: Map | Sum | MatMul, catalogue: Sequence[SchemeRow | WrapperRow]
) -> Iterator[SchemeRow]:
    """The rows that solve a problem of this kind, those that need another scheme within last."""
    plain = [row for row in catalogue if isinstance(row, SchemeRow)]
    yield from (row for row in plain if isinstance(problem, row.solves))
    for wrapper in catalogue:
        if isinstance(wrapper, WrapperRow) and isinstance(problem, wrapper.solves):
            yield from (wrapper.of(row) for row in plain if row.solves is wrapper.around)


def _weigh(
    row: SchemeRow, problem: Map | Sum | MatMul, threat: Threat, field: PrimeField
) -> Candidate:
    try:
        scheme = row.size(problem, threat, field)
    except Unachievable as error:
        return Candidate(name=row.name, scheme=None, reason=error.needed)
    if isinstance(problem, MatMul) and scheme.problem != problem:
        reason = f"{problem!r}: it computes {scheme.problem!r}"
        return Candidate(name=row.name, scheme=None, reason=reason)
    promise = scheme.guarantee
    if promise.stragglers < threat.stragglers:
        reason = (
            f"S <= N - threshold, that is {threat.stragglers} <= {promise.workers} - "
            f"{promise.threshold} = {promise.stragglers}"
        )
        return Candidate(name=row.name, scheme=None, reason=reason)
    return Candidate(name=row.name, scheme=scheme)


def schemes_for(
    problem: Map | Sum | MatMul,
    threat: Threat,
    *,
    field: PrimeField = PrimeField(),
    catalogue: Sequence[SchemeRow | WrapperRow] = CATALOGUE,
) -> Shortlist:
    """The schemes that solve a problem under a threat, and why the others do not.

    Args:
        problem: what to compute.
        threat: what to survive, with at most so many workers. Its leakage is held against the
            schemes over the reals for data of standard deviation 1; exact schemes leak nothing.
        field: for the schemes over a prime field.
        catalogue: the schemes to choose from, one row each; all that are built in by default. Add
            rows of your own: `(*anyk.CATALOGUE, row)`.

    Returns:
        A list that prints as a table; iterate over it for the schemes, ready to use.

    Raises:
        InvalidArgument: if an argument is of another kind.

    Example:
        >>> problem, threat = anyk.Map(blocks=3, degree=2), anyk.Threat(workers=12, colluders=1)
        >>> for scheme in anyk.schemes_for(problem, threat):
        ...     type(scheme).__name__, scheme.guarantee.stragglers
        ('Lagrange', 5)
        ('Shamir', 1)

        With half a bit for the colluder, the schemes over the reals qualify too:

        >>> threat = anyk.Threat(workers=12, colluders=1, leakage=0.5)
        >>> for scheme in anyk.schemes_for(problem, threat):
        ...     type(scheme).__name__, round(scheme.guarantee.leakage, 3)
        ('Lagrange', 0.0)
        ('Shamir', 0.0)
        ('AnalogLagrange', 0.5)
        ('VeiledReplication', 0.5)
        ('Berrut', 0.5)
    """
    instance("threat", threat, Threat, change="Pass anyk.Threat(workers=12, stragglers=2), say.")
    instance("field", field, PrimeField, change="Pass anyk.PrimeField(2**31 - 1).")
    if not isinstance(problem, (Map, Sum, MatMul)):
        raise InvalidArgument(
            "problem",
            given=shown(problem),
            needed="a Map, a Sum or a MatMul",
            change="Pass anyk.Map(blocks=3, degree=2), say.",
        )
    catalogue = several("catalogue", catalogue, change="Pass (*anyk.CATALOGUE, row).")
    for row in catalogue:
        if not isinstance(row, (SchemeRow, WrapperRow)):
            raise InvalidArgument(
                "catalogue",
                given=shown(row),
                needed="rows: each an anyk.SchemeRow or an anyk.WrapperRow",
                change="Pass (*anyk.CATALOGUE, row).",
            )
    candidates = (_weigh(row, problem, threat, field) for row in _rows(problem, catalogue))
    return Shortlist(problem=problem, threat=threat, candidates=tuple(candidates))
