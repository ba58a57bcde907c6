"""A connection to a Dask worker, on which a master brings what Dask's tasks then compute there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, final

from anyk.errors import ExecutorError
from anyk.executors.core.raised import describe
from anyk.executors.engines.dask_frames import OPERATION, library, size_of
from anyk.executors.engines.worker_state import this_process

__all__ = ["DaskSession"]

_GLANCE = 1.0  # seconds after which one who waits looks whether Dask still has the task
_CONNECTING = 5.0  # seconds that a worker is given to answer, before another one is looked for
_LARGE = 1 << 20  # bytes of a message from which its arrival is waited for


def _nothing() -> None:
    pass


@final
class DaskSession:
    """What this process has on one Dask worker: a connection. Used on the client's event loop.

    It is not one of the client's pool. What is asked for travels on it, and the answer back; beside
    it a small task of Dask's, pinned to the worker, says when it is computed there, so that it
    counts like any other task. The worker forgets everything when the connection ends.

    Args:
        client: a connected ``dask.distributed.Client``.
        address: of the worker.
        comm: the connection.
        resources: that a task takes, by name, as for ``client.submit``.
    """

    def __init__(
        self, client: Any, address: str, comm: Any, resources: Mapping[str, float]
    ) -> None:
        self._client = client
        self.address = address
        self._comm = comm
        self._resources = dict(resources) or None
        self._lock = asyncio.Lock()
        self._asked: dict[str, asyncio.Future[Any]] = {}
        self._begun: dict[str, Callable[[], None]] = {}
        self._arriving: dict[str, asyncio.Future[None]] = {}
        self._said: set[asyncio.Future[None]] = set()
        self._has: set[str] = set()  # functions and constants that are there
        self.alive = True
        self._reader = asyncio.ensure_future(self._read())

    @classmethod
    async def open(
        cls, client: Any, address: str, resources: Mapping[str, float]
    ) -> DaskSession | None:
        """Connect to a worker; None if it does not answer, or is leaving.

        Raises:
            Exception: what the worker says if it can't, as without anyk.
        """
        try:
            comm = await asyncio.wait_for(_connected(client, address), _CONNECTING)
        except OSError:
            return None
        return None if comm is None else cls(client, address, comm, resources)

    async def ask(
        self,
        ticket: str,
        message: dict[str, Any],
        constants: Mapping[str, Any],
        arguments: Mapping[str, Any],
    ) -> Any:
        """Have something computed by a task of Dask's on this worker; what came of it.

        The task follows what it needs at once, but for what takes long to arrive: there Dask would
        start it, and put it off, again and again. It is asked for when the worker has all of that.

        Args:
            ticket: name of the task.
            message: what is to be computed.
            constants: futures of what the worker has from now on, by key.
            arguments: futures of what this task needs besides.

        Raises:
            OSError: if the worker is gone.
            ExecutorError: if Dask lost the task.
        """
        answer = asyncio.get_running_loop().create_future()
        self._asked[ticket] = answer
        task = None
        try:
            await self._bring(ticket, message, answer)
            lacking = {key: each for key, each in constants.items() if key not in self._has}
            if not answer.done():
                task = self._submit(ticket, lacking, dict(arguments))
            while not answer.done():
                await asyncio.wait({answer}, timeout=_GLANCE)
                given_up = task is not None and task.status in ("error", "cancelled")
                if given_up and not answer.done():
                    raise await _why(task)
            done, ran = answer.result()
            if ran:
                self._has.update(lacking)
            return done
        finally:
            del self._asked[ticket]
            self._begun.pop(ticket, None)
            if task is not None:
                task.release()
            if not answer.done():
                self.say({"what": "withdraw", "ticket": ticket})

    async def tell(self, ticket: str, message: dict[str, Any]) -> Any:
        """Have the worker do something beside Dask's tasks; what came of it.

        Args:
            ticket: names the reply.
            message: what is to be done.

        Raises:
            OSError: if the worker is gone.
        """
        answer = asyncio.get_running_loop().create_future()
        self._asked[ticket] = answer
        try:
            await self.write({"ticket": ticket, **message})
            done, _ = await answer
            return done
        finally:
            del self._asked[ticket]

    def ask_back(self, ticket: str, begun: Callable[[], None] = _nothing) -> None:
        """Ask for something back that has not begun: then None comes of it.

        Args:
            ticket: name of the task.
            begun: called if it has begun.
        """
        if ticket in self._asked:
            self._begun[ticket] = begun
            self.say({"what": "withdraw", "ticket": ticket})

    def forget(self, key: str) -> None:
        """Let the worker forget a function or a constant."""
        self._has.discard(key)
        self.say({"what": "forget", "key": key})

    def say(self, message: dict[str, Any]) -> None:
        """Send a message, without waiting; nothing if the worker is gone."""
        if self.alive:
            saying = asyncio.ensure_future(self.write(message))
            self._said.add(saying)
            saying.add_done_callback(self._heard)

    def _heard(self, saying: asyncio.Future[None]) -> None:
        self._said.discard(saying)
        if not saying.cancelled():
            saying.exception()  # the reader tells of a worker that is gone

    async def send_once(self, key: str, message: dict[str, Any]) -> None:
        """Send what the worker has not yet, before what is sent afterwards."""
        if key not in self._has:
            self._has.add(key)
            await self.write(message)

    async def write(self, message: dict[str, Any]) -> None:
        """Send a message.

        Raises:
            OSError: if the worker is gone.
        """
        async with self._lock:
            if not self.alive and self._comm.closed():
                raise ConnectionError("the connection is closed.")
            await self._comm.write(message)

    def retire(self) -> None:
        """Close the connection when what has begun is over."""
        if not self._asked:
            self._reader.cancel()

    async def end(self) -> None:
        """Close the connection, so that the worker forgets everything."""
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader

    async def _bring(
        self, ticket: str, message: dict[str, Any], answer: asyncio.Future[Any]
    ) -> None:
        """Send what a task needs, and wait until it is there, if it is large."""
        if size_of(message) < _LARGE:
            await self.write({"ticket": ticket, **message})
            return
        arrived = self._arriving[ticket] = asyncio.get_running_loop().create_future()
        try:
            await self.write({"ticket": ticket, "confirm": True, **message})
            await asyncio.wait({arrived, answer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._arriving[ticket]

    def _submit(self, ticket: str, constants: dict[str, Any], arguments: dict[str, Any]) -> Any:
        from anyk.executors.engines.dask_serving import compute  # noqa: PLC0415 - needs Dask

        return self._client.submit(
            compute,
            ticket,
            constants,
            arguments,
            key=ticket,
            workers=[self.address],
            allow_other_workers=False,
            pure=False,
            retries=0,
            resources=self._resources,
        )

    async def _read(self) -> None:
        """Take what comes, until the connection ends, or the client is closed."""
        reading = asyncio.ensure_future(self._comm.read())
        try:
            while self._client.status == "running":
                await asyncio.wait({reading}, timeout=_GLANCE)
                if reading.done():
                    self._take(**reading.result())
                    reading = asyncio.ensure_future(self._comm.read())
        except Exception as error:  # noqa: BLE001 - whatever came, it can't be read on
            self._lose(describe(error))
        finally:
            self._lose("the connection is closed")
            self._comm.abort()
            reading.cancel()

    def _lose(self, why: str) -> None:
        self.alive = False
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(ConnectionError(why))
                answer.exception()  # whoever asked may have gone

    def _take(
        self,
        ticket: str = "",
        done: Any = None,
        begun: str = "",
        arrived: str = "",
        *,
        ran: bool = False,
        leaving: bool = False,
    ) -> None:
        if leaving:
            self.alive = False
        if begun:
            self._begun.pop(begun, _nothing)()
        arriving = self._arriving.get(arrived)
        if arriving is not None and not arriving.done():
            arriving.set_result(None)
        answer = self._asked.get(ticket)
        if answer is not None and not answer.done():
            answer.set_result((done, ran))


async def _connected(client: Any, address: str) -> Any:
    """A connection on which a worker takes messages; None if it is leaving."""
    from anyk.executors.engines.dask_serving import install  # noqa: PLC0415 - needs Dask

    dumps: Any = library().protocol.pickle.dumps
    reply = await client.rpc(address).run(function=dumps(install), kwargs=dumps({}))
    if reply["status"] != "OK":
        raise reply["exception"]
    if not reply["result"]:
        return None
    comm = await library().comm.connect(address, **client.connection_args)
    await comm.write({"op": OPERATION, "reply": False, "master": this_process()})
    return comm


async def _why(task: Any) -> Exception:
    """Why Dask has given a task up."""
    if task.status == "cancelled":
        return ExecutorError("Dask cancelled its task.")
    error = await task.exception(asynchronous=True)
    return ExecutorError(f"Dask gave its task up: {describe(error)}.")
