"""Strangers and hostile masters at the door of a worker: one visit after the other."""

from __future__ import annotations

import collections
import json
import math
import random
import select
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _fuzz_masters import KINDS, WAITING, hold, run
from _fuzz_parties import FALSE
from _fuzz_tls import AFTER, Tls, after, mutated, records

__all__ = ["STRANGERS", "Door", "Held", "Masters", "Strangers"]

STRANGERS = (
    "hello mutated", "hello cut off", "flight mutated", "random bytes", "random records", "silence",
    "TLS 1.2", "another protocol", "no protocol", "no certificate", "a worker's", "ticket", *FALSE,
    *AFTER,
)  # fmt: skip
"""Who comes; the last ones are masters until they have shaken hands."""

_FLIGHTS = {"hello mutated", "hello cut off", "flight mutated"}
_BRIEF = 0.05  # seconds for an answer to what may have none
_PATIENCE = 15.0
_TASKS = 2.0  # seconds that the tasks of one who is stopped may take
_SOON = 0.5
_SENTINEL = 99


@dataclass(frozen=True)
class Door:
    """A worker.

    Args:
        port: on which it listens.
        certificates: of its authority, with `false` beside them.
        log: for secrets.
    """

    port: int
    certificates: Path
    log: Path

    def connect(self) -> socket.socket:
        """A connection."""
        connection = socket.create_connection(("127.0.0.1", self.port), _PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def context(self, kind: str = "") -> ssl.SSLContext:
        """TLS of who is of this kind; a master's by default."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.certificates / "master" / "authority.pem")
        party = self.certificates / "master"
        if kind in FALSE:
            party = self.certificates.parent / "false master" / kind
        elif kind == "a worker's":
            party = self.certificates / "worker-1"
        if kind != "no certificate":
            context.load_cert_chain(party / "certificate.pem", party / "key.pem")
        if kind != "no protocol":
            context.set_alpn_protocols(["h2" if kind == "another protocol" else "anyk/1"])
        if kind == "TLS 1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.keylog_filename = str(self.log)
        return context


class Held:
    """Connections that are left open, until the worker ends them.

    Args:
        most: at once.
        limit: seconds after which it should have.
    """

    def __init__(self, most: int, limit: float) -> None:
        self.limit, self._most = limit, most
        self.longest = 0.0
        self.ended = 0
        self.late: collections.Counter[str] = collections.Counter()
        self._open: list[tuple[float, str, socket.socket]] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, daemon=True).start()

    def take(self, kind: str, connection: socket.socket) -> None:
        """Leave a connection open, if there are not too many."""
        with self._lock:
            if len(self._open) < self._most:
                self._open.append((time.monotonic(), kind, connection))
                return
        connection.close()

    def wait(self) -> None:
        """Until all have been ended."""
        while self._open:
            time.sleep(0.05)

    def _watch(self) -> None:
        while True:
            time.sleep(0.02)
            with self._lock:
                self._open = [each for each in self._open if not self._gone(*each)]

    def _gone(self, since: float, kind: str, connection: socket.socket) -> bool:
        passed = time.monotonic() - since
        if kind == "stopped":  # it reads nothing before the end, and has begun with tasks
            passed -= _TASKS
            if passed < self.limit + _SOON:
                return False
        late = passed > self.limit + 1
        if not (late or _over(connection)):
            return False
        self.longest = max(self.longest, passed)
        self.ended += 1
        self.late[kind] += late
        connection.close()
        return True


def _over(connection: socket.socket) -> bool:
    """Whether the other end has ended a connection; what it has sent is thrown away."""
    while True:
        try:
            if not select.select([connection], [], [], 0)[0]:
                return False
            if not socket.socket.recv(connection, 1 << 16):
                return True
        except OSError:
            return True


class Strangers:
    """Those who are not to be let in.

    Args:
        door: of the worker.
        held: takes some of the connections.
        rng: for what they do.
    """

    def __init__(self, door: Door, held: Held, rng: random.Random) -> None:
        self._door, self._held, self._rng = door, held, rng
        self._contexts = {kind: door.context(kind) for kind in STRANGERS}

    def visit(self, kind: str) -> bool:
        """Whether a visit has got anything out of the worker beyond TLS."""
        connection = self._door.connect()
        try:
            got = self._visited(kind, connection)
        except (OSError, EOFError):
            got = False
        if not got and self._rng.random() < 0.05:  # half-open from now on
            self._held.take(kind, connection)
        else:
            connection.close()
        return got

    def _visited(self, kind: str, connection: socket.socket) -> bool:
        if kind in {"random bytes", "random records", "silence"}:
            self._without_tls(kind, connection)
        else:
            tls = Tls(connection, self._contexts[kind], "worker-0", self._door.log)
            if kind == "ticket":
                return self._with_ticket(tls)
            if kind in _FLIGHTS:
                self._flight(kind, tls)
            else:
                tls.shake()
                if kind not in AFTER:
                    return self._answered(tls)
                connection.sendall(after(kind, tls.writer(), self._rng))
                connection.settimeout(_BRIEF if kind in {"record cut off", "warnings"} else 1.0)
                return bool(tls.hear())
        connection.settimeout(_BRIEF)
        while connection.recv(1 << 16):  # alerts and flights are no answers
            pass
        return False

    def _without_tls(self, kind: str, connection: socket.socket) -> None:
        if kind == "random bytes":
            size = self._rng.choice([1, 5, 500, 200_000])
            connection.sendall(self._rng.randbytes(size))
        elif kind == "random records":
            connection.sendall(records(self._rng))

    def _flight(self, kind: str, tls: Tls) -> None:
        """One of the two flights, changed."""
        flight = tls.step()[1]
        if kind == "flight mutated":
            tls.raw.sendall(flight)
            flight = b""
            while not flight:
                tls.feed()
                flight = tls.step()[1]
        cut = flight[: self._rng.randrange(len(flight))]
        tls.raw.sendall(cut if kind == "hello cut off" else mutated(flight, self._rng))

    @staticmethod
    def _answered(tls: Tls) -> bool:
        tls.say(hold() + run())
        return bool(tls.hear())

    def _with_ticket(self, first: Tls) -> bool:
        """Whether a session goes on with a ticket of another connection."""
        first.shake()
        first.say(hold() + run())
        if not first.hear():
            raise SystemExit("an honest master is not served")
        session = first.tls.session
        if session is None or not session.has_ticket:
            return False
        with self._door.connect() as connection:
            tls = Tls(connection, self._contexts["ticket"], "worker-0", self._door.log)
            tls.tls.session = session
            tls.shake()
            return tls.tls.session_reused


class Masters:
    """Those who have a master's certificate, and ask for what they should not get.

    Args:
        door: of the worker.
        held: takes some of the connections.
        rng: for what they do.
        bomb: file that unpickling would make.
    """

    def __init__(self, door: Door, held: Held, rng: random.Random, bomb: str) -> None:
        self._door, self._held, self._rng, self._bomb = door, held, rng, bomb
        self._context = door.context()
        self._kinds = {kind.__name__: kind for kind in KINDS}
        self._link: ssl.SSLSocket | None = None
        self.names = (*self._kinds, "stopped", "trickle")
        self.closed = self.failed = self.values = 0

    def visit(self, kind: str) -> bool:
        """Whether something was answered with a value that should not be."""
        try:
            if kind in {"stopped", "trickle"}:
                self._never_done(kind)
                return False
            return self._said(kind, hold() + self._kinds[kind](self._rng, self._bomb))
        except TimeoutError:
            if kind not in WAITING:
                raise SystemExit(f"a worker hangs after {kind}") from None
            if self._rng.random() < 0.05:
                self._held.take(kind, self._let_go())
        except (OSError, EOFError):
            self.closed += 1
        self.leave()
        return False

    def leave(self) -> None:
        """Begin anew with the next one."""
        if self._link is not None:
            self._let_go().close()

    def _let_go(self) -> ssl.SSLSocket:
        link, self._link = self._link, None
        return link

    def _connected(self) -> ssl.SSLSocket:
        if self._link is None:
            plain = self._door.connect()
            self._link = self._context.wrap_socket(plain, server_hostname="worker-0")
        return self._link

    def _never_done(self, kind: str) -> None:
        """Read no answers, or send a request that does not end."""
        link = self._connected()
        if kind == "trickle":
            link.sendall(hold()[: self._rng.randint(1, 60)])
        else:
            link.settimeout(0.2)
            many = hold(9, arrays=[["<u4", [1, 400, 400]]])[:-16] + bytes(4 * 160_000)
            link.sendall(many + b"".join(run(key=9) for _ in range(12)))
        if self._rng.random() < 0.5:
            self._held.take(kind, self._let_go())
        self.leave()

    def _said(self, kind: str, data: bytes) -> bool:
        """Send it, and an honest request; read answers until that one's comes."""
        link = self._connected()
        link.settimeout(_PATIENCE)
        link.sendall(data + hold(_SENTINEL) + run(key=_SENTINEL, serial=_SENTINEL))
        if kind in WAITING:
            link.settimeout(_BRIEF)
        wrong = False
        while True:
            (length,) = struct.unpack(">I", self._exactly(4))
            link.settimeout(_PATIENCE)
            answer = json.loads(self._exactly(length))
            if answer["failure"] is None:
                size = np.dtype(answer["dtype"]).itemsize * math.prod(answer["shape"])
                self._exactly(size)
            if answer["serial"] == _SENTINEL:
                return wrong
            self.failed += answer["failure"] is not None
            self.values += answer["failure"] is None
            wrong |= answer["failure"] is None and kind != "changed_bytes"

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            got = self._link.recv(size - len(data))
            if not got:
                raise EOFError
            data += got
        return bytes(data)
