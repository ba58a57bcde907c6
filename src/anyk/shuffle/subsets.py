"""`Coded`: a file for every set of r nodes, and coded multicasts in every set of r + 1."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import final

from anyk.checks import settle
from anyk.errors import InvalidArgument
from anyk.shuffle.plans import AbstractPlan, Group, few_enough

__all__ = ["Coded"]


@final
@dataclass(frozen=True)
class Coded(AbstractPlan):
    """Every set of r of K nodes maps a file of its own; every set of r + 1 nodes exchanges.

    In a set of r + 1 nodes each lacks its value of the file that the r others map. With r = 1 there
    is nothing to combine, and this is the shuffle as everybody does it.

    Args:
        nodes: K.
        copies: r, on how many nodes each file is mapped.

    Raises:
        InvalidArgument: if r > K, or there are more than 2**18 sets of nodes.

    Guarantee:
        The least bytes that any plan of this redundancy can send as multicasts:
        (1/r)(1 - r/K) of all that the maps make. As unicasts 1 - r/K, as without a code.

    References:
        Li, Maddah-Ali, Yu, Avestimehr: A fundamental tradeoff between computation and communication
        in distributed computing (IEEE Transactions on Information Theory 64, 2018), theorem 1.

    Example:
        >>> from anyk import shuffle
        >>> plan = shuffle.Coded(nodes=16, copies=3)
        >>> plan.files, len(plan.groups), print(plan.multicast_load, plan.unicast_load)
        13/48 13/16
        (560, 1820, None)
    """

    nodes: int
    copies: int

    def __post_init__(self) -> None:
        settle(self, nodes=1, copies=1)
        if self.copies > self.nodes:
            raise InvalidArgument(
                "copies",
                given=str(self.copies),
                needed=f"at most the {self.nodes} nodes",
                change=f"Take {self.copies} nodes, or lower copies.",
            )
        few_enough(
            "copies",
            self.copies,
            max(comb(self.nodes, self.copies), comb(self.nodes, self.copies + 1)),
            change="Lower copies, or take Resolvable(copies, width) for copies * width nodes.",
        )

    @property
    def live(self) -> tuple[int, ...]:
        """All nodes."""
        return tuple(range(self.nodes))

    @cached_property
    def holders(self) -> tuple[tuple[int, ...], ...]:
        """All sets of r nodes."""
        return tuple(itertools.combinations(range(self.nodes), self.copies))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All sets of r + 1 nodes."""
        file = {nodes: number for number, nodes in enumerate(self.holders)}
        return tuple(
            Group(
                members,
                tuple(
                    file[members[:place] + members[place + 1 :]] for place in range(len(members))
                ),
            )
            for members in itertools.combinations(range(self.nodes), self.copies + 1)
        )
