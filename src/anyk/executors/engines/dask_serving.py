"""What runs in a Dask worker: masters' requests, each computed by a task of Dask's own."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, final

import distributed

from anyk.executors.core.raised import describe
from anyk.executors.engines.worker_state import ProcessId, Report, WorkerState

__all__ = ["OPERATION", "Frames", "compute", "install"]

OPERATION = "anyk"
"""Of a message that opens a session with a worker."""

Frames = tuple[Any, ...]
"""One pickled value: the pickle, then the memory of the arrays in it, as arrays of bytes."""

_protocol: Any = distributed.protocol
_MOMENT = 0.1  # seconds that a task waits for its request, before it is put off


@final
class _Request:
    """What a master asks for; done by the task that has its ticket, and only once.

    Args:
        work: what is to be done; raises nothing.
        settle: takes what came of it, on the worker's event loop.
    """

    def __init__(self, work: Callable[[], Any], settle: Callable[[Any], None]) -> None:
        self._work, self._settle = work, settle
        self._loop = asyncio.get_running_loop()

    def run(self) -> None:
        """Do the work, in the thread of a task."""
        done = self._work()
        with suppress(RuntimeError):  # a straggler that its Dask worker did not wait for
            self._loop.call_soon_threadsafe(self._settle, done)


@final
class _Requests:
    """The requests of this process that have not begun, by ticket."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._there: dict[str, _Request] = {}

    def put(self, ticket: str, request: _Request) -> None:
        with self._change:
            self._there[ticket] = request
            self._change.notify_all()

    def take(self, ticket: str, seconds: float = 0.0) -> _Request | None:
        """The request that has this ticket, for nobody else any more; None if there is none."""
        with self._change:
            self._change.wait_for(lambda: ticket in self._there, seconds)
            return self._there.pop(ticket, None)


_requests = _Requests()


def compute(ticket: str) -> None:
    """What Dask runs: do what has this ticket.

    Raises:
        distributed.Reschedule: if it has not arrived, or was withdrawn: then the master lets go of
            this task soon.
    """
    request = _requests.take(ticket, _MOMENT)
    if request is None:
        raise distributed.Reschedule
    request.run()


async def install(dask_worker: Any) -> bool:
    """Let a Dask worker take sessions; False if it is leaving."""
    if not dask_worker.status.name.startswith(("init", "running", "paused")):
        return False
    if OPERATION not in dask_worker.plugins:
        await dask_worker.plugin_add(plugin=_Sessions(), name=OPERATION)
    return True


@final
class _Sessions(distributed.WorkerPlugin):
    """The sessions that a Dask worker has with masters."""

    def __init__(self) -> None:
        self.open: set[_Session] = set()

    def setup(self, worker: Any) -> None:
        """Begin."""
        worker.handlers[OPERATION] = self.serve

    async def teardown(self, worker: Any) -> None:
        """Leave, as the worker closes: what has not begun may go elsewhere."""
        del worker.handlers[OPERATION]
        await asyncio.gather(*(session.leave() for session in self.open))

    async def serve(self, comm: Any, master: ProcessId) -> str:
        """Have a session with a master, until one of the two ends it."""
        session = _Session(comm, master)
        self.open.add(session)
        try:
            await session.serve()
        finally:
            self.open.discard(session)
            session.end()
        return "dont-reply"


@final
class _Session:
    """What one master has on this worker: shares, and requests on them.

    The shares are dropped when the connection ends, as it does when either process ends.
    """

    def __init__(self, comm: Any, master: ProcessId) -> None:
        self._comm = comm
        self.state = WorkerState(master)
        self._pending: set[str] = set()
        self._lock = asyncio.Lock()
        self._replies: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Take messages until the connection ends."""
        with suppress(OSError):
            while True:
                self._take(**await self._comm.read())

    async def leave(self) -> None:
        """Say that the worker is leaving, and give back what has not begun."""
        self._reply({"leaving": True})
        for ticket in tuple(self._pending):
            if _requests.take(ticket) is not None:
                self._settle(ticket, Report(None, None, 0.0))
        await asyncio.gather(*self._replies)

    def end(self) -> None:
        """Forget everything; what has begun goes on, and nobody hears of it."""
        self.state.keep(())
        for ticket in self._pending:
            _requests.take(ticket)
        self._pending.clear()

    def _take(
        self,
        ticket: str = "",
        withdraw: str = "",
        keep: list[int] | None = None,
        split: int = 0,
        frames: Frames = (),
    ) -> None:
        if keep is not None:
            self.state.keep(keep)
        if withdraw and _requests.take(withdraw) is not None:
            self._settle(withdraw, Report(None, "withdrawn", 0.0))
        if ticket:
            self._pending.add(ticket)
            common, own = tuple(frames[:split]), tuple(frames[split:])
            work = _Share(self.state, common, own)
            _requests.put(ticket, _Request(work, lambda done: self._settle(ticket, done)))

    def _settle(self, ticket: str, done: Any) -> None:
        if ticket in self._pending:
            self._pending.discard(ticket)
            self._reply({"ticket": ticket, "done": _protocol.to_serialize(done)})

    def _reply(self, message: dict[str, Any]) -> None:
        reply = asyncio.ensure_future(self._write(message))
        self._replies.add(reply)
        reply.add_done_callback(self._replies.discard)

    async def _write(self, message: dict[str, Any]) -> None:
        async with self._lock:
            with suppress(OSError):
                await self._comm.write(message)


@final
class _Share:
    """A task on a share, to be run in the thread of a Dask task."""

    def __init__(self, state: WorkerState, common: Frames, own: Frames) -> None:
        self._state, self._common, self._own = state, common, own

    def __call__(self) -> Report:
        try:
            task, arguments = _unpacked(self._common)
            request, rows = _unpacked(self._own)
        except Exception as error:  # noqa: BLE001 - what can't be unpickled here is a failed answer
            return Report(None, describe(error), 0.0)
        return self._state.run(request, task, arguments, rows)


def _unpacked(frames: Frames) -> Any:
    return pickle.loads(frames[0], buffers=frames[1:])  # noqa: S301 - the master is trusted
