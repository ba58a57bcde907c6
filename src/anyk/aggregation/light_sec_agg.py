"""`LightSecAgg`: sums without aggregators: clients hold pieces of each other's masks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

from anyk.aggregation.identity import Member
from anyk.aggregation.noise import Noise
from anyk.aggregation.plan import AbstractPlan, settle_clients, settled_quorum
from anyk.aggregation.roster import Roster
from anyk.aggregation.sum_code import SumCode
from anyk.aggregation.vectors import Numbers
from anyk.checks import settle
from anyk.errors import InvalidArgument, Unachievable

__all__ = ["LightSecAgg"]


@final
@dataclass(frozen=True, kw_only=True)
class LightSecAgg(AbstractPlan):
    """Sums without a committee: each client holds a piece of each other client's mask.

    Before its vector is known, a client draws a mask and seals a piece of it for each client. Its
    vector goes to the server in one message, masked. Of the clients that are still there each adds
    the pieces of those that the server names and all agree on, and sends the one sum; any U of
    these give the sum of the masks, whoever is gone.

    Args:
        clients: N, all of the roster.
        length: d, numbers of a vector.
        numbers: as for `Committee`.
        colluders: T, how many clients may show all that they know to the server.
        dropouts: D, how many clients may be gone when the sums of pieces are asked for.
        adversaries: A, how many clients may send wrong sums of pieces; they are named.
        most_weight: as for `Committee`.
        least_clients: the fewest clients that a sum may have.
        needed: U; any U sums give that of the masks. U - T is the number of blocks. The largest
            that the promise allows where it is None.
        quorum: as for `Committee`, of the clients.
        noise: as for `Committee`.

    Raises:
        InvalidArgument: if a number is out of range.
        Unachievable: if U + 2A > N - D, U <= T, too few clients can sign, or sums would wrap.

    Guarantee:
        As of `Committee`, with clients as aggregators, while at most D of them are gone. The paper
        takes the server to be honest; here a set needs q signatures, as one that is not could ask
        half of the clients for one set and half for another.

    References:
        So, He, Yang, Li, Yu, Ali, Guler, Avestimehr: LightSecAgg: a lightweight and versatile
        design for secure aggregation in federated learning (MLSys 2022, arXiv 2109.14236).

    Example:
        >>> from anyk import aggregation
        >>> plan = aggregation.LightSecAgg(
        ...     clients=10, length=3, numbers=aggregation.Whole(1000), colluders=2, dropouts=3
        ... )
        >>> plan.needed, plan.quorum
        (7, 7)
    """

    clients: int
    length: int
    numbers: Numbers
    colluders: int = 1
    dropouts: int = 0
    adversaries: int = 0
    most_weight: int | None = None
    least_clients: int = 2
    needed: int | None = None
    quorum: int | None = None
    noise: Noise | None = None

    def __post_init__(self) -> None:
        settle(self, clients=1, length=1, colluders=1)
        settle(self, dropouts=0, adversaries=0, least_clients=1)
        settle(self, optional="most_weight", most_weight=1)
        settle(self, optional="needed", needed=1)
        settle(self, optional="quorum", quorum=1)
        weighted = self.most_weight is not None
        settle_clients(self.clients, self.least_clients, self.noise, weighted=weighted)
        most = self.clients - self.dropouts - 2 * self.adversaries
        if self.needed is None:
            object.__setattr__(self, "needed", max(1, most))
        if not self.colluders < (self.needed or 0) <= most:
            raise Unachievable(
                "clients",
                given=str(self.clients),
                needed=f"T < U and U + 2A <= N - D, that is {self.colluders} < {self.needed} and "
                f"{self.needed} + 2*{self.adversaries} <= {self.clients} - {self.dropouts}",
                change="Add clients, or lower colluders, adversaries or dropouts.",
            )
        there = self.clients - self.dropouts - self.adversaries
        quorum = settled_quorum(self.code, self.quorum, there, argument="clients")
        object.__setattr__(self, "quorum", quorum)

    @cached_property
    def code(self) -> SumCode:
        """Pieces of masks, in U - T blocks for N clients, over the first prime."""
        return SumCode(
            blocks=(self.needed or 1) - self.colluders,
            parties=self.clients,
            colluders=self.colluders,
            adversaries=self.adversaries,
            field=self.vectors.fields[0],
        )

    @property
    def seeds(self) -> int:
        """U: so many pieces are drawn, and determine the mask and the other pieces."""
        return self.needed or 1

    @property
    def masked(self) -> bool:
        """Yes: pieces are of masks, and masked vectors come beside them."""
        return True

    @property
    def most_held(self) -> int:
        """All: their masks are there before it is known who is counted."""
        return self.clients

    def parties(self, roster: Roster) -> tuple[Member, ...]:
        """The clients of the roster, in the order of their names.

        Args:
            roster: of all.

        Raises:
            InvalidArgument: if there are not N, or there are aggregators.
        """
        if len(roster.clients) != self.clients or roster.aggregators:
            raise InvalidArgument(
                "roster",
                given=f"{len(roster.clients)} clients and {len(roster.aggregators)} aggregators",
                needed=f"{self.clients} clients, as the plan says, and no aggregators",
                change="Give both the same clients.",
            )
        return roster.clients
