"""The seam of plans: who holds which file, and who sends what to whom."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, final

from anyk.errors import InvalidArgument

__all__ = ["MOST_GROUPS", "AbstractPlan", "Group", "few_enough", "pair"]

MOST_GROUPS: Final = 1 << 18
"""Groups that a plan may have: each costs every one of its members a message."""


@final
@dataclass(frozen=True)
class Group:
    """Nodes that send to each other: each lacks one value, which all others of them know.

    A value is cut in as many pieces as there are others, one for each of them to send. A member
    sends the XOR of the pieces that it is charged with. Whoever receives it knows all of these
    pieces but its own.

    Args:
        members: the nodes, in ascending order.
        wanted: for each of them the file of which it lacks the value that is for it, or None for a
            member that only sends.

    Example:
        >>> from anyk import shuffle
        >>> shuffle.Coded(nodes=3, copies=2).groups
        (Group(members=(0, 1, 2), wanted=(2, 1, 0)),)
    """

    members: tuple[int, ...]
    wanted: tuple[int | None, ...]


class AbstractPlan(ABC):
    """Which nodes map which file, and what they send: a frozen value, and its repr rebuilds it.

    Example:
        >>> from anyk import shuffle
        >>> plan = shuffle.Coded(nodes=4, copies=2)
        >>> plan.files, plan.holders[1], len(plan.groups)
        (6, (0, 2), 4)
        >>> print(plan.multicast_load, plan.unicast_load)
        1/4 1/2
    """

    @property
    @abstractmethod
    def live(self) -> tuple[int, ...]:
        """The nodes that map and reduce, in ascending order."""

    @property
    @abstractmethod
    def holders(self) -> tuple[tuple[int, ...], ...]:
        """For each file the nodes that map it."""

    @property
    @abstractmethod
    def groups(self) -> tuple[Group, ...]:
        """All groups of nodes that send to each other, in the order in which they do."""

    @property
    def files(self) -> int:
        """How many files the input is cut in."""
        return len(self.holders)

    def held(self, node: int) -> tuple[int, ...]:
        """The files that a node maps.

        Args:
            node: its number.
        """
        return tuple(file for file, nodes in enumerate(self.holders) if node in nodes)

    @property
    def redundancy(self) -> Fraction:
        """r, how often a file is mapped, on average."""
        return Fraction(sum(map(len, self.holders)), self.files)

    @property
    def multicast_load(self) -> Fraction:
        """L, bytes sent by those that all maps make of all files, if one message reaches a group.

        Of values of equal size, without headers; unequal ones are padded, and add to it.
        """
        pieces = sum(
            Fraction(1, len(group.members) - 1)
            for group in self.groups
            for place in range(len(group.members))
            if any(file is not None for file in (*group.wanted[:place], *group.wanted[place + 1 :]))
        )
        return Fraction(pieces, len(self.live) * self.files)

    @property
    def unicast_load(self) -> Fraction:
        """The same if a message is sent to each node that wants it, one after the other."""
        wanted = sum(file is not None for group in self.groups for file in group.wanted)
        return Fraction(wanted, len(self.live) * self.files)


def pair(node: int, file: int, holders: tuple[int, ...]) -> Group:
    """A node that wants a value, and one that sends it as it is.

    Args:
        node: that wants its value.
        file: of which.
        holders: who could send it; who does depends on the file and the node, so that all have
            about alike to do.

    Example:
        >>> from anyk.shuffle.plans import pair
        >>> pair(0, 6, (1, 2, 3))
        Group(members=(0, 1), wanted=(6, None))
    """
    sender = holders[(file + node) % len(holders)]
    if node < sender:
        return Group((node, sender), (file, None))
    return Group((sender, node), (None, file))


def few_enough(argument: str, given: int, groups: int, *, change: str) -> None:
    """Check that a plan has no more groups than can be gone through.

    Args:
        argument: what makes them many, for the error.
        given: its value.
        groups: how many there are.
        change: what to change.

    Raises:
        InvalidArgument: if there are too many.

    Example:
        >>> from anyk.shuffle.plans import few_enough
        >>> few_enough("copies", 3, 1820, change="Lower it.")
    """
    if groups > MOST_GROUPS:
        raise InvalidArgument(
            argument,
            given=f"{given}, which makes {groups} groups or files",
            needed=f"at most {MOST_GROUPS} of them",
            change=change,
        )
