"""How the workers of an executor do: what became of them in the calls so far."""

from __future__ import annotations

import enum
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

from anyk.answers import Answer

__all__ = ["Call", "Condition", "Ledger", "WorkerHealth"]


@final
class Condition(enum.Enum):
    """How a worker does; the value says what that means.

    Example:
        >>> print(anyk.Condition.LATE.value)
        had not answered all of its last call when that was over
    """

    IDLE = "has answered, and waits for work"
    BUSY = "computes for a call that goes on"
    LATE = "had not answered all of its last call when that was over"
    FAILED = "failed in its last call"
    DEAD = "is gone; it is replaced before the next call where that is possible"
    LIED = "gave a wrong answer in the last call in which it was examined"


@final
@dataclass(frozen=True, kw_only=True)
class WorkerHealth:
    """One worker's record.

    Args:
        worker: its index.
        condition: how it does now.
        calls: how often it was asked.
        late: how often the call was over before it had answered for all of its shares.
        failed: in how many calls it failed, for one of its shares or more.
        lied: how often it was named as a liar.
        failure: why it failed last; None if it never did.

    Example:
        >>> with anyk.Inline(2) as executor:
        ...     _ = anyk.run(anyk.Replication(blocks=2, workers=2), np.sqrt, [1.0, 4.0], executor)
        ...     executor.health[1].calls
        1
    """

    worker: int
    condition: Condition
    calls: int
    late: int
    failed: int
    lied: int
    failure: str | None


@final
class _Record:
    """What is known of one worker; under the ledger's lock."""

    def __init__(self) -> None:
        self.calls = self.late = self.failed = self.lied = 0
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
        ['LATE', 'LATE', 'IDLE']
    """

    def __init__(self, workers: int) -> None:
        self._lock = threading.Lock()
        self._records = [_Record() for _ in range(workers)]

    @contextmanager
    def call(self, workers: int, pieces: int = 1) -> Iterator[Call]:
        """One call to the first workers; those that do not answer within it are late.

        Args:
            workers: how many are asked.
            pieces: for how many shares each; one that has answered for some of them is late too.

        Yields:
            What to tell of it.
        """
        call = Call(self._lock, self._records[:workers], pieces)
        try:
            yield call
        finally:
            call.end()

    def report(self, alive: Sequence[bool]) -> tuple[WorkerHealth, ...]:
        """The health of each worker.

        Args:
            alive: by worker.
        """
        with self._lock:
            return tuple(
                WorkerHealth(
                    worker=worker,
                    condition=_condition(record, alive=lives),
                    calls=record.calls,
                    late=record.late,
                    failed=record.failed,
                    lied=record.lied,
                    failure=record.failure,
                )
                for worker, (record, lives) in enumerate(zip(self._records, alive, strict=True))
            )


def _condition(record: _Record, *, alive: bool) -> Condition:
    if not alive:
        return Condition.DEAD
    return Condition.BUSY if record.pending else record.condition


@final
class Call:
    """One call, as the ledger is told of it. Made by `Ledger.call`."""

    def __init__(self, lock: threading.Lock, records: Sequence[_Record], pieces: int) -> None:
        self._lock, self._records = lock, records
        self._owed = dict.fromkeys(range(len(records)), pieces)  # answers, by worker
        self._failed: set[int] = set()
        with lock:
            for record in records:
                record.calls += 1
                record.pending += 1

    def heard(self, answer: Answer) -> None:
        """A worker answered for a share, or failed."""
        who = answer.worker
        with self._lock:
            record = self._records[who]
            if who in self._owed:
                self._owed[who] -= 1
                if not self._owed[who]:
                    del self._owed[who]
                    record.pending -= 1
            if answer.failure is not None:
                record.failed += who not in self._failed
                record.failure = answer.failure
                self._failed.add(who)
            record.condition = Condition.FAILED if who in self._failed else Condition.IDLE

    def judged(self, suspects: Collection[int]) -> None:
        """These workers lied.

        Args:
            suspects: their indices.
        """
        with self._lock:
            for worker in suspects:
                self._records[worker].lied += 1
                self._records[worker].condition = Condition.LIED

    def end(self) -> None:
        """The call is over. Harmless when called twice."""
        with self._lock:
            for worker in self._owed:
                self._records[worker].pending -= 1
                self._records[worker].late += 1
                self._records[worker].condition = Condition.LATE
            self._owed.clear()
