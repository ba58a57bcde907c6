"""What travels between a master and a remote worker: a header of JSON, then arrays as raw bytes.

A message is four bytes that say how long its header is, the header, and the bytes of the arrays
that the header describes, each in C order and little-endian. Whoever reads knows a limit and a
deadline for each part before it reads it, and reads nothing that is not numbers.
"""

from __future__ import annotations

import json
import math
import socket
import struct
from collections.abc import Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.connections.broken import BrokenAnswer
from anyk.connections.stream import AbstractStream, PlainStream, close, cut

__all__ = [
    "LONGEST_REQUEST",
    "PROTOCOL",
    "Channel",
    "Spec",
    "as_sent",
    "numbers",
    "parse_specs",
    "size_of",
    "specs_of",
]

LONGEST_REQUEST = 1 << 22
"""Bytes of the header of a request."""

PROTOCOL = "anyk/1"
"""What a master and a worker speak above TLS."""

Spec = tuple[np.dtype[Any], tuple[int, ...]]
"""The dtype and shape of an array that follows a header."""

_LENGTH = struct.Struct(">I")
_SMALL = 1 << 14  # bytes up to which an array is sent together with what is before it
_SCRAP = 1 << 20  # bytes that are thrown away at a time
_MOST_AXES = 32
_NAMES = "|b1 |i1 |u1 <i2 <u2 <f2 <i4 <u4 <f4 <i8 <u8 <f8 <c8 <c16"
_DTYPES = {name: np.dtype(name) for name in _NAMES.split()}


def numbers(dtype: np.dtype[Any]) -> bool:
    """Whether arrays of this dtype travel: booleans, integers, floats, complex, up to 64 bits.

    Example:
        >>> from anyk.executors.remote.frames import numbers
        >>> numbers(np.dtype(">f4")), numbers(np.dtype(object)), numbers(np.dtype(np.longdouble))
        (True, False, False)
    """
    return dtype.newbyteorder("<").str in _DTYPES


def as_sent(array: NDArray[Any]) -> NDArray[Any]:
    """An array as its bytes travel: C order, little-endian; the same one if it is so already."""
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def specs_of(arrays: Sequence[NDArray[Any]]) -> list[list[Any]]:
    """What a header says of the arrays that follow it: [dtype, shape] of each.

    Example:
        >>> from anyk.executors.remote.frames import specs_of
        >>> specs_of([np.zeros((2, 3), np.float32)])
        [['<f4', [2, 3]]]
    """
    return [[array.dtype.str, list(array.shape)] for array in arrays]


def parse_specs(given: object) -> list[Spec]:
    """The other direction, of a header that anybody may have written.

    Raises:
        BrokenAnswer: if it describes no arrays of numbers.

    Example:
        >>> from anyk.executors.remote.frames import parse_specs
        >>> parse_specs([["<f4", [2, 3]]])
        [(dtype('float32'), (2, 3))]
    """
    if not isinstance(given, list):
        raise BrokenAnswer("its arrays are no list")
    specs = []
    for each in given:
        if not isinstance(each, list) or len(each) != 2:  # noqa: PLR2004 - dtype and shape
            raise BrokenAnswer("an array of it has no dtype and shape")
        name, shape = each
        if not isinstance(name, str) or name not in _DTYPES:
            raise BrokenAnswer("an array of it has a dtype that does not travel")
        if not isinstance(shape, list) or len(shape) > _MOST_AXES:
            raise BrokenAnswer("an array of it has no shape")
        if not all(type(length) is int and 0 <= length < 1 << 48 for length in shape):
            raise BrokenAnswer("an array of it has a shape that is none")
        specs.append((_DTYPES[name], tuple(shape)))
    return specs


def size_of(specs: Sequence[Spec]) -> int:
    """Bytes of arrays that are described and not there yet."""
    return sum(math.prod(shape) * dtype.itemsize for dtype, shape in specs)


