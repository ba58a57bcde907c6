"""What somebody who listens logs, so sparingly that strangers can't fill a disk with it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import final

__all__ = ["Talk"]

_BURST = 100  # lines that may come at once
_EACH = 1.0  # seconds for one more


@final
class Talk:
    """A log that leaves lines out where there are too many, and says how many they were.

    Args:
        log: where they go.
        clock: seconds.

    Example:
        >>> import logging
        >>> from anyk.connections.talk import Talk
        >>> talk = Talk(logging.getLogger("anyk.example"))
        >>> talk.say("refused a stranger")
    """

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._left = float(_BURST)
        self._seen = clock()
        self._left_out = 0

    def say(self, text: str) -> None:
        """Log a line, if there is room for it."""
        now = self._clock()
        self._left = min(self._left + (now - self._seen) / _EACH, _BURST)
        self._seen = now
        if self._left < 1.0:
            self._left_out += 1
            return
        if self._left_out:
            self._log.info("%d lines were left out", self._left_out)
            self._left_out = 0
        self._left -= 1.0
        self._log.info("%s", text)
