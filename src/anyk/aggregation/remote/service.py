"""`anyk aggregator`: listen, and let a party answer whoever shows that it is the server."""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from select import POLLIN, poll
from typing import final

from anyk.aggregation.parties import AbstractParty
from anyk.aggregation.remote.letters import PROTOCOL, receive_length, receive_rest, send
from anyk.aggregation.remote.limits import Room, ServiceLimits
from anyk.connections import door
from anyk.connections.broken import BrokenAnswer
from anyk.connections.party import Stranger
from anyk.connections.stream import AbstractStream, close, cut
from anyk.connections.talk import Talk
from anyk.connections.tls import Address
from anyk.executors.core.raised import describe, printable
from anyk.wording import numbered

__all__ = ["Service"]

_CLOSING = 1.0  # seconds that threads may take to end


@final
@dataclass(eq=False)
class _Visit:
    """One connection, in the hands of a thread."""

    connection: socket.socket
    peer: str
    admitted: bool = False
    why: str | None = None  # it was ended by this process


@final
class Service:
    """A party that listens for the server.

    Each connection has a thread, and the party answers one request at a time. Nothing but bytes
    comes in, and nobody's functions run: all that takes time is the network, for which each part of
    a letter has a deadline. What is logged says who came and went, and never what was sent.

    Args:
        listen: where; port 0 for any that is free.
        party: who answers.
        tls: its directory of certificates, which each connection reads.
        server: name that a server's certificate must be for.
        longest: bytes of a request that the party may take at all; None for as many as there is
            memory for.
        limits: what servers may take.

    Raises:
        OSError: if it can't listen there.
    """

    def __init__(
        self,
        listen: Address,
        party: AbstractParty,
        tls: Path,
        *,
        server: str = "server",
        longest: int | None = None,
        limits: ServiceLimits | None = None,
    ) -> None:
        self._party = party
        self._tls = tls
        self._server = server
        self._limits = ServiceLimits() if limits is None else limits
        self._longest = min(self._limits.bytes, longest or self._limits.bytes)
        self._room = Room(self._limits.bytes)
        self._talk = Talk(logging.getLogger("anyk.aggregator"))
        self._answering = threading.Lock()
        self._lock = threading.Lock()  # of the visits, and the log
        self._visits: list[_Visit] = []  # the oldest first
        self._threads: set[threading.Thread] = set()
        self._closed = False
        self._listener = door.listen(listen)
        self._waking, self._woken = socket.socketpair()

    @property
    def port(self) -> int:
        """The port on which it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def serve(self) -> None:
        """Serve until something raises, such as Ctrl-C, or it is closed."""
        knocks = poll()
        knocks.register(self._listener, POLLIN)
        knocks.register(self._woken, POLLIN)
        while not self._closed:
            knocks.poll()
            if not self._closed:
                self._accept()

    def close(self) -> None:
        """End all connections, and listen no more. Harmless when called twice."""
        self._closed = True
        self._waking.close()  # which ends a wait for the next connection
        self._listener.close()
        with self._lock:
            for visit in self._visits:
                _end(visit, "")
            threads = list(self._threads)
        deadline = time.monotonic() + _CLOSING
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        self._woken.close()

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except OSError:  # it has gone again, or there are too many files; others are served
            time.sleep(0.01)
            return
        visit = _Visit(connection, str(peer[0]))
        thread = threading.Thread(target=self._receive, args=(visit,), daemon=True)
        with self._lock:
            strangers = [each for each in self._visits if not each.admitted and each.why is None]
            place = door.one_too_many([each.peer for each in strangers])
            if place is not None:
                _end(strangers[place], "too many strangers at once")
            self._visits.append(visit)
            self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError as error:  # no more threads for now; others are served
            self._leave(visit, thread, error)

    def _receive(self, visit: _Visit) -> None:
        """One connection, from its first byte to its end."""
        try:
            stream = door.greet(visit.connection, self._tls, self._server, protocol=PROTOCOL)
            self._admit(visit)
            while True:
                self._exchange(stream)
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends this connection alone
            self._leave(visit, threading.current_thread(), error)

    def _admit(self, visit: _Visit) -> None:
        """It has shown that it is the server."""
        with self._lock:
            sessions = sum(each.admitted for each in self._visits)
            if sessions >= self._limits.sessions:
                there = numbered(self._limits.sessions, "session")
                raise BrokenAnswer(f"{there} already (--sessions)")
            visit.admitted = True
            self._talk.say(f"serves the server at {visit.peer}")

    def _exchange(self, stream: AbstractStream) -> None:
        """Take a request, answer it, and send the answer."""
        limits = self._limits
        idle = time.monotonic() + limits.idle_patience
        length = receive_length(stream, self._longest, None if limits.idle_seconds == 0 else idle)
        with self._room.taken(length):
            request = receive_rest(stream, length, time.monotonic() + limits.seconds)
            answer = self._answer(request)
            del request
        send(stream, answer, time.monotonic() + limits.seconds)

    def _answer(self, request: bytes) -> bytes:
        """What the party says; where it fails, nothing of the request may be in a log."""
        with self._answering:
            try:
                return self._party.answer(request)
            except OSError:  # of its journal, say
                raise
            except Exception as error:  # noqa: BLE001 - the next request may be a better one
                frame = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(frame.filename).name}:{frame.lineno}"
                raise RuntimeError(f"{type(error).__name__} at {where}") from None

    def _leave(self, visit: _Visit, thread: threading.Thread, error: Exception) -> None:
        close(visit.connection, at_once=isinstance(error, TimeoutError))
        with self._lock:
            self._visits.remove(visit)
            self._threads.discard(thread)
            why = visit.why
            if why is None and not (visit.admitted and isinstance(error, EOFError)):
                own = isinstance(error, (BrokenAnswer, Stranger))  # words of ours
                why = str(error) if own else printable(describe(error))
            if why:
                what = "ended the session of" if visit.admitted else "refused"
                self._talk.say(f"{what} {visit.peer}: {why}")


def _end(visit: _Visit, why: str) -> None:
    """End a connection under its thread."""
    if visit.why is None:
        visit.why = why
    cut(visit.connection)
