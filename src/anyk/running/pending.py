"""What is still on its way in a run: who owes an answer, who is late, what is sent again."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Collection, Mapping
from typing import final

from anyk.answers import Answer
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor

__all__ = ["Pending"]

_MOST_TRIES = 3  # of one share in one run, its own worker's among them


@final
class Pending:
    """The answers that a run still waits for.

    Args:
        executor: whose clock and measure of lateness count.
        workers: how many were asked.
        pieces: for how many shares each.
        start: when they were asked, on the executor's clock.
        without: those of the workers that were not asked.
    """

    def __init__(
        self,
        executor: AbstractExecutor,
        workers: int,
        pieces: int,
        start: float,
        without: Collection[int] = (),
    ) -> None:
        self._executor = executor
        self._workers, self._pieces = workers, pieces
        self._asked_first = workers - len(without)
        self._start = start
        shares = [share for share in range(workers * pieces) if share // pieces not in without]
        self._left = {(share // pieces, share): start for share in shares}  # when it was sent
        self._tries = Counter(shares)
        self._owed = Counter(share // pieces for share in shares)
        self._times: list[float] = []  # of workers that answered for all they had, sorted
        self._free: dict[int, float] = {}  # since when those that can be asked again are idle
        self._failed: set[int] = set()
        self._asked: dict[frozenset[int], set[int]] = {}  # others, by those who hold a block
        self.again: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._left)

    def shares(self) -> set[int]:
        """The shares that somebody still owes an answer for."""
        return {share for _, share in self._left}

    def workers(self) -> set[int]:
        """The workers that owe an answer on a share of their own."""
        return {worker for worker, share in self._left if worker == share // self._pieces}

    def heard(self, answer: Answer) -> int:
        """Note an answer or a failure; the share that it is on."""
        worker = answer.worker
        share = worker * self._pieces + answer.piece if answer.share is None else answer.share
        self._left.pop((worker, share), None)
        if answer.share is None:
            self._owed[worker] -= 1
            if not self._owed[worker]:
                insort(self._times, answer.answered - self._start)
        if answer.failure is not None:
            self._failed.add(worker)
        if not self._owed[worker] and worker not in self._failed:
            self._free[worker] = answer.answered
        return share

    def limit(self, *, few: bool) -> float | None:
        """After how many seconds an answer is late, as far as that can be told.

        Args:
            few: whether those that answered are enough, however few they are.
        """
        lateness = self._executor.lateness
        return lateness.after(self._times, self._asked_first, few=few)

    def late(self, now: float) -> tuple[int, ...]:
        """The workers that owe an answer and are late, sorted."""
        limit = self.limit(few=True)
        if limit is None:
            return ()
        late = {
            worker
            for (worker, _), when in self._left.items()
            if worker < self._workers and now - when >= limit
        }
        return tuple(sorted(late))

    def due(self, shares: Collection[int], limit: float) -> float | None:
        """When the next of these shares will be late; None if all that will come are.

        Args:
            shares: that are waited for.
            limit: in seconds.
        """
        now = self._executor.clock()
        wanted = set(shares)
        times = [when + limit for (_, share), when in self._left.items() if share in wanted]
        return min((time for time in times if time > now), default=None)

    def send_again(
        self, dispatch: AbstractDispatch, wanted: Mapping[int, Collection[int]], limit: float | None
    ) -> bool:
        """Ask idle workers for those of these shares that are late or have failed.

        Args:
            dispatch: that they are of.
            wanted: the shares, and for each the workers that may not compute it.
            limit: after how many seconds an answer is late; None if that can't be told yet, where
                only what has failed is sent again.

        Returns:
            Whether one of the shares is on its way, and not late.
        """
        now = self._executor.clock()
        sent_last: dict[int, float] = {}
        for (_, share), when in self._left.items():
            sent_last[share] = max(when, sent_last.get(share, when))
        under_way = False
        for share, barred in wanted.items():
            if share in sent_last and (limit is None or now - sent_last[share] < limit):
                under_way = True
                continue
            under_way |= self._ask(dispatch, share, barred, now)
        return under_way

    def _ask(
        self, dispatch: AbstractDispatch, share: int, barred: Collection[int], now: float
    ) -> bool:
        """Ask the first idle worker that may compute a share; whether there was one."""
        if self._tries[share] >= _MOST_TRIES:
            return False
        alive = self._executor.alive
        asked = self._asked.setdefault(frozenset(barred), set())  # one voice in each block
        for worker in sorted(self._free, key=self._free.__getitem__):
            if worker not in barred and worker not in asked and alive[worker]:
                del self._free[worker]
                if not dispatch.again(share, worker):
                    continue
                asked.add(worker)
                self._left[worker, share] = now
                self._tries[share] += 1
                self.again.add(share)
                return True
        return False
