"""Calls on Dask workers: each batch is a task of the cluster's, brought on a connection."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, final

from anyk.errors import ExecutorError
from anyk.executors.core.calls import AbstractCalls, Batch, Result, Returned
from anyk.executors.core.dispatcher import next_of
from anyk.executors.core.raised import describe
from anyk.executors.core.run_items import opened
from anyk.executors.engines.dask_constants import with_handles
from anyk.executors.engines.dask_frames import Frames, sendable, unpacked, wrapped
from anyk.executors.engines.dask_place import DaskPlace
from anyk.executors.engines.dask_session import DaskSession

__all__ = ["DaskCalls"]

_MOMENT = 0.05  # seconds in which a worker says whether a batch has begun


@final
class _Posted:
    """A batch on its way."""

    def __init__(
        self, worker: int, ticket: int, frames: Frames, arguments: Mapping[str, Any]
    ) -> None:
        self.worker, self.ticket = worker, ticket
        self.frames, self.arguments = frames, arguments
        self.sent = time.perf_counter()
        self.name = ""  # by which the worker knows it
        self.session: DaskSession | None = None  # where it is
        self.running: asyncio.Task[None] | None = None
        self.begun = False
        self.gone = False  # taken back
        self.verdict: Future[bool] | None = None  # of one who would like to take it back


@final
class DaskCalls(AbstractCalls):
    """Calls of one function; see `AbstractCalls`.

    The function is sent once to each worker, before its first batch. A worker that dies fails the
    batches that it may have begun; those behind them go to the worker that takes its place.

    Args:
        places: of the workers.
        function: that is called.
        name: of the function, as Dask shows it.
        threads: how many batches a worker computes at once.
    """

    def __init__(
        self, places: Sequence[DaskPlace], function: Callable[..., Any], name: str, threads: int
    ) -> None:
        self._places, self._name, self._threads = places, name, threads
        self._client = places[0].client
        handed, self._arguments = with_handles(function, self._client)
        self._function = sendable("function", handed)
        self._key = uuid.uuid4().hex
        self._out: dict[int, _Posted] = {}  # by ticket; of the thread that calls
        self._at: list[list[_Posted]] = [[] for _ in places]  # what is sent; of the event loop
        self._lost: weakref.WeakSet[DaskSession] = weakref.WeakSet()
        self._came: queue.SimpleQueue[tuple[_Posted, float, Any] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._abandoned = self._closed = False

    @property
    def at_once(self) -> int:
        """As many as a Dask worker has threads."""
        return self._threads

    @property
    def ahead(self) -> int:
        """One, that is on its way."""
        return 1

    def post(self, worker: int, batch: Batch) -> None:
        """Bring a batch to a worker, and have Dask compute it; see `AbstractCalls.post`."""
        self._check_open()
        items, arguments = with_handles(batch.items, self._client)
        frames = sendable("items", Batch(batch.ticket, items, batch.ids))
        posted = _Posted(worker, batch.ticket, frames, {**self._arguments, **arguments})
        self._out[batch.ticket] = posted
        self._on_loop(self._begin, posted)

    def receive(self, timeout: float | None) -> Returned | None:
        """What came of the next batch; see `AbstractCalls.receive`."""
        self._check_open()
        if not self._out:
            return None
        came = next_of(self._came, timeout)
        self._check_open()
        if came is None:
            return None
        posted, answered, done = came
        del self._out[posted.ticket]
        results: tuple[Result, ...] = ()
        failure = done if isinstance(done, str) else None
        if failure is None:
            try:
                results = tuple(opened(parcel, unpacked) for parcel in unpacked(done))
            except Exception as error:  # noqa: BLE001 - whatever it was, it is no answer
                failure = f"sent something that is no answer ({describe(error)})"
        return Returned(posted.worker, posted.ticket, results, failure, posted.sent, answered)

    def withdraw(self, worker: int, ticket: int) -> bool:  # noqa: ARG002 - the ticket says it
        """Ask the worker whether a batch has begun, for a moment; see `AbstractCalls.withdraw`."""
        posted = self._out.get(ticket)
        if posted is None or posted.begun:
            return False
        with self._lock:
            verdict = posted.verdict = Future()
        self._on_loop(self._ask_back, posted)
        with suppress(TimeoutError):
            verdict.result(_MOMENT)
        with self._lock:
            posted.verdict = None
            if posted.gone:
                del self._out[ticket]
            return posted.gone

    def wake(self) -> None:
        """Let who waits look around; see `AbstractCalls.wake`."""
        self._came.put(None)

    def abandon(self) -> None:
        """Take back what has not begun; see `AbstractCalls.abandon`."""
        self._out.clear()
        if not self._abandoned:
            self._abandoned = True
            self._on_loop(self._forget)

    def end(self) -> None:
        """The executor is closed: one who waits is woken."""
        self._closed = True
        self.abandon()
        self._came.put(None)

    def _check_open(self) -> None:
        if self._closed:
            raise ExecutorError("this Dask executor is closed; make a new one.")

    def _on_loop(self, function: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the client is closed, and its loop with it
            self._client.loop.asyncio_loop.call_soon_threadsafe(function, *arguments)

    # --- on the client's event loop

    def _begin(self, posted: _Posted) -> None:
        if not self._abandoned:
            posted.running = asyncio.ensure_future(self._bring(posted))

    async def _bring(self, posted: _Posted) -> None:
        """Have a batch computed, and put what comes of it where it is waited for."""
        done: Any = None
        try:
            while done is None:
                done = await self._computed(posted)
                if done is None and (self._abandoned or self._taken_back(posted)):
                    return
        except OSError:
            done = "Dask worker died, or can't be reached"
        except Exception as error:  # noqa: BLE001 - whatever it is, this worker has failed
            done = describe(error)
        if not self._abandoned:
            self._came.put((posted, time.perf_counter(), done))
            self._decide(posted, gone=False)

    async def _computed(self, posted: _Posted) -> Any:
        """What came of a batch; None if it has not begun where it was, and could be elsewhere."""
        place = self._places[posted.worker]
        session = await place.session()
        mine = self._at[posted.worker]
        posted.session, posted.name = session, f"{self._name}-anyk-{uuid.uuid4().hex}"
        mine.append(posted)
        message = {"what": "batch", "function": self._key, "frames": wrapped(posted.frames)}
        try:
            function = {"what": "function", "key": self._key, "frames": wrapped(self._function)}
            await session.send_once(self._key, function)
            return await place.ask(session, posted.name, message, posted.arguments)
        except OSError:
            if session not in self._lost:  # this is the first that hears of it
                self._lost.add(session)
                here = [each for each in mine if each.session is session]
                for each in here[: self._threads]:
                    each.begun = True  # Dask computes them in their order
            if posted.begun:
                raise
            return None
        finally:
            mine.remove(posted)
            posted.session = None

    def _ask_back(self, posted: _Posted) -> None:
        """Take a batch back if it is not sent, or ask the worker."""
        if posted.session is not None:
            posted.session.ask_back(posted.name, lambda: self._has_begun(posted))
        elif posted.running is not None and not posted.running.done():
            if self._taken_back(posted):
                posted.running.cancel()
        else:
            self._decide(posted, gone=False)

    def _has_begun(self, posted: _Posted) -> None:
        posted.begun = True
        self._decide(posted, gone=False)

    def _taken_back(self, posted: _Posted) -> bool:
        """Whether somebody waits for a batch to be given back: then it is."""
        return self._decide(posted, gone=True)

    def _decide(self, posted: _Posted, *, gone: bool) -> bool:
        with self._lock:
            verdict = posted.verdict
            if verdict is None or verdict.done():
                return False
            posted.gone = gone
            verdict.set_result(gone)
            return True

    def _forget(self) -> None:
        for place, sent in zip(self._places, self._at, strict=True):
            for posted in tuple(sent):
                if posted.session is not None:
                    posted.session.ask_back(posted.name)
            if place.current is not None:
                place.current.forget(self._key)
