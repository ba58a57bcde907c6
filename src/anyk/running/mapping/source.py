"""The items of a map: drawn one after the other, as workers are free."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, final

from anyk.checks import shown
from anyk.errors import InvalidArgument

__all__ = ["AbstractSource", "Source"]


class AbstractSource(ABC):
    """Where the arguments of the function come from, item by item."""

    @property
    @abstractmethod
    def drawn(self) -> int:
        """How many were drawn."""

    @property
    @abstractmethod
    def left(self) -> int | None:
        """How many more are known of; None where that is not known, as of a generator."""

    @property
    @abstractmethod
    def more(self) -> bool:
        """Whether there may be more, now or later."""

    @abstractmethod
    def draw(self) -> tuple[int, tuple[Any, ...]] | None:
        """The next item's index and arguments; None if there is none, or none yet."""

    @abstractmethod
    def wait(self, timeout: float | None) -> None:
        """Wait for the next item, or for there being no more; at most so many seconds."""

    @property
    def number(self) -> int:
        """How many items there are, as far as is known."""
        return self.drawn + (self.left or 0)


@final
class Source(AbstractSource):
    """The items of an iterable.

    Args:
        items: any iterable.
        spread: makes arguments of an item.

    Raises:
        InvalidArgument: if it is none.

    Example:
        >>> from anyk.running.mapping.source import Source
        >>> source = Source(iter("ab"), lambda item: (item,))
        >>> source.draw(), source.draw(), source.draw(), source.number
        ((0, ('a',)), (1, ('b',)), None, 2)
    """

    def __init__(self, items: Iterable[Any], spread: Callable[[Any], tuple[Any, ...]]) -> None:
        self._items, self._spread = _iterator(items), spread
        self._size = _size(items)
        self._drawn = 0
        self._more = True
        self._next: list[Any] = []  # that was looked at, where there should be none
        self._look()

    @property
    def drawn(self) -> int:
        """How many were drawn."""
        return self._drawn

    @property
    def left(self) -> int | None:
        """How many more there are; None for a generator that goes on."""
        if not self._more:
            return 0
        return None if self._size is None else self._size - self._drawn

    @property
    def more(self) -> bool:
        """Whether there may be more."""
        return self._more

    def draw(self) -> tuple[int, tuple[Any, ...]] | None:
        """The next item's index and arguments; None if there are no more."""
        try:
            item = self._next.pop() if self._next else next(self._items)
        except StopIteration:
            self._more = False
            return None
        arguments = self._spread(item)
        self._drawn += 1
        self._look()
        return self._drawn - 1, arguments

    def _look(self) -> None:
        """See whether there is really no more, where that was said: a length may be a guess."""
        if self._drawn == self._size:
            self._next = list(islice(self._items, 1))
            self._more = bool(self._next)
            self._size = None

    def wait(self, timeout: float | None) -> None:
        """The next item is there when it is asked for."""


def _iterator(items: Any) -> Iterator[Any]:
    try:
        return iter(items)
    except TypeError:
        if callable(items):
            raise InvalidArgument(
                "items",
                given=f"{shown(items)}, which can be called",
                needed="the function before the items",
                change="Pass the function first: anyk.map(function, items).",
            ) from None
        raise InvalidArgument(
            "items",
            given=shown(items),
            needed="something to iterate over: a list, an array, a generator",
            change="Pass [item] for a single one.",
        ) from None


def _size(items: Any) -> int | None:
    """How many there are; None where that is not known."""
    try:
        return len(items)
    except Exception:  # noqa: BLE001 - types of users raise what they like
        return None
