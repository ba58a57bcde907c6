"""`Client`: makes its one message of a round."""

from __future__ import annotations

from typing import Any, final

from anyk.aggregation.committee import Committee
from anyk.aggregation.identity import Identity
from anyk.aggregation.roster import Roster

__all__ = ["Client"]


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
        self.plan, self.roster = plan, roster

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
        raise NotImplementedError
