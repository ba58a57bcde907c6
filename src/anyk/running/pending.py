"""What is still on its way in a run: who owes an answer, who is late, what can't come any more."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Collection
from typing import final

from anyk.answers import Answer
from anyk.executors.core.base import AbstractExecutor
from anyk.schemes.encoded import Encoded
from anyk.schemes.tally import AbstractTally

__all__ = ["Pending", "SendTimes"]


@final
class SendTimes:
    """When answers were asked for that are on their way.

    Example:
        >>> from anyk.running.pending import SendTimes
        >>> times = SendTimes()
        >>> for when in (0.0, 0.0, 2.0):
        ...     times.add(when)
        >>> times.due(1.0, limit=1.5), times.due(1.5, limit=1.5), times.due(4.0, limit=1.5)
        (1.5, 3.5, None)
    """

    def __init__(self) -> None:
        self._times: list[float] = []  # each once, sorted
        self._numbers: Counter[float] = Counter()

    def __bool__(self) -> bool:
        return bool(self._times)

    def add(self, when: float, number: int = 1) -> None:
        """So many more were asked for."""
        if not number:
            return
        if when not in self._numbers:
            insort(self._times, when)
        self._numbers[when] += number

    def remove(self, when: float) -> None:
        """One came that was asked for then."""
        self._numbers[when] -= 1
        if not self._numbers[when]:
            del self._numbers[when]
            del self._times[bisect_left(self._times, when)]

    def due(self, now: float, limit: float) -> float | None:
        """When the next one will be late; None if none is left that is not.

        Args:
            now: the time.
            limit: after how many seconds an answer is late.
        """
        place = bisect_right(self._times, now, key=lambda when: when + limit)
        return self._times[place] + limit if place < len(self._times) else None


@final
class Pending:
    """The answers that a run still waits for.

    Args:
        executor: whose clock and measure of lateness count.
        encoded: what was asked for.
        start: when it was asked, on the executor's clock.
        without: those of the workers that were not asked.
    """

    def __init__(
        self,
        executor: AbstractExecutor,
        encoded: Encoded,
        start: float,
        without: Collection[int] = (),
    ) -> None:
        self._executor, self._encoded = executor, encoded
        promise = encoded.guarantee
        self._workers, self._pieces = promise.workers, promise.pieces
        self._asked_first = self._workers - len(without)
        self._start = start
        everything = range(self._workers * self._pieces)
        shares = [share for share in everything if share // self._pieces not in without]
        self._left = {(share // self._pieces, share): start for share in shares}  # when it was sent
        self._of = {share: [start] for share in shares}  # the same, whoever owes it
        self._sent = SendTimes()
        self._sent.add(start, len(shares))
        self._tries = Counter(shares)
        self._owed = dict.fromkeys(range(self._workers), self._pieces)
        self._times: list[float] = []  # of workers that answered for all they had, sorted
        self._lost: set[int] = set()
        self._may_come: AbstractTally | None = None  # once something was lost
        for worker in without:
            for share in range(worker * self._pieces, (worker + 1) * self._pieces):
                self.lose(share)

    def __bool__(self) -> bool:
        return bool(self._left)

    def workers(self) -> set[int]:
        """The workers that owe an answer on a share of their own."""
        return {worker for worker, share in self._left if worker == share // self._pieces}

    def sent_last(self, share: int) -> float | None:
        """When a share was sent last to somebody who owes an answer; None if nobody does."""
        times = self._of.get(share)
        return max(times) if times else None

    def sent(self, share: int) -> tuple[float, ...]:
        """When a share was sent to each who owes an answer."""
        return tuple(self._of.get(share, ()))

    def tries(self, share: int) -> int:
        """How often a share was sent."""
        return self._tries[share]

    def sending(self, share: int, worker: int, now: float) -> None:
        """Somebody else was asked for a share."""
        self._tries[share] += 1
        self._left[worker, share] = now
        self._of.setdefault(share, []).append(now)
        self._sent.add(now)
        if share in self._lost and self._may_come is not None:
            self._lost.remove(share)
            self._may_come.add(share)

    def heard(self, answer: Answer) -> tuple[int, float | None]:
        """Note an answer or a failure; the share that it is on, and when that was sent."""
        worker = answer.worker
        share = worker * self._pieces + answer.piece if answer.share is None else answer.share
        when = self._settle(worker, share)
        if answer.share is None:
            self._owed[worker] -= 1
            if not self._owed[worker]:
                insort(self._times, answer.answered - self._start)
        return share, when

    def owes(self, share: int) -> bool:
        """Whether the worker that holds a share owes the answer."""
        return (share // self._pieces, share) in self._left

    def skipped(self, share: int, now: float) -> None:
        """The worker that holds a share is spared the answer."""
        worker = share // self._pieces
        self._settle(worker, share)
        self.lose(share)
        self._owed[worker] -= 1
        if not self._owed[worker]:
            insort(self._times, now - self._start)

    def _settle(self, worker: int, share: int) -> float | None:
        """A worker owes no answer on a share; when it was asked for it."""
        when = self._left.pop((worker, share), None)
        if when is not None:
            self._sent.remove(when)
            self._of[share].remove(when)
            if not self._of[share]:
                del self._of[share]
        return when

    def idle(self, worker: int) -> bool:
        """Whether a worker has answered for all shares of its own."""
        return self._owed.get(worker) == 0

    def lose(self, share: int) -> None:
        """There is no answer on a share so far, and one that came was of no use."""
        if share in self._of or share in self._lost:
            return
        self._lost.add(share)
        if self._may_come is None:
            self._may_come = self._encoded.scheme.tally(self._encoded.layout)
            for each in range(self._workers * self._pieces):
                self._may_come.add(each)
        self._may_come.remove(share)

    @property
    def troubled(self) -> int:
        """How many workers may be late or lie, by the promise."""
        promise = self._encoded.guarantee
        return promise.stragglers + promise.adversaries

    @property
    def hopeless(self) -> bool:
        """Whether what came and what is on its way is not sufficient, all together."""
        return self._may_come is not None and not self._may_come.enough

    def lost(self) -> Collection[int]:
        """The shares on which nobody who was asked so far will bring an answer."""
        return self._lost

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
            if worker < self._workers and when + limit <= now
        }
        return tuple(sorted(late))

    def due(self, limit: float) -> float | None:
        """When the next answer will be late; None if all that will come are.

        Args:
            limit: in seconds.
        """
        return self._sent.due(self._executor.clock(), limit)
