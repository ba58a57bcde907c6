"""Which workers have how many batches at hand, so that nobody goes through all of them."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import final

__all__ = ["Loads"]


@final
class Loads:
    """The workers of a map by the number of batches that they have, the first ones first.

    Args:
        workers: how many there are.
        usable: whether a worker may be asked; one that may not is passed over until its number
            changes.

    Example:
        >>> from anyk.running.mapping.loads import Loads
        >>> loads = Loads(4, usable=lambda worker: worker != 1)
        >>> loads.change(0, 1)
        >>> loads.below(1), loads.below(2)
        ([2, 3], [2, 3, 0])
        >>> loads.each(0, lambda worker: print(worker) or worker < 2)
        2
    """

    def __init__(self, workers: int, usable: Callable[[int], bool]) -> None:
        self._usable = usable
        self._of = [0] * workers
        self._having: dict[int, list[int]] = {0: list(range(workers))}  # heaps; some have changed
        self._in: dict[int, set[int]] = {0: set(range(workers))}  # the same

    def change(self, worker: int, load: int) -> None:
        """A worker has so many from now on."""
        self._of[worker] = load
        there = self._in.setdefault(load, set())
        if worker not in there:
            there.add(worker)
            heappush(self._having.setdefault(load, []), worker)

    def of(self, worker: int) -> int:
        """How many a worker has."""
        return self._of[worker]

    def each(self, load: int, do: Callable[[int], bool]) -> None:
        """Do something for each worker that has so many, until that is False.

        Args:
            load: how many.
            do: is told the worker; may let it have more.
        """
        passed = []
        try:
            while (worker := self._first(load)) is not None:
                heappop(self._having[load])
                self._in[load].discard(worker)
                passed.append(worker)
                if not do(worker):
                    break
        finally:
            for worker in passed:
                if self._of[worker] == load:
                    self.change(worker, load)

    def any_below(self, load: int) -> bool:
        """Whether some worker has fewer."""
        return any(self._first(less) is not None for less in range(load))

    def below(self, load: int) -> list[int]:
        """The workers that have fewer: those with the fewest first."""
        return [
            worker
            for less in range(load)
            for worker in sorted(self._in.get(less, ()))
            if self._of[worker] == less and self._usable(worker)
        ]

    def _first(self, load: int) -> int | None:
        heap = self._having.get(load, [])
        while heap:
            worker = heap[0]
            if self._of[worker] == load and self._usable(worker):
                return worker
            heappop(heap)
            self._in[load].discard(worker)
        return None
