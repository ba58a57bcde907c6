"""Whether answers may be enough, kept up to date as they come, and which of them are copies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import final

__all__ = ["AbstractTally", "BlockTally", "CountTally", "Replicas", "WorkerTally", "asked"]


@final
@dataclass(frozen=True, eq=False)
class Replicas:
    """Which shares are copies of each other, so that any worker may compute them.

    Args:
        blocks: for each block, the shares that are its copies, increasing; their workers have a
            say in it, and may not have another.
        least: how many answers on each block are wanted; no more than it has copies.
        pieces: how many shares a worker holds.
        spare: whether answers beyond these are of no use, so that workers need not begin them.

    Example:
        >>> from anyk.schemes.tally import Replicas
        >>> anyk.Replication(blocks=2, workers=5).replicas(None).blocks
        [range(0, 5, 2), range(1, 5, 2)]
    """

    blocks: Sequence[Sequence[int]]
    least: int = 1
    pieces: int = 1
    spare: bool = False

    def holders(self, block: int) -> Collection[int]:
        """Who has a say in a block already.

        Args:
            block: which.
        """
        shares = self.blocks[block]
        return shares if self.pieces == 1 else {share // self.pieces for share in shares}


class AbstractTally(ABC):
    """`AbstractScheme.sufficient` of shares that are told one by one.

    A run asks after each answer whether it may be over: what takes time that grows with the number
    of workers, it would take as often as there are workers.

    Example:
        >>> tally = anyk.Lagrange(blocks=2, degree=1, workers=3).tally(None)
        >>> tally.add(2)
        >>> tally.enough
        False
        >>> tally.add(0)
        >>> tally.enough
        True
    """

    @abstractmethod
    def add(self, share: int) -> None:
        """Count a share, which is not counted yet."""

    @abstractmethod
    def remove(self, share: int) -> None:
        """Do not count a share any more, which is counted."""

    @property
    @abstractmethod
    def enough(self) -> bool:
        """Whether the shares that are counted are sufficient."""


@final
class CountTally(AbstractTally):
    """Any so many shares are enough.

    Args:
        needed: how many.
    """

    def __init__(self, needed: int) -> None:
        self._lacking = needed

    def add(self, share: int) -> None:  # noqa: ARG002 - they are all worth the same
        """Count a share."""
        self._lacking -= 1

    def remove(self, share: int) -> None:  # noqa: ARG002 - as above
        """Do not count it any more."""
        self._lacking += 1

    @property
    def enough(self) -> bool:
        """Whether there are so many."""
        return self._lacking <= 0


@final
class BlockTally(AbstractTally):
    """Of each block there must be so many shares.

    Args:
        blocks: K.
        least: how many, one or more.
        held: which block each share is of; None where share n is of block n mod K.
    """

    def __init__(self, blocks: int, least: int, held: Sequence[int] | None = None) -> None:
        self._blocks, self._least, self._held = blocks, least, held
        self._counts = [0] * blocks
        self._lacking = blocks  # how many blocks lack some

    def add(self, share: int) -> None:
        """Count a share."""
        block = self._block(share)
        self._counts[block] += 1
        self._lacking -= self._counts[block] == self._least

    def remove(self, share: int) -> None:
        """Do not count it any more."""
        block = self._block(share)
        self._lacking += self._counts[block] == self._least
        self._counts[block] -= 1

    def _block(self, share: int) -> int:
        return share % self._blocks if self._held is None else self._held[share]

    @property
    def enough(self) -> bool:
        """Whether no block lacks any."""
        return not self._lacking


@final
class WorkerTally(AbstractTally):
    """So many shares beyond the most that any D workers gave; share i is of worker i // r.

    Args:
        needed: how many.
        noticed: D.
        pieces: r.
    """

    def __init__(self, needed: int, noticed: int, pieces: int) -> None:
        self._needed, self._noticed, self._pieces = needed, noticed, pieces
        self._given: dict[int, int] = {}
        self._workers = [0] * (pieces + 1)  # how many gave so many
        self._shares = 0

    def add(self, share: int) -> None:
        """Count a share."""
        self._change(share // self._pieces, 1)

    def remove(self, share: int) -> None:
        """Do not count it any more."""
        self._change(share // self._pieces, -1)

    def _change(self, worker: int, change: int) -> None:
        given = self._given.get(worker, 0)
        self._workers[given] -= 1
        self._workers[given + change] += 1
        self._given[worker] = given + change
        self._shares += change

    @property
    def enough(self) -> bool:
        """Whether there are so many without those of the D who gave the most."""
        most, left = 0, self._noticed
        for given in range(self._pieces, 0, -1):
            those = min(left, self._workers[given])
            most, left = most + those * given, left - those
        return self._shares - most >= self._needed


@final
class _Asked(AbstractTally):
    """Of a scheme that has no quicker way: it is asked whenever its word may have changed."""

    def __init__(self, sufficient: Callable[[Collection[int]], bool]) -> None:
        self._sufficient = sufficient
        self._shares: dict[int, None] = {}
        self._known: bool | None = None

    def add(self, share: int) -> None:
        self._shares[share] = None
        self._known = self._known or None  # more are never less

    def remove(self, share: int) -> None:
        del self._shares[share]
        self._known = None if self._known else self._known

    @property
    def enough(self) -> bool:
        if self._known is None:
            self._known = self._sufficient(self._shares.keys())
        return self._known


def asked(sufficient: Callable[[Collection[int]], bool]) -> AbstractTally:
    """The tally of any scheme, which takes as long as asking it after each answer.

    Args:
        sufficient: of the scheme.

    Example:
        >>> from anyk.schemes.tally import asked
        >>> tally = asked(anyk.Replication(blocks=1, workers=3).sufficient)
        >>> tally.add(1)
        >>> tally.enough
        True
    """
    return _Asked(sufficient)
