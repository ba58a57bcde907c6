"""The row of `Agreed` in the catalogue: how many copies a threat needs."""

from __future__ import annotations

from dataclasses import replace

from anyk.domains.prime import PrimeField
from anyk.schemes.approximate.filled_replication.scheme import FilledReplication
from anyk.schemes.approximate.spline.scheme import Spline
from anyk.schemes.approximate.veiled_replication.scheme import VeiledReplication
from anyk.schemes.base import AbstractScheme
from anyk.schemes.maps.lagrange import Lagrange
from anyk.schemes.row import SchemeRow, SchemeWords, WrapperRow, failing
from anyk.schemes.wrappers.agreed import Agreed
from anyk.spec import Map, Threat

__all__ = ["ROW"]

_WRONG = 0.01  # shares that a plan lets pass, in the expectation


def _sized(within: SchemeRow, problem: Map, threat: Threat, field: PrimeField) -> Agreed:
    liars = threat.adversaries
    if not liars:
        raise failing("A >= 1, that is 0 >= 1: it tells liars, at q times the workers")
    for copies in range(2, liars + 2):
        if threat.workers // copies < max(threat.stragglers + liars, threat.colluders):
            break
        scheme = within.size(
            problem,
            replace(
                threat,
                workers=threat.workers // copies,
                stragglers=threat.stragglers + liars,
                adversaries=0,
            ),
            field,
        )
        if scheme.guarantee.exact:
            raise failing("an approximate scheme: exact ones name liars at two answers each")
        agreed = Agreed(scheme, copies=copies, adversaries=liars)
        if agreed.expected_wrong <= _WRONG:
            return agreed
    raise failing(
        f"N >= q(K + S + A) or more, for as many copies q as let at most {_WRONG} wrong shares "
        "pass in the expectation"
    )


def _examples() -> tuple[AbstractScheme, ...]:
    veiled = VeiledReplication(3, 8, stragglers=2, colluders=1, leakage=0.5)
    return (
        Agreed(Lagrange(blocks=2, degree=2, workers=6, colluders=1), adversaries=1),
        Agreed(Lagrange(blocks=2, degree=1, workers=4, pieces=2), adversaries=1),
        Agreed(veiled, adversaries=1, workers=17),
        Agreed(Spline(3, 6, stragglers=2), adversaries=0, workers=13),
        Agreed(FilledReplication(2, 4), adversaries=0),
    )


ROW = WrapperRow(
    name="Agreed",
    scheme=Agreed,
    solves=Map,
    around=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Agreed(scheme, copies=q, adversaries=A)",
        computes="as the scheme, on q times the workers",
        late="fewer than the scheme by A",
        wrong="told by workers who hold the same share, for any function; named with a proof only",
        curious="as the scheme",
        value="as the scheme",
    ),
)
