"""The seam of plans: sizes, numbers and promises that all parties of a round have in common."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Final

from anyk.aggregation.identity import Member
from anyk.aggregation.noise import Noise
from anyk.aggregation.roster import Roster
from anyk.aggregation.sum_code import SumCode
from anyk.aggregation.vectors import Numbers, Vectors
from anyk.checks import instance
from anyk.errors import InvalidArgument, Unachievable
from anyk.wording import numbered

__all__ = ["AbstractPlan", "quorum_of", "settle_clients", "settled_quorum"]

_FORM: Final = b"anyk aggregation 1"


class AbstractPlan(ABC):
    """Sizes, numbers and promises of rounds: `Committee` or `LightSecAgg`.

    All parties have the same plan, value for value: a digest of it and of the roster is in all that
    is signed and sealed. Its repr rebuilds it. A plan is a frozen dataclass with these fields, and
    those that say how many parties there are.
    """

    length: int
    clients: int
    numbers: Numbers
    colluders: int
    adversaries: int
    most_weight: int | None
    least_clients: int
    quorum: int | None
    noise: Noise | None

    @cached_property
    def vectors(self) -> Vectors:
        """What clients hold, and the primes of the sums."""
        return Vectors(
            length=self.length,
            clients=self.clients,
            numbers=self.numbers,
            most_weight=self.most_weight,
            extra=0 if self.noise is None else self.noise.most(self.numbers),
        )

    @property
    @abstractmethod
    def code(self) -> SumCode:
        """How pieces are made for the parties, over the first prime."""

    @property
    def most(self) -> int:
        """How many clients a sum has at most, as more may wrap; parties sign no larger set."""
        return self.vectors.clients

    @property
    def signatures(self) -> int:
        """q: a party gives its sum when so many parties signed the same set."""
        return self.quorum or 0

    @property
    @abstractmethod
    def most_held(self) -> int:
        """How many clients' pieces a party holds one by one, at most, before it adds them."""

    @property
    @abstractmethod
    def seeds(self) -> int:
        """How many parties, the first ones, hold a seed in place of a piece."""

    @property
    @abstractmethod
    def masked(self) -> bool:
        """Whether pieces are of masks, and vectors come beside them, masked."""

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


def settle_clients(clients: int, least: int, noise: Noise | None, *, weighted: bool) -> None:
    """Refuse fewest clients that are more than all, or fewer than those who add noise.

    Args:
        clients: the most of a sum.
        least: the fewest of a sum.
        noise: of the plan.
        weighted: whether clients have weights.

    Raises:
        InvalidArgument: if they do not fit.
    """
    if least > clients:
        raise InvalidArgument(
            "least_clients",
            given=str(least),
            needed=f"at most clients = {clients}",
            change="Lower it, or add clients.",
        )
    if noise is None:
        return
    instance("noise", noise, Noise, change="Pass aggregation.Noise(std=, norm=, honest=).")
    if noise.honest > least:
        raise InvalidArgument(
            "noise",
            given=f"noise of {noise.honest} honest clients",
            needed=f"at most least_clients = {least}, which all sums have",
            change="Raise least_clients, by as many as may collude too; or lower honest.",
        )
    if weighted:
        raise InvalidArgument(
            "noise",
            given="noise, and weights",
            needed="one of them: a weight in the sum would be without noise",
            change="Leave most_weight out.",
        )


def settled_quorum(code: SumCode, quorum: int | None, there: int, *, argument: str) -> int:
    """How many signatures a set needs, if that is safe and so many parties can sign.

    Args:
        code: of the plan.
        quorum: as it was asked for; None for the least that is safe.
        there: how many parties are neither silent nor lying.
        argument: of the plan, that says how many parties there are.

    Raises:
        InvalidArgument: if it is not safe.
        Unachievable: if so many can't sign.
    """
    safe = quorum_of(code.parties, code.colluders, code.adversaries)
    own = safe if quorum is None else quorum
    if own < safe:
        raise InvalidArgument(
            "quorum",
            given=str(own),
            needed=f"at least floor((M + T + A) / 2) + 1 = {safe}, or a server has two sums of one "
            "round",
            change="Leave it out.",
        )
    if own > there:
        raise Unachievable(
            argument,
            given=str(code.parties),
            needed=f"a quorum of {own} among those who are neither silent nor lying, who are "
            f"{there}",
            change=f"Add {numbered(_short(code, own, there), argument[:-1])}, or lower how many of "
            "them collude, lie or are silent.",
        )
    return own


def _short(code: SumCode, quorum: int, there: int) -> int:
    """How many more parties, all of them honest, make a quorum that can sign."""
    own = quorum - quorum_of(code.parties, code.colluders, code.adversaries)
    more = 1
    while quorum_of(code.parties + more, code.colluders, code.adversaries) + own > there + more:
        more += 1
    return more
