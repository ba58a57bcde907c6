"""What every worker did in one map: for the outcome, and for the executor's health."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import final

from anyk.answers import Answer, Timing
from anyk.executors.core.calls import Returned
from anyk.running.mapping.item import Item

__all__ = ["Record"]


@final
class Record:
    """What every worker was given and what it brought.

    Args:
        workers: how many there are.
        start: when it began, on the executor's clock.
    """

    def __init__(self, workers: int, start: float) -> None:
        self._start = start
        self._sent: dict[int, float] = {}
        self._answered: dict[int, float] = {}
        self._seconds = [0.0] * workers
        self._given = 0
        self.failures: dict[int, str] = {}
        self.used: set[int] = set()
        self.suspects: set[int] = set()
        self.again: set[int] = set()

    @property
    def calls(self) -> int:
        """How many calls of the function were given to workers."""
        return self._given

    def sent(self, worker: int, when: float, items: Sequence[Item]) -> None:
        """A worker was given items."""
        self._sent.setdefault(worker, when)
        self._given += len(items)

    def withdrawn(self, items: Sequence[Item]) -> None:
        """Items were taken back before they were begun."""
        self._given -= len(items)

    def doubled(self, items: Iterable[Item]) -> None:
        """Items are late, and given to somebody else too."""
        self.again.update(item.place for item in items)

    def returned(self, returned: Returned) -> None:
        """A worker brought results, or failed."""
        worker = returned.worker
        self._answered[worker] = returned.answered
        self._seconds[worker] += sum(result.seconds for result in returned.results)
        if returned.failure is not None:
            self.failures.setdefault(worker, returned.failure)

    def done(self, item: Item) -> None:
        """An item has its value."""
        self.used.update(item.supporters)
        self.suspects.update(item.outvoted)

    def answers(self) -> Iterator[Answer]:
        """An answer of each worker that has brought something, or was not needed."""
        for worker in range(len(self._seconds)):
            if worker in self._answered or worker not in self._sent:
                yield Answer(
                    worker=worker,
                    value=None,
                    failure=self.failures.get(worker),
                    sent=self._start,
                    answered=self._answered.get(worker, self._start),
                    seconds=self._seconds[worker],
                )

    def timings(self) -> tuple[Timing, ...]:
        """By worker: when it was first asked, when it last answered, and the work between."""
        return tuple(
            Timing(
                worker=worker,
                sent=self._sent.get(worker, self._start) - self._start,
                answered=self._answered[worker] - self._start if worker in self._answered else None,
                seconds=seconds if worker in self._answered else None,
            )
            for worker, seconds in enumerate(self._seconds)
        )
