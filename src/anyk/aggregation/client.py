"""`Client`: makes its one message of a round."""

from __future__ import annotations

from typing import Any, final

from anyk.aggregation.boxes import message_of
from anyk.aggregation.committee import Committee
from anyk.aggregation.identity import Identity
from anyk.aggregation.noise import noised
from anyk.aggregation.pieces import pieces_of
from anyk.aggregation.roster import Roster
from anyk.aggregation.setting import Setting
from anyk.checks import instance
from anyk.errors import InvalidArgument
from anyk.randomness.entropy import SystemSource

__all__ = ["Client", "later"]


@final
class Client:
    """A client of a committee: it turns a vector into one message, for the server to relay.

    Args:
        plan: the same for all.
        identity: its own keys; its name stands in the roster.
        roster: the same for all.

    Raises:
        InvalidArgument: if its name and keys are not in the roster, or plan and roster do not fit.
    """

    def __init__(self, plan: Committee, identity: Identity, roster: Roster) -> None:
        instance("plan", plan, Committee, change="Pass a Committee; LightSecAgg has MaskingClient.")
        self._setting = Setting(plan, roster)
        self._setting.own_place(identity, client=True)
        self._identity = identity
        self._last = -1

    @property
    def name(self) -> str:
        """Its name in the roster."""
        return self._identity.name

    def contribute(self, vector: Any, *, round: int, weight: int = 1) -> bytes:  # noqa: A002 - what everybody calls it
        """The one message of a round: give it to the server, over any channel.

        Args:
            vector: array-like of the plan's length.
            round: number of the round, above those before.
            weight: of this client, where the plan has weights.

        Returns:
            The message. To send it again, send the same bytes.

        Raises:
            InvalidArgument: if a number is not finite or out of range (the value, where it is, and
                the limit), or the round is not above those before. Nothing is ever clipped.
        """
        number = later(round, self._last)
        integers = self._setting.plan.vectors.integers(vector, weight)
        integers = noised(self._setting.plan.noise, self._setting.plan.vectors, integers)
        pieces = pieces_of(self._setting, integers, SystemSource())
        message, _ = message_of(self._setting, self._identity, number, pieces)
        self._last = number
        return message


def later(round_number: int, last: int) -> int:
    """Check that a round is above those before.

    Args:
        round_number: that was given.
        last: the last one.

    Raises:
        InvalidArgument: if it is not, or is no number of a round.
    """
    number = Setting.round_number(round_number)
    if number <= last:
        raise InvalidArgument(
            "round",
            given=str(number),
            needed=f"more than {last}, in which this client sent a message",
            change="Send the same bytes again if they were lost; number each round anew.",
        )
    return number
