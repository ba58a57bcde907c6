"""One worker's Ray actor, as the master sees it, and the next one."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, final

from anyk.errors import ExecutorError
from anyk.executors.core.columns import Columns
from anyk.executors.core.raised import LONGEST_FAILURE, describe, printable
from anyk.executors.engines.link import AbstractEngineWorker
from anyk.executors.engines.ray_site import RaySite, check_ray, died
from anyk.executors.engines.ray_values import library
from anyk.executors.engines.slices import Slice
from anyk.executors.engines.worker_state import Report, RunRequest

__all__ = ["Common", "RayWorker"]


@final
class _NoRoom(ExecutorError):  # noqa: N818 - it never leaves this file
    """An actor has not begun within the patience of its executor."""


@final
@dataclass(frozen=True, eq=False)
class Common:
    """A task and the arguments for all shares, on their way to actors.

    Args:
        title: what the task is called where Ray lists its tasks.
        payload: both pickled, or an `ObjectRef` of both.
        refs: what lies in the object store, and is passed as an argument.
    """

    title: str
    payload: Any
    refs: tuple[Any, ...]


@final
class RayWorker(AbstractEngineWorker):
    """One worker's actor, and the next one when it dies.

    The thread of the worker's link uses all of it; other threads may `reach` the actor, `lose` it,
    and ask whether it is `alive` or `overdue`.
    """

    def __init__(self, site: RaySite, place: int) -> None:
        self._site = site
        self._place = place
        self._lock = threading.RLock()  # of whoever starts or ends an actor
        self._actor: Any = None
        self._asked: Any = None  # the one that the link has opened, which may be gone by now
        self._watch: Future[Any] | None = None
        self._node: Future[Any] | None = None  # of an actor that no share may lie on yet
        self._start: Future[Any] = Future()
        self._deadline = 0.0  # by which an actor that has not begun should have; 0 once it has
        self._lost = False

    @property
    def alive(self) -> bool:
        """Whether the actor is there, or is still expected."""
        watch = self._watch
        return not self._lost and not self.overdue and (watch is None or not watch.done())

    @property
    def overdue(self) -> bool:
        """Whether there should be an actor by now, and is none."""
        deadline = self._deadline
        return bool(deadline) and time.monotonic() > deadline

    def open(self) -> Future[Any] | None:
        """Start an actor, or wait for one that was; see `AbstractEngineWorker.open`."""
        with self._lock:
            self._asked, _ = self.reach()
            if self._node is None:
                return None
            ready: Future[Any] = Future()
            self._node.add_done_callback(partial(self._admit, ready=ready))
            return ready

    def reach(self) -> tuple[Any, Future[Any]]:
        """The actor, which is started if there is none, and what is done when it has begun.

        Raises:
            ExecutorError: if Ray is not there.
        """
        with self._lock:
            check_ray()
            if self._watch is None or self._watch.done():
                self._lost = self._lost or self._watch is not None
                self._drop()
                self._actor = self._site.actor(self._place)
                self._watch = (
                    self._actor.watch.options(concurrency_group="beside").remote().future()
                )
                self._deadline = time.monotonic() + self._site.patience
                self._start = self._node = self._actor.node.remote().future()
                self._start.add_done_callback(self._begun)
            return self._actor, self._start

    def has(self, actor: Any) -> bool:
        """Whether this is its actor, and not one that was lost."""
        return actor is self._actor

    def keep(self, keys: tuple[int, ...]) -> Future[Any]:
        """Call the actor; see `AbstractEngineWorker.keep`."""
        return self._call("keep", keys)

    def take(self, piece: Slice) -> Future[bool]:
        """Call the actor; see `AbstractEngineWorker.take`."""
        return self._call("take", piece)

    def fill(self, columns: Columns) -> Future[bool]:
        """Call the actor; see `AbstractEngineWorker.fill`."""
        return self._call("fill", columns)

    def run(self, request: RunRequest, common: Common, rows: Mapping[int, Any]) -> Future[Report]:
        """Call the actor; see `AbstractEngineWorker.run`."""
        run = self._asked.run.options(name=common.title)
        called: Future[Report] = run.remote(
            request, common.payload, rows, list(common.refs)
        ).future()
        return called

    def withdraw(self, future: Future[Any]) -> bool:  # noqa: ARG002 - it began when it was sent
        """Not on Ray: False."""
        return False

    def fail(self, error: BaseException) -> str:
        """Give the actor up, unless it raised the error itself; see `AbstractEngineWorker.fail`."""
        return self.lose(self._asked, error)

    def lose(self, actor: Any, error: BaseException) -> str:
        """Be told of what came of asking an actor, which may mean that it is gone.

        Args:
            actor: who was asked; nothing is done about the one that has taken its place.
            error: what came of it.

        Returns:
            What it was, in words.
        """
        errors: Any = library().exceptions
        if isinstance(error, errors.RayTaskError):  # raised on the actor, which is well
            return describe(error.cause)
        if isinstance(error, _NoRoom):  # it stays in Ray's queue, in case that there is some soon
            return printable(str(error)[:LONGEST_FAILURE])
        with self._lock:
            if actor is self._actor:
                self._lost = True  # until there is another one
                self._drop()
        return died(error) if isinstance(error, errors.RayActorError) else describe(error)

    def check(self) -> None:
        """Look at Ray, and at how long an actor's start takes; see `AbstractEngineWorker.check`."""
        check_ray()
        if self.overdue:
            raise _NoRoom(self._site.no_room())

    def end(self) -> None:
        """Kill the actor."""
        with self._lock:
            self._lost = True
            self._drop()

    def _begun(self, found: Future[Any]) -> None:  # by Ray's own thread, which waits for no lock
        if found is self._start and not found.cancelled() and found.exception() is None:
            self._deadline, self._lost = 0.0, False

    def _admit(self, found: Future[Any], ready: Future[Any]) -> None:
        if not ready.set_running_or_notify_cancel():
            return
        try:
            node = found.result()
            if not self._site.admit(self._place, node):
                raise ExecutorError("a node that has held another share.")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - it goes on in the other future
            ready.set_exception(error)
        else:
            if found is self._node:
                self._node = None
            ready.set_result(node)

    def _call(self, method: str, *arguments: Any) -> Future[Any]:
        called: Future[Any] = getattr(self._asked, method).remote(*arguments).future()
        return called

    def _drop(self) -> None:
        actor, self._actor, self._watch, self._node = self._actor, None, None, None
        self._deadline = 0.0
        if actor is not None:
            self._site.kill(self._place, actor)
