"""`Resolvable`: coded multicasts with few files, from a single parity check code."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import final

from anyk.checks import settle
from anyk.shuffle.plans import AbstractPlan, Group, few_enough

__all__ = ["Resolvable"]


@final
@dataclass(frozen=True)
class Resolvable(AbstractPlan):
    """k classes of q nodes; each file is mapped on one node of every class.

    A file is a word (c_1, .., c_k) of numbers below q with c_k = c_1 + .. + c_(k-1) modulo q, and
    node l of class i, which is node i q + l of all, maps the files with c_i = l. k nodes, one of
    each class, that map no file together are a group: any k - 1 of them map one file together,
    which the last one lacks.

    Args:
        copies: k, on how many nodes each file is mapped.
        width: q, the nodes of a class; there are K = k q nodes.

    Raises:
        InvalidArgument: if there are more than 2**18 groups.

    Guarantee:
        q**(k - 1) files, where `Coded` needs C(K, k), and q**(k - 1) (q - 1) groups. As multicasts
        1/(k - 1) (1 - 1/q) of all that the maps make are sent: k / (k - 1) times the least at this
        redundancy. As unicasts 1 - 1/q, as without a code.

    References:
        Konstantinidis, Ramamoorthy: Resolvable designs for speeding up distributed computing
        (IEEE/ACM Transactions on Networking 28, 2020; arXiv 1908.05666), the case of a single job.

    Example:
        >>> from anyk import shuffle
        >>> plan = shuffle.Resolvable(copies=5, width=4)
        >>> len(plan.live), plan.files, len(plan.groups)
        (20, 256, 768)
        >>> print(plan.multicast_load, shuffle.Coded(nodes=20, copies=5).multicast_load)
        3/16 3/20
    """

    copies: int
    width: int

    def __post_init__(self) -> None:
        settle(self, copies=2, width=2)
        most = 64  # a larger power than any that is allowed, and quickly computed
        groups = min(self.width, 1 << 32) ** (min(self.copies, most) - 1) * (self.width - 1)
        few_enough("copies", self.copies, groups, change="Lower copies or width.")

    @property
    def live(self) -> tuple[int, ...]:
        """All K = k q nodes."""
        return tuple(range(self.copies * self.width))

    @cached_property
    def holders(self) -> tuple[tuple[int, ...], ...]:
        """The nodes of each word of the code."""
        return tuple(self._nodes((*free, sum(free) % self.width)) for free in self._free)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The nodes of each word that is not of the code."""
        file = {nodes: number for number, nodes in enumerate(self.holders)}
        found = []
        for free in self._free:
            for shift in range(1, self.width):
                word = (*free, (sum(free) + shift) % self.width)
                wanted = tuple(
                    file[self._nodes(self._mended(word, place, shift))]
                    for place in range(self.copies)
                )
                found.append(Group(self._nodes(word), wanted))
        return tuple(found)

    @property
    def _free(self) -> itertools.product[tuple[int, ...]]:
        """All that the first k - 1 numbers of a word can be."""
        return itertools.product(range(self.width), repeat=self.copies - 1)

    def _nodes(self, word: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(place * self.width + number for place, number in enumerate(word))

    def _mended(self, word: tuple[int, ...], place: int, shift: int) -> tuple[int, ...]:
        """The word of the code that differs in this place alone."""
        step = -shift if place == self.copies - 1 else shift
        return (*word[:place], (word[place] + step) % self.width, *word[place + 1 :])
