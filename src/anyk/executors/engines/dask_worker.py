"""One share's place on a Dask worker, as the master sees it, and which worker that is."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, final

from anyk.errors import ExecutorError
from anyk.executors.core.raised import describe
from anyk.executors.engines.dask_session import DaskSession, library, packed
from anyk.executors.engines.link import AbstractEngineWorker
from anyk.executors.engines.slices import Slice
from anyk.executors.engines.worker_state import Report, RunRequest

__all__ = ["DaskRoster", "DaskWorker", "check_client", "listed_workers"]

_PATIENCE = 30.0  # seconds that a replacement for a lost worker is waited for
_ENDING = 1.0  # seconds that the end of a connection is waited for


def check_client(client: Any) -> None:
    """Raise ExecutorError if a Dask client is closed, or has lost its scheduler."""
    if client.status != "running":
        raise ExecutorError(
            f"the Dask client is {client.status}: it was closed, or its scheduler is gone; make "
            "a new client, and a Dask executor with it."
        )


@final
class DaskRoster:
    """Which Dask worker holds which shares. Used on the client's event loop alone.

    A Dask worker that has held one share never gets another one, whatever becomes of the others:
    together they would be a coalition of one.
    """

    def __init__(
        self, client: Any, listed: Sequence[tuple[str, str]], resources: Mapping[str, float]
    ) -> None:
        self._client = client
        self.resources = resources
        self._addresses = [address for address, _ in listed]
        self._held = {name: place for place, (_, name) in enumerate(listed)}

    async def locate(self, place: int) -> str | None:
        """The address of the worker in this place, or of its replacement; None if there is none."""
        workers = await listed_workers(self._client, self.resources)
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


async def listed_workers(client: Any, resources: Mapping[str, float]) -> list[tuple[str, str]]:
    """Address and name of the workers that the scheduler knows now, in the order of names.

    Those that are leaving, or lack what a task takes, are none.
    """
    workers = (await client.scheduler.identity())["workers"]
    named = [
        (address, str(about["name"]))
        for address, about in workers.items()
        if not about.get("status", "").startswith("clos")
        and all(about["resources"].get(name, 0.0) >= needed for name, needed in resources.items())
    ]
    return sorted(named, key=lambda pair: (len(pair[1]), pair[1]))


@final
class DaskWorker(AbstractEngineWorker):
    """One share's place on one Dask worker."""

    def __init__(self, client: Any, roster: DaskRoster, place: int) -> None:
        self._client = client
        self._roster = roster
        self._place = place
        self._session: DaskSession | None = None
        self._lost = False
        self._ticket = ""

    @property
    def alive(self) -> bool:
        """Whether its Dask worker is there, as far as the connection tells."""
        session = self._session
        return not self._lost and (session is None or session.alive)

    def open(self) -> Future[Any] | None:
        """Connect to the worker of this place; see `AbstractEngineWorker.open`."""
        if self._session is not None and self._session.alive:
            return None
        self._lost = self._lost or self._session is not None
        self._drop()
        return self._start(self._open())

    def keep(self, keys: tuple[int, ...]) -> Future[Any]:
        """Tell the worker; see `AbstractEngineWorker.keep`."""
        return self._start(self._there().write({"keep": list(keys)}))

    def take(self, piece: Slice) -> None:
        """Not on Dask: None."""

    def run(self, request: RunRequest, common: Any, rows: Mapping[int, Any]) -> Future[Report]:
        """Have Dask run it; see `AbstractEngineWorker.run`."""
        session = self._there()
        to_serialize: Any = library().protocol.to_serialize
        name, shared = common
        frames = (*shared, *packed((request, rows)))
        message = {"split": len(shared), "frames": [to_serialize(each) for each in frames]}
        self._ticket = f"{name}-anyk-{uuid.uuid4().hex}"
        return self._start(session.ask(self._ticket, message))

    def withdraw(self, future: Future[Any]) -> bool:  # noqa: ARG002 - there is one at a time
        """Ask the worker to give a task back if it has not begun: then the future ends soon."""
        ticket, self._ticket = self._ticket, ""
        if ticket and self._session is not None:
            self._start(self._session.write({"withdraw": ticket}))
        return False

    def fail(self, error: BaseException) -> str:
        """Give the connection up, whatever the error; see `AbstractEngineWorker.fail`."""
        self._lost = True  # until it is opened again: what the worker holds is not known
        self._drop()
        if self._client.status != "running":
            return f"Dask client {self._client.status}"
        lost = isinstance(error, OSError)
        return "Dask worker died, or can't be reached" if lost else describe(error)

    def check(self) -> None:
        """Look at the client; of its worker the connection tells. See `AbstractEngineWorker`."""
        check_client(self._client)

    def end(self) -> None:
        """Close the connection, so that the worker forgets what it holds."""
        ended = self._drop()
        if ended is not None:
            with suppress(Exception):  # the loop may have ended
                ended.result(_ENDING)

    def _there(self) -> DaskSession:
        if self._session is None:
            raise ConnectionError("there is no connection.")
        return self._session

    def _drop(self) -> Future[Any] | None:
        session, self._session = self._session, None
        if session is None or self._client.loop.asyncio_loop.is_closed():
            return None
        return self._start(session.end())

    def _start(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._client.loop.asyncio_loop)

    async def _open(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            address = await self._roster.locate(self._place)
            if address is not None:
                session = await DaskSession.open(self._client, address, self._roster.resources)
                if session is not None:
                    self._session, self._lost = session, False
                    return
            await asyncio.sleep(0.1)
        raise ExecutorError(f"its Dask worker is gone, and none came in {_PATIENCE:.0f} s.")
