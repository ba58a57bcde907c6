"""The seam of plans: sizes, numbers and promises that all parties of a round have in common."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Final

from anyk.aggregation.identity import Member
from anyk.aggregation.noise import Noise
from anyk.aggregation.roster import Roster
from anyk.aggregation.sum_code import SumCode
from anyk.aggregation.vectors import Vectors

__all__ = ["AbstractPlan", "quorum_of"]

_FORM: Final = b"anyk aggregation 1"


class AbstractPlan(ABC):
    """Sizes, numbers and promises of rounds: `Committee` or `LightSecAgg`.

    All parties have the same plan, value for value: a digest of it and of the roster is in all that
    is signed and sealed. Its repr rebuilds it.
    """

    @property
    @abstractmethod
    def vectors(self) -> Vectors:
        """What clients hold, and the primes of the sums."""

    @property
    @abstractmethod
    def code(self) -> SumCode:
        """How pieces are made for the parties, over the first prime."""

    @property
    @abstractmethod
    def least(self) -> int:
        """How many clients a sum has at least; parties sign no smaller set."""

    @property
    @abstractmethod
    def signatures(self) -> int:
        """q: a party gives its sum when so many parties signed the same set."""

    @property
    @abstractmethod
    def noisy(self) -> Noise | None:
        """What each client adds for differential privacy."""

    @property
    @abstractmethod
    def most_held(self) -> int:
        """How many clients' pieces a party holds one by one, at most, before it adds them."""

    @abstractmethod
    def parties(self, roster: Roster) -> tuple[Member, ...]:
        """Who holds pieces, in the order of the pieces.

        Args:
            roster: of all.

        Raises:
            InvalidArgument: if it is not of as many as the plan.
        """

    def codes(self) -> tuple[SumCode, ...]:
        """The code over each of the primes."""
        own = self.code
        return tuple(
            SumCode(
                blocks=own.blocks,
                parties=own.parties,
                colluders=own.colluders,
                adversaries=own.adversaries,
                field=field,
            )
            for field in self.vectors.fields
        )

    @property
    def piece(self) -> int:
        """L, numbers in a piece: entries / K, rounded up."""
        return -(-self.vectors.entries // self.code.blocks)

    def context(self, roster: Roster) -> bytes:
        """32 bytes that tell one plan and roster from any other: in all that is signed and sealed.

        Args:
            roster: of all.
        """
        own = hashlib.sha256(_FORM + b"\0" + repr(self).encode()).digest()
        return hashlib.sha256(_FORM + own + roster.digest).digest()


def quorum_of(parties: int, colluders: int, adversaries: int) -> int:
    """The quorum q, floor((M + T + A) / 2) + 1: no two sets get so many signatures.

    An honest party signs one set a round. Of two sets with q signatures each, at least 2q - M
    parties signed both; that is more than T + A, so one of them would be honest.

    Args:
        parties: M.
        colluders: T, who may sign twice.
        adversaries: A, others who may.

    Example:
        >>> from anyk.aggregation.plan import quorum_of
        >>> quorum_of(15, 3, 1)
        10
    """
    return (parties + colluders + adversaries) // 2 + 1
