"""`Uncoded`: the same files on the same nodes, and every value sent as it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

from anyk.checks import instance
from anyk.shuffle.plans import AbstractPlan, Group, pair

__all__ = ["Uncoded"]


@final
@dataclass(frozen=True)
class Uncoded(AbstractPlan):
    """A plan's placement without its code: what a node lacks, one of the holders sends it.

    What redundant maps save by themselves. The senders are chosen so that all have alike to do.

    Args:
        plan: whose files and nodes.

    Raises:
        InvalidArgument: if it is no plan.

    Guarantee:
        1 - r/K of all that the maps make is sent, as unicasts and as multicasts.

    Example:
        >>> from anyk import shuffle
        >>> plan = shuffle.Uncoded(shuffle.Coded(nodes=4, copies=2))
        >>> print(plan.multicast_load, plan.groups[0])
        1/2 Group(members=(0, 2), wanted=(None, 0))
    """

    plan: AbstractPlan

    def __post_init__(self) -> None:
        instance("plan", self.plan, AbstractPlan, change="Pass Coded(nodes, copies).")

    @property
    def live(self) -> tuple[int, ...]:
        """The nodes of the plan."""
        return self.plan.live

    @property
    def holders(self) -> tuple[tuple[int, ...], ...]:
        """As the plan has them."""
        return self.plan.holders

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """A pair for each file and each node that lacks it."""
        return tuple(
            pair(node, file, holders)
            for file, holders in enumerate(self.holders)
            for node in self.live
            if node not in holders
        )
