"""What every worker of a map has at hand: batches on their way, and how late they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import final

from anyk.running.mapping.item import Item
from anyk.running.mapping.pace import Pace

__all__ = ["Flight", "Flights"]

_GAIN = 2.0  # times quicker that another worker must be expected to be, to be worth asking


@final
@dataclass(eq=False)
class Flight:
    """A batch on its way.

    Args:
        ticket: of the batch.
        worker: who has it.
        items: what is in it.
        sent: when it was posted.
    """

    ticket: int
    worker: int
    items: tuple[Item, ...]
    sent: float
    void: bool = field(default=False)  # whether what comes of it does not count

    @property
    def open(self) -> list[Item]:
        """The items that are not done."""
        return [item for item in self.items if not item.over]


@final
class Flights:
    """All batches on their way, by worker in the order in which they are computed.

    Args:
        workers: how many there are.
        pace: how long items take.
    """

    def __init__(self, workers: int, pace: Pace) -> None:
        self._pace = pace
        self._by_ticket: dict[int, Flight] = {}
        self._at: list[list[Flight]] = [[] for _ in range(workers)]
        self._free_since = [-math.inf] * workers

    def __len__(self) -> int:
        return len(self._by_ticket)

    def __iter__(self) -> Iterator[Flight]:
        return iter(self._by_ticket.values())

    def get(self, ticket: int) -> Flight | None:
        """The batch with this ticket, if it is on its way."""
        return self._by_ticket.get(ticket)

    def at(self, worker: int) -> list[Flight]:
        """What a worker has, the first of which it may be computing."""
        return self._at[worker]

    def add(self, flight: Flight) -> None:
        """A batch was posted."""
        self._by_ticket[flight.ticket] = flight
        self._at[flight.worker].append(flight)
        for item in flight.items:
            item.with_.append(flight.worker)
            item.given += 1

    def remove(self, ticket: int, when: float | None = None) -> Flight | None:
        """A batch is back, at that time; or was withdrawn, and has never been there."""
        flight = self._by_ticket.pop(ticket, None)
        if flight is None:
            return None
        self._at[flight.worker].remove(flight)
        if when is not None:
            self._free_since[flight.worker] = when
        for item in flight.items:
            if not flight.void:
                item.with_.remove(flight.worker)
            item.given -= when is None
        return flight

    def avoid(self, worker: int) -> list[Flight]:
        """Let nothing count that this worker has; its batches."""
        for flight in self._at[worker]:
            if not flight.void:
                flight.void = True
                for item in flight.items:
                    item.with_.remove(worker)
        return list(self._at[worker])

    def began(self, flight: Flight) -> float:
        """When a batch was begun, at the earliest."""
        return max(flight.sent, self._free_since[flight.worker])

    def first(self, flight: Flight) -> bool:
        """Whether its worker may be computing it."""
        return self._at[flight.worker][0] is flight

    def late_at(self, worker: int) -> float:
        """When a worker will be late with what it computes; infinity if it has nothing."""
        queue = self._at[worker]
        if not queue:
            return math.inf
        own = self._pace.seconds(worker) or 0.0
        return self.began(queue[0]) + own * (len(queue[0].items) - 1) + self._pace.late_after()

    def due(self, flight: Flight, worker: int, now: float) -> tuple[float, float]:
        """When another worker should be given a batch too, and how long it will still take.

        It should where it is late; and at once where its worker is known to be so slow that the
        other one would be done long before.

        Args:
            flight: the batch.
            worker: the other one.
            now: the time.

        Returns:
            A time; and seconds.
        """
        late, other = self._pace.late_after(), self._pace.seconds(worker) or 0.0
        own = self._pace.seconds(flight.worker) or 0.0  # as long as nothing came from anybody
        queue = self._at[flight.worker]
        start = self.began(queue[0])
        ahead = sum(len(each.items) for each in queue[: queue.index(flight) + 1])
        end = start + own * ahead
        left = end - now if end > now else now - start  # who is late may be so for as long again
        if end - now > _GAIN * other * len(flight.open):
            return now, left
        return end - own + late, left
