"""What Dask's own store has: constants that every worker should have, and futures of the user's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, final

from anyk.errors import InvalidArgument
from anyk.executors.core.broadcast import Broadcast
from anyk.executors.core.within import exchanged
from anyk.executors.engines.dask_frames import library

__all__ = ["DaskConstants", "with_handles"]

_LOST = ("lost", "cancelled", "error")


@final
class DaskConstants:
    """Constants in Dask's store, from where workers get them. Used on the client's event loop.

    They are sent once, to one worker; Dask brings them from there to the others, and to those that
    come later. What was lost with all workers that had it is sent again.

    Args:
        client: a connected ``dask.distributed.Client``.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._values: dict[str, Any] = {}
        self._sent: dict[str, asyncio.Future[Any]] = {}

    async def add(self, key: str, value: Any) -> None:
        """Send a constant, in the background."""
        self._values[key] = value
        self._sent[key] = asyncio.ensure_future(self._send(value))

    def drop(self, key: str) -> None:
        """Let Dask forget a constant. Harmless when called twice."""
        self._values.pop(key, None)
        sending = self._sent.pop(key, None)
        if sending is not None:
            sending.add_done_callback(_release)
            sending.cancel()

    def end(self) -> None:
        """Let Dask forget all."""
        for key in tuple(self._values):
            self.drop(key)

    async def there(self) -> dict[str, Any]:
        """Futures of all constants, by key; what was lost is sent again first."""
        futures = {}
        for key, value in tuple(self._values.items()):
            sending = self._sent[key]
            if sending.done() and (sending.exception() or sending.result().status in _LOST):
                sending = self._sent[key] = asyncio.ensure_future(self._send(value))
            futures[key] = await asyncio.shield(sending)
        return futures

    async def _send(self, value: Any) -> Any:
        (future,) = await self._client.scatter([value], direct=True, hash=False, asynchronous=True)
        return future


def _release(sent: asyncio.Future[Any]) -> None:
    if not sent.cancelled() and sent.exception() is None:
        sent.result().release()


def with_handles(value: Any, client: Any) -> tuple[Any, Mapping[str, Any]]:
    """A value in which handles stand instead of Dask's futures, and the futures by key.

    Args:
        value: futures are looked for in it, and in the lists, tuples, dicts and partials within.
        client: whose futures they must be.

    Raises:
        InvalidArgument: if one is of another client.
    """
    found: dict[str, Any] = {}
    kind = library().Future

    def handle_of(value: Any) -> Any:
        if not isinstance(value, kind):
            return value
        if value.client is not client:
            raise InvalidArgument(
                "function",
                given=f"a future of another client, {value.client!r}",
                needed="futures of the client of this executor",
                change="Make them with executor.client.",
            )
        key = f"dask-{value.key}"
        found[key] = value
        return Broadcast(key)

    return exchanged(value, handle_of), found
