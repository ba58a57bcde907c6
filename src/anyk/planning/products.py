"""Which scheme and which partition for a product: what is cheapest of what survives a threat."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Final, NoReturn, final

from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.errors import InvalidArgument, Unachievable
from anyk.planning.costs import Costs, Machine, Size, costs_of
from anyk.schemes.base import AbstractScheme
from anyk.schemes.catalogue import CATALOGUE
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.check import Verified
from anyk.schemes.products.entangled import Entangled
from anyk.schemes.products.residues import Residues
from anyk.schemes.products.uncoded import Uncoded
from anyk.schemes.row import SchemeRow, failing, none_of
from anyk.spec import Threat
from anyk.timeline import told_seconds
from anyk.wording import numbered

__all__ = ["ProductPlan", "Wanted", "plan_product", "shortlist", "weigh"]

_SHORTLIST: Final = (
    "Uncoded",
    "MDS",
    "Polynomial",
    "MatDot",
    "Entangled",
    "Residues",
)
_DEFAULT: Final = PrimeField().modulus
_EACH: Final = 10  # small numbers of blocks, of which each is thought of
_FAR: Final = 1024  # workers, when it is looked for how many would be enough


@final
@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a product is to survive, and in which arithmetic.

    Args:
        threat: with how many workers.
        domain: of the entries.
        pieces: r, how many shares a worker holds.
        verified: whether answers are checked as they come; None for either.
        primes: modulo which all is computed, where integers are.
        bits: b, integers of the product are below 2^b by the largest entries; None for floats.
        wide: whether they may be more than float64 tells apart.
    """

    threat: Threat
    domain: AbstractDomain
    pieces: int = 1
    verified: Verified | None = None
    primes: tuple[int, ...] = (_DEFAULT,)
    bits: int | None = None
    wide: bool = False


@final
@dataclass(frozen=True)
class ProductPlan:
    """A scheme for a product, and why it is this one.

    Args:
        scheme: that is used.
        costs: what it is expected to take, in seconds; None where it was not chosen but given.
        alone: seconds that one worker needs for the whole product.
        others: of each other scheme that was thought of, its name, and what it would take or why it
            can't be.

    Example:
        >>> A = np.ones((40, 30))
        >>> with anyk.Inline(6) as executor:
        ...     plan = anyk.matmul(A, A.T, executor, stragglers=2).plan
        >>> plan.scheme.guarantee.stragglers >= 2
        True
    """

    scheme: AbstractScheme
    costs: Costs | None = None
    alone: float = 0.0
    others: tuple[tuple[str, str], ...] = ()

    @property
    def headline(self) -> str:
        """The scheme, in one line."""
        promise = self.scheme.guarantee
        name = _named(self.scheme)
        several = promise.workers * promise.pieces
        pieces = " pieces" if promise.pieces > 1 else ""
        return f"{name}: any {promise.waited_for} of {several}{pieces} are enough"

    def __str__(self) -> str:
        """The scheme, what it takes and what others would, in a few lines."""
        lines = [self.headline]
        if self.costs is None:
            return "\n".join([*lines, "as it was given"])
        costs = self.costs
        parts = {each.name: getattr(costs, each.name) for each in fields(costs)}
        told = ", ".join(f"{name} {_seconds(own)}" for name, own in parts.items() if own)
        lines.append(
            f"about {_seconds(costs.total)}: {told}; one core alone {_seconds(self.alone)}"
        )
        lines += [f"{name}: {why}" for name, why in self.others]
        return "\n".join(lines)


def plan_product(size: Size, wanted: Wanted, machine: Machine) -> ProductPlan:
    """The cheapest scheme of those that survive a threat.

    Args:
        size: of the product.
        wanted: what it is to survive.
        machine: that computes it.

    Raises:
        Unachievable: if there is none: with what is lacking.

    Example:
        >>> from anyk.planning.costs import CLUSTER, Size
        >>> from anyk.planning.products import Wanted, plan_product
        >>> wanted = Wanted(threat=anyk.Threat(workers=11, stragglers=2), domain=anyk.Reals())
        >>> plan_product(Size(4000, 1000, 4000), wanted, CLUSTER).scheme.partition
        (3, 1, 3)
    """
    return _planned(size, wanted, machine)


