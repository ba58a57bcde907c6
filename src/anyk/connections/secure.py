"""TLS over a socket that stays ours: each step of it is short, and each byte of the wire counts."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import final

from anyk.connections.broken import BrokenAnswer
from anyk.connections.standing import Standing
from anyk.connections.stream import AbstractStream, PlainStream

__all__ = ["EMPTY", "HANDSHAKE", "SecureStream"]

EMPTY = 1 << 16
"""Bytes of the wire that may come with a part of a message beside twice its own."""

HANDSHAKE = 1 << 17
"""Bytes of the wire that a handshake may take."""

_CHUNK = 1 << 15  # bytes of the wire that TLS is given at a time
_LARGE_CHUNK = 1 << 17  # where at least so many of a message are still to come


@final
class SecureStream(AbstractStream):
    """A connection under TLS.

    OpenSSL answers some records by itself, and reads on: one who sends nothing but key updates
    would keep a read of its own from coming back. So it never sees the socket. It is given what
    came, some milliseconds' work at a time, and between two such steps this looks at the deadline
    and at how many bytes came. A part of a message of n bytes may take 2 n + `EMPTY` of them.

    Args:
        connection: a connected socket.
        context: of either side.
        host: name that the certificate of the other end must be for; None where this is the
            end that listens, which looks at the name itself.

    Example:
        >>> import socket, ssl
        >>> from anyk.connections.secure import SecureStream
        >>> ours, theirs = socket.socketpair()
        >>> context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        >>> SecureStream(ours, context, host="worker-0").tls.version() is None
        True
        >>> ours.close(), theirs.close()
        (None, None)
    """

    def __init__(
        self, connection: socket.socket, context: ssl.SSLContext, *, host: str | None
    ) -> None:
        self._plain = PlainStream(connection)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=host is None, server_hostname=host
        )
        self._read: Callable[[int, memoryview], int] = self._tls.read  # type: ignore[assignment]
        self._standing: Standing | None = None

    @property
    def raw(self) -> socket.socket:
        """The socket under TLS."""
        return self._plain.raw

    @property
    def tls(self) -> ssl.SSLObject:
        """What TLS knows of the other end."""
        return self._tls

    def handshake(self, deadline: float) -> None:
        """Let both ends show who they are.

        Raises:
            BrokenAnswer: if too much comes that is none.
            EOFError: if the other end has closed the connection.
            OSError: if it fails, or the deadline is over.
        """
        room = HANDSHAKE
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush(deadline)
            except ssl.SSLError:
                self._say_why()
                raise
            else:
                self._flush(deadline)
                return
            room -= self._feed(min(room, _CHUNK), deadline)

    def stand(self, standing: Standing) -> None:
        """From now on the other end is believed as long as this says so."""
        self._standing = standing

    def send(self, data: memoryview, deadline: float | None) -> None:
        """Send all bytes; see `AbstractStream.send`."""
        for start in range(0, len(data), _CHUNK):
            self._tls.write(data[start : start + _CHUNK])
            self._flush(deadline)

    def receive(self, into: memoryview, deadline: float | None) -> None:
        """Receive as many bytes as there is room for; see `AbstractStream.receive`."""
        room = 2 * len(into) + EMPTY
        while into:
            got = self._take(into)
            if got:
                into = into[got:]
            else:
                self._flush(deadline)  # a key update of ours, where it asked for one
                room -= self._feed(min(room, max(_CHUNK, len(into))), deadline)

    def silent(self) -> bool:
        """Whether the other end is there and has said nothing; see `AbstractStream.silent`.

        What it has sent for TLS alone is taken in, as far as it has come.
        """
        try:
            self.check()
            self._incoming.write(self._plain.waiting(_CHUNK))
            if not (self._incoming.pending or self._tls.pending()):
                return True
            return not self._take(memoryview(bytearray(1)))
        except Exception:  # noqa: BLE001 - whatever it is, the connection is of no use
            return False

    def check(self) -> None:
        """Look whether the certificates are still good; see `AbstractStream.check`."""
        if self._standing is not None:
            self._standing.check()

    def _take(self, into: memoryview) -> int:
        """Bytes of what TLS has been given; 0 if it needs more."""
        try:
            got = self._read(len(into), into)
        except ssl.SSLWantReadError:
            return 0
        except ssl.SSLError:
            self._say_why()
            raise
        if not got:
            raise EOFError("the connection was closed")
        return got

    def _feed(self, most: int, deadline: float | None) -> int:
        """Give TLS what comes next, and say how much that was."""
        if most <= 0:
            raise BrokenAnswer("it sends too many bytes that hold nothing")
        return self._incoming.write(self._plain.some(min(most, _LARGE_CHUNK), deadline))

    def _flush(self, deadline: float | None) -> None:
        if self._outgoing.pending:
            self._plain.send(memoryview(self._outgoing.read()), deadline)

    def _say_why(self) -> None:
        """Send the alert that TLS has written, if that takes no time."""
        with contextlib.suppress(OSError):
            self.raw.settimeout(0.0)
            self.raw.send(self._outgoing.read())
