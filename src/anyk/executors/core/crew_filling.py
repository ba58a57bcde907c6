"""Slabs on their way to workers elsewhere: one slab at a time, and nobody waits for a lost one."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, final

from numpy.typing import NDArray

from anyk.errors import ExecutorError
from anyk.executors.core.columns import LOST, Columns, Outline, check_whole, width_of
from anyk.executors.core.dispatcher import Awaited, next_of
from anyk.executors.core.filling import AbstractFilling

if TYPE_CHECKING:
    from anyk.executors.core.base import Placement
    from anyk.executors.core.crew import Crew

__all__ = ["CrewFilling", "Fill"]

Fill = Callable[[Columns, Awaited], str | None]
"""Sends columns to one worker, in its thread, and waits until they are there; why they are not."""

_PATIENCE = 30.0  # seconds that the last half of the workers may take for a slab, at least
_TIMES = 10  # and as many times what the first half took


@final
class CrewFilling(AbstractFilling):
    """Sends each slab to all workers, and waits until they have it.

    A worker that dies meanwhile, or takes ten times as long for a slab as half of the workers do,
    and more than half a minute, is given up: it is a straggler for what is run on these shares.

    Args:
        crew: the workers.
        fills: by worker, how columns are sent to it.
        outlines: of the parts of all shares.
        pieces: how many shares a worker holds.
    """

    def __init__(
        self, crew: Crew[Any], fills: Sequence[Fill], outlines: Sequence[Outline], pieces: int
    ) -> None:
        self._crew, self._fills = crew, fills
        self._outlines, self._pieces = tuple(outlines), pieces
        self._columns = 0
        self._lost: dict[int, str] = {}
        self._call = Awaited()
        self._came: queue.SimpleQueue[tuple[int, str | None] | None] = queue.SimpleQueue()
        self._open = True
        self._placement = crew.place_filled(len(self._outlines[0]), pieces)
        self._own = [
            tuple(each.rows(first, first + pieces) for each in self._outlines)
            for first in range(0, len(self._outlines[0]), pieces)
        ]
        crew.end_with(self, self._end)

    def write(self, parts: Sequence[NDArray[Any]]) -> None:
        """Send the next columns to the workers; see `AbstractFilling.write`."""
        self._check()
        width = width_of(self._outlines, parts, self._columns)
        first = self._columns == 0
        new = [
            part if first or outline.axis is not None else None
            for outline, part in zip(self._outlines, parts, strict=True)
        ]
        self._send(new, last=False)
        self._columns += width

    def finish(self) -> Placement:
        """Let the workers join what they have; see `AbstractFilling.finish`."""
        self._check()
        check_whole(self._outlines, self._columns)
        self._send([None] * len(self._outlines), last=True)
        self._open = False
        return self._placement

    def abandon(self) -> None:
        """Let the workers forget what has come, in the background."""
        if self._open:
            self._open = False
            self._end()
            self._crew.release(self._placement)

    def _check(self) -> None:
        self._crew.check()
        if not self._open:
            raise ExecutorError("these shares were abandoned, or are whole: begin again.")

    def _send(self, parts: Sequence[NDArray[Any] | None], *, last: bool) -> None:
        waiting = [worker for worker in range(len(self._own)) if worker not in self._lost]
        for worker in waiting:
            rows = slice(worker * self._pieces, (worker + 1) * self._pieces)
            own = tuple(None if part is None else part[rows] for part in parts)
            columns = Columns(self._placement.key, self._own[worker], self._columns, own, last=last)
            self._crew.post(worker, self, partial(self._fill, worker, columns))
        self._wait(set(waiting))
        if len(self._lost) == len(self._own):
            worker, why = next(iter(self._lost.items()))
            raise ExecutorError(f"no worker has taken all slabs; worker {worker}: {why}.")

    def _fill(self, worker: int, columns: Columns) -> None:
        """In the thread of the worker."""
        try:
            why = self._fills[worker](columns, self._call)
        except BaseException as error:  # noqa: BLE001 - who waits must be told
            why = f"{type(error).__name__}"
        self._came.put((worker, why))

    def _wait(self, left: set[int]) -> None:
        began, half, limit = time.monotonic(), len(left) // 2, None
        while left:
            if limit is None and len(left) <= half:
                limit = time.monotonic() + max(_PATIENCE, _TIMES * (time.monotonic() - began))
            came = next_of(self._came, None if limit is None else limit - time.monotonic())
            if self._call.abandoned:
                raise ExecutorError("the executor was closed while shares were on their way.")
            if came is None:
                for worker in left:
                    self._crew.withdraw(worker, self)
                    self._lost[worker] = LOST
                return
            worker, why = came
            left.discard(worker)
            if why is not None:
                self._lost[worker] = why

    def _end(self) -> None:
        """Wait for nobody any more."""
        self._call.abandoned = True
        for worker in range(len(self._own)):
            self._crew.withdraw(worker, self)
        self._came.put(None)
        for wake in tuple(self._call.wakes):
            wake.set()
