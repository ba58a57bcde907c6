"""One worker process, as the master sees it: started, fed, asked, killed, replaced."""

from __future__ import annotations

import math
import pickle
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import final

from anyk.connections.broken import BrokenAnswer
from anyk.executors.core.calls import Result
from anyk.executors.core.columns import LOST, Columns
from anyk.executors.core.dispatcher import Awaited
from anyk.executors.core.family import stopped
from anyk.executors.core.link import AbstractLink, Held, Order
from anyk.executors.core.placements import Parts
from anyk.executors.core.raised import describe
from anyk.executors.core.run_task import Reply
from anyk.executors.processes.calls import CallOrder, results
from anyk.executors.processes.constants import Constants
from anyk.executors.processes.pipe import LOOK, Pipe
from anyk.executors.processes.starting import Parent, directory, environment, parent, search_path
from anyk.executors.processes.wire import (
    Payload,
    message,
    receive_answer,
    receive_results,
    send_message,
    to_payload,
)

__all__ = ["ProcessLink"]

_LEAVING = 0.5  # seconds that a process is given to end by itself
_DYING = 1.0  # seconds that the end of a killed process may take to be known
_SHORT = 0.05  # seconds of a batch after which the next is sent before it is its turn
_STOPPED = 2  # looks in a row after which one that is stopped is given up


Following = Callable[[Callable[[str], bool]], CallOrder | None]
"""The batch that comes next, of what says whether the function with this key may be called."""


@final
class _Stopped(Exception):  # noqa: N818 - it never leaves this file
    """A worker that somebody has stopped, and not let go on."""


@final
@dataclass(eq=False)
class _Process:
    """A process and the pipe to it.

    Args:
        parent: who has started it.
        end: our end of the pipe.
        number: of the process.
    """

    parent: Parent
    end: socket.socket
    number: int
    held: set[int] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    ahead: deque[tuple[CallOrder, int]] = field(default_factory=deque)
    path: list[str] = field(default_factory=list)
    pipe: Pipe = field(init=False)
    _stopped: int = 0

    def __post_init__(self) -> None:
        self.pipe = Pipe(self.end, self._look)

    def _look(self) -> None:
        """Raise if nothing will come: its end may have gone unseen where others have its pipe."""
        if self.parent.lost or self.parent.code(self.number, within=0.0) is not None:
            raise EOFError
        self._stopped = self._stopped + 1 if stopped(self.number) else 0
        if self._stopped >= _STOPPED:
            raise _Stopped

    def kill(self) -> None:
        """End it and what it has started, and wait until that is known, at most a second."""
        self.parent.signal(self.number, signal.SIGKILL)
        self.parent.code(self.number, _DYING)


