"""One share's place on a Dask worker, as the master sees it; and what holds the share there."""

from __future__ import annotations

import asyncio
import contextvars
import pickle
import time
import uuid
import weakref
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, final

import numpy as np

from anyk.errors import ExecutorError
from anyk.executors.core.inbox import WorkerThread
from anyk.executors.core.raised import describe
from anyk.executors.engines.link import AbstractEngineWorker
from anyk.executors.engines.slices import Slice
from anyk.executors.engines.worker_state import (
    ProcessId,
    Report,
    RunRequest,
    WorkerState,
    this_process,
)
from anyk.wording import missing_extra

__all__ = [
    "DaskRoster",
    "DaskWorker",
    "DaskWorkerState",
    "Frames",
    "check_client",
    "library",
    "listed_workers",
    "packed",
]

_PATIENCE = 30.0  # seconds that a replacement for a lost worker is waited for
_MAKING = 5.0  # seconds that a worker is given to make an actor, before another one is looked for

Frames = tuple[Any, ...]
"""One pickled value: the pickle, then the memory of the arrays in it, as arrays of bytes."""


def library() -> Any:
    """`distributed`, if it is installed.

    Raises:
        ImportError: if it is not.
    """
    try:
        import distributed  # noqa: PLC0415 - import anyk must not need it
    except ImportError as error:
        raise missing_extra("anyk.Dask needs dask.distributed", "dask") from error
    return distributed


def check_client(client: Any) -> None:
    """Raise ExecutorError if a Dask client is closed, or has lost its scheduler."""
    if client.status != "running":
        raise ExecutorError(
            f"the Dask client is {client.status}: it was closed, or its scheduler is gone; make "
            "a new client, and a Dask executor with it."
        )


@final
class DaskWorkerState:
    """What holds a share on a Dask worker: a Dask actor. Its methods run on the worker's loop.

    Tasks run in a thread of its own, so that they wait for nobody's but their own share's.

    Args:
        master: the process that made the executor.
    """

    def __init__(self, master: ProcessId) -> None:
        self._state = WorkerState(master)
        self._thread = WorkerThread("anyk share")
        weakref.finalize(self, self._thread.stop)

    async def keep(self, *keys: int) -> None:
        """Forget all shares but those of these placements."""
        self._state.keep(keys)

    async def run(self, split: int, *frames: Any) -> Report:
        """Run a task on a share.

        Args:
            split: how many frames hold (task, arguments); the others hold (request, rows).
            *frames: of both.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Report] = loop.create_future()
        work = partial(_work, self._state, frames[:split], frames[split:])
        inside = contextvars.copy_context()  # where Dask's get_worker() finds the worker

        def do() -> None:
            report = inside.run(work)
            with suppress(RuntimeError):  # a straggler that its Dask worker did not wait for
                loop.call_soon_threadsafe(_settle, answer, report)

        self._thread.post(self, do)
        return await answer


def _work(state: WorkerState, common: Frames, own: Frames) -> Report:
    try:
        task, arguments = _unpacked(common)
        request, rows = _unpacked(own)
    except Exception as error:  # noqa: BLE001 - what can't be unpickled here is a failed answer
        return Report(None, describe(error), 0.0)
    return state.run(request, task, arguments, rows)


def _settle(answer: asyncio.Future[Report], report: Report) -> None:
    if not answer.done():
        answer.set_result(report)


def packed(value: object) -> Frames:
    """A value as frames, by Dask's pickle; arrays are not copied."""
    dumps: Any = library().protocol.pickle.dumps  # cloudpickle where it is needed
    buffers: list[pickle.PickleBuffer] = []
    pickled = dumps(value, buffer_callback=buffers.append, protocol=5)
    return (pickled, *(np.frombuffer(buffer.raw(), dtype=np.uint8) for buffer in buffers))


def _unpacked(frames: Frames) -> Any:
    return pickle.loads(frames[0], buffers=frames[1:])  # noqa: S301 - the master is trusted


@final
class DaskRoster:
    """Which Dask worker holds which shares. Used on the client's event loop alone.

    A Dask worker that has held one share never gets another one, whatever becomes of the others:
    together they would be a coalition of one.
    """

    def __init__(self, client: Any, listed: Sequence[tuple[str, str]]) -> None:
        self._client = client
        self._addresses = [address for address, _ in listed]
        self._held = {name: place for place, (_, name) in enumerate(listed)}

    async def locate(self, place: int) -> str | None:
        """The address of the worker in this place, or of its replacement; None if there is none."""
        workers = await listed_workers(self._client)
        if any(address == self._addresses[place] for address, _ in workers):
            return self._addresses[place]
        taken = set(self._addresses)
        free = [
            (self._held.get(name) != place, address, name)  # the same worker, started anew, first
            for address, name in workers
            if address not in taken and self._held.get(name, place) == place
        ]
        if not free:
            return None
        _, address, name = min(free)
        self._addresses[place] = address
        self._held[name] = place
        return address