@final
class Channel:
    """One connection to somebody who may be anybody.

    Deadlines are on `time.monotonic`, and for the whole of a part: who sends a byte a minute does
    not push it forward. After any exception the connection is of no use any more.

    Args:
        connection: a stream, or a connected socket without TLS; the channel's from now on.

    Example:
        >>> import socket
        >>> from anyk.executors.remote.frames import Channel
        >>> ours, theirs = (Channel(end) for end in socket.socketpair())
        >>> ours.send({"verb": "hold"}, [np.array([5, 6])], deadline=None)
        >>> theirs.receive_header(100, deadline=None)
        b'{"verb": "hold"}'
        >>> theirs.receive_array((np.dtype("<i8"), (2,)), deadline=None)
        array([5, 6])
        >>> ours.close(), theirs.close()
        (None, None)
    """

    def __init__(self, connection: socket.socket | AbstractStream) -> None:
        self._stream = (
            PlainStream(connection) if isinstance(connection, socket.socket) else connection
        )

    def send(
        self, header: dict[str, Any], arrays: Sequence[NDArray[Any]], deadline: float | None
    ) -> None:
        """Send one message.

        Args:
            header: what JSON can say.
            arrays: as `as_sent` makes them.
            deadline: when to give up; None for never.

        Raises:
            Stranger: if the other end is not to be believed any more.
            OSError: if the other end is gone; a TimeoutError where the deadline is over.
        """
        self._stream.check()
        text = json.dumps(header).encode()
        together = bytearray(_LENGTH.pack(len(text)) + text)
        for array in arrays:
            if array.nbytes > _SMALL:
                self._stream.send(memoryview(together), deadline)
                together = bytearray()
                self._stream.send(array.reshape(-1).view(np.uint8).data, deadline)
            else:
                together += array.tobytes()
        self._stream.send(memoryview(together), deadline)

    def receive_header(self, longest: int, deadline: float | None) -> bytes:
        """Receive a header, if it is not longer than it may be.

        Raises:
            BrokenAnswer: if it is.
            Stranger: if the other end is not to be believed any more.
            EOFError: if the other end has closed the connection.
            OSError: if the connection is broken, or the deadline over.
        """
        start = bytearray(_LENGTH.size)
        self._stream.receive(memoryview(start), deadline)
        self._stream.check()  # now: it may have been waited for, for hours
        (length,) = _LENGTH.unpack(start)
        if length > longest:
            raise BrokenAnswer(f"its header has {length} bytes, more than {longest}")
        text = bytearray(length)
        self._stream.receive(memoryview(text), deadline)
        return bytes(text)

    def receive_array(self, spec: Spec, deadline: float | None) -> NDArray[Any]:
        """Receive an array of a dtype and a shape that the caller has found acceptable.

        Raises:
            BrokenAnswer: if the shape is more than an array can have, or a boolean is none.
            EOFError: if the other end has closed the connection.
            OSError: if the connection is broken, or the deadline over.
        """
        dtype, shape = spec
        try:
            array = np.empty(shape, dtype)
        except ValueError:
            raise BrokenAnswer("its shape is more than an array can have") from None
        if array.size:
            flat = array.reshape(-1).view(np.uint8)
            self._stream.receive(flat.data, deadline)
            if dtype.kind == "b" and flat.max() > 1:
                raise BrokenAnswer("it has booleans that are neither true nor false")
        return array

    def skip(self, size: int, deadline: float | None) -> None:
        """Read so many bytes and throw them away."""
        scrap = memoryview(bytearray(min(size, _SCRAP)))
        while size:
            part = scrap[: min(size, _SCRAP)]
            self._stream.receive(part, deadline)
            size -= len(part)

    def silent(self) -> bool:
        """Whether the other end is there, as far as can be known, and has said nothing."""
        return self._stream.silent()

    def cut(self) -> None:
        """End the connection under whoever uses it in another thread, who gets an error."""
        cut(self._stream.raw)

    def close(self, *, at_once: bool = False) -> None:
        """Close the connection; see `connections.stream.close`. Harmless when called twice."""
        close(self._stream.raw, at_once=at_once)
