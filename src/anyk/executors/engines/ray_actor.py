"""What runs in a process of Ray's: an actor that holds shares and constants, and computes."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, final

import numpy as np

from anyk.executors.core.broadcast import Unreadable, forget, keep
from anyk.executors.core.columns import Columns
from anyk.executors.core.raised import describe
from anyk.executors.core.run_task import Task
from anyk.executors.engines.ray_values import Parcel, filled, library, own, sendable
from anyk.executors.engines.slices import Slice
from anyk.executors.engines.worker_state import ProcessId, Report, RunRequest, WorkerState, mortal
from anyk.executors.processes.calls import CallOrder, computed, failing
from anyk.executors.processes.wire import Payload
from anyk.own_copies import own_copies

__all__ = ["AnykWorker"]

_KEPT = 4  # values of references that a run had among its arguments


@final
class AnykWorker:
    """What holds shares in a process of Ray's: a Ray actor, listed by this name.

    Its methods run one after the other, in the order in which they are called; `watch` and
    `withdraw` beside them, in a group of their own.

    Args:
        master: the process that made the executor.
        name: of the actor, which its log lines begin with.
    """

    def __init__(self, master: ProcessId, name: str) -> None:
        self._master = master
        self._state = WorkerState(master)
        self._name = name
        self._fetched: dict[Any, Any] = {}  # by reference, arguments of the last runs
        self._calls = _Calls()

    def __repr__(self) -> str:
        return self._name

    def node(self) -> str:
        """The node on which this is."""
        return str(library().get_runtime_context().get_node_id())

    def watch(self) -> None:
        """Never end: that this ended tells the master that the actor did."""
        threading.Event().wait()

    def keep(self, keys: tuple[int, ...]) -> None:
        """Forget all shares but those of these placements."""
        self._state.keep(keys)

    def take(self, piece: Slice) -> bool:
        """Take the next slice of a share; see `WorkerState.take`."""
        return self._state.take(piece)

    def fill(self, columns: Columns) -> bool:
        """Take the next columns of a share; see `WorkerState.fill`."""
        return self._state.fill(columns)

    def hold(self, key: str, refs: Sequence[Any]) -> None:
        """Hold a constant, which lies in the object store: its arrays are not copied."""
        try:
            (value,) = library().get(list(refs))
        except Exception as error:  # noqa: BLE001 - whoever asks for it is told
            value = Unreadable(describe(error))
        keep(key, value)

    def drop(self, key: str) -> None:
        """Forget a constant."""
        forget(key)

    def run(
        self,
        request: RunRequest,
        common: bytes | tuple[Task, list[Any]],
        rows: Mapping[int, Any],
        refs: Sequence[Any],
    ) -> Report:
        """Run a task on a share, kept in memory of its own instead of the node's object store."""
        if request.parts is not None:
            request = replace(request, parts=tuple(np.array(part) for part in request.parts))
        sent: Any = pickle.loads(common) if isinstance(common, bytes) else common  # noqa: S301 - the master is trusted
        task, arguments = sent
        if refs:
            arguments = filled(arguments, refs, self._value_of)
        return self._state.run(request, task, arguments, rows)

    def compute(
        self, key: int, sent: Parcel | None, ticket: int, batch: CallOrder, refs: Sequence[Any]
    ) -> tuple[Payload, Payload] | None:
        """Call a function on the items of a batch.

        Args:
            key: of the calls.
            sent: the function, with the first batch of these calls here; None afterwards.
            ticket: of the batch.
            batch: the items.
            refs: the references that were in them.

        Returns:
            What came of it, packed; None if the batch was taken back.
        """
        if sent is not None:
            self._calls.take(key, sent)
        if not self._calls.begin(key, ticket):
            return None
        function = self._calls.function(key)
        if refs:
            function = partial(_called, function, refs)
        with mortal(self._master):
            about, values = computed(function, own(batch.items), batch.about)
        return sendable(about), sendable(values)

    def withdraw(self, key: int, ticket: int) -> bool:
        """Take a batch back; whether it has not begun, and will not."""
        return self._calls.withdraw(key, ticket)

    def end(self, key: int) -> None:
        """Begin no batch of these calls any more, and forget their function."""
        self._calls.end(key)

    def _value_of(self, ref: Any) -> Any:
        """What a reference refers to, kept as one of the last few."""
        value = self._fetched.pop(ref) if ref in self._fetched else library().get(ref)
        self._fetched[ref] = value
        for oldest in list(self._fetched)[:-_KEPT]:
            del self._fetched[oldest]
        return value


def _called(function: Callable[..., Any], refs: Sequence[Any], *item: Any) -> Any:
    """Call a function on an item with what lies in the object store."""
    try:
        given = filled(item, refs, _own_value)
    except Exception as error:  # noqa: BLE001 - it goes on below
        cause = getattr(error, "cause", None)  # what the task raised that should make it
        raise cause if isinstance(cause, Exception) else error from None
    return function(*given)


def _own_value(ref: Any) -> Any:
    """What lies in the object store, to write in."""
    return own_copies(library().get(ref))


@final
class _Calls:
    """The functions that are called here, and which of their batches have begun."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parcels: dict[int, Parcel] = {}  # by key of the calls
        self._functions: dict[int, Any] = {}
        self._begun: dict[int, set[int]] = {}
        self._withdrawn: set[tuple[int, int]] = set()
        self._over: set[int] = set()

    def take(self, key: int, function: Parcel) -> None:
        """Hold the function of some calls, unless they are over."""
        with self._lock:
            if key not in self._over:
                self._parcels[key] = function

    def function(self, key: int) -> Any:
        """The function of some calls, unpickled by the first one; or one that says why not."""
        if key not in self._functions:
            try:
                self._functions[key] = self._parcels[key].open(_own_value)
            except Exception as error:  # noqa: BLE001 - whatever it is, each call fails of it
                self._functions[key] = failing(describe(error))
        return self._functions[key]

    def begin(self, key: int, ticket: int) -> bool:
        """Whether a batch is still wanted; it can't be taken back then."""
        with self._lock:
            if key in self._over or (key, ticket) in self._withdrawn:
                self._withdrawn.discard((key, ticket))
                return False
            self._begun.setdefault(key, set()).add(ticket)
            return True

    def withdraw(self, key: int, ticket: int) -> bool:
        """Take a batch back, unless it has begun."""
        with self._lock:
            if ticket in self._begun.get(key, ()):
                return False
            self._withdrawn.add((key, ticket))
            return True

    def end(self, key: int) -> None:
        """Let no batch of these calls begin any more."""
        with self._lock:
            self._over.add(key)
            for each in (self._begun, self._parcels, self._functions):
                each.pop(key, None)
