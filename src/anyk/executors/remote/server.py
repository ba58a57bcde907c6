"""`anyk worker`: listen, and give each master a process of its own, which ends with it."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
import warnings
from math import ceil, isfinite
from pathlib import Path
from select import POLLIN, poll
from typing import final

from anyk.connections import door
from anyk.connections.talk import Talk
from anyk.connections.tls import Address
from anyk.executors.core.family import adopt_orphans, children, end
from anyk.executors.core.raised import describe, printable
from anyk.executors.remote.budget import Budget
from anyk.executors.remote.host import Host
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.visitor import ENDED, REFUSED, Visitor
from anyk.wording import numbered

__all__ = ["Server"]

_POLLRDHUP = 0x2000 if sys.platform == "linux" else 0  # the other end has closed; else POLLHUP
_REAPING = 0.02  # seconds between two looks for processes that were killed
_CLOSING = 1.0  # seconds that all of them may take to end


@final
class Server:
    """A worker that listens for masters.

    Each connection gets a process, forked from this one: it has the functions already, and holds
    the shares of its master alone. This process runs none of the functions. It watches each
    connection itself, and the time that a session may take, and when either is over it kills all
    processes of the session at once: those that hold Python's lock in the middle of a task, those
    that are stopped, and those that its tasks have started, wherever they have gone (but for their
    group, that is known on Linux alone). If this process is killed, so are they. What can't be
    forked, such as the use of a GPU, a module of tasks begins when a function is first called, not
    when it is imported.

    Args:
        listen: where; port 0 for any that is free.
        offer: the functions that there are.
        tls: the worker's directory of certificates, which each connection reads; None without.
        master: name that a master's certificate must be for.
        budget: what one session may take.
        sessions: how many masters at once.

    Raises:
        OSError: if it can't listen there.

    Example:
        >>> from anyk.executors.remote.offer import Offer
        >>> from anyk.executors.remote.server import Server
        >>> from anyk.connections.tls import parse_address
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
        budget: Budget | None = None,
        sessions: int = 4,
    ) -> None:
        self._budget = Budget() if budget is None else budget
        self._host = Host(offer, tls, master, self._budget)
        self._sessions = sessions
        self._visitors: dict[int, Visitor] = {}  # by the pipe on which they tell
        self._connections: dict[int, Visitor] = {}  # by their connection; masters alone
        self._killed: dict[int, bool] = {}  # processes that may not have ended; whether of masters
        self._before: set[int] | None = None  # children that are no visitors; None before it serves
        self._poll = poll()
        self._talk = Talk(logging.getLogger("anyk.worker"))
        self._alive, self._living = os.pipe()  # the second end is closed when this process ends
        self._listener = door.listen(listen)
        self._poll.register(self._listener, POLLIN)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def serve(self) -> None:
        """Serve masters until something raises: Ctrl-C, say.

        Children of this process that were not there before are a session's, and end with one.
        """
        adopt_orphans()
        self._before = children(os.getpid())
        while True:
            self._turn()

    def close(self) -> None:
        """End all sessions, and listen no more. Harmless when called twice."""
        for visitor in list(self._visitors.values()):
            self._end(visitor)
        deadline = time.monotonic() + _CLOSING
        while self._killed and time.monotonic() < deadline:
            self._reap()
            time.sleep(_REAPING)
        for descriptor in (self._alive, self._living):
            if descriptor >= 0:
                os.close(descriptor)
        self._alive = self._living = -1
        self._listener.close()

    def _turn(self) -> None:
        """Wait for what happens next, and do what it takes."""
        events = dict(self._poll.poll(self._pause()))
        knocks = events.pop(self._listener.fileno(), 0)
        for descriptor in events.keys() & self._connections.keys():  # closed, or broken
            self._end(self._connections[descriptor])
        for descriptor in events.keys() & self._visitors.keys():
            self._hear(self._visitors[descriptor])
        now = time.monotonic()
        for visitor in [each for each in self._visitors.values() if each.until <= now]:
            self._end(visitor, f"ended the session of {visitor.peer}: {visitor.why}")
        self._reap()
        if knocks:  # the last, as it may use the descriptors of those who are gone
            self._accept()

    def _pause(self) -> int | None:
        """Milliseconds until there is something to do if nothing happens; None for ever."""
        now = time.monotonic()
        left = min((each.until - now for each in self._visitors.values()), default=float("inf"))
        if self._killed:
            left = min(left, _REAPING)
        return ceil(1000 * max(left, 0.0)) if isfinite(left) else None

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except OSError:  # it has gone again, or there are too many files; others are served
            time.sleep(0.01)
            return
        self._make_room()
        try:
            self._receive(connection, str(peer[0]))
        except OSError as error:  # no more processes or files for now; others are served
            connection.close()
            self._talk.say(f"refused {peer[0]}: {printable(describe(error))}")

    def _make_room(self) -> None:
        strangers = [each for each in self._visitors.values() if not each.admitted]
        place = door.one_too_many([each.peer for each in strangers])
        if place is not None:
            gone = strangers[place]
            self._end(gone, f"refused {gone.peer}: too many strangers at once")

    def _receive(self, connection: socket.socket, peer: str) -> None:
        told, tell = os.pipe()
        parent = os.getpid()
        try:
            os.set_blocking(told, False)
            with warnings.catch_warnings():  # of threads, which numpy's BLAS has and stops itself
                warnings.simplefilter("ignore", DeprecationWarning)
                process = os.fork()
            if not process:
                self._let_go_of_all()
                self._host.receive(connection, tell, self._alive, parent)
        except OSError:
            os.close(told)
            raise
        finally:
            os.close(tell)
        visitor = self._visitors[told] = Visitor(process, told, connection, peer)
        visitor.await_greeting()
        self._poll.register(told, POLLIN)

    def _let_go_of_all(self) -> None:
        """In the forked process: it has nothing to do with the others."""
        try:
            self._listener.close()
            for visitor in self._visitors.values():
                visitor.close()
            os.close(self._living)
        except BaseException:  # noqa: BLE001 - nothing of the parent's may run here
            os._exit(1)

    def _hear(self, visitor: Visitor) -> None:
        try:
            said = os.read(visitor.told, 1 << 12)
        except BlockingIOError:  # it was told already
            return
        if REFUSED in said:
            self._end(visitor, f"refused {visitor.peer}: {said.partition(REFUSED)[2].decode()}")
            return
        if not said or ENDED in said:
            self._end(visitor)
            return
        visitor.note(said, self._budget)
        if not visitor.admitted:
            visitor.admitted = True
            descriptor = visitor.connection.fileno()
            self._connections[descriptor] = visitor
            self._poll.register(descriptor, _POLLRDHUP)
            if len(self._connections) > self._sessions:
                self._end(
                    visitor,
                    f"refused a master: {numbered(self._sessions, 'session')} already (--sessions)",
                )
            else:
                self._talk.say(f"serves a master at {visitor.peer}")

    def _end(self, visitor: Visitor, why: str | None = None) -> None:
        """End all that there is of a visitor, so that there is room for another one."""
        if why is not None:
            self._talk.say(why)
        del self._visitors[visitor.told]
        self._poll.unregister(visitor.told)
        if visitor.admitted:
            descriptor = visitor.connection.fileno()
            del self._connections[descriptor]
            self._poll.unregister(descriptor)
        visitor.end()
        self._killed[visitor.process] = visitor.admitted

    def _reap(self) -> None:
        """Let go of processes that were killed; end orphans that have come to this one."""
        ended = [process for process in self._killed if _reaped(process)]
        masters = [self._killed.pop(process) for process in ended]
        if self._before is None or not any(masters):
            return
        known = {visitor.process for visitor in self._visitors.values()}
        for orphan in children(os.getpid()) - self._before - known - self._killed.keys():
            end(orphan)
            self._killed[orphan] = True  # so that the next look finds its children


def _reaped(process: int) -> bool:
    try:
        return os.waitpid(process, os.WNOHANG)[0] == process
    except ChildProcessError:
        return True
