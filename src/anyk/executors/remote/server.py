"""`anyk worker`: listen, and give each master a process of its own, which ends with it."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from select import POLLIN, poll
from types import FrameType
from typing import final

import numpy as np

from anyk.checks import count
from anyk.errors import InvalidArgument
from anyk.executors.core.run_task import describe, printable, reaper
from anyk.executors.remote.frames import Channel
from anyk.executors.remote.handshake import admit
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.session import Session
from anyk.executors.remote.stream import AbstractStream, PlainStream
from anyk.executors.remote.tls import Address, is_loopback, parse_address, patient, server_context

__all__ = ["Server", "serve_worker"]

_GREETING = 10  # seconds that a stranger has to show who it is
_MOST_STRANGERS = 32  # at once
_POLLRDHUP = 0x2000  # Linux: the other end has closed; others report it as POLLHUP
_log = logging.getLogger("anyk.worker")


@final
@dataclass
class _Visitor:
    """One connection, in the hands of a process: of a stranger until it has shown who it is."""

    process: int
    told: int
    admitted: bool = False


@final
class Server:
    """A worker that listens for masters.

    Each connection gets a process, forked from this one: it has the functions already, holds the
    shares of its master alone, and ends at once when the connection does, even in the middle of a
    task, and with it all that it held and the processes that its tasks have started. What can't be
    forked, such as the use of a GPU, a module of tasks begins when a function is first called, not
    when it is imported.

    Args:
        listen: where; port 0 for any that is free.
        offer: the functions that there are.
        tls: the worker's directory of certificates, which each connection reads; None without.
        master: name that a master's certificate must be for.
        memory: bytes that shares and arguments of one session may take.
        sessions: how many masters at once.

    Raises:
        OSError: if it can't listen there.

    Example:
        >>> from anyk.executors.remote.offer import Offer
        >>> from anyk.executors.remote.server import Server
        >>> from anyk.executors.remote.tls import parse_address
        >>> server = Server(
        ...     parse_address("127.0.0.1:0", "listen"), Offer("anyk.testing.tasks"), None
        ... )
        >>> server.port > 0
        True
        >>> server.close()
    """

    def __init__(
        self,
        listen: Address,
        offer: Offer,
        tls: Path | None,
        *,
        master: str = "master",
        memory: int = 1 << 30,
        sessions: int = 4,
    ) -> None:
        self._offer = offer
        self._tls = tls
        self._master = master
        self._memory = memory
        self._sessions = sessions
        self._visitors: dict[int, _Visitor] = {}  # by the pipe on which they tell
        self._selector = selectors.DefaultSelector()
        self._alive, self._living = os.pipe()  # the second end is closed when this process ends
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        place = (listen.host, listen.port)
        try:
            self._listener = socket.create_server(place, family=family, backlog=64)
        except OSError as error:
            raise OSError(
                f"can't listen on {listen}: {error.strerror}. Name an address of this machine and "
                "a port that nobody uses; port 0 takes any that is free."
            ) from error
        self._listener.settimeout(0.0)
        self._selector.register(self._listener, selectors.EVENT_READ)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def serve(self) -> None:
        """Serve masters until something raises: Ctrl-C, say."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._listen_to(key.fd)

    def close(self) -> None:
        """End all sessions, and listen no more. Harmless when called twice."""
        for told, visitor in list(self._visitors.items()):
            os.kill(visitor.process, signal.SIGKILL)
            self._see_off(told)
        for end in (self._alive, self._living):
            if end >= 0:
                os.close(end)
        self._alive = self._living = -1
        self._selector.close()
        self._listener.close()

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except OSError:  # it has gone again, or there are too many files; others are served
            time.sleep(0.01)
            return
        with connection:
            strangers = [each for each in self._visitors.values() if not each.admitted]
            if len(strangers) >= _MOST_STRANGERS:  # the oldest makes room: a master is quick
                _log.warning("refused a stranger: too many at once")
                os.kill(strangers[0].process, signal.SIGKILL)
                self._see_off(strangers[0].told)
            try:
                self._receive(connection, str(peer[0]))
            except OSError as error:  # no more processes or files for now; others are served
                _log.warning("refused %s: %s", peer[0], printable(describe(error)))

    def _receive(self, connection: socket.socket, peer: str) -> None:
        told, tell = os.pipe()
        try:
            os.set_blocking(told, False)
            with warnings.catch_warnings():  # of threads, which numpy's BLAS has and stops itself
                warnings.simplefilter("ignore", DeprecationWarning)
                process = os.fork()
            if not process:
                self._be_a_session(connection, peer, tell)
        except OSError:
            os.close(told)
            raise
        finally:
            os.close(tell)
        self._visitors[told] = _Visitor(process, told)
        self._selector.register(told, selectors.EVENT_READ)

    def _listen_to(self, told: int) -> None:
        visitor = self._visitors.get(told)
        try:
            if visitor is None or not os.read(told, 1):
                self._see_off(told)
                return
        except BlockingIOError:  # it was an earlier visitor who told something here
            return
        visitor.admitted = True
        if sum(each.admitted for each in self._visitors.values()) > self._sessions:
            _log.warning("refused a master: %d sessions already", self._sessions)
            os.kill(visitor.process, signal.SIGKILL)

    def _see_off(self, told: int) -> None:
        visitor = self._visitors.pop(told, None)
        if visitor is None:
            return
        self._selector.unregister(told)
        os.close(told)
        with suppress(ProcessLookupError, PermissionError):  # no group yet, or none that lives
            os.killpg(visitor.process, signal.SIGKILL)  # what its tasks have left behind
        os.waitpid(visitor.process, 0)

    def _be_a_session(self, connection: socket.socket, peer: str, tell: int) -> None:
        """What the forked process does, until it ends."""
        try:
            os.setpgid(0, 0)  # a group of its own, with all that its tasks start
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that listens
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.alarm(_GREETING)  # kills
            self._listener.close()
            self._selector.close()
            for told in self._visitors:
                os.close(told)
            os.close(self._living)
            self._serve_session(connection, peer, tell)
        except BaseException as error:  # noqa: BLE001 - nothing of the parent's may run here
            _log.warning("refused %s: %s", peer, printable(describe(error)))
        finally:
            os._exit(0)

    def _serve_session(self, connection: socket.socket, peer: str, tell: int) -> None:
        patient(connection)
        stream: AbstractStream = PlainStream(connection)
        if self._tls is not None:
            stream = admit(connection, self._tls, self._master, time.monotonic() + _GREETING)
        signal.alarm(0)
        os.write(tell, b"!")
        os.register_at_fork(after_in_child=partial(_let_go, connection, tell))
        threading.Thread(target=_end_with, args=(connection, self._alive), daemon=True).start()
        np.random.seed()  # noqa: NPY002 - forks of one process would all draw the same
        reaper.set(_kill_me)
        _log.info("serves a master at %s", peer)
        Session(Channel(stream), self._offer, memory=self._memory).serve()


