"""Workers that are processes of this machine."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from typing import Any, final

from anyk.checks import count, shown
from anyk.errors import InvalidArgument
from anyk.executors.core.crew import AbstractCrewed, Crew
from anyk.executors.core.link import Held
from anyk.executors.core.placements import split
from anyk.executors.core.run_task import Task
from anyk.executors.processes.link import ProcessLink
from anyk.executors.processes.wire import Payload, to_payload

__all__ = ["Processes"]

_WITHIN = ("work", "task", "function", "func")  # what wrappers call the function in them
_WRAPPERS = 8  # that a function may be in, such as partial


@final
class Processes(AbstractCrewed):
    """Workers that are processes, one each, started once and kept.

    Arrays travel as raw bytes, each worker's through a pipe of its own; what a worker sends back
    is checked and never unpickled. A process that dies is one failed answer, and is replaced
    before the next task; it then gets its shares again. Tasks and arguments are pickled: a task
    is a function at the top level of a module, and a script that makes a `Processes` does so
    under ``if __name__ == "__main__":``, as always with Python's multiprocessing. Workers compute
    with one BLAS thread each unless the environment says otherwise, and ignore Ctrl-C, which
    is the master's.

    Python's fork server, which starts the processes, is shared by the whole program and stays
    until it ends; everything else is gone when the executor is closed.

    Args:
        workers: N, how many processes there are.

    Raises:
        InvalidArgument: if it is no positive integer.

    Example:
        >>> with anyk.Processes(2) as executor:
        ...     placement = executor.place([np.array([5, 6])])
        ...     dispatch = executor.dispatch(np.square, placement, [])
        ...     answers = [dispatch.receive(timeout=None) for _ in range(2)]
        >>> sorted(int(answer.value) for answer in answers)
        [25, 36]
    """

    def __init__(self, workers: int) -> None:
        number = count("workers", workers, least=1)
        self._crew = Crew("Processes", number, link=_link, pack=_pack, ahead=True)

    @property
    def crew(self) -> Crew[ProcessLink]:
        """The workers."""
        return self._crew

    @property
    def pids(self) -> tuple[int | None, ...]:
        """Number of each worker's process; None for one that died, until its next task."""
        return tuple(link.pid for link in self._crew.links)

    def kill(self, worker: int) -> None:
        """Kill a worker's process (SIGKILL), as a fault would: its present task fails.

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
        return f"Processes({self.workers})"


def _link(worker: int, held: Held) -> ProcessLink:
    return ProcessLink(f"anyk worker {worker}", held)


def _pack(task: Task, arguments: Sequence[Any], shares: int) -> tuple[Payload, list[Payload]]:
    """Pickle a task and its arguments: once for all, and the rows of each share."""
    common, rows = split(arguments, shares)
    function = _within(task)
    main = sys.modules.get("__main__")
    if getattr(function, "__module__", "") == "__main__" and not hasattr(main, "__file__"):
        raise InvalidArgument(
            "function",
            given=f"{getattr(function, '__qualname__', shown(function))}, defined in a notebook or "
            "in an interactive session",
            needed="a function that other processes can import",
            change="Write it in a file and import it from there, or use anyk.Threads.",
        )
    try:
        same = to_payload((task, common))
        if not any(rows):
            return same, [to_payload({})] * shares
        return same, [to_payload(own) for own in rows]
    except Exception as error:
        raise _unsendable(task, error) from error


def _within(task: Task) -> Any:
    """The user's function in a task."""
    function: Any = task
    for _ in range(_WRAPPERS):  # a user's object may have any attribute, without end
        within = (getattr(function, name, None) for name in _WITHIN)
        function = next((inner for inner in within if inner is not None), function)
    return function


def _unsendable(task: Task, error: Exception) -> InvalidArgument:
    function = _within(task)
    try:
        pickle.dumps(task)
    except Exception:  # noqa: BLE001 - user types raise what they like
        name = getattr(function, "__qualname__", repr(function))
        kind = "a lambda" if name.endswith("<lambda>") else f"{name}, defined in a function"
        return InvalidArgument(
            "function",
            given=kind if "<" in name else shown(function),
            needed="a function that pickle can send: defined at the top level of a module",
            change="Define it with def at the top level, or use anyk.Threads.",
        )
    return InvalidArgument(
        "arguments",
        given=f"one that pickle can't send ({type(error).__name__}: {error})",
        needed="arguments that pickle can send",
        change="Pass arrays and plain values, or use anyk.Threads.",
    )
