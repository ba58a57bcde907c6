"""One share's place on a Dask worker, as the master sees it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, final

from anyk.executors.core.columns import Columns
from anyk.executors.core.raised import describe
from anyk.executors.engines.dask_frames import packed, wrapped
from anyk.executors.engines.dask_place import DaskPlace, check_client
from anyk.executors.engines.dask_session import DaskSession
from anyk.executors.engines.link import AbstractEngineWorker
from anyk.executors.engines.slices import Slice
from anyk.executors.engines.worker_state import Report, RunRequest

__all__ = ["DaskWorker"]


@final
class DaskWorker(AbstractEngineWorker):
    """One share's place on one Dask worker."""

    def __init__(self, place: DaskPlace, share: int) -> None:
        self._place = place
        self._share = share
        self._session: DaskSession | None = None
        self._ticket = ""

    @property
    def alive(self) -> bool:
        """Whether its Dask worker is there, as far as the connection tells."""
        return self._place.alive

    def open(self) -> Future[Any] | None:
        """Connect to the worker of this place; see `AbstractEngineWorker.open`."""
        session = self._session
        if session is not None and session.alive and session is self._place.current:
            return None
        return self._place.start(self._open())

    def keep(self, keys: tuple[int, ...]) -> Future[Any]:
        """Tell the worker; see `AbstractEngineWorker.keep`."""
        message = {"what": "keep", "share": self._share, "keys": list(keys)}
        return self._place.start(self._there().write(message))

    def take(self, piece: Slice) -> None:
        """Not on Dask: None."""

    def fill(self, columns: Columns) -> Future[bool]:
        """Send them on the connection, beside Dask's tasks; see `AbstractEngineWorker.fill`."""
        frames = wrapped(packed(columns))
        message = {"what": "fill", "share": self._share, "frames": frames}
        return self._place.start(self._there().tell(uuid.uuid4().hex, message))

    def run(self, request: RunRequest, common: Any, rows: Mapping[int, Any]) -> Future[Report]:
        """Have Dask run it; see `AbstractEngineWorker.run`."""
        session = self._there()
        name, shared, arguments = common
        message = {
            "what": "share",
            "share": self._share,
            "split": len(shared),
            "frames": wrapped((*shared, *packed((request, rows)))),
        }
        self._ticket = f"{name}-anyk-{uuid.uuid4().hex}"
        return self._place.start(self._place.ask(session, self._ticket, message, arguments))

    def withdraw(self, future: Future[Any]) -> bool:  # noqa: ARG002 - there is one at a time
        """Ask the worker to give a task back if it has not begun: then the future ends soon."""
        ticket, self._ticket = self._ticket, ""
        if ticket and self._session is not None:
            message = {"what": "withdraw", "ticket": ticket}
            self._place.start(self._session.write(message))
        return False

    def fail(self, error: BaseException) -> str:
        """Open it anew before the next task, whatever the error; see `AbstractEngineWorker`."""
        self._session = None
        status = self._place.client.status
        if status != "running":
            return f"Dask client {status}"
        lost = isinstance(error, OSError)
        return "Dask worker died, or can't be reached" if lost else describe(error)

    def check(self) -> None:
        """Look at the client; of its worker the connection tells. See `AbstractEngineWorker`."""
        check_client(self._place.client)

    def end(self) -> None:
        """Let the worker forget what it holds."""
        session, self._session = self._session, None
        if session is not None:
            self._place.start(session.write({"what": "keep", "share": self._share, "keys": []}))

    def _there(self) -> DaskSession:
        if self._session is None:
            raise ConnectionError("there is no connection.")
        return self._session

    async def _open(self) -> None:
        self._session = await self._place.session()
