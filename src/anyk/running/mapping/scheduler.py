"""Who computes which item: free workers take the next ones, and idle ones what is late."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, count
from typing import NoReturn, final

from anyk.errors import RecoveryError
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.core.calls import AbstractCalls, Batch, Result, Returned
from anyk.executors.core.task_id import TaskId
from anyk.running.mapping.crowd import Crowd
from anyk.running.mapping.failed_items import (
    contradicted,
    deadly,
    nobody_left,
    raised_on,
    too_late,
)
from anyk.running.mapping.flights import Flight, Flights
from anyk.running.mapping.helping import Helping
from anyk.running.mapping.item import Item
from anyk.running.mapping.options import MapSettings
from anyk.running.mapping.pace import Pace
from anyk.running.mapping.record import Record
from anyk.running.mapping.source import AbstractSource
from anyk.running.mapping.waiting import Waiting

__all__ = ["Scheduler"]

_DEATHS = 3  # workers that may die, or be lost, with one item
_MOMENT = 1e-6  # seconds: an executor without threads computes while it is waited for
_GLANCE = 0.25  # seconds after which one that may be interrupted looks whether it was


@final
class Scheduler:
    """Items on their way through the workers of an executor.

    Args:
        executor: whose clock, quarantine and measure of lateness count.
        calls: of the function.
        source: arguments of one item after the other, drawn as workers are free.
        settings: how often an item is computed.
        record: told what every worker does.
        heard: called after each batch.
    """

    def __init__(
        self,
        executor: AbstractExecutor,
        calls: AbstractCalls,
        source: AbstractSource,
        settings: MapSettings,
        record: Record,
        *,
        heard: Callable[[Returned], None] | None = None,
    ) -> None:
        self._executor, self._calls, self._settings = executor, calls, settings
        self.source = source
        self._waiting = Waiting(source, settings.agree, executor.clock)
        self._open = self._waiting.open
        self._wrong: set[int] = set()  # places of those that went wrong on somebody, and are open
        self._pace = Pace(executor.workers, executor.lateness)
        self._crowd = Crowd(executor.workers, without=executor.quarantine.workers)
        self._flights = Flights(
            executor.workers, self._pace, calls.at_once, self._crowd.__contains__
        )
        self._helping = Helping(
            self._flights,
            self._crowd,
            self._pace,
            settings.at_a_time,
            at_once=calls.at_once,
            may_take=self._may_take,
            take_back=self._take_back,
            give=self._give,
            double=self._double,
        )
        self._tickets = count()
        self._same = settings.same
        self._record, self._heard = record, heard
        self._over: deque[Item] = deque()

    def run(self, deadline: float, interrupted: Callable[[], bool] | None = None) -> Iterator[Item]:
        """Items, as they are done or have failed.

        Args:
            deadline: a time on the executor's clock, after which nothing is waited for.
            interrupted: asked a few times a second whether to end; None not to.

        Raises:
            FunctionRaised: if the function raised on an item once more than it is tried again.
            NotEnoughAnswers: if the time was over, or no worker is left.
            TooManyErrors: if answers to an item differ that should not.
        """
        clock = self._executor.clock
        while True:
            wake = self._send()
            if self._open and not self._flights:  # what was taken back is for somebody else
                wake = self._send()
            while self._over:
                yield self._over.popleft()
            if not self._open and not self.source.more:
                return
            if not self._flights and (self._open or not self._crowd):
                self._lost()
            now = clock()
            if now >= deadline:
                raise too_late(*self._missing())
            until = min(deadline, wake)
            if interrupted is not None:
                until = min(until, now + _GLANCE)
            returned = self._receive(None if math.isinf(until) else max(_MOMENT, until - now))
            if interrupted is not None and interrupted():
                return
            if returned is not None:
                yield from self._taken(returned)

    def _receive(self, timeout: float | None) -> Returned | None:
        if not self._flights:
            self.source.wait(timeout)
            return None
        returned = self._calls.receive(timeout)
        if returned is None and timeout is None:
            self._lost()  # on a virtual clock: all of them hang
        return returned

    @property
    def late(self) -> tuple[int, ...]:
        """Workers with items that others have done in the meantime, sorted."""
        return tuple(sorted({each.worker for each in self._flights if not each.open}))

    @property
    def unfinished(self) -> bool:
        """Whether there are items that were drawn, and are not done."""
        return bool(self._open)

    # --- giving

    def _send(self) -> float:
        """Give work to whoever is free; when to look again though nothing has come."""
        depth = self._calls.at_once + self._calls.ahead * self._pace.quick
        for held in range(depth):  # everybody has something before anybody has more
            if self._waiting.any:
                self._flights.loads.each(held, self._give)
        return self._helping.help(self._executor.clock(), wrong=bool(self._wrong))

    def _looks_at_all(self) -> bool:
        """Whether idle workers are about to look for what is late."""
        if not self._flights or self._waiting.any:
            return False
        return self._helping.looks(self._executor.clock())

    def _give(self, worker: int) -> bool:
        """Give a worker the next items that it may compute; False if there is none for anybody."""
        most = self._fair(self._pace.together(worker), self._pace.least(worker))
        items = self._waiting.take(most, partial(self._may_take, worker))
        if items:
            self._post(worker, items)
        return bool(items) or self._waiting.any

    def _fair(self, most: int, least: int) -> int:
        """At most so many that all workers have something to do, where it is worth a message."""
        left = self._waiting.left
        if left is None:
            return most
        return max(1, min(most, max(least, left // (2 * max(1, len(self._crowd))))))

    def _may_take(self, worker: int, item: Item) -> bool:
        """Whether a worker may be given an item, and, if it went wrong there, must be."""
        if not item.may_go_to(worker):
            return False
        if not item.went_wrong_on(worker):
            return True
        now, hung_at = self._executor.clock(), self._flights.hung_at
        return not any(now < hung_at(other) for other in chain(item.with_, self._others(item)))

    def _others(self, item: Item) -> Iterator[int]:
        """Workers that may be given an item, and on which it did not go wrong yet."""
        return (
            worker
            for worker in self._crowd
            if item.may_go_to(worker) and not item.went_wrong_on(worker)
        )

    def _post(self, worker: int, items: list[Item]) -> None:
        ticket = next(self._tickets)
        ids = tuple(TaskId(item.place, item.next_copy, worker) for item in items)
        batch = Batch(ticket, tuple(item.arguments for item in items), ids)
        self._calls.post(worker, batch)
        copies = tuple(each.copy for each in ids)
        flight = Flight(ticket, worker, tuple(items), copies, self._executor.clock())
        self._flights.add(flight)
        self._pace.given(worker, len(items))
        self._record.sent(worker, flight.sent, items)

    def _take_back(self, flight: Flight) -> bool:
        """Withdraw a batch, if it has not begun; its items are to be done then."""
        if not self._calls.withdraw(flight.worker, flight.ticket):
            return False
        self._flights.remove(flight.ticket)
        self._record.withdrawn(flight.items)
        self._waiting.again(flight.items)
        return True

    def _double(self, worker: int, items: list[Item]) -> None:
        """Let a worker compute too what is late elsewhere."""
        self._record.doubled(items)
        self._post(worker, items)

    # --- taking

    def _taken(self, returned: Returned) -> Iterator[Item]:
        """Take what has come; where that ends the call, what came along with it."""
        came: Returned | None = returned
        try:
            while came is not None:
                self._take(came)
                # nobody is late whose results are here
                came = self._calls.receive(0.0) if self._looks_at_all() else None
        except RecoveryError:
            yield from self._over
            raise

    def _take(self, returned: Returned) -> None:
        flight = self._flights.get(returned.ticket)
        if flight is None:
            return
        began = flight.sent if flight.began is None else flight.began
        self._flights.remove(returned.ticket, returned.answered)
        self._helping.heard(flight.worker)
        if self._heard is not None:
            self._heard(returned)
        self._record.returned(returned)
        self._crowd.heard(flight.worker, failed=returned.failure is not None)
        if returned.failure is not None:
            if not flight.void:
                self._died(flight, returned.failure)
            return
        if all(result.raised is None for result in returned.results):  # others may be over at once
            computed = sum(result.seconds for result in returned.results)
            seconds = returned.answered - began
            self._pace.note(flight.worker, seconds, len(flight.items), computed)
        if flight.void:
            return
        for item, result in zip(flight.items, returned.results, strict=True):
            if not item.over:
                self._note(item, flight.worker, result)
        self._waiting.again(flight.items)

    def _note(self, item: Item, worker: int, result: Result) -> None:
        item.seconds = result.seconds
        if result.raised is not None:
            self._wrong.add(item.place)
            self._record.used.add(worker)
            item.note_raised(worker, result.raised)
            if item.raises > self._settings.retries or self._nobody_else(item):
                self._fail(item, raised_on(item, result.raised))
            return
        item.answer(worker, result.value, self._same)
        if item.done:
            self._finish(item)
        elif item.answered >= 2 * self._settings.agree - 1:
            self._fail(item, contradicted(item, self._settings.agree))

    def _nobody_else(self, item: Item) -> bool:
        """Whether there is no worker to try again on, not even the one on which it was raised."""
        return not any(item.may_go_to(worker) for worker in self._crowd)

    def _finish(self, item: Item) -> None:
        self._close(item)
        self._record.done(item)
        for worker in item.outvoted:
            self._bar(worker)

    def _fail(self, item: Item, error: RecoveryError) -> None:
        """An item will have no value."""
        if self._settings.on_failure == "raise":
            raise error
        item.fail(error)
        self._close(item)

    def _close(self, item: Item) -> None:
        """Nothing more is to be done for an item; who has not begun it does not."""
        del self._open[item.place]
        self._wrong.discard(item.place)
        self._over.append(item)
        for worker in tuple(item.with_):
            for flight in tuple(self._flights.at(worker)):
                if not flight.open and not self._flights.begun(flight):
                    self._take_back(flight)

    def _bar(self, worker: int) -> None:
        """Ask a worker that has lied for nothing more, and let nothing count that it says."""
        if not self._crowd.bar(worker):
            return
        affected = [item for flight in self._flights.avoid(worker) for item in flight.items]
        for item in self._open.values():
            item.void(worker)
        self._waiting.again((*affected, *self._open.values()))

    def _died(self, flight: Flight, why: str) -> None:
        """A worker died, or was lost, with these items."""
        for item in flight.open:
            self._wrong.add(item.place)
            item.died += (flight.worker,)
            several = len(set(item.died)) >= _DEATHS or not any(True for _ in self._others(item))
            if several and len(item.died) >= _DEATHS:
                self._fail(item, deadly(item, why, *self._missing()))
        self._waiting.again(flight.items)

    # --- ends

    def _missing(self) -> tuple[list[int], list[int]]:
        """Items that are done, and items that are not, as far as they are known."""
        missing = [*self._open, *range(self.source.drawn, self.source.number)]
        return sorted(set(range(self.source.number)) - set(missing)), missing

    def _lost(self) -> NoReturn:
        """Nobody is left who could compute the rest, or tell who is wrong."""
        for item in self._open.values():
            if item.answered >= self._settings.agree:
                raise contradicted(item, self._settings.agree)
        left = f"{len(self._crowd)} of {self._executor.workers} are left"
        told = left + " and hang" if self._flights else left
        raise nobody_left(*self._missing(), told, self._record.failures)
