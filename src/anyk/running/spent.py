"""What colluders have learned of the data by all that they were sent: the accountant of a call."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, final
from weakref import WeakKeyDictionary, WeakSet

from anyk.schemes.encoded import Encoded
from anyk.spec import MatMul
from anyk.spread import spread_of

__all__ = ["Spent"]


@final
class Spent:
    """The encodings that workers were sent, of data and of arguments, and what these tell.

    Each is counted as if it told something new of the same data: an argument may be made of them,
    and so may the other factor of a product. That is a bound; of the same data again, a little less
    is learned: `anyk.leakage_spent`.

    Args:
        encoded: the data's shares.
        spread: standard deviation of the data, where they are real.
    """

    def __init__(self, encoded: Encoded, spread: float | None = None) -> None:
        self._sent: WeakSet[Encoded] = WeakSet([encoded])
        self._spreads: WeakKeyDictionary[Encoded, float] = WeakKeyDictionary()
        sizes = _sizes(encoded)
        leak = encoded.guarantee.leak(max(sizes))
        self.leak = leak and replace(leak, spread=spread, encodings=len(sizes), encoded=sum(sizes))

    def note(self, argument: Encoded, values: Any) -> None:
        """Keep how large the values of an argument are, to be told when it is sent.

        Args:
            argument: what was encoded.
            values: array-like (K, *shape).
        """
        if self.leak is not None and self.leak.data_std is not None:
            self._spreads[argument] = spread_of(values)

    def send(self, argument: Encoded) -> None:
        """Count an encoded argument; the same shares sent again tell nothing new.

        Args:
            argument: on its way to the workers.
        """
        if self.leak is None or argument in self._sent:
            return
        self._sent.add(argument)
        numbers = (self.leak.encoded or 0) + sum(_sizes(argument))
        spreads = [self.leak.spread, self._spreads.get(argument)]
        spread = max((each for each in spreads if each is not None), default=None)
        self.leak = replace(
            self.leak, encodings=self.leak.encodings + 1, encoded=numbers, spread=spread
        )


def _sizes(encoded: Encoded) -> list[int]:
    """How many numbers a block has, of all that is masked: both factors, of a product."""
    sizes = [math.prod(part.shape[1:]) for part in encoded.parts]
    return sizes if isinstance(encoded.scheme.problem, MatMul) else [max(sizes)]
