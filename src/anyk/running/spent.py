"""What colluders have learned of the data by all that they were sent: the accountant of a call."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import final
from weakref import WeakSet

from anyk.schemes.base import Encoded

__all__ = ["Spent"]


@final
class Spent:
    """The encodings that workers were sent, of data and of arguments, and what these tell.

    Each is counted as if it told something new of the same data: an argument may be made of them.
    That is a bound; of the same data again, a little less is learned: `anyk.leakage_spent`.

    Args:
        encoded: the data's shares.
        spread: standard deviation of the data, where they are real.
    """

    def __init__(self, encoded: Encoded, spread: float | None = None) -> None:
        self._sent: WeakSet[Encoded] = WeakSet()
        leak = encoded.guarantee.leak(_numbers(encoded))
        self.leak = None if leak is None else replace(leak, spread=spread, encoded=leak.numbers)

    def send(self, argument: Encoded) -> None:
        """Count an encoded argument; the same shares sent again tell nothing new.

        Args:
            argument: on its way to the workers.
        """
        if self.leak is None or argument in self._sent:
            return
        self._sent.add(argument)
        numbers = (self.leak.encoded or 0) + _numbers(argument)
        self.leak = replace(self.leak, encodings=self.leak.encodings + 1, encoded=numbers)


def _numbers(encoded: Encoded) -> int:
    """How many numbers a block has."""
    return math.prod(encoded.parts[0].shape[1:])
