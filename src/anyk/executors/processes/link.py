"""One worker process, as the master sees it: started, fed, asked, killed, replaced."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Mapping
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.context import (
    ForkServerContext,
    ForkServerProcess,
    SpawnContext,
    SpawnProcess,
)
from typing import final

from anyk.executors.core.answer_header import BrokenAnswer
from anyk.executors.core.link import AbstractLink, Held, Order
from anyk.executors.core.placements import Parts
from anyk.executors.core.run_task import Reply, describe
from anyk.executors.processes.wire import receive_answer, send_message, to_payload
from anyk.executors.processes.worker import serve

__all__ = ["ProcessLink", "make_ready"]

_BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_LEAVING = 0.5  # seconds that a process is given to end by itself
_DYING = 1.0  # seconds that the end of a killed process may take to be known
_NEVER_STARTED = (
    "process died at its start: exit code 1, for the reason on stderr; "
    'a script keeps its own work under if __name__ == "__main__":'
)
_starting = threading.Lock()  # multiprocessing's own lists are not made for several threads


def make_ready() -> ForkServerContext | SpawnContext:
    """The way in which worker processes are started: by a fork server, where there are any.

    The server imports numpy and anyk once, with one BLAS thread, so that each worker is there in
    milliseconds and twelve of them do not fight for two cores. It is Python's own, belongs to the
    whole program and stays until the program ends; if the program had started it already, it is
    used as it is. A number of BLAS threads that the environment sets is left alone.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    with _starting:
        context.set_forkserver_preload(["__main__", "anyk.executors.processes.worker"])
        added = [name for name in _BLAS if name not in os.environ]
        os.environ.update(dict.fromkeys(added, "1"))
        try:
            forkserver.ensure_running()
        finally:
            for name in added:
                os.environ.pop(name, None)
    return context


@final
class ProcessLink(AbstractLink):
    """A worker process and its pipe; see `AbstractLink`.

    A dead process is replaced before the next task.

    Args:
        name: of the process.
        held: says which shares the worker should hold.

    Example:
        >>> from anyk.executors.core.dispatcher import Call
        >>> from anyk.executors.core.link import Order
        >>> from anyk.executors.processes.link import ProcessLink
        >>> from anyk.executors.processes.wire import to_payload
        >>> link = ProcessLink("worker 0", dict)
        >>> common, rows = to_payload((np.square, [])), [to_payload({})] * 2
        >>> link.ask(Order(7, (np.array([4, 5]),), common, rows, Call()), 1)[0]
        array(25)
        >>> link.leave()
    """

    def __init__(self, name: str, held: Held) -> None:
        self._name = name
        self._wanted = held
        self._context = make_ready()
        self._lock = threading.Lock()
        self._over = False
        self._process: ForkServerProcess | SpawnProcess | None = None
        self._connection: Connection | None = None
        self._held: set[int] = set()
        self._serial = 0
        self._answered = False
        self._start()

    @property
    def pid(self) -> int | None:
        """Number of the present process; None if there is none until the next task."""
        process = self._process
        return None if process is None else process.pid

    @property
    def alive(self) -> bool:
        """Whether there is a process that has not ended."""
        process = self._process
        try:
            return process is not None and not wait([process.sentinel], 0)
        except OSError:  # it was let go of in this moment
            return False

    def kill(self) -> None:
        """End the process at once (SIGKILL), and wait until it is known, at most a second."""
        process = self._process
        if process is not None and not wait([process.sentinel], 0):
            process.kill()
            wait([process.sentinel], _DYING)

    def cut(self, *, force: bool) -> None:
        """End the process for good, by SIGTERM or SIGKILL, without waiting for it."""
        with self._lock:
            self._over = True
            process = self._process
        if process is not None and not wait([process.sentinel], 0):
            process.kill() if force else process.terminate()

    def ask(self, order: Order, piece: int) -> Reply:
        """Run a task in the process, and wait for its answer; see `AbstractLink.ask`."""
        try:
            connection, sentinel = self._synchronise({**self._wanted(), order.key: order.parts})
            self._serial += 1
            start = to_payload(("run", self._serial, order.key, piece))
            send_message(connection, start, order.common, order.rows[piece])
            if connection not in wait([connection, sentinel]):
                raise EOFError  # noqa: TRY301 - the same as if the pipe had ended
            reply = receive_answer(connection, self._serial)
            self._answered = True
            return reply  # noqa: TRY300 - only what came counts as answered
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this worker's failure
            return None, self._discard(error), 0.0

    def synchronise(self) -> None:
        """Let the process hold the shares that it should, and no others."""
        try:
            self._synchronise(self._wanted())
        except Exception as error:  # noqa: BLE001 - the next task starts another process
            self._discard(error)

    def leave(self) -> None:
        """Close the pipe, so that the process ends; kill it if it does not."""
        with self._lock:
            self._over = True
        process, connection = self._process, self._connection
        if connection is not None:
            connection.close()
        if process is not None:
            if self._join(process, _LEAVING) is None:
                process.kill()
            self._join(process, _DYING)
        self._process = self._connection = None

    def _start(self) -> None:
        ours, theirs = self._context.Pipe(duplex=True)
        try:
            process = self._context.Process(
                target=serve, args=(theirs,), name=self._name, daemon=True
            )
            with _starting:
                process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._held = set()
        self._answered = False
        self._connection = ours
        with self._lock:
            self._process = process
            if self._over:
                process.kill()

    def _synchronise(self, wanted: Mapping[int, Parts]) -> tuple[Connection, int]:
        if self._process is None or wait([self._process.sentinel], 0):
            self._discard(EOFError())
            self._start()
        process, connection = self._process, self._connection
        if process is None or connection is None:  # pragma: no cover - _start sets both
            raise EOFError
        for key in self._held - wanted.keys():
            send_message(connection, to_payload(("forget", None, key, None)))
            self._held.discard(key)
        for key in wanted.keys() - self._held:
            send_message(connection, to_payload(("hold", None, key, None)), to_payload(wanted[key]))
            self._held.add(key)
        return connection, process.sentinel

    def _discard(self, error: Exception) -> str:
        """Get rid of the process, and say why."""
        process, connection = self._process, self._connection
        if connection is not None:
            connection.close()
        self._connection = None
        if process is None:
            return describe(error)
        ended = isinstance(error, (EOFError, ConnectionError))
        code = self._join(process, _DYING if ended else _DYING / 10)
        if code is None:
            process.kill()
            self._join(process, _DYING)
        self._process = None
        if isinstance(error, BrokenAnswer):
            return f"sent something that is no answer: {error}"
        if code is None:
            return describe(error)
        if code == 1 and not self._answered:  # what Python gives where its start raised
            return _NEVER_STARTED
        return f"process died: signal {-code}" if code < 0 else f"process died: exit code {code}"

    @staticmethod
    def _join(process: ForkServerProcess | SpawnProcess, timeout: float) -> int | None:
        wait([process.sentinel], timeout)
        with _starting:
            process.join(0)
        return process.exitcode
