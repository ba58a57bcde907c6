"""How long items take, on all workers and on each: what is late, and how many travel together."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from typing import final

from anyk.executors.core.lateness import Lateness

__all__ = ["Pace"]

_REMEMBERED = 200  # items of all workers
_OF_EACH = 8  # batches of one worker
_LONGEST_WAY = 0.1  # seconds that the way of a batch may be worth
_TOGETHER = 0.02  # seconds that items take which travel together
_LITTLE = 0.002  # seconds of work that one worker may as well do alone
_MOST = 2000  # of them
_UNHEARD = 300.0  # seconds after which an item is late where nothing came from anybody yet: as
# long as nobody has answered, items are long rather than workers hung
_HUNG = 10.0  # times as long as what is late
_HUNG_LEAST = 30.0  # seconds
_SLOWEST = 0.9  # the quantile of all times that an item may take and not be late


@final
class Pace:
    """Seconds that items took so far.

    Args:
        workers: how many there are.
        lateness: the executor's measure.

    Example:
        >>> from anyk.running.mapping.pace import Pace
        >>> pace = Pace(2, anyk.Lateness())
        >>> pace.seconds(0), pace.together(0)
        (None, 1)
        >>> pace.note(0, seconds=0.01, items=10)
        >>> pace.seconds(1), pace.together(0)
        (0.001, 4)
    """

    def __init__(self, workers: int, lateness: Lateness) -> None:
        self._lateness = lateness
        self._all: deque[float] = deque(maxlen=_REMEMBERED)
        self._sorted: list[float] = []
        self._of: list[deque[float]] = [deque(maxlen=_OF_EACH) for _ in range(workers)]
        self._batches: list[deque[tuple[float, int]]] = [
            deque(maxlen=_OF_EACH) for _ in range(workers)
        ]
        self._computed: list[deque[float]] = [deque(maxlen=_OF_EACH) for _ in range(workers)]
        self._largest = [1] * workers  # batches that a worker was given, of items

    def note(self, worker: int, seconds: float, items: int, computed: float = math.inf) -> None:
        """A worker took so long for so many items.

        Args:
            worker: who.
            seconds: the way there and back included.
            items: how many.
            computed: seconds without the way; what is more than all of them counts as all.
        """
        each = max(seconds, 0.0) / items
        if len(self._all) == _REMEMBERED:
            del self._sorted[bisect_left(self._sorted, self._all[0])]
        self._all.append(each)
        insort(self._sorted, each)
        self._of[worker].append(each)
        self._batches[worker].append((max(seconds, 0.0), items))
        self._computed[worker].append(min(max(seconds, 0.0), computed))

    def seconds(self, worker: int) -> float | None:
        """How long a worker will take for an item; None where nothing came from anybody yet."""
        own = self._of[worker]
        if own:
            return sorted(own)[len(own) // 2]
        return self._quantile(0.5)

    def late_after(self) -> float:
        """After how many seconds an item is late, where its worker is as quick as others."""
        median, slow = self._quantile(0.5), self._quantile(_SLOWEST)
        if median is None or slow is None:
            return _UNHEARD
        measure = self._lateness
        margin = min(measure.margin, max(median, 0.01))
        return max(measure.medians * median, slow) + margin

    def hung_after(self) -> float:
        """After how many seconds a worker may be said to hang, however busy its machine is."""
        return max(_HUNG_LEAST, _HUNG * self.late_after())

    def together(self, worker: int) -> int:
        """How many items a worker may be given at once: more with each batch of small ones.

        So many that they take as long as the way there and back, where that is long.
        """
        most = max(self._fit(worker, _TOGETHER), self._worth_the_way(worker))
        return max(1, min(most, _MOST, 4 * self._largest[worker]))

    def least(self, worker: int) -> int:
        """How many items are so little that dividing them among workers is not worth a message."""
        return self._fit(worker, _LITTLE)

    def _fit(self, worker: int, seconds: float) -> int:
        """How many items take so long, the way of the batches that they came in included."""
        batches = self._batches[worker]
        if not batches:
            each = self._quantile(0.5)
            return 1 if each is None else int(seconds / max(each, 1e-9))
        took = sum(each for each, _ in batches) / sum(items for _, items in batches)
        return int(seconds / max(took, 1e-9))

    def _worth_the_way(self, worker: int) -> int:
        """How many items take as long to compute as the way of a batch."""
        batches = self._batches[worker]
        if not batches:
            return 1
        computed = sum(self._computed[worker])
        way = (sum(each for each, _ in batches) - computed) / len(batches)
        each = computed / sum(items for _, items in batches)
        return int(min(way, _LONGEST_WAY) / max(each, 1e-9))  # more than that is no way, but a halt

    def given(self, worker: int, items: int) -> None:
        """A worker was given so many at once."""
        self._largest[worker] = max(self._largest[worker], items)

    @property
    def quick(self) -> bool:
        """Whether items are so short that a worker should have the next one at hand."""
        median = self._quantile(0.5)
        return median is not None and median < _AHEAD

    def _quantile(self, part: float) -> float | None:
        if not self._sorted:
            return None
        return self._sorted[min(int(part * len(self._sorted)), len(self._sorted) - 1)]


_AHEAD = 1.0  # seconds of an item below which the way there and back is worth saving
