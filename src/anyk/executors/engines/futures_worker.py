"""One executor of `concurrent.futures` as one worker, and what runs in its process."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, final

from anyk.checks import shown
from anyk.errors import ExecutorError
from anyk.executors.core.broadcast import Broadcast, Unreadable, forget, keep, kept
from anyk.executors.core.calls import Batch, Result
from anyk.executors.core.columns import Columns
from anyk.executors.core.parent import follow_parent
from anyk.executors.core.raised import Raised, describe
from anyk.executors.core.run_items import run_items
from anyk.executors.engines.link import AbstractEngineWorker
from anyk.executors.engines.packed import Frames, Packed, frames, payload
from anyk.executors.engines.slices import Slice
from anyk.executors.engines.worker_state import (
    ProcessId,
    Report,
    RunRequest,
    WorkerState,
    mortal,
    this_process,
)
from anyk.executors.processes.calls import computed, failing, order_of_some
from anyk.executors.processes.constants import Constants
from anyk.executors.processes.parcels import Sizes

__all__ = ["FuturesOrder", "FuturesWorker", "Maker"]

Maker = Callable[[], Executor]
"""Makes an executor, and another one when the first is broken."""

Lacking = Mapping[str, "Packed | None"]
"""What a worker needs, by key; None where it was sent it before."""

_starting = threading.Lock()  # the first submit starts a process: multiprocessing's lists are one
_states: dict[str, WorkerState] = {}  # on a worker: of each of its masters' workers
_opening = threading.Lock()


_DEAD = 8  # looks in a row at dead processes after which their pool is given up


@final
@dataclass(frozen=True, eq=False)
class FuturesOrder:
    """A batch of calls for one worker.

    Args:
        key: of the function, among the constants.
        function: what is called.
        batch: the items.
    """

    key: str
    function: Callable[..., Any]
    batch: Batch


@final
class FuturesWorker(AbstractEngineWorker):
    """One executor, which is one worker.

    Args:
        source: the executor, or what makes it.
        constants: what the worker should keep beside shares.
    """

    def __init__(self, source: Executor | Maker, constants: Constants[Packed]) -> None:
        self._constants = constants
        self._kept: set[str] = set()  # of the constants that it was sent
        self._given: set[int] = set()  # keys of the shares that it was sent
        self._master = this_process()
        self._maker = None if isinstance(source, Executor) else source
        self._executor = source if isinstance(source, Executor) else None
        if self._executor is not None:
            _follow(self._executor, self._master)
        self._name = uuid.uuid4().hex  # threads of one process have states of their own
        self._broken = ""
        self._dead = 0  # looks in a row that found no process alive
        self._greeting: Future[ProcessId] | None = None

    @property
    def alive(self) -> bool:
        """Whether it is not broken, or can be replaced."""
        return not self._broken or self._maker is not None

    def open(self) -> Future[Any] | None:
        """Make an executor and greet it; see `AbstractEngineWorker.open`."""
        if self._broken and self._maker is None:
            raise ExecutorError(
                f"its executor is broken ({self._broken}) and stays so: pass a callable that "
                "makes one, such as partial(ProcessPoolExecutor, 1), and it is replaced."
            )
        if self._maker is not None and (self._executor is None or self._broken):
            self._shut()
            self._executor = _made(self._maker)
            _follow(self._executor, self._master)
        greeting = None if self._broken else self._greeting
        self._broken = ""
        if greeting is not None and _succeeded(greeting):
            return None
        if greeting is None or greeting.done():
            self._kept.clear()
            self._given.clear()
            self._greeting = greeting = self._submit(_greet, self._name, self._master)
        return greeting

    def keep(self, keys: tuple[int, ...]) -> Future[Any]:
        """Submit it; see `AbstractEngineWorker.keep`."""
        return self._submit(_keep, self._name, keys)

    def take(self, piece: Slice) -> Future[bool] | None:
        """Submit it, to a process; see `AbstractEngineWorker.take`."""
        if self._here:
            return None  # what is sent is not copied
        return self._submit(_take, self._name, self._master, piece)

    def fill(self, columns: Columns) -> Future[bool]:
        """Submit it; see `AbstractEngineWorker.fill`."""
        return self._submit(_fill, self._name, self._master, columns)

    def run(self, request: RunRequest, common: Any, rows: Mapping[int, Any]) -> Future[Report]:
        """Submit it; see `AbstractEngineWorker.run`."""
        if request.parts is not None:
            if request.key in self._given:  # it has lost them, and all that it had
                self._kept.clear()
            self._given.add(request.key)
        constants = self._lacking()
        return self._submit(_run, self._name, self._master, request, common, rows, constants)

    def call(self, order: FuturesOrder) -> Future[Any]:
        """Begin a batch.

        Returns:
            Of results; or of what `results` of `processes/calls.py` makes them of; or of None,
            where the process was started anew and lacks something, and should be asked again.
        """
        if self._here:
            return self._submit(run_items, order.function, order.batch)
        function = self._constants.known[order.key]
        try:
            function.frames  # noqa: B018 - what can't be pickled fails here
        except Exception as error:  # noqa: BLE001 - types of users raise what they like
            return _all_raised(order.batch, f"can't be sent ({describe(error)})")
        constants = self._lacking({order.key: function})
        packed = order_of_some(order.key, order.batch)
        items = frames(packed.items)
        return self._submit(_call, self._master, constants, order.key, items, packed.about)

    def forget(self) -> None:
        """Be told that the process has none of the constants."""
        self._kept.clear()

    @property
    def _here(self) -> bool:
        """Whether it is a thread of this process."""
        greeting = self._greeting
        return greeting is None or greeting.result() == self._master

    def _lacking(self, more: Mapping[str, Packed] | None = None) -> Lacking:
        """By key, what the process should have, and itself where it was not sent it yet.

        It travels with what needs it, as a process may be started anew after each task.
        """
        if self._here:
            return {}
        wanted = {**self._constants.wanted, **(more or {})}
        lacking = {key: None if key in self._kept else each for key, each in wanted.items()}
        gone = self._kept - self._constants.known.keys()
        if gone:
            self._submit(_drop, tuple(gone))
        self._kept = (self._kept - gone) | wanted.keys()
        return lacking

    def withdraw(self, future: Future[Any]) -> bool:
        """Cancel it; see `AbstractEngineWorker.withdraw`."""
        return future.cancel()

    def fail(self, error: BaseException) -> str:
        """Note whether the executor is broken; see `AbstractEngineWorker.fail`."""
        if isinstance(error, BrokenExecutor):
            self._broken = describe(error)
        return describe(error)

    def check(self) -> None:
        """Raise where a pool of Python's has not noticed that its process is dead.

        Others that break say so in the future. This one may miss a process that is killed in the
        moment in which it is started, and then waits for ever.
        """
        self._dead = self._dead + 1 if _all_dead(self._executor) else 0
        if self._dead >= _DEAD:
            self._dead = 0
            raise BrokenProcessPool("its process died, and the pool has not noticed")

    def end(self) -> None:
        """Shut down what was made here; see `AbstractEngineWorker.end`."""
        if self._maker is not None:
            self._shut()
        elif not self._broken:
            self._submit(_forget, self._name, tuple(self._kept))

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        if self._executor is None:
            raise ExecutorError("it has no executor.")
        with _starting:
            return self._executor.submit(function, *arguments)

    def _shut(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = None


def _made(maker: Maker) -> Executor:
    with _starting:
        executor: object = maker()
    if not isinstance(executor, Executor):
        raise ExecutorError(
            f"its callable made no executor, but {shown(executor)}; let it return one, such as "
            "ProcessPoolExecutor(1)."
        )
    return executor


def _all_dead(executor: Executor | None) -> bool:
    """Whether a pool of Python's has processes, and none of them is alive."""
    processes = getattr(executor, "_processes", None)  # there is no public way to ask
    if not isinstance(executor, ProcessPoolExecutor) or not processes:
        return False
    sentinels = [process.sentinel for process in tuple(processes.values())]
    return len(wait(sentinels, timeout=0.0)) == len(sentinels)


