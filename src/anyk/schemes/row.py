"""The row of a scheme in the catalogue: what planner, conformance tests and pages know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, final

from anyk.domains.prime import PrimeField
from anyk.errors import Unachievable
from anyk.schemes.base import AbstractScheme
from anyk.spec import Map, MatMul, Sum, Threat

__all__ = [
    "SchemeRow",
    "SchemeWords",
    "WrapperRow",
    "degree_of",
    "failing",
    "none_for_certain",
    "none_of",
    "some_leakage",
]

Size = Callable[[Any, Threat, PrimeField], AbstractScheme]
"""Builds a scheme for a problem and a threat, over a field where it needs one."""


@final
@dataclass(frozen=True, kw_only=True)
class SchemeWords:
    """What the table of schemes in the docs says of one.

    Args:
        call: how it is built, with letters for numbers.
        computes: which functions.
        late: how many late workers it survives, or what it needs.
        wrong: what becomes of wrong answers.
        curious: what workers who put together what they hold learn.
        value: exact or not.
        when: when to take a scheme for matrix products, in the table of these; "" for others.

    Example:
        >>> anyk.CATALOGUE[0].words.computes
        'polynomials of degree d'
    """

    call: str
    computes: str
    late: str
    wrong: str
    curious: str
    value: str
    when: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class SchemeRow:
    """One scheme in the catalogue.

    From its row a scheme is in `anyk.schemes_for`, in the conformance tests and in the docs' table.

    Args:
        name: as the planner lists it.
        scheme: its class.
        solves: the kind of problem: `anyk.Map`, `anyk.Sum` or `anyk.MatMul`.
        size: called with a problem, a threat and a field; builds the scheme for them, or raises
            `anyk.Unachievable` with the inequality that fails as what is needed. The planner
            compares the stragglers itself.
        examples: makes some of them for conformance tests: small ones, at the edges too.
        words: for the table in the docs.

    Example:
        >>> row = anyk.CATALOGUE[0]
        >>> threat = anyk.Threat(workers=9, adversaries=1)
        >>> row.size(anyk.Map(blocks=2, degree=3), threat, anyk.PrimeField()).adversaries
        1
    """

    name: str
    scheme: type[AbstractScheme]
    solves: type[Map | Sum | MatMul]
    size: Size
    examples: Callable[[], tuple[AbstractScheme, ...]]
    words: SchemeWords


@final
@dataclass(frozen=True, kw_only=True)
class WrapperRow:
    """One scheme in the catalogue that is built around another one.

    Args:
        name: as the planner lists it.
        scheme: its class.
        solves: the kind of problem.
        around: the kind of problem that the scheme within solves.
        size: as that of `SchemeRow`, called with the row of the scheme within before all else.
        examples: as those of `SchemeRow`.
        words: as those of `SchemeRow`.

    Example:
        >>> row = next(row for row in anyk.CATALOGUE if isinstance(row, anyk.WrapperRow))
        >>> row.of(anyk.CATALOGUE[0]).name
        'Summed(Lagrange)'
    """

    name: str
    scheme: type[AbstractScheme]
    solves: type[Map | Sum | MatMul]
    around: type[Map | Sum | MatMul]
    size: Callable[[SchemeRow, Any, Threat, PrimeField], AbstractScheme]
    examples: Callable[[], tuple[AbstractScheme, ...]]
    words: SchemeWords

    def of(self, within: SchemeRow) -> SchemeRow:
        """The row of this around another scheme.

        Args:
            within: the row of that scheme.
        """
        return SchemeRow(
            name=f"{self.name}({within.name})",
            scheme=self.scheme,
            solves=self.solves,
            size=partial(self.size, within),
            examples=self.examples,
            words=self.words,
        )


def failing(needed: str) -> Unachievable:
    """The error of a row whose scheme does not survive a threat.

    Args:
        needed: the inequality that fails, with its numbers.
    """
    return Unachievable("threat", given="more", needed=needed, change="Lower it.")


def none_of(threat: Threat, *names: str) -> None:
    """Refuse a threat of these kinds, for a scheme that has no answer to it.

    Args:
        threat: what to survive.
        names: of "stragglers", "adversaries" and "colluders".
    """
    letters = {"stragglers": "S", "adversaries": "A", "colluders": "T"}
    for name in names:
        number = getattr(threat, name)
        if number:
            raise failing(f"{letters[name]} <= 0, that is {number} <= 0")


def some_leakage(threat: Threat) -> None:
    """Refuse colluders who may learn nothing: over the reals, noise hides data in part alone."""
    if threat.colluders and threat.leakage is None:
        raise failing(
            f"T <= 0, or a leakage in bits: {threat.colluders} <= 0, and the threat has "
            "leakage=None"
        )


def none_for_certain(threat: Threat) -> None:
    """Refuse liars, for a scheme that names them by experience, not by proof."""
    if threat.adversaries:
        raise failing(
            f"A <= 0, or to do without proof: {threat.adversaries} <= 0, and liars are named by "
            "how well answers fit"
        )


def degree_of(problem: Map | Sum) -> int:
    """The degree, for a scheme that computes polynomials alone."""
    if problem.degree is None:
        raise failing("a polynomial: degree is None")
    return problem.degree
