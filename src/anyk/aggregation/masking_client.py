"""`MaskingClient`: a client of `LightSecAgg`, which is also asked for sums of pieces of masks."""

from __future__ import annotations

from typing import Any, final

from anyk.aggregation.identity import Identity
from anyk.aggregation.light_sec_agg import LightSecAgg
from anyk.aggregation.parties import AbstractParty
from anyk.aggregation.roster import Roster

__all__ = ["MaskingClient"]


@final
class MaskingClient(AbstractParty):
    """A client of `LightSecAgg`: it masks its own vectors, and is a party that is asked.

    Args:
        plan: the same for all.
        identity: its own keys; its name stands in the roster.
        roster: the same for all.

    Raises:
        InvalidArgument: if its name and keys are not in the roster, or plan and roster do not fit.
    """

    def __init__(self, plan: LightSecAgg, identity: Identity, roster: Roster) -> None:
        self.plan, self.roster = plan, roster

    def prepare(self, *, round: int) -> bytes:  # noqa: A002 - what everybody calls it
        """The message before the vector is known: pieces of a fresh mask, sealed for each client.

        Args:
            round: its number, above those before.

        Returns:
            The message, for the server.
        """
        raise NotImplementedError

    def contribute(self, vector: Any, *, round: int, weight: int = 1) -> bytes:  # noqa: A002 - what everybody calls it
        """The masked vector, for a round that is prepared; once.

        Args:
            vector: array-like of the plan's length.
            round: its number.
            weight: of this client, where the plan has weights.

        Returns:
            The message, for the server.

        Raises:
            InvalidArgument: if a number is not finite or out of range, the round is not prepared,
                or its mask is used.
        """
        raise NotImplementedError

    def answer(self, request: bytes) -> bytes:
        """Answer the server: take pieces, sign a set, give the sum of its pieces."""
        raise NotImplementedError
