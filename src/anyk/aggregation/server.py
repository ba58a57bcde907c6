"""`Server`: relays boxes, proposes a set, gathers signatures and sums, and decodes the sum."""

from __future__ import annotations

from typing import final

from anyk.aggregation.parties import AbstractParties
from anyk.aggregation.plan import AbstractPlan
from anyk.aggregation.result import Aggregated
from anyk.aggregation.roster import Roster

__all__ = ["Round", "Server"]


@final
class Server:
    """Whoever wants the sum. It holds no keys, and sees nothing but the sum.

    Args:
        plan: the same for all.
        roster: the same for all.
        parties: how aggregators (of a `Committee`) or clients (of `LightSecAgg`) are asked.
        timeout: seconds for each question, of which a round has few: some for boxes, one for
            signatures, one for sums.
        hold: bytes of messages that are held back before they are relayed. As long as a client's
            message is held, a second and different one makes it be left out; once the first is
            relayed, it counts.
        vetoes: how many clients one party may have left out of a round by refusing their boxes; a
            party that refuses more, which others accept, is left out itself.

    Raises:
        InvalidArgument: if plan and roster do not fit.
    """

    def __init__(
        self,
        plan: AbstractPlan,
        roster: Roster,
        parties: AbstractParties,
        *,
        timeout: float = 30.0,
        hold: int = 1 << 26,
        vetoes: int | None = None,
    ) -> None:
        self.plan, self.roster, self.parties, self.timeout = plan, roster, parties, timeout

    def round(self, number: int) -> Round:
        """Open a round; several may be open at once.

        Args:
            number: of the round: above those before, for all clients and parties.
        """
        raise NotImplementedError


@final
class Round:
    """One round of a server: `receive` each client's message, then `close` it.

    Not safe for threads: call it from one, or hold a lock.
    """

    def receive(self, message: bytes) -> str:
        """Take the message of a client.

        Args:
            message: as a client made it, or anything else.

        Returns:
            "" if it is taken (or was before: the same bytes count once), else why not. It raises
            nothing for what a client sent.
        """
        raise NotImplementedError

    def relay(self) -> None:
        """Send the boxes that are held to the parties now, and not only when they fill `hold`."""
        raise NotImplementedError

    def close(self) -> Aggregated:
        """Propose the set of those who sent, gather signatures and sums, and decode.

        Returns:
            The sum, who is in it, and who is not.

        Raises:
            NotEnoughAnswers: if too few clients sent, too few parties signed, or too few gave their
                sums: who is missing, and why.
            TooManyErrors: if the sums contradict each other, and not by as many liars as promised.
        """
        raise NotImplementedError
