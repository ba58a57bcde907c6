"""The workers that a map may ask: all but those who lied, and those who fail each time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import final

__all__ = ["Crowd"]

_STRIKES = 3  # failures in a row after which a worker is not asked any more


@final
class Crowd:
    """The workers of one map that may be asked.

    Args:
        workers: how many there are.
        without: those of whom nothing is asked.

    Example:
        >>> from anyk.running.mapping.crowd import Crowd
        >>> crowd = Crowd(3, without=[2])
        >>> crowd.bar(0)
        True
        >>> list(crowd), len(crowd), 2 in crowd
        ([1], 1, False)
    """

    def __init__(self, workers: int, without: Collection[int]) -> None:
        self._barred = set(without)
        self._strikes = [0] * workers
        self._number = sum(worker not in self._barred for worker in range(workers))

    def __len__(self) -> int:
        return self._number

    def __contains__(self, worker: int) -> bool:
        return worker not in self._barred and self._strikes[worker] < _STRIKES

    def __iter__(self) -> Iterator[int]:
        return (worker for worker in range(len(self._strikes)) if worker in self)

    def bar(self, worker: int) -> bool:
        """Ask a worker for nothing more; whether it was not barred until now."""
        if worker in self._barred:
            return False
        self._number -= worker in self
        self._barred.add(worker)
        return True

    def heard(self, worker: int, *, failed: bool) -> None:
        """A worker has brought something, or failed as a whole."""
        before = worker in self
        self._strikes[worker] = self._strikes[worker] + 1 if failed else 0
        self._number += (worker in self) - before
