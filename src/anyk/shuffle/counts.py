"""What a shuffle cost: bytes as multicasts and as unicasts, and seconds of computing."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from fractions import Fraction
from typing import TypeVar, final

import numpy as np

__all__ = ["Counts", "Seconds", "added"]

Cost = TypeVar("Cost", "Counts", "Seconds")


@final
@dataclass(frozen=True)
class Counts:
    """Every byte of a shuffle, of all nodes together.

    Args:
        intermediate: bytes that the maps made, each file counted once.
        wanted: those of them that their nodes lacked.
        multicast: bytes of messages without headers, each message counted once.
        unicast: the same, counted once for each node that wants something of it.
        headers_multicast: bytes of headers, each counted once.
        headers_unicast: the same, once for each node that a group has beside the sender.
        messages: how many were sent.
        deliveries: the same, once for each node that wants something of it.
        notes: bytes that nodes tell all others: what went wrong, these counts, samples of keys.

    Example:
        >>> from anyk import shuffle
        >>> values = lambda file: [file] * 4
        >>> counts = shuffle.map_reduce(
        ...     shuffle.Coded(nodes=4, copies=2), [bytes(10)] * 6, values, len
        ... ).counts
        >>> counts.intermediate, counts.multicast, counts.unicast, counts.padding
        (240, 60, 120, 0)
    """

    intermediate: int = 0
    wanted: int = 0
    multicast: int = 0
    unicast: int = 0
    headers_multicast: int = 0
    headers_unicast: int = 0
    messages: int = 0
    deliveries: int = 0
    notes: int = 0

    @property
    def padding(self) -> int:
        """Bytes of zeros among the unicasts, where values in a group were not equally long."""
        return self.unicast - self.wanted

    @property
    def multicast_load(self) -> Fraction:
        """Multicast bytes by intermediate ones; 0 where there are none."""
        return Fraction(self.multicast, self.intermediate or 1)

    @property
    def unicast_load(self) -> Fraction:
        """Unicast bytes by intermediate ones; 0 where there are none."""
        return Fraction(self.unicast, self.intermediate or 1)


@final
@dataclass(frozen=True)
class Seconds:
    """Seconds that all nodes together took; with K nodes side by side, it is a K-th of that.

    Args:
        map: in the user's map, redundant ones included.
        encode: for digests and XOR before messages are sent.
        send: until the transport had delivered; with MPI also waiting for others.
        decode: for XOR and digests of what came.
        reduce: in the user's reduce.

    Example:
        >>> from anyk import shuffle
        >>> shuffle.Seconds(map=1.0).reduce
        0.0
    """

    map: float = 0.0
    encode: float = 0.0
    send: float = 0.0
    decode: float = 0.0
    reduce: float = 0.0


def added(costs: list[Cost]) -> Cost:
    """The sum of costs, field by field."""
    kind = type(costs[0])
    sums = np.sum([astuple(cost) for cost in costs], axis=0).tolist()
    return kind(**dict(zip([each.name for each in fields(kind)], sums, strict=True)))
