"""What workers are sent once and keep: constants, and the functions of calls."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar, final

__all__ = ["Constants"]

Packing = TypeVar("Packing")


@final
class Constants(Generic[Packing]):
    """Values that workers keep under a key, pickled once for all. May be used from any thread.

    Example:
        >>> from anyk.executors.processes.constants import Constants
        >>> constants = Constants()
        >>> constants.add("model", b"packed")
        >>> constants.add("f", b"too", asked=True)
        >>> set(constants.wanted), sorted(constants.known)
        ({'model'}, ['f', 'model'])
        >>> constants.remove("model")
        >>> constants.wanted
        {}
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # who is collected removes its own, whoever holds it
        self._known: dict[str, Packing] = {}
        self.wanted: dict[str, Packing] = {}
        """What each worker should hold, by key."""

    @property
    def known(self) -> dict[str, Packing]:
        """What a worker may hold: also what it is only sent when it is asked for it."""
        return self._known

    def add(self, key: str, packed: Packing, *, asked: bool = False) -> None:
        """Have a value kept.

        Args:
            key: that no other has.
            packed: the value, ready to be sent.
            asked: whether only those workers are sent it who need it.
        """
        with self._lock:  # who iterates over one of them goes on with the old one
            self._known = {**self._known, key: packed}
            if not asked:
                self.wanted = {**self.wanted, key: packed}

    def remove(self, key: str) -> None:
        """Let workers forget it. Harmless when called twice."""
        with self._lock:
            self._known = {each: kept for each, kept in self._known.items() if each != key}
            self.wanted = {each: kept for each, kept in self.wanted.items() if each != key}
