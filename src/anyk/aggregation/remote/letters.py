"""What travels between a server and an aggregator: eight bytes of a length, and so many bytes."""

from __future__ import annotations

import struct
from typing import Final

from anyk.connections.broken import BrokenAnswer
from anyk.connections.stream import AbstractStream

__all__ = ["PROTOCOL", "receive_length", "receive_rest", "send"]

PROTOCOL: Final = "anyk-aggregation/1"
"""What both speak above TLS."""

_LENGTH = struct.Struct(">Q")
_SMALL = 1 << 14  # bytes up to which a letter is sent together with its length


def send(stream: AbstractStream, letter: bytes, deadline: float | None) -> None:
    """Send one letter.

    Args:
        stream: the connection.
        letter: any bytes.
        deadline: on `time.monotonic`, for all of it; None for never.

    Raises:
        Stranger: if the other end is not to be believed any more.
        OSError: if it is gone; a TimeoutError where the deadline is over.

    Example:
        >>> import socket
        >>> from anyk.aggregation.remote import letters
        >>> from anyk.connections.stream import PlainStream
        >>> ours, theirs = (PlainStream(end) for end in socket.socketpair())
        >>> letters.send(ours, b"abc", None)
        >>> length = letters.receive_length(theirs, 100, None)
        >>> letters.receive_rest(theirs, length, None)
        b'abc'
        >>> ours.raw.close(), theirs.raw.close()
        (None, None)
    """
    stream.check()
    length = _LENGTH.pack(len(letter))
    if len(letter) > _SMALL:
        stream.send(memoryview(length), deadline)
        stream.send(memoryview(letter), deadline)
    else:
        stream.send(memoryview(length + letter), deadline)


def receive_length(stream: AbstractStream, longest: int, deadline: float | None) -> int:
    """Receive how long the next letter is, if it may be so long.

    Args:
        stream: the connection.
        longest: bytes of a letter.
        deadline: on `time.monotonic`; None for never.

    Raises:
        BrokenAnswer: if it is longer.
        Stranger: if the other end is not to be believed any more.
        EOFError: if it has closed the connection.
        OSError: if the connection is broken, or the deadline over.
    """
    start = bytearray(_LENGTH.size)
    stream.receive(memoryview(start), deadline)
    stream.check()  # now: it may have been waited for, for hours
    (length,) = _LENGTH.unpack(start)
    if length > longest:
        raise BrokenAnswer(f"it has {length} bytes, more than {longest}")
    return int(length)


def receive_rest(stream: AbstractStream, length: int, deadline: float | None) -> bytes:
    """Receive a letter of this length, for which there is room.

    Args:
        stream: the connection.
        length: bytes.
        deadline: on `time.monotonic`, for all of it; None for never.

    Raises:
        BrokenAnswer: if too much comes that holds none of them.
        EOFError: if the other end has closed the connection.
        OSError: if the connection is broken, or the deadline over.
    """
    letter = bytearray(length)
    stream.receive(memoryview(letter), deadline)
    return bytes(letter)
