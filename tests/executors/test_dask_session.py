"""A connection to a Dask worker: what is large is there before Dask is asked for its task."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

pytest.importorskip("distributed")

from anyk.executors.engines.dask_frames import packed, wrapped
from anyk.executors.engines.dask_session import DaskSession


class Ends:
    """The worker's end of a connection, and the client that asks for tasks."""

    status = "running"

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []
        self.submitted: list[str] = []
        self.coming: asyncio.Queue[dict[str, Any] | Exception] = asyncio.Queue()

    async def write(self, message: dict[str, Any]) -> None:
        self.written.append(message)

    async def read(self) -> dict[str, Any]:
        came = await self.coming.get()
        if isinstance(came, Exception):
            raise came
        return came

    def submit(self, *_: Any, key: str, **__: Any) -> Any:
        self.submitted.append(key)
        return SimpleNamespace(status="pending", release=lambda: None)

    def closed(self) -> bool:
        return False

    def abort(self) -> None:
        pass


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def asked(ends: Ends, numbers: int) -> tuple[DaskSession, asyncio.Task[Any]]:
    session = DaskSession(cast("Any", ends), "tcp://a", ends, {})
    message = {"what": "share", "frames": wrapped(packed(np.zeros(numbers)))}
    asking = asyncio.ensure_future(session.ask("t", message, {}, {}))
    await settled()
    return session, asking


def test_the_task_of_a_small_message_is_asked_for_at_once() -> None:
    async def go() -> None:
        ends = Ends()
        session, asking = await asked(ends, 10)
        assert ends.submitted == ["t"]
        ends.coming.put_nowait({"ticket": "t", "done": 5, "ran": True})
        assert await asking == 5
        await session.end()

    asyncio.run(go())


def test_the_task_of_a_large_message_is_asked_for_when_that_is_there() -> None:
    async def go() -> None:
        ends = Ends()
        session, asking = await asked(ends, 1 << 18)
        assert ends.written[0]["confirm"]
        ends.coming.put_nowait({"arrived": "another"})
        await settled()
        assert not ends.submitted
        ends.coming.put_nowait({"arrived": "t"})
        await settled()
        assert ends.submitted == ["t"]
        ends.coming.put_nowait({"ticket": "t", "done": 5, "ran": True})
        assert await asking == 5
        await session.end()

    asyncio.run(go())


def test_a_large_message_may_be_withdrawn_or_lost_on_its_way() -> None:
    async def go() -> None:
        ends = Ends()
        session, asking = await asked(ends, 1 << 18)
        ends.coming.put_nowait({"ticket": "t", "done": None, "ran": False})
        assert await asking is None
        await session.end()

        session, asking = await asked(ends, 1 << 18)
        ends.coming.put_nowait(OSError("gone"))
        with pytest.raises(OSError, match="gone"):
            await asking
        assert not ends.submitted
        await session.end()

    asyncio.run(go())