@final
class ProcessLink(AbstractLink):
    """A worker process and its pipe; see `AbstractLink`.

    A dead process is replaced before the next task.

    Args:
        held: says which shares the worker should hold.
        patience: seconds that a task may take, the way there and back included.
        constants: what it should keep beside.

    Example:
        >>> from anyk.executors.core.dispatcher import Awaited
        >>> from anyk.executors.core.link import Order
        >>> from anyk.executors.processes.link import ProcessLink
        >>> from anyk.executors.processes.wire import to_payload
        >>> link = ProcessLink(dict)
        >>> common, rows = to_payload((np.square, [])), [to_payload({})] * 2
        >>> link.ask(Order(7, (np.array([4, 5]),), common, rows, Awaited()), 1)[0]
        array(25)
        >>> link.leave()
    """

    def __init__(
        self, held: Held, patience: float = math.inf, constants: Constants[Payload] | None = None
    ) -> None:
        self._wanted = held
        self._patience = patience
        self._constants: Constants[Payload] = Constants() if constants is None else constants
        self._short = False  # whether the last batch was
        self._lock = threading.Lock()
        self._over = False
        self._process: _Process | None = None
        self._serial = 0
        self._start()

    @property
    def pid(self) -> int | None:
        """Number of the present process; None if there is none until the next task."""
        process = self._process
        return None if process is None else process.number

    @property
    def alive(self) -> bool:
        """Whether there is a process that has not ended."""
        process = self._process
        return process is not None and not process.pipe.over

    def kill(self) -> None:
        """End the process at once (SIGKILL), and wait until it is known, at most a second."""
        process = self._process
        if process is not None:
            process.kill()

    def cut(self, *, force: bool) -> None:
        """End the process for good, by SIGTERM or SIGKILL, without waiting for it."""
        with self._lock:
            self._over = True
            process = self._process
        if process is not None:
            process.parent.signal(process.number, signal.SIGKILL if force else signal.SIGTERM)

    def ask(self, order: Order, piece: int) -> Reply:
        """Run a task in the process, and wait for its answer; see `AbstractLink.ask`."""
        self._drain()
        deadline = time.monotonic() + self._patience
        try:
            pipe = self._synchronise({**self._wanted(), order.key: order.parts}, deadline)
            if order.key not in self._there().held:
                return Reply(None, LOST, 0.0)
            self._serial += 1
            start = to_payload(("run", self._serial, order.key, piece))
            send_message(pipe, start, order.common, order.rows[piece])
            return receive_answer(pipe, self._serial)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this worker's failure
            return Reply(None, self._discard(error), 0.0)

    def fill(self, columns: Columns, call: Awaited) -> str | None:
        """Let the process take the next columns of its shares, and wait until it has them.

        Args:
            columns: the first ones may start a process; the others must find the same one.
            call: says whether somebody still waits.

        Returns:
            Why it does not have them; None where it does.
        """
        self._drain()
        deadline = time.monotonic() + self._patience
        try:
            pipe = self._synchronise(self._wanted(), deadline)
            held = self._there().held
            if call.abandoned or (columns.key not in held and (columns.start or columns.last)):
                return LOST
            held.add(columns.key)
            self._serial += 1
            start = to_payload(("fill", self._serial, columns.key, None))
            send_message(pipe, start, to_payload(columns))
            return receive_answer(pipe, self._serial).failure
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this worker's failure
            return self._discard(error)

    def call(self, order: CallOrder, following: Following) -> tuple[Result, ...] | str:
        """Run a batch in the process, and wait for what comes of it.

        Args:
            order: the batch.
            following: says which one comes next, if that may be sent before it is its turn.

        Returns:
            The results; or why the worker has failed.
        """
        process = self._process
        sent = process is not None and process.ahead and process.ahead[0][0] is order
        if not sent:
            self._drain()
        deadline = time.monotonic() + self._patience
        begun = time.perf_counter()
        try:
            if process is not None and sent:
                _, serial = process.ahead.popleft()
                process.pipe.deadline = deadline
            else:
                self._synchronise(self._wanted(), deadline)
                process = self._there()
                self._send_function(process, order.key)
                serial = self._send(process, order)
            if self._short and not process.ahead:
                self._send_ahead(process, following)
            found = results(*receive_results(process.pipe, serial))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this worker's failure
            return self._discard(error)
        self._short = time.perf_counter() - begun < _SHORT
        return found

    def synchronise(self) -> None:
        """Let the process hold the shares that it should, and no others."""
        self._drain()
        try:
            self._synchronise(self._wanted(), time.monotonic() + self._patience)
        except Exception as error:  # noqa: BLE001 - the next task starts another process
            self._discard(error)

    def leave(self) -> None:
        """Close the pipe, so that the process ends; kill it if it does not."""
        with self._lock:
            self._over = True
        process = self._process
        if process is not None:
            process.pipe.finish(_LEAVING)
            if not process.pipe.over:
                process.parent.signal(process.number, signal.SIGKILL)
            process.parent.code(process.number, _DYING)
            process.pipe.close()
        self._process = None

    def _start(self) -> _Process:
        ours, theirs = socket.socketpair()
        try:
            starter = parent()
            process = _Process(starter, ours, starter.start(theirs))
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        with self._lock:
            self._process = process
            over = self._over
        if over:
            process.kill()
        about = {"arguments": sys.argv, "environment": environment(), "directory": directory()}
        send_message(process.pipe, to_payload(("begin", None, None, None)), to_payload(about))
        return process

    def _synchronise(self, wanted: Mapping[int, Parts], deadline: float) -> Pipe:
        process = self._process
        if process is None or not process.pipe.silent:  # nobody is asked for anything now
            self._discard(EOFError())
            process = self._start()
        pipe = process.pipe
        pipe.deadline = deadline
        path = search_path()
        if path != process.path:
            send_message(pipe, to_payload(("path", None, None, None)), to_payload(path))
            process.path = path
        for key in process.held - wanted.keys():
            send_message(pipe, to_payload(("forget", None, key, None)))
            process.held.discard(key)
        for key in wanted.keys() - process.held:
            if wanted[key]:  # else it came in slabs, and is lost
                send_message(pipe, to_payload(("hold", None, key, None)), to_payload(wanted[key]))
                process.held.add(key)
        self._keep(process, self._constants.wanted)
        return pipe

    def _there(self) -> _Process:
        if self._process is None:
            raise EOFError
        return self._process

    def _keep(self, process: _Process, wanted: Mapping[str, Payload]) -> None:
        """Let it keep all constants that it should, and nothing that nobody knows any more."""
        if process.kept:
            for key in process.kept - self._constants.known.keys():
                send_message(process.pipe, to_payload(("drop", None, key, None)))
                process.kept.discard(key)
        for key in wanted.keys() - process.kept:
            send_message(process.pipe, to_payload(("constant", None, key, None)), wanted[key])
            process.kept.add(key)

    def _send_function(self, process: _Process, key: str) -> None:
        if key not in process.kept:
            payload = self._constants.known[key]
            send_message(process.pipe, to_payload(("function", None, key, None)), payload)
            process.kept.add(key)

    def _send(self, process: _Process, order: CallOrder) -> int:
        """Send a batch, as far as it goes; its number."""
        self._serial += 1
        start = pickle.dumps(("call", self._serial, order.key, order.about))
        process.pipe.push(*message((start,), order.items))
        return self._serial

    def _send_ahead(self, process: _Process, following: Following) -> None:
        """Send the next batch before it is its turn, if the process has all that it takes."""

        def accept(key: str) -> bool:
            wanted = self._constants.wanted.keys()
            return key in process.kept and wanted <= process.kept and search_path() == process.path

        order = following(accept)
        if order is not None:
            process.ahead.append((order, self._send(process, order)))

    def _drain(self) -> None:
        """Wait for what was sent ahead, and nobody wants any more."""
        process = self._process
        try:
            while process is not None and process.ahead:
                process.pipe.deadline = time.monotonic() + self._patience
                receive_results(process.pipe, process.ahead.popleft()[1])
        except Exception as error:  # noqa: BLE001 - the next task starts another process
            self._discard(error)

    def _discard(self, error: Exception) -> str:
        """Get rid of the process, and say why."""
        process, self._process = self._process, None
        if process is None:
            return describe(error)
        process.pipe.close()
        code, ended = None, isinstance(error, (EOFError, ConnectionError))
        if ended:
            code = process.parent.code(process.number, _DYING)
        if code is None:
            process.kill()
        if isinstance(error, BrokenAnswer):
            return f"sent something that is no answer: {error}"
        if isinstance(error, TimeoutError):
            return f"gave no answer within {self._patience:g} s"
        if isinstance(error, _Stopped):
            return f"was stopped by a signal, and did not go on within {_STOPPED * LOOK:g} s"
        if code is None:
            return "process died" if ended else describe(error)
        return f"process died: signal {-code}" if code < 0 else f"process died: exit code {code}"
