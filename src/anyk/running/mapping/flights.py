"""What every worker of a map has at hand: batches on their way, and how late they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import final

from anyk.running.mapping.item import Item
from anyk.running.mapping.loads import Loads
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
        copies: the number of this copy of each.
        sent: when it was posted.
        began: when it was begun, at the earliest; None as long as it was not.
        void: whether what comes of it does not count.
    """

    ticket: int
    worker: int
    items: tuple[Item, ...]
    copies: tuple[int, ...]
    sent: float
    began: float | None = None
    void: bool = False

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
        at_once: how many batches a worker computes at a time.
        usable: whether a worker may be asked, for `loads`.
    """

    def __init__(
        self,
        workers: int,
        pace: Pace,
        at_once: int,
        usable: Callable[[int], bool] = lambda _: True,
    ) -> None:
        self._pace, self._at_once = pace, at_once
        self._by_ticket: dict[int, Flight] = {}
        self._at: list[list[Flight]] = [[] for _ in range(workers)]
        self.loads = Loads(workers, usable)
        """How many batches each worker has."""
        self.unbegun: dict[int, Flight] = {}
        """By ticket, those that may be taken back, as far as is known."""

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
        self._by_ticket[flight.ticket] = self.unbegun[flight.ticket] = flight
        self._at[flight.worker].append(flight)
        self.loads.change(flight.worker, len(self._at[flight.worker]))
        self._begin(flight.worker, flight.sent)
        for item, copy in zip(flight.items, flight.copies, strict=True):
            item.give(flight.worker, copy)

    def remove(self, ticket: int, when: float | None = None) -> Flight | None:
        """A batch is back, at that time; or was withdrawn, and has never been there."""
        flight = self._by_ticket.pop(ticket, None)
        if flight is None:
            return None
        self.unbegun.pop(ticket, None)
        self._at[flight.worker].remove(flight)
        self.loads.change(flight.worker, len(self._at[flight.worker]))
        self._begin(flight.worker, flight.sent if when is None else when)
        for item, copy in zip(flight.items, flight.copies, strict=True):
            if not flight.void:
                item.take(flight.worker)
            if when is None:
                item.copies &= ~(1 << copy)  # its number is for another one
        return flight

    def _begin(self, worker: int, when: float) -> None:
        """A worker may have begun another of its batches at that time."""
        for flight in self._at[worker][: self._at_once]:
            if flight.began is None:
                flight.began = max(when, flight.sent)
                self.unbegun.pop(flight.ticket, None)

    def avoid(self, worker: int) -> list[Flight]:
        """Let nothing count that this worker has; its batches."""
        for flight in self._at[worker]:
            if not flight.void:
                flight.void = True
                for item in flight.items:
                    item.take(worker)
        return list(self._at[worker])

    def begun(self, flight: Flight) -> bool:
        """Whether its worker may be computing it."""
        return flight.began is not None

    def hung_at(self, worker: int) -> float:
        """When nothing is expected of a worker any more; infinity if it has nothing."""
        queue = self._at[worker]
        if not queue:
            return math.inf
        own = self._pace.seconds(worker) or 0.0
        began = queue[0].sent if queue[0].began is None else queue[0].began
        return began + own * (len(queue[0].items) - 1) + self._pace.hung_after()

    def due(self, flight: Flight, other: float, now: float) -> tuple[float, float]:
        """When another worker should be given a batch too, and how long it will still take.

        It should where it is late; and at once where its worker is known to be so slow that the
        other one would be done long before.

        Args:
            flight: the batch.
            other: seconds that the other one takes for an item.
            now: the time.

        Returns:
            A time; and seconds.
        """
        late = self._pace.late_after()
        own = self._pace.seconds(flight.worker) or 0.0  # as long as nothing came from anybody
        queue = self._at[flight.worker]
        before = queue[: queue.index(flight)] if flight.began is None else []
        start = queue[0].began if flight.began is None else flight.began
        items = len(flight.items) + sum(len(each.items) for each in before) / self._at_once
        start = now if start is None else start
        end = start + own * items
        left = end - now if end > now else now - start  # who is late may be so for as long again
        if end - now > _GAIN * other * len(flight.open):
            return now, left
        return end - own + late, left
