"""What runs in a Dask worker: masters' requests, each computed by a task of Dask's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, final

import distributed

from anyk.executors.engines.dask_frames import OPERATION, Frames, unpacked
from anyk.executors.engines.dask_work import (
    AbstractDaskWork,
    BatchWork,
    Constants,
    ShareWork,
)
from anyk.executors.engines.worker_state import ProcessId, WorkerState

__all__ = ["compute", "install"]

_protocol: Any = distributed.protocol
_MOMENT = 0.1  # seconds that a task waits for its request, before it is put off


@final
class _Request:
    """What a master asks for; done by the task that has its ticket, and only once.

    Args:
        work: what is to be done.
        constants: of the session.
        settle: takes what came of it, on the worker's event loop.
    """

    def __init__(
        self, work: AbstractDaskWork, constants: Constants, settle: Callable[[Any], None]
    ) -> None:
        self.work = work
        self._constants, self._settle = constants, settle
        self._loop = asyncio.get_running_loop()

    def run(self, constants: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        """Do the work, in the thread of a task."""
        self._constants.hold(constants)
        with Constants.for_now(arguments):
            done = self.work()
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


def compute(ticket: str, constants: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """What Dask runs: do what has this ticket.

    Args:
        ticket: of the request.
        constants: what the session has from now on, by key.
        arguments: what this request has besides.

    Raises:
        distributed.Reschedule: if it has not arrived, or was withdrawn: then the master lets go of
            this task soon.
    """
    request = _requests.take(ticket, _MOMENT)
    if request is None:
        raise distributed.Reschedule
    request.run(constants, arguments)


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
    """What one master has on this worker: shares, functions, constants, and requests.

    All of it is dropped when the connection ends, as it does when either process ends.
    """

    def __init__(self, comm: Any, master: ProcessId) -> None:
        self._comm, self._master = comm, master
        self.states: dict[int, WorkerState] = {}
        self._functions: dict[str, _Function] = {}
        self._constants = Constants()
        self._pending: set[str] = set()
        self._lock = asyncio.Lock()
        self._replies: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Take messages until the connection ends."""
        with suppress(OSError):
            while True:
                message = await self._comm.read()
                confirm = message.pop("confirm", False)
                getattr(self, f"_take_{message.pop('what')}")(**message)
                if confirm:
                    self._reply({"arrived": message["ticket"]})

    async def leave(self) -> None:
        """Say that the worker is leaving, and give back what has not begun."""
        self._reply({"leaving": True})
        for ticket in tuple(self._pending):
            request = _requests.take(ticket)
            if request is not None:
                self._settle(ticket, request.work.untouched(), ran=False)
        await asyncio.gather(*self._replies)

    def end(self) -> None:
        """Forget everything; what has begun goes on, and nobody hears of it."""
        for ticket in self._pending:
            _requests.take(ticket)
        self._pending.clear()
        self.states.clear()
        self._functions.clear()
        self._constants.end()

    def _take_share(self, ticket: str, share: int, split: int, frames: list[Any]) -> None:
        common, own = tuple(frames[:split]), tuple(frames[split:])
        self._put(ticket, ShareWork(self._state(share), common, own))

    def _take_fill(self, ticket: str, share: int, frames: list[Any]) -> None:
        try:
            taken = self._state(share).fill(unpacked(tuple(frames)))
        except Exception:  # noqa: BLE001 - as without memory: other shares stay where they are
            taken = False
        self._reply({"ticket": ticket, "done": taken, "ran": True})

    def _take_batch(self, ticket: str, function: str, frames: list[Any]) -> None:
        self._put(ticket, BatchWork(self._functions[function], tuple(frames), self._master))

    def _take_function(self, key: str, frames: list[Any]) -> None:
        self._functions[key] = _Function(tuple(frames))

    def _take_forget(self, key: str) -> None:
        self._functions.pop(key, None)
        self._constants.let_go(key)

    def _take_keep(self, share: int, keys: list[int]) -> None:
        self._state(share).keep(keys)

    def _take_withdraw(self, ticket: str) -> None:
        request = _requests.take(ticket)
        if request is not None:
            self._settle(ticket, request.work.untouched(), ran=False)
        else:
            self._reply({"begun": ticket})

    def _state(self, share: int) -> WorkerState:
        return self.states.setdefault(share, WorkerState(self._master))

    def _put(self, ticket: str, work: AbstractDaskWork) -> None:
        self._pending.add(ticket)
        settle = lambda done: self._settle(ticket, done)  # noqa: E731 - it is not called here
        _requests.put(ticket, _Request(work, self._constants, settle))

    def _settle(self, ticket: str, done: Any, *, ran: bool = True) -> None:
        if ticket not in self._pending:
            return
        self._pending.discard(ticket)
        pack = _protocol.to_serialize
        sent = [pack(each) for each in done] if isinstance(done, tuple) else pack(done)
        self._reply({"ticket": ticket, "done": sent, "ran": ran})

    def _reply(self, message: dict[str, Any]) -> None:
        reply = asyncio.ensure_future(self._write(message))
        self._replies.add(reply)
        reply.add_done_callback(self._replies.discard)

    async def _write(self, message: dict[str, Any]) -> None:
        async with self._lock:
            with suppress(OSError):
                await self._comm.write(message)


@final
class _Function:
    """A function that was sent once, for many batches."""

    def __init__(self, frames: Frames) -> None:
        self._frames: Frames | None = frames
        self._value: Any = None
        self._lock = threading.Lock()

    def __call__(self) -> Any:
        """The function."""
        with self._lock:
            if self._frames is not None:
                self._value = unpacked(self._frames)
                self._frames = None
            return self._value
