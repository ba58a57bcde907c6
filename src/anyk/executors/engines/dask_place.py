"""Which Dask worker is in which place of an executor, and the connection to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, final

from anyk.errors import ExecutorError
from anyk.executors.engines.dask_constants import DaskConstants
from anyk.executors.engines.dask_session import DaskSession

__all__ = ["DaskPlace", "DaskRoster", "check_client", "end", "listed_workers", "most_threads"]

_PATIENCE = 30.0  # seconds that a replacement for a lost worker is waited for
_ENDING = 1.0  # seconds that the end of connections is waited for


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


async def most_threads(client: Any) -> int:
    """How many threads the Dask worker has that has most."""
    workers = (await client.scheduler.identity())["workers"]
    return max((about["nthreads"] for about in workers.values()), default=1)


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
class DaskPlace:
    """One Dask worker, and the next one when it is gone. From any thread, but for coroutines.

    Args:
        client: a connected ``dask.distributed.Client``.
        roster: says which worker it is.
        number: of the place.
        constants: that every worker should have.
    """

    def __init__(
        self, client: Any, roster: DaskRoster, number: int, constants: DaskConstants
    ) -> None:
        self.client = client
        self._roster, self._number = roster, number
        self._constants = constants
        self._opening: asyncio.Task[DaskSession] | None = None
        self.current: DaskSession | None = None

    @property
    def alive(self) -> bool:
        """Whether the worker is there, as far as the connection tells."""
        return self.current is None or self.current.alive

    def start(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Run a coroutine on the client's event loop."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self.client.loop.asyncio_loop)
        except RuntimeError:  # the loop has ended with the client
            work.close()
            raise

    async def session(self) -> DaskSession:
        """A connection to the worker of this place, or to the next one if it is gone.

        Raises:
            ExecutorError: if there is none for a while.
            Exception: what a worker says that can't take any, as without anyk.
        """
        if self.current is not None and self.current.alive:
            return self.current
        if self._opening is None or self._opening.done():
            self._opening = asyncio.ensure_future(self._open())
            self._opening.add_done_callback(_heard)  # whoever asked may have gone
        return await asyncio.shield(self._opening)

    async def ask(
        self,
        session: DaskSession,
        ticket: str,
        message: dict[str, Any],
        arguments: Mapping[str, Any],
    ) -> Any:
        """Have something computed there, with all constants; see `DaskSession.ask`."""
        return await session.ask(ticket, message, await self._constants.there(), arguments)

    def forget(self, key: str) -> None:
        """Let the worker, and Dask, have a constant no more. From any thread."""

        def forget() -> None:
            self._constants.drop(key)
            if self.current is not None:
                self.current.forget(key)

        with suppress(RuntimeError):  # the client is closed, and its loop with it
            self.client.loop.asyncio_loop.call_soon_threadsafe(forget)

    async def end(self) -> None:
        """Close the connection, so that the worker forgets everything."""
        if self._opening is not None:
            self._opening.cancel()
        if self.current is not None:
            await self.current.end()

    async def _open(self) -> DaskSession:
        if self.current is not None:  # it is leaving: what has begun there goes on
            self.current.retire()
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            address = await self._roster.locate(self._number)
            if address is not None:
                session = await DaskSession.open(self.client, address, self._roster.resources)
                if session is not None:
                    self.current = session
                    return session
            await asyncio.sleep(0.1)
        raise ExecutorError(f"its Dask worker is gone, and none came in {_PATIENCE:.0f} s.")


def _heard(opening: asyncio.Task[DaskSession]) -> None:
    if not opening.cancelled():
        opening.exception()


def end(client: Any, places: Sequence[DaskPlace], constants: DaskConstants) -> None:
    """Close all connections."""

    async def all_of_them() -> None:
        constants.end()
        await asyncio.gather(*(place.end() for place in places), return_exceptions=True)

    loop = client.loop.asyncio_loop
    if loop.is_closed() or not loop.is_running():
        return
    ending = asyncio.run_coroutine_threadsafe(all_of_them(), loop)
    with suppress(Exception):  # the loop may end meanwhile
        ending.result(_ENDING)