@lru_cache(maxsize=256)
def _planned(size: Size, wanted: Wanted, machine: Machine) -> ProductPlan:
    weighed, others = [], []
    for kind in shortlist(wanted):
        made = weigh(kind, size, wanted, machine)
        if made:
            weighed.append(made[0])
        else:
            others.append((kind.__name__, _why_not(kind, size, wanted)))
    if not weighed:
        _refuse(wanted, dict(others))
    (costs, scheme), *rest = sorted(weighed, key=lambda pair: pair[0].total)
    slower = [(_named(each), _compared(other, costs)) for other, each in rest]
    return ProductPlan(scheme, costs, _alone(size, wanted, machine), (*slower, *others))


def weigh(
    kind: type[AbstractScheme], size: Size, wanted: Wanted, machine: Machine
) -> list[tuple[Costs, AbstractScheme]]:
    """All schemes of a class that survive a threat, the cheapest first.

    Args:
        kind: the class.
        size: of the product.
        wanted: what it is to survive.
        machine: that computes it.
    """
    made = _schemes(kind, size, wanted)
    found = [(costs_of(each, size, machine, wanted.primes), each) for each in made]
    return sorted(found, key=lambda pair: pair[0].total)


def _named(scheme: AbstractScheme) -> str:
    """A scheme and its partition, in short."""
    inner = getattr(scheme, "scheme", scheme)
    cut = getattr(inner.problem, "partition", "")
    checked = ", checked" * bool(getattr(inner, "verified", False))
    return f"{type(inner).__name__} {cut}{checked}"


def _compared(costs: Costs, best: Costs) -> str:
    """What a slower scheme would take, and on what."""
    names = [each.name for each in fields(costs)]
    worst = max(names, key=lambda name: getattr(costs, name) - getattr(best, name))
    return f"about {_seconds(costs.total)}, as more goes to {worst}"


def _alone(size: Size, wanted: Wanted, machine: Machine) -> float:
    """Seconds of numpy for the whole product on one core."""
    complexity = 4.0 if isinstance(wanted.domain, Complex) else 1.0
    read = 8 * (size.left + size.right + size.product) / machine.memory
    return size.flops * complexity / machine.flops + read


def _seconds(seconds: float) -> str:
    """Seconds in short, as an estimate has them."""
    return told_seconds(float(f"{seconds:.2g}"))


def shortlist(wanted: Wanted) -> list[type[AbstractScheme]]:
    """The classes that are thought of: those that compute in these numbers.

    Args:
        wanted: in which numbers.
    """
    if wanted.wide:
        return [Residues]
    rows = {row.name: row.scheme for row in CATALOGUE if isinstance(row, SchemeRow)}
    found = [rows[name] for name in _SHORTLIST]
    return [kind for kind in found if _fits(kind, wanted)]


def _fits(kind: type[AbstractScheme], wanted: Wanted) -> bool:
    if issubclass(kind, AbstractProduct):
        return isinstance(wanted.domain, kind.can.domains)
    return kind is Uncoded or wanted.bits is not None


def _schemes(kind: type[AbstractScheme], size: Size, wanted: Wanted) -> Iterator[AbstractScheme]:
    """All of a class that survive the threat, those with cuts that divide work well."""
    if kind is Residues:
        if size.stack == 1:
            yield from _made(kind, (1, 1, 1), wanted)
        return
    most = wanted.threat.workers * wanted.pieces
    limits = (size.rows, size.inner, size.columns)
    able = kind.can.cuts if issubclass(kind, AbstractProduct) else (True, True, True)
    first, second, third = (
        _numbers(min(most, limit)) if cut else [1] for cut, limit in zip(able, limits, strict=True)
    )
    for m, p, n in itertools.product(first, second, third):
        if m * p * n <= most and (kind is not Entangled or (p > 1 and m * n > 1)):
            yield from _made(kind, (m, p, n), wanted)


def _made(
    kind: type[AbstractScheme], partition: tuple[int, int, int], wanted: Wanted
) -> Iterator[AbstractScheme]:
    for verified in _either(kind, wanted):
        try:
            scheme = _scheme(kind, partition, wanted, verified=verified)
        except (InvalidArgument, Unachievable):
            continue
        if scheme.guarantee.stragglers >= wanted.threat.stragglers:
            yield scheme


