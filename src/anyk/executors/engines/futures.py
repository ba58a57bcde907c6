"""Workers that are executors of `concurrent.futures`: many engines have such a face."""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, final

from anyk.checks import shown
from anyk.errors import InvalidArgument
from anyk.executors.core.broadcast import Broadcast, Broadcasts
from anyk.executors.core.calls import AbstractCalls, Batch, Result
from anyk.executors.core.crew import AbstractCrewed, Crew
from anyk.executors.core.dispatcher import Awaited
from anyk.executors.core.link import Held
from anyk.executors.core.placements import split
from anyk.executors.core.posted_calls import Compute
from anyk.executors.core.run_task import Task
from anyk.executors.engines.futures_worker import FuturesOrder, FuturesWorker, Maker
from anyk.executors.engines.link import EngineLink
from anyk.executors.engines.packed import Packed, payload
from anyk.executors.processes.calls import results
from anyk.executors.processes.constants import Constants

__all__ = ["Futures"]


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

    Tasks and arguments are sent in the executor's own way. Where that pickles them, functions of a
    script or a notebook, lambdas and closures go with their code. What an executor can't send, or
    its process can't unpickle, is a failed answer of each worker that says so. Workers need anyk
    installed. Their answers are unpickled here, so whoever runs the workers is trusted
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

        constants: Constants[Packed] = Constants()
        workers = [FuturesWorker(source, constants) for source in sources]

        def link(worker: int, held: Held) -> EngineLink:
            return EngineLink(workers[worker], held)

        self._constants, self._workers = constants, workers
        self._broadcasts = Broadcasts(
            "Futures", lambda key, value: constants.add(key, Packed(value)), constants.remove
        )
        weakref.finalize(self, self._broadcasts.close)

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

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function in the executors; see `AbstractExecutor.calls`.

        Each process is sent it once. What can't be sent is said of each item, as it is not known
        before which executors are processes. Results are unpickled here.
        """
        self._crew.check()
        constants, key = self._constants, uuid.uuid4().hex
        constants.add(key, Packed(function), asked=True)
        workers, links = self._workers, self._crew.links

        def prepare(worker: int, batch: Batch, call: Awaited) -> Compute:
            order = FuturesOrder(key, function, batch)
            return partial(_computed, workers[worker], links[worker], order, call)

        calls = self._crew.calls(prepare)
        weakref.finalize(calls, constants.remove, key)
        return calls

    def broadcast(self, value: Any) -> Broadcast:
        """Let every process keep a constant, from its first task on that may use it.

        It is pickled once. See `AbstractExecutor.broadcast`.
        """
        self._crew.check()
        return self._broadcasts.add(value)

    def close(self) -> None:
        """Let the workers end or forget everything; see `AbstractCrewed.close`."""
        self._crew.close()
        self._broadcasts.close()

    def __repr__(self) -> str:
        return f"<Futures: {self.workers} executors>"


def _computed(
    worker: FuturesWorker, link: EngineLink, order: FuturesOrder, call: Awaited
) -> tuple[Result, ...] | str:
    """What comes of a batch, or why the worker has failed."""
    found: Any = None
    for _ in range(2):  # again on a process that was started anew in the meantime
        found = link.do(partial(worker.call, order), call)
        if found is not None:
            break
        worker.forget()
    if isinstance(found, str):
        return found
    try:
        if isinstance(found[0], Result):
            return tuple(found)
        return results(*map(payload, found))
    except Exception:  # noqa: BLE001 - whatever came
        return f"sent something that is no answer: {type(found).__name__}"


def _pack(task: Task, arguments: Sequence[Any], shares: int) -> tuple[Packed, list[dict[int, Any]]]:
    common, rows = split(arguments, shares)
    return Packed((task, common)), rows


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
