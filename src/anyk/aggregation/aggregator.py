"""`Aggregator`: takes pieces, signs one set a round, and gives the sum of its pieces."""

from __future__ import annotations

from typing import Final, final

from anyk.aggregation.holding import Holding
from anyk.aggregation.identity import Identity
from anyk.aggregation.journal import AbstractJournal, MemoryJournal
from anyk.aggregation.parties import AbstractParty
from anyk.aggregation.plan import AbstractPlan
from anyk.aggregation.requests import (
    KEEP,
    OFFER,
    SIGN,
    SUM,
    done,
    offered,
    refused,
    signatures_of,
)
from anyk.aggregation.roster import Roster
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import DIGEST, Garbled, Reader, number, text, whole
from anyk.checks import count, instance

__all__ = ["MOST_ROUNDS", "Aggregator"]

MOST_ROUNDS: Final = 8
"""Rounds that a party has open at once, unless it is told otherwise."""

_UNKNOWN: Final = b"?"


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
        rounds: how many it has open at once; the oldest is forgotten for one more, but not its set.

    Raises:
        InvalidArgument: if its name and keys are not in the roster, or plan and roster do not fit.

    Guarantee:
        In each round it signs one set at most, also after a restart with its journal, and gives no
        sum but of that set, when q parties signed it. It holds pieces of `plan.most_held` clients
        one by one at most, in each of so many rounds; all others are added or forgotten.
    """

    def __init__(
        self,
        plan: AbstractPlan,
        identity: Identity,
        roster: Roster,
        *,
        least_clients: int | None = None,
        journal: AbstractJournal | None = None,
        rounds: int = MOST_ROUNDS,
    ) -> None:
        self._setting = Setting(plan, roster)
        self._place = self._setting.own_place(identity, client=False)
        self._identity = identity
        own = (
            plan.least_clients
            if least_clients is None
            else count("least_clients", least_clients, least=1)
        )
        self._least = max(own, plan.least_clients)
        if journal is not None:
            instance("journal", journal, AbstractJournal, change="Pass FileJournal(path).")
        self._journal = MemoryJournal() if journal is None else journal
        self._most = count("rounds", rounds, least=1)
        self._rounds: dict[int, Holding] = {}

    @property
    def name(self) -> str:
        """Its name in the roster."""
        return self._identity.name

    @property
    def most_request(self) -> int:
        """Bytes of a request that it reads; a transport refuses longer ones unread."""
        return self._setting.most_request(self._place)

    def answer(self, request: bytes) -> bytes:
        """Answer the server, or refuse with a reason; see `AbstractParty`."""
        kind = _UNKNOWN
        try:
            if len(whole(request)) > self.most_request:
                return refused(kind, "the request is too long")
            reader = Reader(request)
            kind, round_number = self._setting.read_start(reader)
            if kind == OFFER:
                payload = self._offer(reader, round_number)
            elif kind == KEEP:
                payload = self._keep(reader, round_number)
            elif kind == SIGN:
                payload = self._sign(reader, round_number)
            elif kind == SUM:
                payload = self._sum(reader, round_number)
            else:
                return refused(kind, "there is no such request")
        except Garbled as why:
            return refused(kind, str(why))
        return done(kind, payload)

    def _offer(self, reader: Reader, round_number: int) -> bytes:
        boxes = offered(self._setting, reader, self._place)
        holding = self._rounds.get(round_number)
        if holding is None:
            holding = Holding(self._setting, round_number, self._place)
        late = self._closed(round_number, holding)
        out = []
        for head, box in boxes:
            try:
                values = holding.take(self._identity, head, box, late=late)
                self._open(round_number, holding)
                out.append(number(0, 1) + values)
            except Garbled as why:
                out.append(number(1, 1) + text(str(why)))
        return b"".join(out)

    def _open(self, round_number: int, holding: Holding) -> None:
        """Keep a round, now that a client's signature says that it is one."""
        if round_number in self._rounds:
            return
        if len(self._rounds) >= self._most:
            oldest = min(self._rounds)
            if round_number < oldest:
                raise Garbled(f"it is of a round older than {self._most} others")
            del self._rounds[oldest]
        self._rounds[round_number] = holding

    def _closed(self, round_number: int, holding: Holding) -> bool:
        """Whether the set that it holds is signed; after a restart it is filled again."""
        signed = self._journal.signed(round_number)
        return signed is not None and signed == holding.digest

    def _holding(self, round_number: int) -> Holding:
        if round_number not in self._rounds:
            raise Garbled("nothing is held of this round")
        return self._rounds[round_number]

    def _keep(self, reader: Reader, round_number: int) -> bytes:
        drop, many = reader.number(1), reader.number(4)
        if many > len(self._setting.roster.clients):
            raise Garbled("it keeps more clients than there are")
        clients = [reader.number(4) for _ in range(many)]
        reader.end()
        holding = self._holding(round_number)
        if self._closed(round_number, holding) and holding.lacks(clients):
            raise Garbled("it is late: the set of this round is signed")
        return number(holding.keep(clients, drop=bool(drop)), 4)

    def _sign(self, reader: Reader, round_number: int) -> bytes:
        digest = reader.raw(DIGEST)
        reader.end()
        holding = self._holding(round_number)
        before = self._journal.signed(round_number)
        if before is not None and before != digest:
            raise Garbled("another set of this round is signed")
        if holding.digest != digest:
            raise Garbled(f"its own set is another one, of {holding.size} clients")
        if holding.size < self._least:
            raise Garbled(f"a set of {holding.size} clients is below {self._least}")
        if holding.size > self._setting.plan.most:
            raise Garbled(f"a set of {holding.size} clients is above {self._setting.plan.most}")
        if before is None:
            self._journal.note(round_number, digest)
        return self._identity.sign(self._setting.signed_set(round_number, digest))

    def _sum(self, reader: Reader, round_number: int) -> bytes:
        digest = reader.raw(DIGEST)
        signatures = signatures_of(self._setting, reader)
        holding = self._holding(round_number)
        if self._journal.signed(round_number) != digest or holding.digest != digest:
            raise Garbled("it did not sign this set")
        message = self._setting.signed_set(round_number, digest)
        members = self._setting.parties
        agreed = sum(members[place].signed(own, message) for place, own in signatures.items())
        if agreed < self._setting.plan.signatures:
            needed = self._setting.plan.signatures
            raise Garbled(f"{agreed} parties signed this set, and {needed} are needed")
        payload = holding.total
        signed = self._setting.signed_sum(round_number, digest, payload)
        return payload + self._identity.sign(signed)
