"""Workers that are executors of `concurrent.futures`: many engines have such a face."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import Any, final

from anyk.checks import shown
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.crew import AbstractCrewed, Crew
from anyk.executors.core.link import Held
from anyk.executors.core.parent import follow_parent
from anyk.executors.core.placements import split
from anyk.executors.core.raised import describe
from anyk.executors.core.run_task import Task
from anyk.executors.engines.link import AbstractEngineWorker, EngineLink
from anyk.executors.engines.slices import Slice
from anyk.executors.engines.worker_state import (
    ProcessId,
    Report,
    RunRequest,
    WorkerState,
    this_process,
)

__all__ = ["Futures"]

Maker = Callable[[], Executor]
"""Makes an executor, and another one when the first is broken."""

_starting = threading.Lock()  # the first submit starts a process: multiprocessing's lists are one
_states: dict[str, WorkerState] = {}  # on a worker: of each of its masters' workers
_opening = threading.Lock()


@final
class _FuturesWorker(AbstractEngineWorker):
    """One executor, which is one worker."""

    def __init__(self, source: Executor | Maker) -> None:
        self._master = this_process()
        self._maker = None if isinstance(source, Executor) else source
        self._executor = source if isinstance(source, Executor) else None
        if self._executor is not None:
            _follow(self._executor, self._master)
        self._name = uuid.uuid4().hex  # threads of one process have states of their own
        self._broken = ""
        self._greeting: Future[ProcessId] | None = None

    @property
    def alive(self) -> bool:
        return not self._broken or self._maker is not None

    def open(self) -> Future[Any] | None:
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
            self._greeting = greeting = self._submit(_greet, self._name, self._master)
        return greeting

    def keep(self, keys: tuple[int, ...]) -> Future[Any]:
        return self._submit(_keep, self._name, keys)

    def take(self, piece: Slice) -> Future[bool] | None:
        greeting = self._greeting
        if greeting is None or greeting.result() == self._master:
            return None  # a thread of this process: what is sent is not copied
        return self._submit(_take, self._name, self._master, piece)

    def run(self, request: RunRequest, common: Any, rows: Mapping[int, Any]) -> Future[Report]:
        return self._submit(_run, self._name, self._master, request, *common, rows)

    def withdraw(self, future: Future[Any]) -> bool:
        return future.cancel()

    def fail(self, error: BaseException) -> str:
        if isinstance(error, BrokenExecutor):
            self._broken = describe(error)
        return describe(error)

    def check(self) -> None:
        """A broken executor says so in the future."""

    def end(self) -> None:
        if self._maker is not None:
            self._shut()
        elif not self._broken:
            self._submit(_forget, self._name)

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        if self._executor is None:
            raise ExecutorError("it has no executor.")
        with _starting:
            return self._executor.submit(function, *arguments)

    def _shut(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = None


@final
class Futures(AbstractCrewed):
    """Workers that are executors of `concurrent.futures`, one a worker.

    This alone gives every engine that has such a face: `ProcessPoolExecutor(1)`, mpi4py's
    `MPIPoolExecutor(1)`, loky, ipyparallel, Parsl. An executor is one worker and holds one share:
    give each one process or thread. Shares are kept in that process between calls; one that has
    lost them, as a pool that started its process anew, gets them again.

    Each executor gets one task at a time. What has not begun when a call is over is taken back;
    what runs can't be interrupted, holds up its own worker alone, and is waited for by nobody. An
    executor that breaks (`BrokenExecutor`, as when its process is killed) is one failed answer.
    It stays broken unless a callable was passed, which makes another one before the next task.

    Tasks and arguments are sent in the executor's own way: most pickle them, so that a task is a
    function at the top level of a module. What an executor can't send is a failed answer of each
    worker that says so; what its process can't unpickle breaks a `ProcessPoolExecutor`. Workers
    need anyk installed. Their answers are unpickled here, so whoever runs the workers is trusted
    not to be malicious.

    A `ProcessPoolExecutor` that forks, Python's default on Linux before 3.14, may hang in a program
    with threads, such as this one's; give it
    ``mp_context=multiprocessing.get_context("forkserver")``. Python waits at its end for what still
    runs in pools of the standard library. Their processes end when this one is killed: from their
    first moment on in a `ProcessPoolExecutor` that has not started any yet, otherwise from the
    first message on, which is sent at once and before any share.

    An `MPIPoolExecutor(1)` of mpi4py starts a process by MPI; call its ``bootup()`` before, for one
    pool after the other, as Open MPI does not start several at once. Pools of a program started by
    ``python -m mpi4py.futures`` are no workers: they share all processes, and each would see many
    shares. MPI ends the whole program where one process dies: there, workers may be late or wrong,
    but not dead.

    Args:
        executors: N executors, or callables without arguments that make one each. Executors that
            were passed are the caller's, and stay open; made ones are shut down by `close`, without
            waiting for what runs.

    Raises:
        InvalidArgument: if there are none, one is neither, or one is there twice.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> from functools import partial
        >>> with anyk.Futures([partial(ThreadPoolExecutor, 1)] * 3) as executor:
        ...     anyk.run(anyk.Replication(2, 3), np.sqrt, [4.0, 9.0], executor).value
        array([2., 3.])
    """

    def __init__(self, executors: Sequence[Executor | Maker]) -> None:
        sources = _checked(executors)

        def link(worker: int, held: Held) -> EngineLink:
            return EngineLink(_FuturesWorker(sources[worker]), held)

        self._crew = Crew(
            "Futures",
            len(sources),
            link=link,
            pack=_pack,
            ahead=False,
            more="Pass more executors",
        )

    @property
    def crew(self) -> Crew[EngineLink]:
        """The workers."""
        return self._crew

    def __repr__(self) -> str:
        return f"<Futures: {self.workers} executors>"


def _pack(task: Task, arguments: Sequence[Any], shares: int) -> tuple[Any, list[dict[int, Any]]]:
    common, rows = split(arguments, shares)
    return (task, common), rows


def _checked(executors: Any) -> tuple[Executor | Maker, ...]:
    if not isinstance(executors, Sequence) or not executors:
        raise InvalidArgument(
            "executors",
            given=shown(executors),
            needed="a list of executors, one a worker",
            change="Pass [ProcessPoolExecutor(1) for _ in range(12)], say.",
        )
    for place, each in enumerate(executors):
        if not isinstance(each, Executor) and not callable(each):
            raise InvalidArgument(
                "executors",
                given=shown(each),
                needed="executors of concurrent.futures, or callables that make one",
                change="Pass ProcessPoolExecutor(1), say.",
            )
        if isinstance(each, Executor) and any(each is other for other in executors[:place]):
            raise InvalidArgument(
                "executors",
                given=f"{shown(each)} twice",
                needed="another executor for each worker",
                change="One worker, one share: make one executor a worker.",
            )
    return tuple(executors)


def _made(maker: Maker) -> Executor:
    with _starting:
        executor: object = maker()
    if not isinstance(executor, Executor):
        raise ExecutorError(
            f"its callable made no executor, but {shown(executor)}; let it return one, such as "
            "ProcessPoolExecutor(1)."
        )
    return executor


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


def _take(name: str, master: ProcessId, piece: Slice) -> bool:
    return _state(name, master).take(piece)


def _run(  # noqa: PLR0917 - engines send positional arguments best
    name: str,
    master: ProcessId,
    request: RunRequest,
    task: Task,
    arguments: Sequence[Any],
    rows: Mapping[int, Any],
) -> Report:
    return _state(name, master).run(request, task, arguments, rows)


def _forget(name: str) -> None:
    _states.pop(name, None)
