"""How the workers of an executor do: what became of them in the calls so far."""

from __future__ import annotations

import enum
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

from anyk.answers import Answer
from anyk.executors.core.lateness import Lateness
from anyk.wording import numbered

__all__ = ["Call", "Condition", "Ledger", "WorkerHealth"]

Clock = Callable[[], float]

_REMEMBERED = 5  # calls


@final
class Condition(enum.Enum):
    """How a worker does; the value says what that means.

    Example:
        >>> print(anyk.Condition.LATE.value)
        was slower than the others, by the executor's measure, in most of its last calls
    """

    IDLE = "has answered, and waits for work"
    BUSY = "computes for a call that goes on"
    SPARE = "was not needed: its last call was over before it had answered"
    LATE = "was slower than the others, by the executor's measure, in most of its last calls"
    FAILED = "failed in its last call"
    DEAD = "is gone; it is replaced before the next call where that is possible"
    LIED = "gave a wrong answer in the last call in which it was examined"
    QUARANTINED = "is not used until executor.quarantine releases it"


@final
@dataclass(frozen=True, kw_only=True)
class WorkerHealth:
    """One worker's record.

    Args:
        worker: its index.
        condition: how it does now.
        calls: how often it was asked.
        late: in how many calls it was slower than the others, by the executor's measure, or was
            missed.
        spare: how often the call was over before it had answered, and it was not late.
        failed: in how many calls it failed, for one of its shares or more.
        lied: how often it was named as a liar.
        failure: why it failed last; None if it never did.

    Example:
        >>> with anyk.Inline(2) as executor:
        ...     _ = anyk.run(anyk.Replication(blocks=2, workers=2), np.sqrt, [1.0, 4.0], executor)
        ...     executor.health[1].calls
        ...     print(executor.health[1])
        1
        worker 1: IDLE, has answered, and waits for work; 1 call
    """

    worker: int
    condition: Condition
    calls: int
    late: int
    spare: int
    failed: int
    lied: int
    failure: str | None

    def __str__(self) -> str:
        """One line that a person reads: what never happened is left out."""
        counts = {"late": self.late, "spare": self.spare, "failed": self.failed, "lied": self.lied}
        often = [numbered(self.calls, "call"), *(f"{n} {what}" for what, n in counts.items() if n)]
        why = f"; failed last: {self.failure}" if self.failure else ""
        condition = f"{self.condition.name}, {self.condition.value}"
        return f"worker {self.worker}: {condition}; {', '.join(often)}{why}"


@final
class _Record:
    """What is known of one worker; under the ledger's lock."""

    def __init__(self) -> None:
        self.calls = self.late = self.spare = self.failed = self.lied = 0
        self.punctual: deque[bool] = deque(maxlen=_REMEMBERED)
        self.failure: str | None = None
        self.pending = 0  # calls that go on and in which it still owes an answer
        self.condition = Condition.IDLE


@final
class Ledger:
    """The records of all workers of one executor. All methods may be called from any thread.

    Args:
        workers: N.

    Example:
        >>> from anyk.executors.core.health import Ledger
        >>> ledger = Ledger(3)
        >>> with ledger.call(2):
        ...     [health.condition.name for health in ledger.report([True, True, False])]
        ['BUSY', 'BUSY', 'DEAD']
        >>> [health.condition.name for health in ledger.report([True] * 3)]
        ['SPARE', 'SPARE', 'IDLE']
    """

    def __init__(self, workers: int) -> None:
        self._lock = threading.Lock()
        self._records = [_Record() for _ in range(workers)]

    @contextmanager
    def call(
        self,
        workers: int,
        pieces: int = 1,
        *,
        clock: Clock = time.perf_counter,
        lateness: Lateness | None = None,
        without: Collection[int] = (),
    ) -> Iterator[Call]:
        """One call to the first workers.

        Args:
            workers: how many are asked.
            pieces: for how many shares each.
            clock: of the executor.
            lateness: its measure.
            without: those of these workers of whom nothing is asked.

        Yields:
            What to tell of it.
        """
        measure = Lateness() if lateness is None else lateness
        asked = {who: self._records[who] for who in range(workers) if who not in without}
        call = Call(self._lock, asked, pieces, clock, measure)
        try:
            yield call
        finally:
            call.end()

    def report(
        self, alive: Sequence[bool], quarantined: Collection[int] = ()
    ) -> tuple[WorkerHealth, ...]:
        """The health of each worker.

        Args:
            alive: by worker.
            quarantined: who is not used.
        """
        with self._lock:
            return tuple(
                WorkerHealth(
                    worker=worker,
                    condition=Condition.QUARANTINED
                    if worker in quarantined
                    else _condition(record, alive=lives),
                    calls=record.calls,
                    late=record.late,
                    spare=record.spare,
                    failed=record.failed,
                    lied=record.lied,
                    failure=record.failure,
                )
                for worker, (record, lives) in enumerate(zip(self._records, alive, strict=True))
            )


