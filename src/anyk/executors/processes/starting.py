"""The parent of worker processes, as the master sees it: one for the whole program."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from typing import final

from anyk.executors.processes.requests import CODE, END, REPLY, REQUEST, RUNNING, START

__all__ = ["Parent", "directory", "environment", "parent", "search_path"]

_BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_REPLYING = 60.0  # seconds that it may take to be there, and to reply
_WAKING = 1.0  # seconds without a reply after which it is woken, if somebody has stopped it
_ENDING = 6.0  # seconds that it may take to end its workers and itself
_SHORTEST, _LONGEST = 0.0005, 0.02  # seconds between questions whether a worker has ended
_PROGRAM = (
    "import sys; sys.path[:] = {}; from anyk.executors.processes.parent import main; main({}, {})"
)


def search_path() -> list[str]:
    """Where this process looks for modules, as other processes can."""
    return [str(entry) or directory() or "." for entry in sys.path]


def directory() -> str | None:
    """Where this process is; None where that is gone."""
    try:
        return os.getcwd()  # noqa: PTH109 - a text
    except OSError:
        return None


def environment() -> dict[str, str]:
    """The environment of workers: this process's, and one BLAS thread unless it says otherwise."""
    return {**dict.fromkeys(_BLAS, "1"), **os.environ}


@final
class Parent:
    """The process that starts worker processes, and ends them with all that they have started.

    It imports numpy and anyk once, with one BLAS thread, so that each worker is there in
    milliseconds and twelve of them do not fight for two cores. It ends with this process, however
    that ends, and takes its workers along.

    Raises:
        OSError: if it can't be started.

    Example:
        >>> import socket
        >>> from anyk.executors.processes.starting import Parent
        >>> parent, (ours, theirs) = Parent(), socket.socketpair()
        >>> worker = parent.start(theirs)
        >>> theirs.close(), ours.close()  # the worker ends when nobody is there any more
        (None, None)
        >>> parent.code(worker, within=60.0)
        0
        >>> parent.close()
    """

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._workers: set[int] = set()
        self.lost = False
        """Whether it has ended, or does not react."""
        ours, theirs = socket.socketpair()
        try:
            program = _PROGRAM.format(search_path(), theirs.fileno(), self._owner)
            flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, *flags, "-c", program],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environment(),
                start_new_session=True,  # neither Ctrl-C nor the end of a terminal reaches it
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.settimeout(_WAKING)
        self._control = ours
        self._end = weakref.finalize(self, _end, self._process, ours, self._owner)

    def start(self, end: socket.socket) -> int:
        """Start a worker that serves the other end of this socket; the number of its process.

        Raises:
            ConnectionError: if this parent is lost.
            OSError: if there can't be another process.
        """
        reply = self._ask(START, descriptors=[end.fileno()])
        if reply < 0:
            raise OSError(-reply, os.strerror(-reply))
        self._workers.add(reply)
        return reply

    def signal(self, worker: int, signum: signal.Signals) -> None:
        """Send a worker a signal, if it is there: SIGKILL also reaches all that it has started."""
        with contextlib.suppress(ConnectionError):
            self._ask(END, worker, signum)

    def code(self, worker: int, within: float) -> int | None:
        """The exit code of a worker, negative if a signal ended it, once all of it is gone.

        Args:
            worker: the number of its process.
            within: seconds to wait for its end.

        Returns:
            None if it has not ended, or if nobody knows.
        """
        deadline, pause = time.monotonic() + within, _SHORTEST
        try:
            while (reply := self._ask(CODE, worker)) == RUNNING:
                if time.monotonic() + pause > deadline:
                    return None
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST)
        except ConnectionError:
            return None
        self._workers.discard(worker)
        return reply

    def close(self) -> None:
        """End all workers, and the process."""
        self._end()

    def forsake(self) -> None:
        """Forget it, in a fork of the process whose it is."""
        self._end.detach()
        self._control.close()
        self._process.returncode = 0  # not this process's to wait for

    def _ask(self, verb: int, worker: int = 0, signum: int = 0, descriptors: object = ()) -> int:
        with self._lock:
            if self.lost or os.getpid() != self._owner:
                raise ConnectionError("what starts the workers is gone")
            try:
                request = REQUEST.pack(verb, worker, signum)
                socket.send_fds(self._control, [request], list(descriptors))  # type: ignore[call-overload]
                return self._reply()
            except (OSError, EOFError) as error:
                self._lose()
                raise ConnectionError("what starts the workers has ended") from error
            except BaseException:  # Ctrl-C between a request and its reply
                self._lose()
                raise

    def _reply(self) -> int:
        reply, deadline = b"", time.monotonic() + _REPLYING
        while len(reply) < REPLY.size:
            try:
                part = self._control.recv(REPLY.size - len(reply))
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise
                self._process.send_signal(signal.SIGCONT)
                continue
            if not part:
                raise EOFError
            reply += part
        return int(REPLY.unpack(reply)[0])

    def _lose(self) -> None:
        """Do what it can't do any more: end the workers."""
        self.lost = True
        self._process.kill()
        for worker in tuple(self._workers):  # other threads note those that have ended
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(worker, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes], control: socket.socket, owner: int) -> None:
    if os.getpid() != owner:
        return
    control.close()
    process.send_signal(signal.SIGCONT)  # where somebody has stopped it
    try:
        process.wait(_ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


_lock = threading.Lock()
_present: list[Parent] = []  # the one of this program, if there is one


def parent() -> Parent:
    """The parent of this program's workers, started if there is none."""
    with _lock:
        if not _present or _present[0].lost:
            _present[:] = [Parent()]
        return _present[0]


def _after_fork() -> None:
    global _lock  # noqa: PLW0603 - another thread may have held it
    _lock = threading.Lock()
    for each in _present:
        each.forsake()
    _present.clear()


os.register_at_fork(after_in_child=_after_fork)
