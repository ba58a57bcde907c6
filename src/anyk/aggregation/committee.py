"""`Committee`: one message a client, to aggregators of whom any T learn nothing but the sum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

from anyk.aggregation.identity import Member
from anyk.aggregation.noise import Noise
from anyk.aggregation.plan import AbstractPlan, settle_clients, settled_quorum
from anyk.aggregation.roster import Roster
from anyk.aggregation.sum_code import SumCode
from anyk.aggregation.vectors import Numbers
from anyk.checks import settle
from anyk.errors import InvalidArgument, Unachievable

__all__ = ["Committee"]

_HELD: Final = 1 << 24  # numbers that an aggregator holds before they are added


@final
@dataclass(frozen=True, kw_only=True)
class Committee(AbstractPlan):
    """Sums by a committee of M aggregators: each client sends one message, and may then be gone.

    A client cuts its vector in K blocks, makes M pieces of them by a polynomial of degree K + T - 1
    and seals one for each aggregator. The aggregators add the pieces of the clients that they agree
    on. Any K + T of their sums, and 2A more where A of them lie, give the sum of the vectors.

    Args:
        aggregators: M.
        length: d, numbers of a vector.
        clients: the most clients that a sum may have: the range of the numbers depends on it.
        numbers: what vectors hold: `anyk.FixedPoint(fraction_bits=, magnitude=)` for reals,
            `Whole(magnitude)` for integers, `anyk.PrimeField(p)` for residues modulo p.
        colluders: T, how many aggregators may show all that they know to the server.
        adversaries: A, how many aggregators may answer anything; they are named.
        stragglers: S, how many may be silent or dead.
        most_weight: largest weight of a client; weights are whole numbers from 1 on, and secret.
            None where nobody is weighted.
        least_clients: the fewest clients that a sum may have.
        blocks: K; the messages of clients are (M - T) / K times as long as their vectors. Where it
            is None, so many that they are as short as can be.
        quorum: q, how many aggregators must sign a set before its sum is given: the least that is
            safe where it is None. Lower ones are refused.
        noise: what clients add for differential privacy.

    Raises:
        InvalidArgument: if a number is out of range.
        Unachievable: if K + T + 2A + S > M, or too few aggregators can sign, or sums would wrap.

    Guarantee:
        The sum is exact, whatever S silent and A lying aggregators do. Against any T of them who
        collude with each other, the server and any clients: all that they see is determined by the
        sum of the other clients of one set, and by uniform numbers (computationally: AES-256,
        X25519, Ed25519 and SHA-256 are unbroken). With q = floor((M + T + A) / 2) + 1 no second set
        of the same round has a sum, also where A other aggregators sign what they like. A client
        can send any vector, in the range or not; what is noticed is a sum that is beyond the range
        of as many clients.

    References:
        DisAgg (arXiv 2605.13708); Franklin, Yung: Communication complexity of secure computation
        (STOC 1992).

    Example:
        >>> from anyk import aggregation
        >>> plan = aggregation.Committee(
        ...     aggregators=5, length=3, clients=10, numbers=aggregation.Whole(1000),
        ...     colluders=1, adversaries=1,
        ... )
        >>> plan.blocks, plan.quorum
        (2, 4)
    """

    aggregators: int
    length: int
    clients: int
    numbers: Numbers
    colluders: int = 1
    adversaries: int = 0
    stragglers: int = 0
    most_weight: int | None = None
    least_clients: int = 2
    blocks: int | None = None
    quorum: int | None = None
    noise: Noise | None = None

    def __post_init__(self) -> None:
        settle(
            self,
            aggregators=1,
            length=1,
            clients=1,
            colluders=1,
            adversaries=0,
            stragglers=0,
            least_clients=1,
        )
        settle(self, optional="blocks", blocks=1)
        settle(self, optional="quorum", quorum=1)
        settle(self, optional="most_weight", most_weight=1)
        weighted = self.most_weight is not None
        settle_clients(self.clients, self.least_clients, self.noise, weighted=weighted)
        spare = self.colluders + 2 * self.adversaries + self.stragglers
        most = self.aggregators - spare
        if most < (self.blocks or 1):
            raise Unachievable(
                "aggregators",
                given=str(self.aggregators),
                needed=f"K + T + 2A + S <= M, that is {self.blocks or 1} + {self.colluders} + "
                f"2*{self.adversaries} + {self.stragglers} = {spare + (self.blocks or 1)} <= "
                f"{self.aggregators}",
                change="Add aggregators, or lower blocks, colluders, adversaries or stragglers.",
            )
        if self.blocks is None:  # the fewest of those that make pieces as short
            piece = -(-self.vectors.entries // most)
            object.__setattr__(self, "blocks", -(-self.vectors.entries // piece))
        there = self.aggregators - self.stragglers - self.adversaries
        quorum = settled_quorum(self.code, self.quorum, there, argument="aggregators")
        object.__setattr__(self, "quorum", quorum)

    @cached_property
    def code(self) -> SumCode:
        """Pieces for M aggregators, over the first prime."""
        return SumCode(
            blocks=self.blocks or 1,
            parties=self.aggregators,
            colluders=self.colluders,
            adversaries=self.adversaries,
            field=self.vectors.fields[0],
        )

    @property
    def seeds(self) -> int:
        """T: their pieces are the masks."""
        return self.colluders

    @property
    def masked(self) -> bool:
        """No: pieces are of vectors."""
        return False

    @property
    def most_held(self) -> int:
        """As many as 2**24 numbers hold, and one at least."""
        return max(1, min(self.clients, _HELD // (self.piece * len(self.vectors.fields))))

    def parties(self, roster: Roster) -> tuple[Member, ...]:
        """The aggregators of the roster.

        Args:
            roster: of all.

        Raises:
            InvalidArgument: if there are not M.
        """
        if len(roster.aggregators) != self.aggregators:
            raise InvalidArgument(
                "roster",
                given=f"{len(roster.aggregators)} aggregators",
                needed=f"{self.aggregators}, as the plan says",
                change="Give both the same aggregators.",
            )
        return roster.aggregators
