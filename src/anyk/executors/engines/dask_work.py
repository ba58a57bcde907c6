"""What a Dask task does for a master: a task on a share, or a batch of calls."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, final

import numpy as np

from anyk.executors.core.broadcast import forget, keep, kept
from anyk.executors.core.calls import Batch
from anyk.executors.core.raised import describe
from anyk.executors.core.run_items import run_items, sealed
from anyk.executors.engines.dask_frames import Frames, packed, unpacked
from anyk.executors.engines.worker_state import (
    ProcessId,
    Report,
    WorkerState,
    mortal,
    this_process,
)

__all__ = ["AbstractDaskWork", "BatchWork", "Constants", "ShareWork"]


@final
class Constants:
    """The constants that one master has in this process, named by its handles.

    Several Dask workers may be in one process, also in that of the master, who then has them.
    """

    _users: ClassVar[Counter[str]] = Counter()
    _lock = threading.Lock()

    def __init__(self) -> None:
        self._held: set[str] = set()

    def hold(self, values: Mapping[str, Any]) -> None:
        """Have these values for good."""
        for key, value in values.items():
            with self._lock:
                if key not in self._held and (self._users[key] or not kept(key)):
                    keep(key, value)
                    self._held.add(key)
                    self._users[key] += 1

    def let_go(self, key: str) -> None:
        """Have a value no more. Harmless when called twice."""
        with self._lock:
            if key in self._held:
                self._held.discard(key)
                self._users[key] -= 1
                if not self._users[key]:
                    del self._users[key]
                    forget(key)

    def end(self) -> None:
        """Have nothing more."""
        for key in tuple(self._held):
            self.let_go(key)

    @classmethod
    @contextmanager
    def for_now(cls, values: Mapping[str, Any]) -> Iterator[None]:
        """Have these values as long as something runs."""
        constants = cls()
        constants.hold(values)
        try:
            yield
        finally:
            constants.end()


class AbstractDaskWork(ABC):
    """What is done in the thread of a Dask task. It raises nothing."""

    @abstractmethod
    def __call__(self) -> Any:
        """Do it."""

    @abstractmethod
    def failed(self, why: str) -> Any:
        """What comes of it where it can't be done."""

    @abstractmethod
    def untouched(self) -> Any:
        """What comes of it where it has not begun, and may go elsewhere."""


@final
class ShareWork(AbstractDaskWork):
    """A task on a share.

    Args:
        state: has the share.
        common: the task and the arguments for all shares, pickled.
        own: which share, and what it has for itself, pickled.
    """

    def __init__(self, state: WorkerState, common: Frames, own: Frames) -> None:
        self._state, self._common, self._own = state, common, own

    def __call__(self) -> Report:
        """Run it."""
        try:
            task, arguments = unpacked(self._common)
            request, rows = unpacked(self._own)
        except Exception as error:  # noqa: BLE001 - what can't be unpickled here is a failed answer
            return self.failed(describe(error))
        return self._state.run(request, task, arguments, rows)

    def failed(self, why: str) -> Report:
        """A failed answer."""
        return Report(None, why, 0.0)

    def untouched(self) -> Report:
        """As if the share were not here."""
        return Report(None, None, 0.0)


@final
class BatchWork(AbstractDaskWork):
    """Calls of a function on items.

    Args:
        function: gives it; unpickles it the first time.
        items: the batch, pickled.
        master: the process that asks.
    """

    def __init__(
        self, function: Callable[[], Callable[..., Any]], items: Frames, master: ProcessId
    ) -> None:
        self._function, self._items = function, items
        self._master = master

    def __call__(self) -> Frames | str | None:
        """Call it on each; the results are pickled before the next call may change them."""
        mine = self._master == this_process()
        try:
            function = self._function()
            batch: Batch = unpacked(self._items, copy=mine)
        except Exception as error:  # noqa: BLE001 - the worker can't run it
            return self.failed(describe(error))
        parcels = []
        with mortal(self._master):
            for arguments, each in zip(batch.items, batch.ids, strict=True):
                alone = Batch(batch.ticket, (arguments,), (each,))
                (result,) = run_items(function, alone, fresh=True)
                parcels.append(sealed(result, _copied))
        return packed(parcels)

    def failed(self, why: str) -> str:
        """Why the worker can't do it."""
        return why

    def untouched(self) -> None:
        """Nothing."""


def _copied(value: object) -> Frames:
    """A value, pickled: with copies of its arrays, of which the next call may use the memory."""
    pickled, *arrays = packed(value)
    return (pickled, *(np.array(each) for each in arrays))
