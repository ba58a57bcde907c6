"""`Aggregator`: takes pieces, signs one set a round, and gives the sum of its pieces."""

from __future__ import annotations

from typing import final

from anyk.aggregation.identity import Identity
from anyk.aggregation.journal import AbstractJournal, MemoryJournal
from anyk.aggregation.parties import AbstractParty
from anyk.aggregation.plan import AbstractPlan
from anyk.aggregation.roster import Roster

__all__ = ["Aggregator"]


@final
class Aggregator(AbstractParty):
    """One of a committee: it adds the pieces of clients, and gives a sum of an agreed set alone.

    It takes boxes that clients signed and sealed for it, adds the pieces of those that the server
    keeps, signs one set a round, and gives its sum when it sees a quorum of signatures on that set.

    Args:
        plan: the same for all.
        identity: its own keys; its name stands in the roster.
        roster: the same for all.
        least_clients: the fewest clients of a set that it signs; at least that of the plan.
        journal: where it notes what it signed before the signature is out, so that it signs no
            second set after a restart: `FileJournal(path)` for an aggregator that may restart.

    Raises:
        InvalidArgument: if its name and keys are not in the roster, or plan and roster do not fit.
    """

    def __init__(
        self,
        plan: AbstractPlan,
        identity: Identity,
        roster: Roster,
        *,
        least_clients: int | None = None,
        journal: AbstractJournal | None = None,
    ) -> None:
        self.plan, self.roster = plan, roster
        self._journal = MemoryJournal() if journal is None else journal

    def answer(self, request: bytes) -> bytes:
        """Answer the server, or refuse with a reason; see `AbstractParty`."""
        raise NotImplementedError