async def listed_workers(client: Any) -> list[tuple[str, str]]:
    """Address and name of each worker that the scheduler knows now, in the order of names."""
    workers = (await client.scheduler.identity())["workers"]
    named = [(address, str(about["name"])) for address, about in workers.items()]
    return sorted(named, key=lambda pair: (len(pair[1]), pair[1]))


@final
class DaskWorker(AbstractEngineWorker):
    """One share's place on one Dask worker."""

    def __init__(self, client: Any, roster: DaskRoster, place: int) -> None:
        self._client = client
        self._roster = roster
        self._place = place
        self._address = ""
        self._actor: Any = None
        self._lost = False

    @property
    def alive(self) -> bool:
        """Whether its Dask worker is there, as far as the scheduler has told."""
        actor = self._actor
        return not self._lost and (actor is None or actor.status == "finished")

    def open(self) -> Future[Any] | None:
        """Make an actor on the worker of this place; see `AbstractEngineWorker.open`."""
        if self._actor is not None and self._actor.status == "finished":
            return None
        self._lost = self._lost or self._actor is not None
        self._drop()
        return self._start(self._open())

    def keep(self, keys: tuple[int, ...]) -> Future[Any]:
        """Call the actor; see `AbstractEngineWorker.keep`."""
        return self._start(self._call("keep", *keys))

    def take(self, piece: Slice) -> None:
        """Not on Dask: None."""

    def run(self, request: RunRequest, common: Any, rows: Mapping[int, Any]) -> Future[Report]:
        """Call the actor; see `AbstractEngineWorker.run`."""
        frames = (*common, *packed((request, rows)))
        return self._start(self._call("run", len(common), *frames))

    def withdraw(self, future: Future[Any]) -> bool:  # noqa: ARG002 - it began when it was sent
        """Not on Dask: False."""
        return False

    def fail(self, error: BaseException) -> str:
        """Give the actor up, whatever the error; see `AbstractEngineWorker.fail`."""
        self._lost = True  # until it is opened again: what it holds is not known
        self._drop()
        if self._client.status != "running":
            return f"Dask client {self._client.status}"
        lost = isinstance(error, OSError)
        return "Dask worker died, or can't be reached" if lost else describe(error)

    def check(self) -> None:
        """Look at client, worker and actor; see `AbstractEngineWorker.check`."""
        check_client(self._client)
        if self._actor is not None and self._actor.status != "finished":
            raise ExecutorError("its Dask worker is gone.")

    def end(self) -> None:
        """Let Dask drop the actor, and what it holds."""
        self._drop()

    def _drop(self) -> None:
        actor, self._actor = self._actor, None
        if actor is not None:
            actor.release()

    def _start(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._client.loop.asyncio_loop)

    async def _open(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            address = await self._roster.locate(self._place)
            if address is not None and await self._made(address):
                return
            await asyncio.sleep(0.1)
        raise ExecutorError(f"its Dask worker is gone, and none came in {_PATIENCE:.0f} s.")

    async def _made(self, address: str) -> bool:
        actor = self._client.submit(
            DaskWorkerState,
            this_process(),
            key=f"anyk-share-{uuid.uuid4().hex}",
            actor=True,
            workers=[address],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )
        deadline = time.monotonic() + _MAKING
        while actor.status == "pending" and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.005)  # Dask has no event for a lost worker
        if actor.status == "error":
            raise await actor.exception(asynchronous=True)
        if actor.status != "finished":
            actor.release()
            return False
        self._address, self._actor, self._lost = address, actor, False
        return True

    async def _call(self, method: str, *arguments: Any) -> Any:
        """Call the actor, on a connection from here to the worker.

        Dask's own proxy of an actor may go through the scheduler, and calls again after an error.
        """
        to_serialize: Any = library().protocol.to_serialize
        reply = await self._client.rpc(self._address).actor_execute(
            function=method,
            actor=self._actor.key,
            args=[each if isinstance(each, int) else to_serialize(each) for each in arguments],
            kwargs={},
        )
        if reply["status"] != "OK":
            raise reply["exception"]
        return reply["result"]
