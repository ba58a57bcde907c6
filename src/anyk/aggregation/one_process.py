"""`aggregate`: a whole round in one process, for tests, documentation and simulations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from anyk.aggregation.aggregator import Aggregator
from anyk.aggregation.client import Client
from anyk.aggregation.committee import Committee
from anyk.aggregation.identity import Identity
from anyk.aggregation.light_sec_agg import LightSecAgg
from anyk.aggregation.masking_client import MaskingClient
from anyk.aggregation.parties import LocalParties
from anyk.aggregation.result import Aggregated
from anyk.aggregation.roster import Roster
from anyk.aggregation.server import Server
from anyk.checks import instance, several
from anyk.errors import InvalidArgument

__all__ = ["aggregate"]

_SHOWN = 3


def aggregate(
    plan: Committee | LightSecAgg,
    vectors: Mapping[str, Any] | Sequence[Any],
    weights: Mapping[str, int] | Sequence[int] | None = None,
    *,
    gone: Collection[str] = (),
) -> Aggregated:
    """A round with fresh keys, all parties in this process: it protects nobody from anybody.

    Args:
        plan: of the round.
        vectors: by client's name; or in a row, of clients that are then called "client-0" and so
            on.
        weights: likewise, where the plan has weights.
        gone: names of parties that are silent: "aggregator-0" and so on, or clients of
            `LightSecAgg` that are gone after they sent.

    Returns:
        The sum, and what happened.

    Raises:
        InvalidArgument: if a vector is out of range, there are more of them than the plan has room
            for, weights are not of the same clients, or nobody has a name that is gone.
        NotEnoughAnswers: if too many are gone.

    Example:
        >>> from anyk import aggregation
        >>> fixed = anyk.FixedPoint(fraction_bits=16, magnitude=8.0)
        >>> plan = aggregation.Committee(
        ...     aggregators=5, length=2, clients=10, numbers=fixed, stragglers=1, most_weight=100
        ... )
        >>> vectors = {"ann": [0.5, -1.0], "bob": [2.0, 3.0], "eve": [1.0, 0.0]}
        >>> result = aggregation.aggregate(
        ...     plan, vectors, {"ann": 10, "bob": 20, "eve": 10}, gone=["aggregator-3"]
        ... )
        >>> result.value, result.weight, result.counted
        (array([1.375, 1.25 ]), 40, ('ann', 'bob', 'eve'))
    """
    instance("plan", plan, (Committee, LightSecAgg), change="Pass aggregation.Committee(..).")
    gone = {str(each) for each in several("gone", gone, change="Pass a list of names.")}
    named = _named("vectors", vectors)
    own = dict.fromkeys(named, 1) if weights is None else _named("weights", weights)
    if set(own) != set(named):
        raise InvalidArgument(
            "weights",
            given=f"{len(own)}, for {_some(own)}",
            needed=f"{len(named)}, for {_some(named)}, who have the vectors",
            change="Give each client a weight, by name if vectors have names.",
        )
    if len(named) > plan.most:
        raise InvalidArgument(
            "vectors",
            given=f"{len(named)} of them",
            needed=f"at most {plan.most}, which the plan has room for",
            change="Make the plan with clients= of as many.",
        )
    if isinstance(plan, LightSecAgg):
        parties = list(named)
    else:
        parties = [f"aggregator-{at}" for at in range(plan.aggregators)]
    if not gone <= set(parties):
        raise InvalidArgument(
            "gone",
            given=_some(sorted(gone - set(parties))),
            needed=f"names of parties, such as {_some(parties)}",
            change="Leave out the vectors of clients that send nothing.",
        )
    clients = [Identity.generate(name) for name in named]
    if isinstance(plan, LightSecAgg):
        return _masked(plan, clients, named, own, gone)
    helpers = [Identity.generate(name) for name in parties]
    roster = Roster(
        clients=tuple(each.member for each in clients),
        aggregators=tuple(each.member for each in helpers),
    )
    there = {each.name: Aggregator(plan, each, roster) for each in helpers if each.name not in gone}
    served = Server(plan, roster, LocalParties(there)).round(0)
    for each in clients:
        message = Client(plan, each, roster).contribute(
            named[each.name], round=0, weight=own[each.name]
        )
        served.receive(message)
    return served.close()


def _masked(
    plan: LightSecAgg,
    clients: Sequence[Identity],
    vectors: Mapping[str, Any],
    weights: Mapping[str, int],
    gone: Collection[str],
) -> Aggregated:
    roster = Roster(clients=tuple(each.member for each in clients))
    people = {each.name: MaskingClient(plan, each, roster) for each in clients}
    there = {name: client for name, client in people.items() if name not in gone}
    served = Server(plan, roster, LocalParties(there)).round(0)
    for client in people.values():
        served.receive(client.prepare(round=0))
    served.relay()
    for name, client in people.items():
        served.receive(client.contribute(vectors[name], round=0, weight=weights[name]))
    return served.close()


def _some(names: Collection[str]) -> str:
    """The first of them, for an error."""
    first = [str(name) for name in list(names)[:_SHOWN]]
    return ", ".join(first) + ", .." * (len(first) < len(names)) or "nobody"


def _named(argument: str, values: Any) -> dict[str, Any]:
    """By name; by number where there are no names."""
    if isinstance(values, Mapping):
        return dict(values)
    try:
        return {f"client-{at}": each for at, each in enumerate(values)}
    except TypeError as error:
        raise InvalidArgument(
            argument,
            given=type(values).__name__,
            needed="one for each client, by name or in a row",
            change="Pass a dict or a list.",
        ) from error
