"""What is late, has failed or is contradicted, and is sent again to workers that are idle."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush
from itertools import count
from typing import final

from anyk.answers import Answer
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor
from anyk.running.pending import Pending, SendTimes
from anyk.running.usable import Wanted

__all__ = ["Resending"]

_MOST_TRIES = 3  # of one share in one run, its own worker's among them


@final
class Resending:
    """Shares that others compute too, and those who can be asked.

    What was done after an answer is not looked at again before something has changed: a share has
    failed, has become late, or somebody is idle. So an answer costs no more where there are many.

    Args:
        executor: whose workers are asked.
        pending: told what was sent.
    """

    def __init__(self, executor: AbstractExecutor, pending: Pending) -> None:
        self._executor, self._pending = executor, pending
        self._order = count()
        self._idle: list[tuple[float, int, int]] = []  # since when, which worker: a heap
        self._failed: set[int] = set()
        self._asked: dict[int, set[int]] = {}  # others, by block: one voice in each
        self._contradicted: set[int] = set()  # shares
        self.shares: set[int] = set()

    def begin(self, wanted: Wanted) -> None:
        """Send again these from now on, as long as they are wanted."""
        self._wanted = wanted
        self._coming = SendTimes()  # of wanted shares
        self._later: list[tuple[float, int, int]] = []  # may be late: sent, block, share: a heap
        self._due: list[tuple[int, int]] = []  # to be sent, unless that changed: a heap
        self._changed = True
        for block, share in wanted:
            self._want(block, share)

    def more(self, lacking: Counter[int]) -> None:
        """Let others answer on shares whose copies have answers that contradict each other.

        Args:
            lacking: how many answers are, by a copy.
        """
        for share, number in lacking.items():
            block = self._wanted.block(share)
            for each in self._wanted.more(block, number):
                self._contradicted.add(each)
                self._want(block, each)

    def waiting(self) -> bool:
        """Whether somebody owes an answer on a wanted share, late or not."""
        return bool(self._coming)

    def _most(self, share: int) -> int:
        """How often a share is sent: where answers contradict each other, to all who may fail."""
        return _MOST_TRIES + (self._pending.troubled if share in self._contradicted else 0)

    def _want(self, block: int, share: int) -> None:
        """Look at a share when it is late."""
        times = self._pending.sent(share)
        for when in times:
            self._coming.add(when)
        self._queue(max(times, default=None), block, share)

    def heard(self, answer: Answer, share: int, when: float | None) -> None:
        """Note an answer or a failure, on a share that was sent at that time."""
        worker = answer.worker
        if answer.failure is not None:
            self._failed.add(worker)
        self.free(worker, answer.answered)
        if share in self._wanted:
            if when is not None:
                self._coming.remove(when)
            before = self._pending.sent_last(share)
            self._queue(before, self._wanted.block(share), share)

    def free(self, worker: int, when: float) -> None:
        """Note that a worker is idle, if it is since that time."""
        if self._pending.idle(worker) and worker not in self._failed:
            heappush(self._idle, (when, next(self._order), worker))
            self._changed = True

    def _queue(self, sent: float | None, block: int, share: int) -> None:
        """Look at a share when it is late; at once, where nobody owes it."""
        if sent is None:
            heappush(self._due, (block, share))
            self._changed = True
        else:
            heappush(self._later, (sent, block, share))

    def unwanted(self, share: int) -> None:
        """A share is not wanted any more."""
        for when in self._pending.sent(share):
            self._coming.remove(when)

    def send(self, dispatch: AbstractDispatch, limit: float | None) -> tuple[bool, float | None]:
        """Ask idle workers for what is late or has failed.

        Args:
            dispatch: that it is of.
            limit: after how many seconds an answer is late; None if that can't be told yet, where
                only what has failed is sent again.

        Returns:
            Whether one of the shares is on its way, and not late; and when the next of these will
            be, where that can be told.
        """
        if not self._wanted:
            return False, None
        now = self._executor.clock()
        while limit is not None and self._later and self._later[0][0] + limit <= now:
            _, block, share = heappop(self._later)
            heappush(self._due, (block, share))
            self._changed = True
        if self._changed and self._due and self._idle:
            self._send(dispatch, limit, now)
        self._changed = False
        if limit is None:
            return bool(self._coming), None
        due = self._coming.due(now, limit)
        return due is not None, due

    def may_help(self) -> bool:
        """Whether who still owes an answer may bring, after it, one on each share that was lost."""
        lost = (share for share in self._pending.lost() if share in self._wanted)
        tried = max((self._pending.tries(share) for share in lost), default=0)
        return bool(self._pending) and tried < _MOST_TRIES

    def _send(self, dispatch: AbstractDispatch, limit: float | None, now: float) -> None:
        alive = self._executor.alive
        kept: list[tuple[int, int]] = []
        while self._due and self._idle:
            block, share = heappop(self._due)
            if share not in self._wanted:
                continue
            sent = self._pending.sent_last(share)
            if sent is not None and (limit is None or sent + limit > now):
                self._queue(sent, block, share)
            elif self._pending.tries(share) < self._most(share):
                if self._ask(dispatch, block, share, alive):
                    self._pending.sending(share, self._last, now)
                    self._coming.add(now)
                    self._queue(now, block, share)
                    self.shares.add(share)
                else:
                    kept.append((block, share))
        for each in kept:
            heappush(self._due, each)

    def _ask(
        self, dispatch: AbstractDispatch, block: int, share: int, alive: tuple[bool, ...]
    ) -> bool:
        """Ask the first idle worker that may compute a share; whether there was one."""
        barred, asked = self._wanted.holders(block), self._asked.setdefault(block, set())
        skipped: list[tuple[float, int, int]] = []
        found = False
        while self._idle and not found:
            first = heappop(self._idle)
            self._last = first[-1]
            if self._last in barred or self._last in asked or not alive[self._last]:
                skipped.append(first)
                continue
            found = dispatch.again(share, self._last)
        for each in skipped:
            heappush(self._idle, each)
        if found:
            asked.add(self._last)
        return found
