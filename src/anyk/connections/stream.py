"""Bytes to and from the other end of a connection, whoever that is: the seam under a channel."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from abc import ABC, abstractmethod
from typing import final

__all__ = ["AbstractStream", "PlainStream", "close", "cut"]

_CHUNK = 1 << 20  # bytes between two looks at the clock
_NO_LINGERING = struct.pack("ii", 1, 0)


class AbstractStream(ABC):
    """A connection: bytes in both directions, each by a deadline on `time.monotonic`.

    A deadline is for the whole of what is sent or received, and None for never. After any
    exception the connection is of no use any more.
    """

    @property
    @abstractmethod
    def raw(self) -> socket.socket:
        """The connected socket, on which bytes travel as they are on the wire."""

    @abstractmethod
    def send(self, data: memoryview, deadline: float | None) -> None:
        """Send all bytes.

        Raises:
            OSError: if the other end is gone; a TimeoutError where the deadline is over.
        """

    @abstractmethod
    def receive(self, into: memoryview, deadline: float | None) -> None:
        """Receive as many bytes as there is room for.

        Raises:
            BrokenAnswer: if too much comes that holds none of them.
            EOFError: if the other end has closed the connection.
            OSError: if the connection is broken, or the deadline over.
        """

    @abstractmethod
    def silent(self) -> bool:
        """Whether the other end is there, as far as can be known, and has said nothing."""

    @abstractmethod
    def check(self) -> None:
        """Look whether the other end is still who it has shown to be.

        Raises:
            Stranger: if that is over.
        """


@final
class PlainStream(AbstractStream):
    """A connection that anybody on the way can read and change.

    Args:
        connection: a connected socket.

    Example:
        >>> import socket
        >>> from anyk.connections.stream import PlainStream
        >>> ours, theirs = (PlainStream(end) for end in socket.socketpair())
        >>> ours.send(memoryview(b"abc"), deadline=None)
        >>> room = bytearray(3)
        >>> theirs.receive(memoryview(room), deadline=None)
        >>> room
        bytearray(b'abc')
        >>> ours.raw.close(), theirs.raw.close()
        (None, None)
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        if connection.family in {socket.AF_INET, socket.AF_INET6}:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def raw(self) -> socket.socket:
        """The socket."""
        return self._socket

    def send(self, data: memoryview, deadline: float | None) -> None:
        """Send all bytes; see `AbstractStream.send`."""
        for start in range(0, len(data), _CHUNK):
            self._limit(deadline)
            self._socket.sendall(data[start : start + _CHUNK])

    def receive(self, into: memoryview, deadline: float | None) -> None:
        """Receive as many bytes as there is room for; see `AbstractStream.receive`."""
        while into:
            self._limit(deadline)
            got = self._socket.recv_into(into[:_CHUNK])
            if not got:
                raise EOFError("the connection was closed")
            into = into[got:]

    def some(self, most: int, deadline: float | None) -> bytes:
        """Receive what comes next, one byte at least.

        Raises:
            EOFError: if the other end has closed the connection.
            OSError: if the connection is broken, or the deadline over.
        """
        self._limit(deadline)
        got = self._socket.recv(most)
        if not got:
            raise EOFError("the connection was closed")
        return got

    def waiting(self, most: int) -> bytes:
        """Receive what is there already.

        Raises:
            EOFError: if the other end has closed the connection.
            OSError: if the connection is broken.
        """
        self._socket.settimeout(0.0)
        try:
            got = self._socket.recv(most)
        except BlockingIOError:
            return b""
        if not got:
            raise EOFError("the connection was closed")
        return got

    def silent(self) -> bool:
        """Whether the other end is there and has said nothing; see `AbstractStream.silent`."""
        try:
            return not self.waiting(1)
        except (OSError, EOFError):
            return False

    def check(self) -> None:
        """Nothing: nobody has shown anything."""

    def _limit(self, deadline: float | None) -> None:
        if deadline is None:
            self._socket.settimeout(None)
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        self._socket.settimeout(left)


def cut(connection: socket.socket) -> None:
    """End a connection under whoever uses it in another thread, who gets an error."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def close(connection: socket.socket, *, at_once: bool = False) -> None:
    """Close a connection. Harmless when called twice.

    Args:
        connection: as `AbstractStream.raw` is.
        at_once: throw away what is still on its way, and leave nothing to the kernel, which would
            try for minutes to send it to one who does not read.
    """
    if at_once:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
    cut(connection)  # also where a fork of this process has it
    connection.close()
