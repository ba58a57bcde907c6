"""What runs in the parent of worker processes, which starts them and leaves nothing of them.

It holds no code of users: whatever a task does to its own process, it can be ended from here, with
all that it has started.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import select
import signal
import socket
import sys
import time
from typing import final

import cloudpickle  # type: ignore[import-untyped]  # noqa: F401 - once here, not in each worker
import numpy as np
import numpy.random

from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.executors.core.family import adopt_orphans, children, when_parent_ends
from anyk.executors.core.run_task import run
from anyk.executors.processes.requests import END, REPLY, REQUEST, RUNNING, START
from anyk.executors.processes.worker import serve
from anyk.work import Plain, WorkerTask

__all__ = ["main"]

_LOOK = 1.0  # seconds between looks at the master where the kernel does not tell of its end
_ENDING = 5.0  # seconds in which what was killed must be gone


def main(control: int, master: int) -> None:
    """Serve the master until it closes its end, or is gone; then end all workers.

    Args:
        control: descriptor of a socket: it brings a REQUEST at a time, and takes a REPLY to each.
        master: the process that is served.
    """
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # the master's end is the end of this process too
    adopt_orphans()
    _load()
    gc.freeze()  # what was loaded stays shared with the workers
    _Parent(socket.socket(fileno=control), master).serve()


def _load() -> None:
    """Do what a worker does, so that all that is loaded when it is first needed is there."""
    for domain in (Reals(), PrimeField()):
        run(WorkerTask(Plain(np.square), domain), [np.ones((1, 2), int)], 0, [], {})


@final
class _Parent:
    def __init__(self, control: socket.socket, master: int) -> None:
        self._control, self._master = control, master
        self._workers: set[int] = set()
        self._codes: dict[int, int] = {}
        self._untidy = False  # whether something of a worker that has ended may be left
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        self._end_of_master = -1
        with contextlib.suppress(AttributeError, OSError):  # not every kernel has it
            self._end_of_master = os.pidfd_open(self._master)

    def serve(self) -> None:
        """Take requests until the master is gone, and end what it has left."""
        poll = select.poll()
        for descriptor in (self._control.fileno(), self._woken, self._end_of_master):
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        while os.getppid() == self._master:
            ready = dict(poll.poll(None if self._end_of_master >= 0 else 1000 * _LOOK))
            if self._end_of_master in ready:
                break
            if self._woken in ready:
                self._reap()
            if self._control.fileno() in ready and not self._answer():
                break
        self._end_all()
        self._control.close()

    def _answer(self) -> bool:
        """Answer a request; whether there was one."""
        text, given = b"", list[int]()
        try:
            while len(text) < REQUEST.size:
                part, more, _, _ = socket.recv_fds(self._control, REQUEST.size - len(text), 1)
                given += more
                if not part:
                    return False
                text += part
            verb, process, signum = REQUEST.unpack(text)
            if verb == START:
                reply = self._start(given[0]) if given else -errno.EMFILE
            elif verb == END:
                reply = self._signal(process, signum)
            else:
                self._reap()
                reply = RUNNING if self._untidy else self._codes.get(process, RUNNING)
            self._control.sendall(REPLY.pack(reply))
        except OSError:
            return False
        finally:
            for descriptor in given:
                os.close(descriptor)
        return True

    def _start(self, end: int) -> int:
        """Fork a worker, and let it serve the master at the other end of this socket."""
        me = os.getpid()
        try:
            process = os.fork()
        except OSError as error:
            return -(error.errno or errno.EAGAIN)
        if not process:
            self._become_worker(end, me)
        with contextlib.suppress(OSError):  # it may have done so itself, or be gone
            os.setpgid(process, process)
        self._workers.add(process)
        self._codes.pop(process, None)
        return process

    def _become_worker(self, end: int, parent: int) -> None:
        code = 1
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(each, signal.SIG_DFL)  # SIGINT stays ignored: it is the master's
            self._control.close()
            for descriptor in (self._woken, self._wake, self._end_of_master):
                if descriptor >= 0:
                    os.close(descriptor)
            when_parent_ends(signal.SIGKILL, parent)
            adopt_orphans()
            serve(socket.socket(fileno=end))
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, this process ends of it
            sys.excepthook(*sys.exc_info())
        finally:
            with contextlib.suppress(BaseException):
                sys.stderr.flush()
            os._exit(code)

    def _signal(self, worker: int, signum: int) -> int:
        if worker not in self._workers:  # its number may be another process's by now
            return 0
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if signum == signal.SIGKILL:
                os.killpg(worker, signum)
            else:
                os.kill(worker, signum)
                os.kill(worker, signal.SIGCONT)  # one that is stopped would not notice
        return 1

    def _reap(self) -> None:
        """Note who has ended, and end what they have left."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._woken, 1 << 12):
                pass
        ended = False
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                process, status = found
                ended = True
                if process in self._workers:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(process, signal.SIGKILL)
                    self._workers.discard(process)
                    self._codes[process] = os.waitstatus_to_exitcode(status)
        if ended or self._untidy:
            left = children(os.getpid()) - self._workers  # adopted from workers that have ended
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            self._untidy = bool(left)

    def _end_all(self) -> None:
        """Kill every worker, and all that any of them has started."""
        for worker in self._workers:
            self._signal(worker, signal.SIGKILL)
        end = time.monotonic() + _ENDING
        while True:
            self._reap()
            if not (self._workers or self._untidy) or time.monotonic() > end:
                return
            time.sleep(0.002)