def _end_with(connection: socket.socket, alive: int) -> None:
    """End this process as soon as its connection or its parent ends, even during a task."""
    watched = poll()
    watched.register(connection.fileno(), _POLLRDHUP)
    watched.register(alive, POLLIN)
    watched.poll()
    os.killpg(0, signal.SIGKILL)


def _let_go(connection: socket.socket, tell: int) -> None:
    """In a process that a task has forked: the session must be seen to end without it."""
    descriptor = connection.detach()
    if descriptor >= 0:  # else a fork of a fork
        os.close(descriptor)
        os.close(tell)


def _kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def serve_worker(
    listen: str,
    tasks: str,
    tls: Path | None,
    *,
    master: str,
    memory: int,
    sessions: int,
    write: Callable[[str], None],
) -> None:
    """The command `anyk worker`: listen and serve until it is stopped.

    Args:
        listen: HOST:PORT.
        tasks: module whose functions are served; it is looked for in the working directory too.
        tls: the worker's directory of certificates; None to serve this machine without any.
        master: name that a master's certificate must be for.
        memory: MiB that shares and arguments of one session may take.
        sessions: how many masters at once.
        write: takes the line that says where it listens and what it offers.

    Raises:
        InvalidArgument: if an argument can't be used.
        OSError: if it can't listen there.
    """
    address = parse_address(listen, "--listen")
    if tls is None and not is_loopback(address.host):
        raise InvalidArgument(
            "--no-tls",
            given=f"with --listen {listen}",
            needed="certificates, where other machines can connect",
            change="Pass --tls DIR; anyk certificates makes some for a trial.",
        )
    sys.path.insert(0, str(Path.cwd()))
    logging.basicConfig(format="anyk worker: %(message)s", level=logging.INFO)
    if tls is not None:
        server_context(tls)  # says now what is wrong; each connection reads it anew
    offer = Offer(tasks)
    server = Server(
        address,
        offer,
        tls,
        master=master,
        memory=count("--memory", memory, least=1) << 20,
        sessions=count("--sessions", sessions, least=1),
    )
    signal.signal(signal.SIGTERM, _stop)
    try:
        at = Address(address.host, address.host, server.port)
        write(f"anyk worker: listens on {at}, offers {', '.join(offer.names)}")
        server.serve()
    finally:
        server.close()
