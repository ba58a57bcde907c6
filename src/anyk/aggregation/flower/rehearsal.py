"""`rehearse`: keys of everybody in one folder, and the committee in the server's own process."""

from __future__ import annotations

from pathlib import Path

from anyk.aggregation.aggregator import Aggregator
from anyk.aggregation.committee import Committee
from anyk.aggregation.identity import Identity
from anyk.aggregation.parties import LocalParties
from anyk.aggregation.remote.founding import IDENTITY, ROSTER
from anyk.aggregation.roster import Roster
from anyk.checks import count

__all__ = ["client_name", "keys_in", "rehearse"]


def keys_in(directory: Path) -> tuple[Identity, Roster]:
    """What the directory of a party holds: its own keys, and those that all know.

    Args:
        directory: as `anyk committee` writes one for each party.

    Raises:
        InvalidArgument: if the files are of another kind.
        OSError: if they can't be read.
    """
    return Identity.load(directory / IDENTITY), Roster.load(directory / ROSTER)


def client_name(partition: object) -> str:
    """The name of a simulated client.

    Args:
        partition: its number in Flower's simulation, from 0 on.
    """
    return f"client-{partition}"


def rehearse(directory: Path | str, plan: Committee, clients: int) -> tuple[Roster, LocalParties]:
    """A committee for simulations and tests: it protects nothing, as the server has all keys.

    Args:
        directory: for a directory of each party. Keys that are there from before are used again.
        plan: of the committee.
        clients: how many nodes Flower simulates.

    Returns:
        Roster and parties, the last two arguments of `SecureStrategy`.

    Raises:
        InvalidArgument: if clients is below 1, or what is in the directory are no keys.
    """
    names = [client_name(i) for i in range(count("clients", clients, least=1))]
    places = [Path(directory) / name for name in names]
    places += [Path(directory) / f"aggregator-{i}" for i in range(plan.aggregators)]
    identities = [_kept(place) for place in places]
    members = tuple(each.member for each in identities)
    roster = Roster(clients=members[:clients], aggregators=members[clients:])
    for place in places:
        roster.save(place / ROSTER)
    committee = {each.name: Aggregator(plan, each, roster) for each in identities[clients:]}
    return roster, LocalParties(committee)


def _kept(place: Path) -> Identity:
    """The keys of one party, which are made when there are none."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (place / IDENTITY).exists():
        Identity.generate(place.name).save(place / IDENTITY)
    return Identity.load(place / IDENTITY)
