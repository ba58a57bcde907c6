"""`Setting`: a plan and a roster together, and what follows from both: sizes, places, digests."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final, final

from anyk.aggregation.identity import KEY_BYTES, MOST_NAME, SIGNATURE_BYTES, Identity, Member
from anyk.aggregation.plan import AbstractPlan
from anyk.aggregation.roster import Roster
from anyk.aggregation.sum_code import SumCode
from anyk.aggregation.wire import DIGEST, LATEST, MAGIC, Garbled, Reader, number
from anyk.checks import count, instance
from anyk.errors import InvalidArgument

__all__ = ["SEED", "TAG", "WEIGHT_BITS", "Setting"]

SEED: Final = 48
"""Bytes of a seed: an AES-256 key and the counter it starts at."""

TAG: Final = 16
"""Bytes that sealing adds."""

WEIGHT_BITS: Final = 16
"""Of a number that those of a piece are multiplied by, to check them."""

_CHECK_BITS: Final = 120
_WORD: Final = 4
_MORE: Final = 1 << 12  # bytes of a request beside boxes
_MORE_OF_A_BOX: Final = 2 + 255  # bytes of why it is refused


@final
@dataclass(frozen=True, eq=False)
class Setting:
    """A plan with its roster.

    Args:
        plan: the same for all.
        roster: the same for all.

    Raises:
        InvalidArgument: if they do not fit, or one is none.
    """

    plan: AbstractPlan
    roster: Roster

    def __post_init__(self) -> None:
        change = "Pass aggregation.Committee(..) or aggregation.LightSecAgg(..)."
        instance("plan", self.plan, AbstractPlan, change=change)
        instance("roster", self.roster, Roster, change="Pass aggregation.Roster(..).")
        _ = self.parties

    @cached_property
    def parties(self) -> tuple[Member, ...]:
        """Who holds pieces, in their order."""
        return self.plan.parties(self.roster)

    @cached_property
    def party_places(self) -> MappingProxyType[str, int]:
        """Of a party's name: which piece is its own."""
        return MappingProxyType({each.name: place for place, each in enumerate(self.parties)})

    @cached_property
    def context(self) -> bytes:
        """32 bytes: in all that is signed and sealed."""
        return self.plan.context(self.roster)

    @cached_property
    def codes(self) -> tuple[SumCode, ...]:
        """One for each prime."""
        return self.plan.codes()

    @cached_property
    def checks(self) -> int:
        """Numbers behind those of a piece, to check it by: a wrong one gets by once in 2^120.

        Of the numbers of 16 bits that a wrong one is multiplied by, no residue has more than
        2^16 / p, rounded up; and at most one residue in each place lets it get by.
        """
        smallest = min(field.modulus for field in self.plan.vectors.fields)
        same = -(-(1 << WEIGHT_BITS) // smallest)
        return math.ceil(_CHECK_BITS / (WEIGHT_BITS - math.log2(same)))

    @cached_property
    def width(self) -> int:
        """Numbers of a piece, with those to check it by."""
        return self.plan.piece + self.checks

    @cached_property
    def box_sizes(self) -> tuple[int, ...]:
        """Bytes of each party's box."""
        seeds, rest = self.plan.seeds, len(self.parties) - self.plan.seeds
        seed, piece = SEED * len(self.codes), self.bytes_of(self.width)
        return (seed + TAG,) * seeds + (piece + TAG,) * rest

    @cached_property
    def most_header(self) -> int:
        """Bytes of a header, at most."""
        fixed = len(MAGIC) + 1 + DIGEST + 8 + 1 + MOST_NAME + KEY_BYTES + SIGNATURE_BYTES
        return fixed + DIGEST * len(self.parties)

    def most_request(self, place: int) -> int:
        """Bytes of a request to a party, at most.

        Args:
            place: of the party.
        """
        signatures = len(self.parties) * (2 + SIGNATURE_BYTES)
        each = self.most_header + 4 + self.box_sizes[place]
        return _MORE + signatures + 4 * len(self.roster.clients) + self.plan.most_held * each

    @cached_property
    def most_answer(self) -> int:
        """Bytes of an answer of a party, at most."""
        each = max(_MORE_OF_A_BOX, 1 + self.bytes_of(self.checks))
        return _MORE + self.sum_bytes + SIGNATURE_BYTES + self.plan.most_held * each

    @cached_property
    def most_message(self) -> int:
        """Bytes of a message of a client, at most."""
        masked = self.bytes_of(self.plan.vectors.entries) if self.plan.masked else 0
        return self.most_header + max(masked, sum(self.box_sizes))

    @property
    def sum_bytes(self) -> int:
        """Of a sum of pieces."""
        return self.bytes_of(self.plan.piece)

    def bytes_of(self, numbers: int) -> int:
        """Bytes of residues, modulo each of the primes.

        Args:
            numbers: how many.
        """
        return _WORD * len(self.codes) * numbers

    def start(self, kind: bytes, round_number: int) -> bytes:
        """The start of every message.

        Args:
            kind: one byte.
            round_number: of the round.
        """
        return MAGIC + kind + self.context + number(round_number, 8)

    def read_start(self, reader: Reader) -> tuple[bytes, int]:
        """Its kind and round, if it is of this plan and roster.

        Args:
            reader: at the start of a message.

        Raises:
            Garbled: if it is not.
        """
        reader.expect(MAGIC, "it is no message of this protocol")
        kind = reader.raw(1)
        reader.expect(self.context, "it is of another plan or roster")
        round_number = reader.number(8)
        if round_number > LATEST:
            raise Garbled("its round is out of range")
        return kind, round_number

    def set_digest(self, round_number: int, counted: Iterable[tuple[int, bytes]]) -> bytes:
        """SHA-256 of a set of clients, and of what each of them sent.

        Args:
            round_number: of the round.
            counted: place and digest of the header of each, in any order.
        """
        state = hashlib.sha256(b"anyk clients\0" + self.context + number(round_number, 8))
        for place, digest in sorted(counted):
            state.update(number(place, 4) + digest)
        return state.digest()

    def signed_set(self, round_number: int, digest: bytes) -> bytes:
        """What a party signs when it agrees to a set."""
        return b"anyk set\0" + self.context + number(round_number, 8) + digest

    def signed_sum(self, round_number: int, digest: bytes, payload: bytes | memoryview) -> bytes:
        """What a party signs with its sum."""
        own = hashlib.sha256(payload).digest()
        return b"anyk sum\0" + self.context + number(round_number, 8) + digest + own

    def own_place(self, identity: Identity, *, client: bool) -> int:
        """The place of one's own in the roster.

        Args:
            identity: one's own.
            client: among the clients, or among the parties.

        Raises:
            InvalidArgument: if name and keys are not there.
        """
        instance("identity", identity, Identity, change="Pass Identity.load(path).")
        members = self.roster.clients if client else self.parties
        place = (self.roster.places if client else self.party_places).get(identity.name)
        if place is not None and members[place] == identity.member:
            return place
        raise InvalidArgument(
            "identity",
            given=repr(identity),
            needed=f"one of the {'clients' if client else 'parties'} of the roster, with its keys",
            change="Put Identity.member in the roster that everybody has.",
        )

    @staticmethod
    def round_number(value: int) -> int:
        """Check the number of a round.

        Raises:
            InvalidArgument: if it is no integer from 0 to 2**63 - 1.
        """
        return count("round", value, least=0, most=LATEST)