def _condition(record: _Record, *, alive: bool) -> Condition:
    if not alive:
        return Condition.DEAD
    if record.pending:
        return Condition.BUSY
    slow = 2 * record.punctual.count(False) > len(record.punctual)
    mild = record.condition in {Condition.IDLE, Condition.SPARE}
    return Condition.LATE if slow and mild else record.condition


@final
class Call:
    """One call, as the ledger is told of it. Made by `Ledger.call`."""

    def __init__(
        self,
        lock: threading.Lock,
        records: Mapping[int, _Record],
        pieces: int,
        clock: Clock,
        lateness: Lateness,
    ) -> None:
        self._lock, self._records = lock, records
        self._clock, self._lateness = clock, lateness
        self._begun = clock()
        self._owed = dict.fromkeys(records, pieces)  # answers, by worker
        self._times: dict[int, float] = {}  # of those that owe nothing any more
        self._failed: set[int] = set()
        self._missed: set[int] = set()
        self._over = False
        with lock:
            for record in records.values():
                record.calls += 1
                record.pending += 1

    def heard(self, answer: Answer) -> None:
        """A worker answered for a share, or failed."""
        who = answer.worker
        if who not in self._records:
            return  # asked for another's share alone
        with self._lock:
            record = self._records[who]
            if answer.share is None and who in self._owed:
                self._settle(who, answer.answered)
            if answer.failure is not None:
                record.failed += who not in self._failed
                record.failure = answer.failure
                self._failed.add(who)
            record.condition = Condition.FAILED if who in self._failed else Condition.IDLE

    def spared(self, worker: int) -> None:
        """A worker is spared one of its shares."""
        with self._lock:
            if worker in self._owed:
                self._settle(worker, self._clock())

    def _settle(self, worker: int, when: float) -> None:
        """It owes one answer less since then."""
        self._owed[worker] -= 1
        if not self._owed[worker]:
            del self._owed[worker]
            self._records[worker].pending -= 1
            self._times[worker] = when - self._begun

    def judged(self, suspects: Collection[int], late: Collection[int] = ()) -> None:
        """These workers lied, and these were missed.

        Args:
            suspects: their indices.
            late: of those that had not answered.
        """
        with self._lock:
            self._missed.update(late)
            for worker in suspects:
                if worker in self._records:
                    self._records[worker].lied += 1
                    self._records[worker].condition = Condition.LIED

    def end(self) -> None:
        """The call is over. Harmless when called twice."""
        now = self._clock() - self._begun
        limit = self._lateness.after(sorted(self._times.values()), len(self._records), few=True)
        with self._lock:
            if self._over:
                return
            self._over = True
            for worker, record in self._records.items():
                owes = worker in self._owed
                took = self._times.get(worker, now)
                late = worker in self._missed or (limit is not None and took >= limit)
                record.late += late
                record.punctual.append(not late)
                if owes:
                    record.pending -= 1
                    record.spare += not late
                    record.condition = Condition.SPARE
            self._owed.clear()
