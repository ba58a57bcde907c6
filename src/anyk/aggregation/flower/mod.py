"""`SecureMod`: what a client of Flower trained leaves it in one sealed message alone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from flwr.app import ArrayRecord, ConfigRecord, Context, Error, Message, MetricRecord, RecordDict

from anyk.aggregation.client import Client
from anyk.aggregation.committee import Committee
from anyk.aggregation.flower.arrays import MESSAGE, RECORD, ROUND, joined
from anyk.aggregation.flower.rehearsal import client_name, keys_in
from anyk.aggregation.identity import Identity
from anyk.aggregation.roster import Roster
from anyk.checks import instance, shown
from anyk.errors import InvalidArgument

__all__ = ["SecureMod"]

App = Callable[[Message, Context], Message]

_LOG: Final = logging.getLogger("flwr")  # Flower's own
_REFUSED: Final = 6  # Flower's code for a mod that can't go on
_PARTY: Final = "anyk-party"


@final
@dataclass(frozen=True)
class SecureMod:
    """A mod for clients: `ClientApp(mods=[SecureMod(plan)])`, the first of the mods.

    Of a reply to a message of type train, it seals the arrays and the weight for the aggregators,
    and sends the other metrics as they are. A number that is out of range is refused: the client
    fails in this round, its own log says which number it was, and the server hears of the limit
    alone. What asks for no sealed vector is refused before anything is trained. Replies to messages
    of other types pass, unless they hold arrays.

    A node finds its keys, `identity` and `roster.json`, by its configuration, which nobody but the
    node sets: `flower-supernode --node-config "anyk-party='/keys/client-0'" ..`.

    Args:
        plan: the same for all. It is not taken from the server.
        weighted_by: key of the weight among the metrics, a whole number from 1 on. The server sees
            1 there.
        rehearsal: folder of `rehearse`, for simulations alone: the keys of everybody are in it.

    Raises:
        InvalidArgument: if the plan is none of a committee.

    Guarantee:
        As of `Committee`, if the app that runs on a node is one that the node trusts: Flower sends
        apps to nodes, and one without this mod sends arrays as they are.
    """

    plan: Committee
    weighted_by: str = "num-examples"
    rehearsal: Path | str | None = None

    def __post_init__(self) -> None:
        instance("plan", self.plan, Committee, change="Pass anyk.aggregation.Committee(...).")

    def __call__(self, message: Message, context: Context, call_next: App) -> Message:
        """Train, and seal what came of it.

        Args:
            message: of the server.
            context: of the node.
            call_next: the app.
        """
        if message.metadata.message_type.partition(".")[0] != "train":
            return _without_arrays(message, call_next(message, context))
        try:
            number = _round_of(message, context)
            identity, roster = self._keys(context)
            client = Client(self.plan, identity, roster)
            model = _only("arrays", message.content.array_records)
        except (InvalidArgument, OSError) as error:
            return _refusal(message, error)
        reply = call_next(message, context)
        if reply.has_error():
            return reply
        try:
            sealed = self._sealed(client, number, reply.content, model)
        except InvalidArgument as error:
            return _refusal(message, error)
        context.state.config_records[RECORD] = ConfigRecord({ROUND: number})
        metrics = self._without_weight(reply.content)
        record = ConfigRecord({MESSAGE: sealed})
        return Message(RecordDict({**metrics, RECORD: record}), reply_to=message)

    def _keys(self, context: Context) -> tuple[Identity, Roster]:
        """Its own keys, and those of all."""
        if self.rehearsal is not None:
            return keys_in(Path(self.rehearsal) / client_name(context.node_config["partition-id"]))
        party = context.node_config.get(_PARTY)
        if not isinstance(party, str):
            raise InvalidArgument(
                "node-config",
                given=shown(sorted(context.node_config)),
                needed=f"{_PARTY}, the directory of this client's identity and of the roster",
                change=f"Start the node with --node-config \"{_PARTY}='DIRECTORY'\".",
            )
        return keys_in(Path(party))

    def _sealed(
        self, client: Client, number: int, content: RecordDict, model: ArrayRecord
    ) -> bytes:
        """The message of the client."""
        update = _only("arrays", content.array_records)
        metrics = _only("metrics", content.metric_records)
        weight = metrics.get(self.weighted_by)
        if not isinstance(weight, int | float) or not float(weight).is_integer():
            raise InvalidArgument(
                self.weighted_by,
                given=shown(type(weight).__name__),
                needed="a whole number among the metrics, the weight of this client",
                change="Put the number of examples there, or name its key by weighted_by=.",
            )
        own = int(weight) if self.plan.most_weight is not None else 1
        return client.contribute(joined(update, model), round=number, weight=own)

    def _without_weight(self, content: RecordDict) -> dict[str, MetricRecord]:
        """Its metrics, with 1 as the weight."""
        ((key, metrics),) = content.metric_records.items()
        return {key: MetricRecord({**metrics, self.weighted_by: 1})}


def _round_of(message: Message, context: Context) -> int:
    """The number of the round, above all that this node took part in."""
    numbers = [
        record[ROUND] for record in message.content.config_records.values() if ROUND in record
    ]
    if len(numbers) != 1 or not isinstance(numbers[0], int):
        raise InvalidArgument(
            ROUND,
            given=f"a message with {len(numbers)} of it",
            needed="a server that asks for sealed vectors; nothing else leaves this client",
            change="Wrap the server's strategy: SecureStrategy(strategy, plan, ..).",
        )
    before = context.state.config_records.get(RECORD, ConfigRecord()).get(ROUND, -1)
    if not isinstance(before, int) or numbers[0] <= before:
        raise InvalidArgument(
            ROUND,
            given=str(numbers[0]),
            needed=f"a number above {before!r}, as this client sends one vector a round",
            change="Let SecureStrategy number the rounds.",
        )
    return numbers[0]


def _without_arrays(message: Message, reply: Message) -> Message:
    """A reply to another message, if it holds no arrays."""
    if reply.has_error() or not reply.content.array_records:
        return reply
    error = InvalidArgument(
        "arrays",
        given=f"arrays in a reply to a message of type {message.metadata.message_type}",
        needed="arrays in replies to messages of type train alone, which are sealed",
        change="Return metrics, or leave SecureMod out where arrays are no secret.",
    )
    return _refusal(message, error)


def _only(what: str, records: Any) -> Any:
    """The only record of its kind."""
    if len(records) != 1:
        raise InvalidArgument(
            what,
            given=f"{len(records)} records of {what}",
            needed="one in each message, as Flower's strategies have it",
            change="Put all in one record.",
        )
    return next(iter(records.values()))


def _refusal(message: Message, error: InvalidArgument | OSError) -> Message:
    """What the server hears: no value, as one may be of the vector; the node's own log has it."""
    _LOG.error("anyk: %s", error)
    if isinstance(error, InvalidArgument):
        reason = f"refused at the client: {error.argument}; needed: {error.needed}. {error.change}"
    else:
        reason = f"the client has no keys: {type(error).__name__}"
    return Message(Error(code=_REFUSED, reason=f"anyk: {reason}"), reply_to=message)
