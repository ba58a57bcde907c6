"""The items of a map: drawn one after the other, as workers are free."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, final

__all__ = ["Source"]


@final
class Source:
    """Arguments of the function, item by item.

    Args:
        items: any iterable.
        spread: makes arguments of an item.

    Example:
        >>> from anyk.running.mapping.source import Source
        >>> source = Source(iter("ab"), lambda item: (item,))
        >>> source.draw(), source.draw(), source.draw(), source.number
        ((0, ('a',)), (1, ('b',)), None, 2)
    """

    def __init__(self, items: Iterable[Any], spread: Callable[[Any], tuple[Any, ...]]) -> None:
        self.size = _size(items)
        self.drawn = 0
        self.more = self.size != 0
        self._items, self._spread = iter(items), spread

    @property
    def number(self) -> int:
        """How many items there are, as far as is known."""
        return self.drawn if self.size is None or not self.more else self.size

    def draw(self) -> tuple[int, tuple[Any, ...]] | None:
        """The next item's index and arguments; None if there are no more."""
        try:
            arguments = self._spread(next(self._items))
        except StopIteration:
            self.more = False
            return None
        self.drawn += 1
        self.more = self.size is None or self.drawn < self.size
        return self.drawn - 1, arguments


def _size(items: Any) -> int | None:
    """How many there are; None where that is not known."""
    try:
        return len(items)
    except TypeError:
        return None
