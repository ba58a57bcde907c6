"""One worker of somebody else's engine, as the master sees it: fed, asked, replaced."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, final

from numpy.typing import NDArray

from anyk.executors.core.placements import Share
from anyk.executors.engines.worker_state import Report, RunRequest, checked_report

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
    def run(self, request: RunRequest, order: Any, rows: Mapping[int, Any]) -> Future[Report]:
        """Run a task on a share.

        Args:
            request: which share.
            order: (task, arguments), as the engine wants them.
            rows: this worker's row of each `PerWorker` argument, by position.
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
class EngineLink:
    """One worker, which is made to hold the shares that it should, and asked one task at a time.

    A worker that has lost its shares, or was replaced, gets them again before its next task; no
    task is run twice. `ask`, `synchronise` and `leave` block, and are for one thread: the worker's
    thread. The rest may be called from any thread.

    Args:
        worker: what the engine can do for this worker.
        shares: says which shares the worker should hold, by the key of the placement.
    """

    def __init__(
        self, worker: AbstractEngineWorker, shares: Callable[[], Mapping[int, Share]]
    ) -> None:
        self._worker = worker
        self._shares = shares
        self._held: set[int] = set()
        self._bell = threading.Event()
        self._over = False

    @property
    def alive(self) -> bool:
        """Whether the worker could take a task, as far as is known."""
        return self._worker.alive

    def nudge(self) -> None:
        """Let one who waits look whether the answer is still wanted."""
        self._bell.set()

    def cut(self) -> None:
        """Let one who waits wait no longer, for good."""
        self._over = True
        self._bell.set()

    def ask(
        self,
        key: int,
        share: Share,
        order: Any,
        rows: Mapping[int, Any],
        abandoned: Callable[[], bool],
    ) -> tuple[NDArray[Any] | None, str | None, float]:
        """Run a task on the worker, and wait for its report.

        Args:
            key: of the share.
            share: what the task runs on, sent along if the worker does not hold it.
            order: (task, arguments), as the engine wants them.
            rows: this worker's row of each `PerWorker` argument, by position.
            abandoned: says whether nobody waits for the report any more.

        Returns:
            (value, failure, seconds), one of the first two None.
        """
        try:
            report = self._ask(key, share, order, rows, abandoned)
            if report.lost:  # a worker that was started anew in the meantime
                self._held.clear()
                report = self._ask(key, share, order, rows, abandoned)
        except BaseException as error:  # noqa: BLE001 - whatever it is, this worker has failed
            return None, self._failed(error), 0.0
        if report.lost:
            return None, "the worker does not keep its share", 0.0
        return report.value, report.failure, report.seconds

    def synchronise(self) -> None:
        """Let there be a worker, and let it forget the shares that it should not hold any more."""
        try:
            self._open()
            wanted = self._shares().keys()
            if self._held - wanted:
                self._wait(self._worker.keep(tuple(wanted)))
                self._held &= wanted
        except BaseException as error:  # noqa: BLE001 - the next task tries again
            self._failed(error)

    def leave(self) -> None:
        """Let the worker forget everything."""
        with suppress(Exception):  # the engine may be gone
            self._worker.end()

    def _ask(
        self,
        key: int,
        share: Share,
        order: Any,
        rows: Mapping[int, Any],
        abandoned: Callable[[], bool],
    ) -> Report:
        self._open()
        if abandoned():
            raise _Abandoned
        keys = (key, *self._shares())
        try:
            asked = self._run(key, share, keys, order, rows)
        except Exception as error:  # noqa: BLE001 - it has not begun: once more, on a new worker
            self._failed(error)
            self._open()
            asked = self._run(key, share, keys, order, rows)
        report = checked_report(self._wait(asked, abandoned))
        self._held = (self._held & set(keys)) | {key}
        return report

    def _run(
        self, key: int, share: Share, keys: tuple[int, ...], order: Any, rows: Mapping[int, Any]
    ) -> Future[Report]:
        request = RunRequest(key, None if key in self._held else share, keys)
        return self._worker.run(request, order, rows)

    def _open(self) -> None:
        opening = self._worker.open()
        if opening is not None:
            self._held.clear()
            self._wait(opening)

    def _wait(self, future: Future[Any], abandoned: Callable[[], bool] = lambda: False) -> Any:
        """What comes of a future, as long as somebody wants it and the worker is there."""
        future.add_done_callback(lambda _: self._bell.set())
        try:
            while not future.done():
                self._bell.wait(_GLANCE)
                self._bell.clear()
                self._look(future, abandoned)
        except Exception:
            future.cancel()
            raise
        return future.result()

    def _look(self, future: Future[Any], abandoned: Callable[[], bool]) -> None:
        """Raise an error if there is nothing to wait for any more."""
        if future.done():
            return
        if self._over or (abandoned() and self._worker.withdraw(future)):
            raise _Abandoned
        self._worker.check()

    def _failed(self, error: BaseException) -> str:
        """Note that the worker may be gone, and say why."""
        if isinstance(error, _Abandoned):
            return "abandoned"
        self._held.clear()
        return self._worker.fail(error)
