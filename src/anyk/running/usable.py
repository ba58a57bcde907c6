"""The answers that a value can be made of, and what they still lack."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import final

from anyk.schemes.encoded import Encoded
from anyk.schemes.tally import Replicas

__all__ = ["Usable", "Wanted"]


@final
class Wanted:
    """The shares that others may compute too: of each block, as many as it lacks answers.

    Those that are wanted first are the first copies of each block, and an answer on any copy makes
    them one less, itself if it is among them. More are wanted again where answers contradict each
    other, and others are to say who is right.

    Args:
        replicas: of the scheme.

    Example:
        >>> from anyk.running.usable import Wanted
        >>> wanted = Wanted(anyk.Replication(blocks=2, workers=4).replicas(None))
        >>> wanted.answered(3), list(wanted)
        (1, [(0, 0)])
        >>> wanted.answered(0), wanted.more(0, 1), list(wanted)
        (0, [0], [(0, 0)])
    """

    def __init__(self, replicas: Replicas) -> None:
        self._replicas = replicas
        self._left = [list(shares[: replicas.least]) for shares in replicas.blocks]
        self._block = {
            share: block for block, shares in enumerate(replicas.blocks) for share in shares
        }
        self._number = sum(map(len, self._left))
        self._needless: list[int] = []

    def __bool__(self) -> bool:
        return self._number > 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The blocks and shares, block by block."""
        return ((block, share) for block, shares in enumerate(self._left) for share in shares)

    def __contains__(self, share: int) -> bool:
        return share in self._left[self._block[share]]

    def more(self, block: int, number: int) -> list[int]:
        """Want so many answers on a block, though it had as many as were wanted.

        Args:
            block: whose answers contradict each other.
            number: how many are lacking.

        Returns:
            The shares that are wanted since, and were not before.
        """
        left = self._left[block]
        added = [share for share in self._replicas.blocks[block] if share not in left]
        added = added[: max(number - len(left), 0)]
        left += added
        self._number += len(added)
        return added

    def block(self, share: int) -> int:
        """Which block a share is a copy of."""
        return self._block[share]

    def holders(self, block: int) -> Collection[int]:
        """Who has a say in a block already."""
        return self._replicas.holders(block)

    def answered(self, share: int) -> int | None:
        """Note an answer; the share that is not wanted any more because of it."""
        left = self._left[self._block[share]]
        if not left:
            return None
        self._number -= 1
        if share in left:
            left.remove(share)
        else:
            share = left.pop()
        if self._replicas.spare and not left:
            self._needless += self._replicas.blocks[self._block[share]]
        return share

    def needless(self) -> list[int]:
        """The copies of blocks that lack no answer since this was asked last."""
        told, self._needless = self._needless, []
        return told


@final
class Usable:
    """Shares whose answers have the shape that most workers have; the truth is among the most.

    A worker has one voice, however many pieces it holds or was asked for again; and none, if its
    own answers differ in shape.

    Args:
        encoded: what they are shares of.

    Example:
        >>> from anyk.running.usable import Usable
        >>> usable = Usable(anyk.Replication(blocks=1, workers=4).encode([1.0]))
        >>> for share, shape in enumerate([(2,), (3,), (3,)]):
        ...     changed = usable.add(share, shape, worker=share)
        >>> usable.shares, usable.enough, changed, usable.most
        ([1, 2], True, True, True)
    """

    def __init__(self, encoded: Encoded) -> None:
        self._encoded, self._workers = encoded, encoded.guarantee.workers
        self._by_shape: dict[tuple[int, ...], list[int]] = {}
        self._voices: dict[tuple[int, ...], set[int]] = {}  # the workers with answers of a shape
        self._heard: set[int] = set()
        self._mixed: set[int] = set()  # the workers with answers of several shapes
        self._rank: dict[tuple[int, ...], int] = {}  # which shape came first
        self._again: dict[int, int] = {}  # of further answers, on which share they are
        self._shape: tuple[int, ...] | None = None
        self.unwanted: int | None = None  # the share that is not wanted any more since the last
        self._begin([])

    def _begin(self, shares: list[int]) -> None:
        """Count from the beginning what these shares are worth."""
        scheme, layout = self._encoded.scheme, self._encoded.layout
        self.shares = shares
        self._tally, replicas = scheme.tally(layout), scheme.replicas(layout)
        self._counted: set[int] = set()
        self.wanted = None if replicas is None else Wanted(replicas)
        for share in shares:
            self._count(share)

    def _count(self, share: int) -> int | None:
        of = self._again.get(share, share)
        if of not in self._counted:
            self._counted.add(of)
            self._tally.add(of)
        return None if self.wanted is None else self.wanted.answered(of)

    @property
    def enough(self) -> bool:
        """Whether they may be enough for the guarantee."""
        return self._tally.enough

    def needless(self) -> Sequence[int]:
        """The shares of which no answer is of use any more, whatever shape others have."""
        settled = 2 * len(self._voices.get(self._shape or (), ())) > self._workers
        return self.wanted.needless() if settled and self.wanted is not None else ()

    @property
    def most(self) -> bool:
        """Whether more than half of the workers that have a voice have one of these."""
        return self._shape is None or 2 * len(self._voices[self._shape]) > len(self._heard)

    def add(
        self, share: int, shape: tuple[int, ...], worker: int, again: int | None = None
    ) -> bool:
        """Note a worker's answer; whether other answers than before are usable.

        Args:
            share: that it is on; another number than a share's, if that has an answer already.
            shape: of the answer.
            worker: whose it is.
            again: the share, if that has an answer already.
        """
        if again is not None:
            self._again[share] = again
        same = self._by_shape.setdefault(shape, [])
        voices = self._voices.setdefault(shape, set())
        self._hear(worker, voices)
        rank = self._rank.setdefault(shape, len(self._rank))
        same.append(share)
        self.unwanted = None
        if self._shape is None:
            self._shape, self.shares = shape, same
        if shape == self._shape:
            self.unwanted = self._count(share)
            return False
        most = self._voices[self._shape]
        if (len(voices), -rank) <= (len(most), -self._rank[self._shape]):
            return False
        self._shape = shape
        self._begin(same)
        return True

    def _hear(self, worker: int, voices: set[int]) -> None:
        """Count a worker among those with answers of one shape, if it has no others."""
        if worker in self._heard and worker not in voices:
            self._mixed.add(worker)
            self._heard.remove(worker)
            for others in self._voices.values():
                others.discard(worker)
        elif worker not in self._mixed:
            voices.add(worker)
            self._heard.add(worker)