def _succeeded(future: Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _follow(executor: Executor, master: ProcessId) -> None:
    """Let a pool's processes follow the master from their first moment, if they are yet to start.

    Python has no public way in after a pool was made. Where this one is gone, the first message
    does it.
    """
    given = getattr(executor, "_initializer", _start)
    if isinstance(executor, ProcessPoolExecutor) and given is not _start:
        executor._initargs = master, given, executor._initargs  # noqa: SLF001 - the only way
        executor._initializer = _start  # noqa: SLF001


# What runs on the workers: at the top level, so that every engine can send it.


def _start(master: ProcessId, then: Callable[..., object] | None, arguments: Sequence[Any]) -> None:
    """Before a process of a pool waits for its first task."""
    follow_parent(master[1])
    if then is not None:
        then(*arguments)


def _greet(name: str, master: ProcessId) -> ProcessId:
    """Before anything else is sent: what is read of a large message is not yet a task."""
    _state(name, master)
    return this_process()


def _state(name: str, master: ProcessId) -> WorkerState:
    with _opening:
        if master != this_process():
            follow_parent(master[1])
        return _states.setdefault(name, WorkerState(master))


def _keep(name: str, keys: Collection[int]) -> None:
    state = _states.get(name)
    if state is not None:
        state.keep(keys)


def _fill(name: str, master: ProcessId, columns: Columns) -> bool:
    return _state(name, master).fill(columns)


def _take(name: str, master: ProcessId, piece: Slice) -> bool:
    return _state(name, master).take(piece)


def _run(  # noqa: PLR0917 - engines send positional arguments best
    name: str,
    master: ProcessId,
    request: RunRequest,
    common: Packed,
    rows: Mapping[int, Any],
    constants: Lacking,
) -> Report:
    if not _there(constants):
        return Report(None, None, 0.0)
    try:
        task, arguments = common.value
    except Exception as error:  # noqa: BLE001 - what can't be unpickled here is a failed answer
        return Report(None, describe(error), 0.0)
    return _state(name, master).run(request, task, arguments, rows)


def _there(constants: Lacking) -> bool:
    """Keep what has come; whether all is there now."""
    for key, each in constants.items():
        if each is not None:
            try:
                keep(key, each.value)
            except Exception as error:  # noqa: BLE001 - whatever it is, those who use it fail of it
                keep(key, Unreadable(describe(error)))
    return all(map(kept, constants))


def _drop(keys: Collection[str]) -> None:
    for key in keys:
        forget(key)


def _call(
    master: ProcessId,
    constants: Lacking,
    key: str,
    items: Frames,
    about: tuple[Sizes, Sequence[tuple[int, int, int]]],
) -> tuple[Frames, ...] | None:
    """Run a batch; None where something is not here that was sent."""
    if not _there(constants):
        return None
    with mortal(master):
        return tuple(map(frames, computed(_function(key), payload(items), about)))


def _function(key: str) -> Callable[..., Any]:
    try:
        function: Callable[..., Any] = Broadcast(key).value
    except ExecutorError as error:
        return failing(str(error))
    return function


def _all_raised(batch: Batch, reason: str) -> Future[Any]:
    done: Future[Any] = Future()
    done.set_result(tuple(Result(None, Raised(reason), 0.0) for _ in batch.items))
    return done


def _forget(name: str, keys: Collection[str]) -> None:
    _states.pop(name, None)
    _drop(keys)
