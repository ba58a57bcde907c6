"""What runs in a worker of somebody else's engine: hold shares, and run tasks on them."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

from numpy.typing import NDArray

from anyk.executors.core.columns import LOST, Columns, Growing
from anyk.executors.core.placements import Parts
from anyk.executors.core.raised import describe, traceback_of
from anyk.executors.core.run_task import Task, reaper, run
from anyk.executors.engines.made import MakeColumns, report_of
from anyk.executors.engines.slices import Slice, Slices

__all__ = ["ProcessId", "Report", "RunRequest", "WorkerState", "mortal", "this_process"]

ProcessId = tuple[str, int]
"""Which process of which machine."""

_PROGRAM = uuid.uuid4().hex  # a fork has the same one, and another process number


def this_process() -> ProcessId:
    """The process that asks, told apart from all others, wherever they run."""
    return _PROGRAM, os.getpid()


@final
@dataclass(frozen=True, eq=False)
class Report:
    """What a worker sends back: a value, or why there is none; neither where it holds no share.

    Args:
        value: ndarray, or None.
        failure: why there is none, or None.
        seconds: that the task took.
        traceback: where the function raised it; "" where that is not known.
    """

    value: NDArray[Any] | None
    failure: str | None
    seconds: float
    traceback: str = ""


@final
@dataclass(frozen=True, eq=False, repr=False)
class RunRequest:
    """On which share a worker runs a task.

    Args:
        key: of the placement.
        piece: which of the worker's shares.
        parts: of all of them, where the worker does not hold them.
        keys: of all placements that the worker should keep.
    """

    key: int
    piece: int
    parts: Parts | None
    keys: tuple[int, ...]


@final
class WorkerState:
    """The shares of one worker, and its tasks on them. May be used from any thread.

    Args:
        master: the process that made the executor; a task that dies does not take it along.

    Example:
        >>> from anyk.executors.engines.worker_state import RunRequest, WorkerState, this_process
        >>> state = WorkerState(this_process())
        >>> state.run(RunRequest(7, 1, (np.array([4, 5]),), (7,)), np.square, [], {}).value
        array(25)
        >>> state.keep(())
        >>> state.run(RunRequest(7, 1, None, (7,)), np.square, [], {})  # it holds no share
        Report(value=None, failure=None, seconds=0.0, traceback='')
    """

    def __init__(self, master: ProcessId) -> None:
        self._master = master
        self._lock = threading.Lock()
        self._held: dict[int, Parts] = {}
        self._coming: dict[int, Slices] = {}
        self._filling: dict[int, Growing] = {}

    def keep(self, keys: Collection[int]) -> None:
        """Forget all shares but those of these placements."""
        with self._lock:
            self._held = {key: parts for key, parts in self._held.items() if key in keys}
            self._coming = {key: slices for key, slices in self._coming.items() if key in keys}
            self._filling = {key: each for key, each in self._filling.items() if key in keys}

    def take(self, piece: Slice) -> bool:
        """Take the next slice of a share, and hold the share with the last one.

        Returns:
            Whether the slices before it are here.
        """
        with self._lock:
            if piece.start == 0:
                self._coming = {piece.key: Slices(piece.layout)}
            slices = self._coming.get(piece.key)
            if slices is None or not slices.add(piece):
                return False
            if slices.complete:
                self._held[piece.key] = slices.parts
                self._coming.clear()
            return True

    def fill(self, columns: Columns) -> bool:
        """Take the next columns of a share, and hold the share with the last ones.

        Returns:
            Whether the columns before them are here.
        """
        with self._lock:
            if columns.start == 0 and not columns.last:
                self._filling[columns.key] = Growing(columns.outlines)
            growing = self._filling.get(columns.key)
        if growing is None or not growing.add(columns.start, columns.parts):
            return False
        if columns.last:
            whole = growing.whole()
            with self._lock:
                if self._filling.pop(columns.key, None) is growing:
                    self._held[columns.key] = whole
        return True

    def run(
        self, request: RunRequest, task: Task, arguments: Sequence[Any], rows: Mapping[int, Any]
    ) -> Report:
        """Run a task on a share, and let nothing that it raises go any further.

        Args:
            request: which share, and what to keep.
            task: the function.
            arguments: for every share.
            rows: what this share has for itself instead of arguments, by their place.
        """
        self.keep(request.keys)
        if isinstance(task, MakeColumns):
            return self._make(request.key, task, arguments, rows)
        with self._lock:
            if request.parts is not None:
                self._held[request.key] = request.parts
            parts = self._held.get(request.key)
        if parts is None:
            return Report(None, None, 0.0)
        started = time.perf_counter()
        with mortal(self._master):
            try:
                return Report(*run(task, parts, request.piece, arguments, rows))
            except KeyboardInterrupt as error:  # in a worker it is nobody's Ctrl-C but this task's
                return Report(None, describe(error), time.perf_counter() - started)

    def _make(
        self, key: int, task: MakeColumns, arguments: Sequence[Any], rows: Mapping[int, Any]
    ) -> Report:
        """Make columns of a share here, and keep them."""
        started = time.perf_counter()
        try:
            columns = task.columns(key, arguments, rows)
            taken = self.fill(columns)
        except BaseException as error:  # noqa: BLE001 - as in any task
            seconds = time.perf_counter() - started
            return Report(None, describe(error), seconds, traceback_of(error))
        seconds = time.perf_counter() - started
        return Report(report_of(columns), None, seconds) if taken else Report(None, LOST, seconds)


@contextmanager
def mortal(master: ProcessId) -> Iterator[None]:
    """Let tasks that die take this process along, unless it is the master's."""
    token = None if master == this_process() else reaper.set(_kill_me)
    try:
        yield
    finally:
        if token is not None:
            reaper.reset(token)


def _kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
