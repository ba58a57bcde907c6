"""Which schemes meet a threat: each one built, or the inequality that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

from anyk.checks import instance, shown
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument, Unachievable
from anyk.schemes.approximate.analog_lagrange.scheme import AnalogLagrange
from anyk.schemes.approximate.berrut.scheme import Berrut
from anyk.schemes.approximate.filled_replication.scheme import FilledReplication
from anyk.schemes.approximate.spline.scheme import Spline
from anyk.schemes.approximate.veiled_replication.scheme import VeiledReplication
from anyk.schemes.base import AbstractScheme
from anyk.schemes.maps.lagrange import Lagrange
from anyk.schemes.maps.replication import Replication
from anyk.schemes.maps.shamir import Shamir
from anyk.schemes.sums.harmonic import Harmonic
from anyk.schemes.wrappers.summed import Summed
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
        candidates: one for each built-in scheme.

    Example:
        >>> print(anyk.schemes_for(anyk.Sum(blocks=3, degree=2), anyk.Threat(workers=6)))
        Sum(blocks=3, degree=2) under Threat(workers=6, stragglers=0, adversaries=0, colluders=0, leakage=None)
        Harmonic                   5 workers, exact
        Summed(Lagrange)           6 workers, exact
        Summed(Shamir)             no: dT + 2A + 1 <= floor(N/K), that is 2*1 + 2*0 + 1 = 3 <= floor(6/3) = 2
        Summed(Replication)        6 workers, exact
        Summed(AnalogLagrange)     no: an exact scheme: the error of a sum is not estimated
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
        return "\n".join(lines if self.candidates else [*lines, "no scheme is built for it yet"])


def _verdict(candidate: Candidate) -> str:
    if candidate.scheme is None:
        return f"no: {candidate.reason}"
    promise = candidate.scheme.guarantee
    return f"{promise.workers} workers, {'exact' if promise.exact else 'approximate'}"


def _failing(needed: str) -> Unachievable:
    return Unachievable("threat", given="more", needed=needed, change="Lower it.")


def _none_of(threat: Threat, *names: str) -> None:
    """Refuse a threat of these kinds, for a scheme that has no answer to it."""
    letters = {"stragglers": "S", "adversaries": "A", "colluders": "T"}
    for name in names:
        number = getattr(threat, name)
        if number:
            raise _failing(f"{letters[name]} <= 0, that is {number} <= 0")


def _some_leakage(threat: Threat) -> None:
    """Refuse colluders who may learn nothing: over the reals, noise hides data in part alone."""
    if threat.colluders and threat.leakage is None:
        raise _failing(
            f"T <= 0, or a leakage in bits: {threat.colluders} <= 0, and the threat has "
            "leakage=None"
        )


def _none_for_certain(threat: Threat) -> None:
    """Refuse liars, for a scheme that names them by experience, not by proof."""
    if threat.adversaries:
        raise _failing(
            f"A <= 0, or to do without proof: {threat.adversaries} <= 0, and liars are named by "
            "how well answers fit"
        )


def _degree(problem: Map | Sum) -> int:
    if problem.degree is None:
        raise _failing("a polynomial: degree is None")
    return problem.degree


def _lagrange(problem: Map | Sum, threat: Threat, field: PrimeField) -> AbstractScheme:
    return Lagrange(
        blocks=problem.blocks,
        degree=_degree(problem),
        workers=threat.workers,
        adversaries=threat.adversaries,
        colluders=threat.colluders,
        field=field,
    )


def _shamir(problem: Map | Sum, threat: Threat, field: PrimeField) -> AbstractScheme:
    return Shamir(
        blocks=problem.blocks,
        degree=_degree(problem),
        workers=threat.workers,
        adversaries=threat.adversaries,
        colluders=max(threat.colluders, 1),
        field=field,
    )


def _harmonic(problem: Map | Sum, threat: Threat, field: PrimeField) -> AbstractScheme:
    degree = _degree(problem)
    _none_of(threat, "stragglers", "adversaries")
    if threat.colluders > 1:
        raise _failing(f"T <= 1, that is {threat.colluders} <= 1")
    scheme = Harmonic(blocks=problem.blocks, degree=degree, field=field)
    if scheme.workers > threat.workers:
        raise _failing(
            f"K(d-1) + 2 <= N, that is {problem.blocks}*{degree - 1} + 2 = {scheme.workers} <= "
            f"{threat.workers}"
        )
    return scheme


def _replication(problem: Map | Sum, threat: Threat, field: PrimeField) -> AbstractScheme:  # noqa: ARG001 - any domain
    _none_of(threat, "colluders")
    return Replication(problem.blocks, threat.workers, adversaries=threat.adversaries)


def _analog(problem: Map | Sum, threat: Threat, field: PrimeField) -> AbstractScheme:  # noqa: ARG001 - over C
    _some_leakage(threat)
    return AnalogLagrange(
        blocks=problem.blocks,
        degree=_degree(problem),
        workers=threat.workers,
        adversaries=threat.adversaries,
        colluders=threat.colluders,
        stragglers=threat.stragglers,
        leakage=threat.leakage,
    )


def _filled(problem: Map | Sum, threat: Threat, field: PrimeField) -> AbstractScheme:  # noqa: ARG001 - over the reals
    _none_of(threat, "adversaries", "colluders")
    return FilledReplication(problem.blocks, threat.workers, stragglers=threat.stragglers)


def _veiled(problem: Map | Sum, threat: Threat, field: PrimeField) -> AbstractScheme:  # noqa: ARG001 - over the reals
    if not threat.colluders:
        raise _failing("T >= 1, that is 0 >= 1: it hides data, at a price in accuracy")
    if threat.leakage is None:
        raise _failing("a leakage in bits: the threat has leakage=None")
    _none_for_certain(threat)
    return VeiledReplication(
        problem.blocks,
        threat.workers,
        stragglers=threat.stragglers,
        colluders=threat.colluders,
        leakage=threat.leakage,
    )


def _spline(problem: Map | Sum, threat: Threat, field: PrimeField) -> AbstractScheme:  # noqa: ARG001 - over the reals
    _none_of(threat, "colluders")
    _none_for_certain(threat)
    return Spline(problem.blocks, threat.workers, stragglers=threat.stragglers)


def _berrut(problem: Map | Sum, threat: Threat, field: PrimeField) -> AbstractScheme:  # noqa: ARG001 - over the reals
    _some_leakage(threat)
    _none_for_certain(threat)
    return Berrut(
        problem.blocks,
        threat.workers,
        stragglers=threat.stragglers,
        colluders=threat.colluders,
        leakage=threat.leakage,
    )


_Build = Callable[[Map | Sum, Threat, PrimeField], AbstractScheme]

_MAPS: tuple[tuple[str, _Build], ...] = (
    ("Lagrange", _lagrange),
    ("Shamir", _shamir),
    ("Replication", _replication),
    ("AnalogLagrange", _analog),
    ("FilledReplication", _filled),
    ("VeiledReplication", _veiled),
    ("Spline", _spline),
    ("Berrut", _berrut),
)


def _summed(build: _Build) -> _Build:
    def summed(problem: Map | Sum, threat: Threat, field: PrimeField) -> AbstractScheme:
        scheme = build(problem, threat, field)
        if not scheme.guarantee.exact:
            raise _failing("an exact scheme: the error of a sum is not estimated")
        return Summed(scheme)

    return summed


_SUMS: tuple[tuple[str, _Build], ...] = (
    ("Harmonic", _harmonic),
    *((f"Summed({name})", _summed(build)) for name, build in _MAPS),
)


def _weigh(
    name: str, build: _Build, problem: Map | Sum, threat: Threat, field: PrimeField
) -> Candidate:
    try:
        scheme = build(problem, threat, field)
    except Unachievable as error:
        return Candidate(name=name, scheme=None, reason=error.needed)
    promise = scheme.guarantee
    if promise.stragglers < threat.stragglers:
        reason = (
            f"S <= N - threshold, that is {threat.stragglers} <= {promise.workers} - "
            f"{promise.threshold} = {promise.stragglers}"
        )
        return Candidate(name=name, scheme=None, reason=reason)
    return Candidate(name=name, scheme=scheme)


def schemes_for(
    problem: Map | Sum | MatMul, threat: Threat, *, field: PrimeField = PrimeField()
) -> Shortlist:
    """The built-in schemes that solve a problem under a threat, and why the others do not.

    Args:
        problem: what to compute. No scheme for a `MatMul` is built yet, and its list is empty.
        threat: what to survive, with at most so many workers. Its leakage is held against the
            schemes over the reals for data of standard deviation 1; exact schemes leak nothing.
        field: for the schemes over a prime field.

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
    if isinstance(problem, MatMul):
        return Shortlist(problem=problem, threat=threat, candidates=())
    if not isinstance(problem, (Map, Sum)):
        raise InvalidArgument(
            "problem",
            given=shown(problem),
            needed="a Map, a Sum or a MatMul",
            change="Pass anyk.Map(blocks=3, degree=2), say.",
        )
    every = _MAPS if isinstance(problem, Map) else _SUMS
    candidates = (_weigh(name, build, problem, threat, field) for name, build in every)
    return Shortlist(problem=problem, threat=threat, candidates=tuple(candidates))
