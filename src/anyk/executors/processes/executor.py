"""Workers that are processes of this machine."""

from __future__ import annotations

import errno
import math
import resource
import uuid
import weakref
from collections.abc import Callable, Sequence
from typing import Any, final

from anyk.checks import count, positive, shown
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.broadcast import Broadcast, Broadcasts
from anyk.executors.core.calls import AbstractCalls, Batch, Result
from anyk.executors.core.crew import AbstractCrewed, Crew
from anyk.executors.core.dispatcher import Awaited
from anyk.executors.core.placements import split
from anyk.executors.core.posted_calls import Compute, following
from anyk.executors.core.raised import describe
from anyk.executors.core.run_task import Task
from anyk.executors.processes.calls import CallOrder, order
from anyk.executors.processes.constants import Constants
from anyk.executors.processes.link import ProcessLink
from anyk.executors.processes.starting import parent
from anyk.executors.processes.wire import Payload, to_payload

__all__ = ["Processes"]

_WITHIN = ("work", "task", "function", "func")  # what wrappers call the function in them
_WRAPPERS = 8  # that a function may be in, such as partial


@final
class Processes(AbstractCrewed):
    """Workers that are processes, one each, started once and kept.

    Arrays travel as raw bytes, each worker's through a pipe of its own. Answers on shares are
    checked and never unpickled; results of `anyk.map`, which may be of any type, are. A process
    that dies is one failed answer, and is replaced before the next task; it then gets its shares
    and constants again. One that is stopped (SIGSTOP) for 10 s, or takes longer than `patience`,
    is killed, and replaced likewise.

    Functions of importable modules are sent by name. Those of a script, a notebook or an
    interactive session, lambdas and closures are sent with their code and what they refer to; a
    script is not run again by its workers. Workers compute with one BLAS thread each unless the
    environment says otherwise, and ignore Ctrl-C, which is the master's.

    All that a task has started ends with its worker, and every worker with the executor or with
    the master, however that ends: a process without code of users, the parent of all workers of
    the program, sees to it. It is started with the first worker, and ends with the program.

    Args:
        workers: N, how many processes there are.
        patience: seconds that a worker may take for one task, the way there and back included;
            its answer has then failed. None for as long as it takes.

    Raises:
        InvalidArgument: if an argument can't be used, or this machine has no room for as many.

    Example:
        >>> with anyk.Processes(2) as executor:
        ...     placement = executor.place([np.array([5, 6])])
        ...     dispatch = executor.dispatch(lambda x: x * x, placement, [])
        ...     answers = [dispatch.receive(timeout=None) for _ in range(2)]
        >>> sorted(int(answer.value) for answer in answers)
        [25, 36]
    """

    def __init__(self, workers: int, *, patience: float | None = None) -> None:
        number = count("workers", workers, least=1)
        self._patience = patience
        limit = (
            math.inf
            if patience is None
            else positive("patience", patience, change="Give seconds, or None for no limit.")
        )
        try:
            parent()  # before the crew, so that at the end of the program it is the last to end
            constants: Constants[Payload] = Constants()
            self._constants = constants
            self._crew = Crew(
                "Processes",
                number,
                link=lambda _, held: ProcessLink(held, limit, constants),
                pack=_pack,
                ahead=True,
            )
        except OSError as error:
            _refuse(number, error)
            raise
        self._broadcasts = Broadcasts(
            "Processes", lambda key, value: constants.add(key, to_payload(value)), constants.remove
        )
        weakref.finalize(self, self._broadcasts.close)

    @property
    def crew(self) -> Crew[ProcessLink]:
        """The workers."""
        return self._crew

    @property
    def pids(self) -> tuple[int | None, ...]:
        """Number of each worker's process; None for one that died, until its next task."""
        return tuple(link.pid for link in self._crew.links)

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function in the processes; see `AbstractExecutor.calls`.

        Each worker is sent the function once. Results are unpickled here.
        """
        self._crew.check()
        try:
            payload = to_payload(function)
        except Exception as error:
            raise _unsendable(function, error) from error
        constants, links, key = self._constants, self._crew.links, uuid.uuid4().hex
        constants.add(key, payload, asked=True)

        def prepare(worker: int, batch: Batch, _: Awaited) -> Compute:
            try:
                return _Call(links[worker], order(key, batch))
            except Exception as error:
                raise _unsendable_item(batch, error) from error

        calls = self._crew.calls(prepare, ahead=2)  # the one that is sent ahead, and its successor
        weakref.finalize(calls, constants.remove, key)
        return calls

    def broadcast(self, value: Any) -> Broadcast:
        """Let every worker keep a constant; see `AbstractExecutor.broadcast`.

        It is pickled once. Do not write in its arrays afterwards: a worker that is replaced is sent
        it again.
        """
        self._crew.check()
        try:
            handle = self._broadcasts.add(value)
        except ExecutorError:
            raise
        except Exception as error:
            raise InvalidArgument(
                "value",
                given=f"one that pickle can't send ({describe(error)})",
                needed="a value that pickle can send",
                change="Broadcast arrays, models and plain values, or use anyk.Threads.",
            ) from error
        self._crew.synchronise()
        return handle

    def close(self) -> None:
        """Let the workers end, and wait for none that is busy; see `AbstractCrewed.close`."""
        self._crew.close()
        self._broadcasts.close()

    def kill(self, worker: int) -> None:
        """Kill a worker's process (SIGKILL), as a fault would: its present task fails.

        What it has started is killed with it.

        Args:
            worker: its index.

        Raises:
            InvalidArgument: if there is no such worker.
        """
        if count("worker", worker, least=0) >= self.workers:
            raise InvalidArgument(
                "worker", given=str(worker), needed=f"below {self.workers}", change="Lower it."
            )
        self._crew.links[worker].kill()

    def __repr__(self) -> str:
        patience = "" if self._patience is None else f", patience={self._patience!r}"
        return f"Processes({self.workers}{patience})"


@final
class _Call:
    """A batch for one worker."""

    def __init__(self, link: ProcessLink, order: CallOrder) -> None:
        self._link, self.order = link, order

    def __call__(self) -> tuple[Result, ...] | str:
        return self._link.call(self.order, self._following)

    def _following(self, accept: Callable[[str], bool]) -> CallOrder | None:
        """The batch behind this one, if it can be sent now, and nothing else comes before it."""

        def mine(compute: Compute) -> bool:
            return isinstance(compute, _Call) and accept(compute.order.key)

        found = following(mine)
        return found.order if isinstance(found, _Call) else None


def _refuse(workers: int, error: OSError) -> None:
    """Say so if it is files, processes or memory of which the machine has no more."""
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        raise InvalidArgument(
            "workers",
            given=f"{workers}, where a process may have {limit} open files",
            needed="an open file for each worker, beside those of the program",
            change=f"Raise the limit (ulimit -n {limit + workers}), or take fewer workers.",
        ) from error
    if error.errno in {errno.EAGAIN, errno.ENOMEM}:
        raise InvalidArgument(
            "workers",
            given=f"{workers}, of which one can't be started ({error})",
            needed="room for as many processes",
            change="Take fewer workers, or raise the limit of processes (ulimit -u) or of memory.",
        ) from error


def _pack(task: Task, arguments: Sequence[Any], shares: int) -> tuple[Payload, list[Payload]]:
    """Pickle a task and its arguments: once for all, and the rows of each share."""
    common, rows = split(arguments, shares)
    try:
        same = to_payload((task, common))
        if not any(rows):
            return same, [to_payload({})] * shares
        return same, [to_payload(own) for own in rows]
    except Exception as error:
        raise _unsendable(task, error) from error


def _unsendable_item(batch: Batch, error: Exception) -> InvalidArgument:
    item = 0
    for arguments, each in zip(batch.items, batch.ids, strict=True):
        try:
            to_payload(arguments)
        except Exception:  # noqa: BLE001 - it is the one
            item = each.item
            break
    return InvalidArgument(
        "items",
        given=f"item {item}, which pickle can't send ({describe(error)})",
        needed="items that pickle can send",
        change="Pass arrays, plain values and the like, or use anyk.Threads.",
    )


def _within(task: Task) -> Any:
    """The user's function in a task."""
    function: Any = task
    for _ in range(_WRAPPERS):  # a user's object may have any attribute, without end
        within = (getattr(function, name, None) for name in _WITHIN)
        function = next((inner for inner in within if inner is not None), function)
    return function


def _unsendable(task: Task, error: Exception) -> InvalidArgument:
    try:
        to_payload(task)
    except Exception as why:  # noqa: BLE001 - user types raise what they like
        function = _within(task)
        return InvalidArgument(
            "function",
            given=f"{getattr(function, '__qualname__', shown(function))}, with which goes what "
            f"can't be sent ({describe(why)})",
            needed="a function whose code and all that it refers to can be pickled",
            change="Make locks, files and connections inside the function, or use anyk.Threads.",
        )
    return InvalidArgument(
        "arguments",
        given=f"one that pickle can't send ({describe(error)})",
        needed="arguments that pickle can send",
        change="Pass arrays and plain values, or use anyk.Threads.",
    )