def _either(kind: type[AbstractScheme], wanted: Wanted) -> tuple[Verified, ...]:
    """With checked answers or without, or both where that is left to the plan."""
    if wanted.verified is not None:
        return (wanted.verified,)
    return (False, True) if wanted.threat.adversaries and kind is not Uncoded else (False,)


def _scheme(
    kind: type[AbstractScheme],
    partition: tuple[int, int, int],
    wanted: Wanted,
    *,
    verified: Verified,
) -> AbstractScheme:
    """A scheme of a class.

    Raises:
        InvalidArgument: if it can't do what is wanted.
    """
    threat, domain = wanted.threat, wanted.domain
    named: dict[str, Any] = {"workers": threat.workers, "adversaries": threat.adversaries}
    if issubclass(kind, AbstractProduct):
        named |= {"colluders": threat.colluders, "pieces": wanted.pieces, "verified": verified}
        return kind(partition=partition, domain=domain, **named)
    none_of(threat, "colluders")
    if kind is Residues:
        named |= {"pieces": wanted.pieces, "verified": bool(verified)}
        return Residues(bits=max(wanted.bits or 1, 1), **named)
    if verified:
        raise failing("verified=False: it compares copies, and checks none of them")
    if wanted.pieces > 1:
        raise failing("one piece a worker: it has no code")
    return Uncoded(partition, domain=Reals() if domain.exact else domain, **named)


def _numbers(most: int) -> list[int]:
    """Some numbers up to a largest one: all small ones, and fewer of those that are large."""
    few = list(range(1, min(most, _EACH) + 1))
    while few[-1] < most:
        few.append(min(most, few[-1] * 6 // 5))
    return few


def _why_not(kind: type[AbstractScheme], size: Size, wanted: Wanted) -> str:
    """What a scheme lacks that is cut in as few blocks as it can be."""
    if kind is Residues and size.stack > 1:
        return "no: it is for one product, not for a stack"
    asked, spare = wanted.threat.stragglers, -1
    why = "no: needed is p > 1 and mn > 1, for which a factor has too few rows or columns"
    for cut in _fewest(kind, size):
        for verified in _either(kind, wanted):
            try:
                scheme = _scheme(kind, cut, wanted, verified=verified)
            except (InvalidArgument, Unachievable) as error:
                needed = error.needed.removesuffix(f", for {kind.__name__}")
                why = why if spare >= 0 else f"no: {error.argument}: needed is {needed}"
                continue
            if scheme.guarantee.stragglers > spare:
                spare = scheme.guarantee.stragglers
                why = f"no: needed is S <= {spare}, that is {asked} <= {spare}, even cut as {cut}"
    return why


def _fewest(kind: type[AbstractScheme], size: Size) -> Iterator[tuple[int, int, int]]:
    """The cuts in as few blocks as a class has."""
    if kind is not Entangled:
        yield 1, 1, 1
    elif size.inner > 1:
        yield from [(2, 2, 1)] * (size.rows > 1)
        yield from [(1, 2, 2)] * (size.columns > 1)


def _refuse(wanted: Wanted, why: dict[str, str]) -> NoReturn:
    """No scheme survives this."""
    threat = wanted.threat
    enough = next((more for more in _more(threat.workers) if _any(wanted, more)), None)
    asked = {
        name: number
        for name in ("stragglers", "adversaries", "colluders")
        if (number := getattr(threat, name))
    }
    lower = " or ".join(asked) or "the entries"
    take = "" if enough is None else f"Take {numbered(enough, 'worker')}, or lower {lower}."
    told = ", ".join(f"{name}={number}" for name, number in asked.items())
    raise Unachievable(
        "workers",
        given=f"{threat.workers}" + f" for {told}" * bool(told),
        needed="; ".join(f"{name}: {each}" for name, each in why.items()),
        change=take or f"Lower {lower}.",
    )


def _more(workers: int) -> Iterator[int]:
    return iter(range(workers + 1, workers + _FAR))


def _any(wanted: Wanted, workers: int) -> bool:
    """Whether so many workers are enough for a scheme of one block."""
    more = replace(wanted, threat=replace(wanted.threat, workers=workers))
    return any(True for kind in shortlist(wanted) for _ in _made(kind, (1, 1, 1), more))
