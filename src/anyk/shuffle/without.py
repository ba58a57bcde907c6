"""`Without`: a plan when some nodes are dead: the files are still there, on the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

from anyk.checks import indices_of, instance, shown
from anyk.errors import InvalidArgument
from anyk.shuffle.plans import AbstractPlan, Group, pair

__all__ = ["Without"]


@final
@dataclass(frozen=True)
class Without(AbstractPlan):
    """A plan without some of its nodes, which are known to be dead before the maps begin.

    No file moves. The maps make a value for each node that is left, and in each group those that
    are left send the pieces of the dead. Where nobody else is left in a group, another holder of
    the file sends the value as it is.

    Args:
        plan: of all nodes.
        nodes: the dead.

    Raises:
        InvalidArgument: if one of them is no node of the plan, or all holders of a file are among
            them: any r dead nodes may be; r - 1 never are.

    Example:
        >>> from anyk import shuffle
        >>> plan = shuffle.Without(shuffle.Coded(nodes=4, copies=2), nodes=(1,))
        >>> plan.live, plan.holders[0], plan.groups[0]
        ((0, 2, 3), (0,), Group(members=(0, 2), wanted=(3, 0)))
    """

    plan: AbstractPlan
    nodes: tuple[int, ...]

    def __post_init__(self) -> None:
        instance("plan", self.plan, AbstractPlan, change="Pass Coded(nodes, copies).")
        dead = tuple(sorted(set(indices_of("nodes", self.nodes))))
        object.__setattr__(self, "nodes", dead)
        if not set(dead) <= set(self.plan.live):
            raise InvalidArgument(
                "nodes",
                given=shown(dead),
                needed="nodes of the plan",
                change=f"It has {shown(self.plan.live)}.",
            )
        lost = next((file for file, left in enumerate(self.holders) if not left), None)
        if lost is not None:
            raise InvalidArgument(
                "nodes",
                given=f"{shown(dead)}, all nodes that hold file {lost}",
                needed="a holder of each file that is left",
                change="Start with a plan of more copies, or leave one of them in.",
            )

    @cached_property
    def live(self) -> tuple[int, ...]:
        """The nodes that are left."""
        return tuple(node for node in self.plan.live if node not in self.nodes)

    @cached_property
    def holders(self) -> tuple[tuple[int, ...], ...]:
        """For each file the nodes that are left of those that hold it."""
        return tuple(
            tuple(node for node in nodes if node not in self.nodes) for nodes in self.plan.holders
        )

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """What is left of each group; another holder sends to who is alone in one."""
        found = []
        for group in self.plan.groups:
            pairs = zip(group.members, group.wanted, strict=True)
            kept = [(node, file) for node, file in pairs if node not in self.nodes]
            wanted = [(node, file) for node, file in kept if file is not None]
            if len(kept) > 1 and wanted:
                found.append(Group(*zip(*kept, strict=True)))
            else:
                found += [pair(node, file, self.holders[file]) for node, file in wanted]
        return tuple(found)
