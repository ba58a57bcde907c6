"""`anyk committee`: certificates, identities and a roster, for a trial of aggregators."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from anyk.aggregation.identity import Identity
from anyk.aggregation.roster import Roster
from anyk.checks import count
from anyk.connections.certificates import certify_parties

__all__ = ["IDENTITY", "ROSTER", "found_committee"]

IDENTITY: Final = "identity"
"""The file of a party's directory with the keys of `Identity`, for that party alone."""

ROSTER: Final = "roster.json"
"""The file with everybody's names and public keys."""


def found_committee(
    directory: Path, *, aggregators: int, clients: int, hosts: Sequence[str] = (), days: int = 30
) -> list[str]:
    """Write a directory for each party, with what it needs, and the roster of all.

    The server has certificates; an aggregator has these and an identity; a client has an identity.
    They are for a trial: whoever makes all of it could be everybody. In earnest each party makes
    its own identity (`Identity.generate(name).save(path)`) and gives its `member` to whoever writes
    the roster; and certificates are of an authority that there is already.

    Args:
        directory: where to; DIR/server, DIR/aggregator-0, DIR/client-0 and so on, each for one
            party alone, and DIR/authority, for nobody.
        aggregators: how many.
        clients: how many.
        hosts: a name or IP address for each aggregator, for which its certificate is good too;
            none where addresses are NAME@HOST:PORT.
        days: how long certificates last.

    Returns:
        Names of aggregators and clients: aggregator-0, .., client-0, ..

    Raises:
        InvalidArgument: if the directory has such files already, or an argument can't be used.

    Example:
        >>> import tempfile
        >>> from anyk.aggregation.remote.founding import found_committee
        >>> with tempfile.TemporaryDirectory() as place:
        ...     names = found_committee(Path(place), aggregators=1, clients=2)
        ...     files = sorted(path.name for path in (Path(place) / "client-1").iterdir())
        >>> names, files
        (['aggregator-0', 'client-0', 'client-1'], ['identity', 'roster.json'])
    """
    others = [f"client-{place}" for place in range(count("clients", clients, least=1))]
    names = certify_parties(
        directory, "server", "aggregator", aggregators, hosts=hosts, days=days, others=others
    )
    identities = [Identity.generate(name) for name in (*names, *others)]
    members = tuple(each.member for each in identities)
    roster = Roster(clients=members[len(names) :], aggregators=members[: len(names)])
    for identity in identities:
        place = directory / identity.name
        place.mkdir(mode=0o700, exist_ok=True)
        identity.save(place / IDENTITY)
    for name in ["server", *(each.name for each in identities)]:
        roster.save(directory / name / ROSTER)
    return [each.name for each in identities]
