"""One worker of somebody else's engine, as the master sees it: fed, asked, replaced."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, final

import numpy as np

from anyk.executors.core.columns import LOST, Columns
from anyk.executors.core.dispatcher import Awaited
from anyk.executors.core.link import AbstractLink, Held, Order
from anyk.executors.core.run_task import Reply
from anyk.executors.engines.slices import Slice, sliced
from anyk.executors.engines.worker_state import Report, RunRequest

__all__ = ["AbstractEngineWorker", "EngineLink"]

_GLANCE = 0.25  # seconds after which one who waits looks whether the worker is still there


@final
class _Abandoned(Exception):  # noqa: N818 - it never leaves this file
    """Nobody waits for the answer any more."""


class AbstractEngineWorker(ABC):
    """What an engine can do for one of its workers. Used by one thread, that of the worker.

    What takes time happens behind the future that is returned. An error raised at once says that
    nothing has begun; one in the future, that it failed on the way or on the worker.
    """

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether the worker could take a task, as far as is known. Returns at once."""

    @abstractmethod
    def open(self) -> Future[Any] | None:
        """Let there be a worker that holds nothing yet; None if there is one already."""

    @abstractmethod
    def keep(self, keys: tuple[int, ...]) -> Future[Any]:
        """Let the worker forget all shares but these."""

    @abstractmethod
    def take(self, piece: Slice) -> Future[bool] | None:
        """Let the worker take the next slice of a large share; whether it has those before it.

        None where shares travel whole, as nothing in this process copies what is sent.
        """

    @abstractmethod
    def fill(self, columns: Columns) -> Future[bool]:
        """Let the worker take the next columns of a share; whether it has those before them."""

    @abstractmethod
    def run(self, request: RunRequest, common: Any, rows: Mapping[int, Any]) -> Future[Report]:
        """Run a task on a share.

        Args:
            request: which share.
            common: the task and the arguments for all shares, as the engine wants them.
            rows: what this share has for itself instead of arguments, by their place.
        """

    @abstractmethod
    def withdraw(self, future: Future[Any]) -> bool:
        """Take a task back, if it has not begun; whether that was so."""

    @abstractmethod
    def fail(self, error: BaseException) -> str:
        """Be told of an error, which may mean that the worker is gone; say what it was."""

    @abstractmethod
    def check(self) -> None:
        """Raise an error if the worker is gone, and what was asked of it can't come back."""

    @abstractmethod
    def end(self) -> None:
        """Let the worker forget everything, without waiting for it."""


