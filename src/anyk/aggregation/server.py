"""`Server`: relays boxes, proposes a set, gathers signatures and sums, and decodes the sum."""

from __future__ import annotations

from typing import Final, final

from anyk.aggregation.parties import AbstractParties
from anyk.aggregation.plan import AbstractPlan
from anyk.aggregation.roster import Roster
from anyk.aggregation.round import Round
from anyk.aggregation.setting import Setting
from anyk.checks import count, instance, positive

__all__ = ["Server"]

_HOLD: Final = 1 << 26


@final
class Server:
    """Whoever wants the sum. It holds no keys, and sees nothing but the sum.

    Args:
        plan: the same for all.
        roster: the same for all.
        parties: how aggregators (of a `Committee`) or clients (of `LightSecAgg`) are asked.
        timeout: seconds for each question, of which a round has few: two for each lot of boxes, one
            for signatures, one for sums.
        hold: bytes of messages that are held back before they are relayed. As long as a client's
            message is held, a second and different one makes it be left out; once the first is
            relayed, it counts.
        vetoes: how many clients one party may have left out of a round by refusing their boxes; a
            party that refuses more, which others accept, is left out itself. One in fifty clients
            where it is None, and one at least. More clients than these, who work together, can
            have an honest party left out of a round: each sends it a box that is not right.

    Raises:
        InvalidArgument: if plan and roster do not fit, or a number is out of range.
    """

    def __init__(
        self,
        plan: AbstractPlan,
        roster: Roster,
        parties: AbstractParties,
        *,
        timeout: float = 30.0,
        hold: int = _HOLD,
        vetoes: int | None = None,
    ) -> None:
        self._setting = Setting(plan, roster)
        instance("parties", parties, AbstractParties, change="Pass LocalParties({name: party}).")
        self._parties = parties
        self._timeout = positive("timeout", timeout, change="Give seconds.")
        self._hold = count("hold", hold, least=0)
        few = max(1, len(roster.clients) // 50) if vetoes is None else vetoes
        self._vetoes = count("vetoes", few, least=0)

    @property
    def most_message(self) -> int:
        """Bytes of a client's message; a transport refuses longer ones unread."""
        return self._setting.most_message

    @property
    def most_answer(self) -> int:
        """Bytes of a party's answer; a transport refuses longer ones unread."""
        return self._setting.most_answer

    def round(self, number: int) -> Round:
        """Open a round; several may be open at once.

        Args:
            number: of the round: above those before, for all clients and parties.

        Raises:
            InvalidArgument: if it is no integer from 0 to 2**63 - 1.
        """
        return Round(
            self._setting,
            Setting.round_number(number),
            self._parties,
            timeout=self._timeout,
            hold=self._hold,
            vetoes=self._vetoes,
        )
