"""The items that wait for a worker: those that lack one, then those that are yet to be drawn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import final

from anyk.running.mapping.item import Item
from anyk.running.mapping.source import AbstractSource

__all__ = ["Waiting"]

_DRAW = 0.005  # seconds in which more items are drawn for one batch


@final
class Waiting:
    """Items that are not with as many workers as they need.

    Args:
        source: of items, drawn as workers are free.
        agree: how many equal answers an item takes.
        clock: of the executor.

    Example:
        >>> from anyk.running.mapping.source import Source
        >>> from anyk.running.mapping.waiting import Waiting
        >>> waiting = Waiting(Source("abc", lambda item: (item,)), agree=1, clock=lambda: 0.0)
        >>> [item.arguments for item in waiting.take(2, lambda item: True)]
        [('a',), ('b',)]
        >>> waiting.left, waiting.any
        (1, True)
    """

    def __init__(self, source: AbstractSource, agree: int, clock: Callable[[], float]) -> None:
        self._source, self._agree, self._clock = source, agree, clock
        self._lacking: deque[Item] = deque()  # drawn, and lacking somebody
        self.open: dict[int, Item] = {}
        """Those that were drawn and are not done, by their index."""

    @property
    def any(self) -> bool:
        """Whether some wait, or may be drawn."""
        return bool(self._lacking) or self._source.more

    @property
    def left(self) -> int | None:
        """How many workers they lack, all together; None where that is not known."""
        left = self._source.left
        return None if left is None else left * self._agree + len(self._lacking)

    def take(self, most: int, may_take: Callable[[Item], bool]) -> list[Item]:
        """The next items for one worker; one that went wrong before comes alone.

        Args:
            most: how many, at most.
            may_take: says whether this worker may be given an item.
        """
        items: list[Item] = []
        kept: list[Item] = []
        while self._lacking and len(items) < most:
            item = self._lacking.popleft()
            if item.lacking <= 0:
                item.queued = False
                continue
            alone = bool(item.died or item.raised)  # nobody else is to suffer from it
            if not may_take(item) or (alone and items):
                kept.append(item)
                continue
            items.append(item)
            if item.lacking > 1:
                kept.append(item)
            else:
                item.queued = False
            most = 1 if alone else most
        self._lacking.extendleft(reversed(kept))
        return items + self._drawn(most - len(items))

    def again(self, items: Sequence[Item]) -> None:
        """Put items in front, as far as they lack somebody."""
        for item in reversed(items):
            if item.lacking > 0 and not item.queued:
                item.queued = True
                self._lacking.appendleft(item)

    def _drawn(self, most: int) -> list[Item]:
        """New items, as long as they come quickly."""
        items: list[Item] = []
        begun = self._clock()
        while self._source.more and len(items) < most and self._clock() - begun < _DRAW:
            drawn = self._source.draw()
            if drawn is None:
                break
            item = self.open[drawn[0]] = Item(*drawn, self._agree)
            items.append(item)
            if self._agree > 1:
                item.queued = True
                self._lacking.append(item)
        return items
