"""The workers that a map may ask: all but those who lied, and those who fail each time."""

from __future__ import annotations

from collections.abc import Collection
from typing import final

__all__ = ["Crowd"]

_STRIKES = 3  # failures in a row after which a worker is not asked any more


@final
class Crowd:
    """The workers of one map.

    Args:
        workers: how many there are.
        without: those of whom nothing is asked.

    Example:
        >>> from anyk.running.mapping.crowd import Crowd
        >>> crowd = Crowd(3, without=[2])
        >>> crowd.bar(0)
        True
        >>> crowd.usable
        [1]
    """

    def __init__(self, workers: int, without: Collection[int]) -> None:
        self._barred = set(without)
        self._strikes = [0] * workers

    @property
    def usable(self) -> list[int]:
        """Who may be asked."""
        return [
            worker
            for worker, strikes in enumerate(self._strikes)
            if worker not in self._barred and strikes < _STRIKES
        ]

    def bar(self, worker: int) -> bool:
        """Ask a worker for nothing more; whether it was asked until now."""
        before = len(self._barred)
        self._barred.add(worker)
        return len(self._barred) > before

    def heard(self, worker: int, *, failed: bool) -> None:
        """A worker has brought something, or failed as a whole."""
        self._strikes[worker] = self._strikes[worker] + 1 if failed else 0
