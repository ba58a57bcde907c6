"""What an aggregator's owner lets a server take: memory, connections and time."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

from anyk.checks import count
from anyk.connections.broken import BrokenAnswer

__all__ = ["Room", "ServiceLimits"]


@final
@dataclass(frozen=True, kw_only=True)
class ServiceLimits:
    """What servers may take of an aggregator, in the units of the command `anyk aggregator`.

    Args:
        memory: MiB of requests that are on their way or being answered, of all connections.
        sessions: connections at once of those who have shown that they are the server.
        seconds: that a request may take from its first bytes to its last, and then the answer on
            its way back.
        idle_seconds: from an answer to the next request; 0 for no limit.

    Raises:
        InvalidArgument: if one of them can't be used.

    Example:
        >>> from anyk.aggregation.remote.limits import ServiceLimits
        >>> ServiceLimits(memory=2, idle_seconds=0).idle_patience
        inf
    """

    memory: int = 1024
    sessions: int = 4
    seconds: int = 600
    idle_seconds: int = 3600

    def __post_init__(self) -> None:
        for name in ("memory", "sessions", "seconds"):
            count(f"--{name}", getattr(self, name), least=1)
        count("--idle-seconds", self.idle_seconds, least=0)

    @property
    def bytes(self) -> int:
        """Of requests."""
        return self.memory << 20

    @property
    def idle_patience(self) -> float:
        """Seconds from an answer to the next request."""
        return float(self.idle_seconds or math.inf)


@final
class Room:
    """Bytes that several connections share.

    Args:
        size: in bytes.

    Example:
        >>> from anyk.aggregation.remote.limits import Room
        >>> room = Room(10)
        >>> with room.taken(6):
        ...     room.left
        4
        >>> room.left
        10
    """

    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        self._left = size

    @property
    def left(self) -> int:
        """Bytes that nobody has taken."""
        return self._left

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Take some for a while.

        Raises:
            BrokenAnswer: if there is not enough room.
        """
        with self._lock:
            if size > self._left:
                raise BrokenAnswer(
                    f"its request has {size} bytes, where --memory has room for {self._left}"
                )
            self._left -= size
        try:
            yield
        finally:
            with self._lock:
                self._left += size