@final
class EngineLink(AbstractLink):
    """One worker of an engine; see `AbstractLink`.

    A worker that has lost its shares, or was replaced, gets them again before its next task; no
    task is run twice. Small shares travel with the first task on them; large ones before it, one
    slice after the other, so that no engine has a copy of all shares on its way in this process.

    Args:
        worker: what the engine can do for this worker.
        held: says which shares the worker should hold.
    """

    def __init__(self, worker: AbstractEngineWorker, held: Held) -> None:
        self._worker = worker
        self._wanted = held
        self._held: set[int] = set()
        self._bell = threading.Event()  # rung when one who waits should look again
        self._over = False

    @property
    def alive(self) -> bool:
        """Whether the worker could take a task, as far as is known."""
        return self._worker.alive

    def ask(self, order: Order, piece: int) -> Reply:
        """Run a task on a share, and wait for the report; see `AbstractLink.ask`."""
        order.call.wakes.append(self._bell)
        try:
            for whole in (False, True):  # again on a worker that was started anew in the meantime
                report = self._ask(order, piece, whole=whole)
                if report.value is not None or report.failure is not None:
                    return Reply(report.value, report.failure, report.seconds, report.traceback)
                self._held.clear()
        except BaseException as error:  # noqa: BLE001 - whatever it is, this worker has failed
            return Reply(None, self._failed(error), 0.0)
        return Reply(None, "the worker does not keep its share" if order.parts else LOST, 0.0)

    def do(self, begin: Callable[[], Future[Any]], call: Awaited) -> Any:
        """Have the worker do something, and wait for what comes of it.

        Args:
            begin: begins it; an error that it raises says that nothing has begun.
            call: says whether somebody still waits.

        Returns:
            What comes; or a text, why the worker has failed.
        """
        if self._bell not in call.wakes:
            call.wakes.append(self._bell)
        try:
            self._open()
            try:
                asked = begin()
            except Exception as error:  # noqa: BLE001 - it has not begun: once more, on a new worker
                self._failed(error)
                self._open()
                asked = begin()
            return self._wait(asked, call)
        except BaseException as error:  # noqa: BLE001 - whatever it is, this worker has failed
            return self._failed(error)

    def fill(self, columns: Columns, call: Awaited) -> str | None:
        """Send the next columns of its shares; see `AbstractLink.fill`."""
        if self._bell not in call.wakes:
            call.wakes.append(self._bell)
        try:
            self._open()
            if not self._wait(self._worker.fill(columns), call):
                return LOST
        except BaseException as error:  # noqa: BLE001 - whatever it is, this worker has failed
            return self._failed(error)
        if columns.last:
            self._held.add(columns.key)
        return None

    def synchronise(self) -> None:
        """Let there be a worker that has forgotten what it should not hold any more."""
        try:
            wanted = self._wanted().keys()
            if not self._held - wanted:
                self._open()
                return
            self._wait(self._worker.keep(tuple(wanted)))
            self._held &= wanted
        except BaseException as error:  # noqa: BLE001 - the next task tries again
            self._failed(error)

    def leave(self) -> None:
        """Let the worker forget everything."""
        with suppress(Exception):  # the engine may be gone
            self._worker.end()

    def cut(self, *, force: bool) -> None:  # noqa: ARG002 - nothing is waited for in between
        """Let one who waits wait no longer, for good."""
        self._over = True
        self._bell.set()

    def _ask(self, order: Order, piece: int, *, whole: bool) -> Report:
        self._open()
        keys = (order.key, *self._wanted())
        try:
            asked = self._run(order, piece, keys, whole=whole)
        except _Abandoned:
            raise
        except Exception as error:  # noqa: BLE001 - it has not begun: once more, on a new worker
            self._failed(error)
            self._open()
            asked = self._run(order, piece, keys, whole=whole)
        report = _checked(self._wait(asked, order.call))
        self._held = (self._held & set(keys)) | {order.key}
        return report

    def _run(
        self, order: Order, piece: int, keys: tuple[int, ...], *, whole: bool
    ) -> Future[Report]:
        """Begin a task, on a share that is sent before if that is better."""
        if order.call.abandoned:
            raise _Abandoned
        if order.key not in self._held and not whole:
            self._send(order)
        parts = None if order.key in self._held else order.parts or None
        request = RunRequest(order.key, piece, parts, keys)
        return self._worker.run(request, order.common, order.rows[piece])

    def _send(self, order: Order) -> None:
        """Send a share in slices, if it is large, to the end: the next call wants it, too."""
        call: Awaited | None = order.call
        sent = False
        for each in sliced(order.key, order.parts):
            taking = self._worker.take(each)
            if taking is None or not self._wait(taking, call):
                return  # then it travels with the task
            sent, call = True, None
        if sent:
            self._held.add(order.key)
            if order.call.abandoned:
                raise _Abandoned

    def _open(self) -> None:
        opening = self._worker.open()
        if opening is not None:
            self._held.clear()
            self._wait(opening)

    def _wait(self, future: Future[Any], call: Awaited | None = None) -> Any:
        """What comes of a future, as long as somebody wants it and the worker is there."""
        future.add_done_callback(lambda _: self._bell.set())
        try:
            while not future.done():
                self._bell.wait(_GLANCE)
                self._bell.clear()
                self._look(future, call)
        except Exception:
            future.cancel()
            raise
        return future.result()

    def _look(self, future: Future[Any], call: Awaited | None) -> None:
        """Raise an error if there is nothing to wait for any more."""
        if future.done():
            return
        given_up = call is not None and call.abandoned
        if self._over or (given_up and self._worker.withdraw(future)):
            raise _Abandoned
        self._worker.check()

    def _failed(self, error: BaseException) -> str:
        """Note that the worker may be gone, and say why."""
        if isinstance(error, _Abandoned):
            return "abandoned"
        self._held.clear()
        return self._worker.fail(error)


def _checked(report: object) -> Report:
    """A report with a value that can be used, whatever came."""
    if type(report) is not Report:
        return Report(None, f"sent something that is no answer: {type(report).__name__}", 0.0)
    value = report.value
    if value is None:
        return report
    if type(value) is not np.ndarray or value.dtype.kind not in "biufc":
        return Report(None, "sent something that is no array of numbers", report.seconds)
    value.flags.writeable = False
    return report
