"""What idle workers do for others: batches that have not begun, and those that are late."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import final

from anyk.running.mapping.crowd import Crowd
from anyk.running.mapping.flights import Flight, Flights
from anyk.running.mapping.item import Item
from anyk.running.mapping.pace import Pace

__all__ = ["Helping"]

_FEW = 64  # batches on their way and idle workers that are looked at whenever something comes
_LOOKS = 8  # of them that are looked at for each batch that came, where there are more
_OFTEN = 8  # times that all are looked at, at least, in the time after which an item is late
_SELDOM = 0.05  # seconds within which they need not be looked at again for that reason


@final
class Helping:
    """Idle workers are given what others have not begun, or will not have done soon.

    To look at all batches on their way takes the longer the more workers there are, and something
    comes from each of them. So where there are many, all are looked at when one of them is late,
    after so many have come that it makes no difference to what each of those costs, and a few times
    in the time after which an item is late, whatever came.

    Args:
        flights: batches on their way.
        crowd: who may be asked.
        pace: how long items take.
        at_a_time: how many workers may have an item.
        may_take: whether a worker may be given an item.
        take_back: withdraws a batch that has not begun; whether it did.
        give: gives a worker the next items; whether there are any for anybody.
        double: lets a worker compute items too.
    """

    def __init__(
        self,
        flights: Flights,
        crowd: Crowd,
        pace: Pace,
        at_a_time: int,
        *,
        at_once: int,
        may_take: Callable[[int, Item], bool],
        take_back: Callable[[Flight], bool],
        give: Callable[[int], bool],
        double: Callable[[int, list[Item]], None],
    ) -> None:
        self._flights, self._crowd, self._pace = flights, crowd, pace
        self._at_a_time, self._at_once = at_a_time, at_once
        self._may_take, self._take_back = may_take, take_back
        self._give, self._double = give, double
        self._freed: list[int] = []  # since this was asked for last
        self._heard = 0  # batches that came since all were looked at
        self._looked = -math.inf
        self._wake = -math.inf  # when one of them is late

    def heard(self, worker: int) -> None:
        """A worker has brought a batch, or lost it."""
        self._heard += 1
        self._freed.append(worker)

    def looks(self, now: float) -> bool:
        """Whether somebody is idle, and it is time to look at all that is on its way."""
        if not self._flights.loads.any_below(self._at_once):
            return False
        number = len(self._flights) + len(self._crowd)
        enough = number <= _FEW or self._heard * _LOOKS >= number
        return enough or now >= self._again

    @property
    def _again(self) -> float:
        """When to look at them, though nothing more comes."""
        often = max(self._pace.late_after() / _OFTEN, _SELDOM)
        return min(self._wake, self._looked + often) if self._heard else self._wake

    def help(self, now: float, *, wrong: bool) -> float:
        """Give idle workers something to do; when to look again though nothing has come.

        Args:
            now: the time.
            wrong: whether there are items that went wrong on somebody, and are open.
        """
        freed, self._freed = self._freed, []
        if not self._flights.loads.any_below(self._at_once):
            return math.inf
        if self.looks(now):
            self._look(now, wrong=wrong)
        else:
            for worker in freed:
                if self._idle(worker):
                    self._steal(worker)
        return self._again

    def _idle(self, worker: int) -> bool:
        return self._flights.loads.of(worker) < self._at_once and worker in self._crowd

    def _look(self, now: float, *, wrong: bool) -> None:
        """Look at all batches, for all who are idle."""
        self._looked, self._heard = now, 0
        for worker in self._flights.loads.below(self._at_once):
            if not self._flights.unbegun:
                break
            self._steal(worker)
        given, self._wake = self._doubles(now)
        self._heard += given  # who was given something may be late with it
        if wrong:  # and others come first
            others = map(self._flights.hung_at, self._crowd)
            self._wake = min([self._wake, *(hung for hung in others if hung > now)])

    def _steal(self, worker: int) -> None:
        """Let a worker have the last batch that another one has not begun."""
        begun = []
        taken = False
        for flight in reversed(self._flights.unbegun.values()):
            if flight.void or not any(self._may_take(worker, item) for item in flight.open):
                continue
            taken = self._take_back(flight)
            if taken:
                break  # at once, as they are others now
            begun.append(flight.ticket)
        for ticket in begun:
            self._flights.unbegun.pop(ticket, None)
        if taken:
            self._give(worker)

    def _doubles(self, now: float) -> tuple[bool, float]:
        """Let idle workers compute too what is late elsewhere.

        Returns:
            Whether any was given something; and when to look again, if none was.
        """
        idle = self._flights.loads.below(self._at_once)
        if not idle:
            return False, math.inf
        idle.sort(key=self._seconds)  # the quickest first
        wake, late = self._late(self._seconds(idle[0]), now)
        given = False
        for worker in idle:
            place = 0
            while self._idle(worker) and place < len(late):
                flight = late[place]
                items = self._doubled(flight, worker)
                if not items:
                    place += 1
                    continue
                due, _ = self._flights.due(flight, self._seconds(worker), now)
                if due > now:  # nor is it late for a slower one
                    wake = min(wake, due)
                    del late[place]
                    continue
                given = True
                if self._given(flight, worker, items) or not self._room(flight):
                    del late[place]
                break
        return given, wake

    def _late(self, quickest: float, now: float) -> tuple[float, list[Flight]]:
        """When the next batch is late; and those that are, for a worker that is so quick."""
        wake = math.inf
        late: list[tuple[float, int, Flight]] = []
        for flight in self._flights:
            if flight.void or not self._room(flight):
                continue
            due, left = self._flights.due(flight, quickest, now)
            if due <= now:
                late.append((-left, flight.ticket, flight))
            else:
                wake = min(wake, due)
        return wake, [flight for *_, flight in sorted(late)]

    def _given(self, flight: Flight, worker: int, items: list[Item]) -> bool:
        """Give a worker what is late; whether it was taken from who had it."""
        items = items[: self._pace.together(worker)]
        wrong = any(item.went_wrong_on(worker) for item in items)
        if not wrong and self._take_back(flight):  # it has not even begun
            self._give(worker)
            return True
        self._double(worker, items)
        return False

    def _seconds(self, worker: int) -> float:
        """How long a worker will take for an item; 0 where nobody knows."""
        return self._pace.seconds(worker) or 0.0

    def _room(self, flight: Flight) -> bool:
        """Whether more workers may have one of its items."""
        return any(len(item.with_) < self._at_a_time for item in flight.items if not item.over)

    def _doubled(self, flight: Flight, worker: int) -> list[Item]:
        """The items of a batch that a worker may compute too."""
        begun = self._flights.begun(flight)
        return [
            item
            for item in flight.open
            if len(item.with_) < self._at_a_time
            and self._may_take(worker, item)
            and (begun or not item.went_wrong_on(worker))  # it is stolen, if anything
        ]
