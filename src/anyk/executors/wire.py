"""What travels between the master and a worker process.

To a worker: messages of one or more payloads. A payload is one pickle, with large arrays beside it
as raw frames. The worker trusts the master. To the master: answers, each a header of JSON and a
frame of raw bytes. The master never unpickles; anything odd in an answer is a `BrokenAnswer`.
"""

from __future__ import annotations

import json
import math
import pickle
import re
from multiprocessing.connection import Connection
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.executors.base import printable

__all__ = [
    "BrokenAnswer",
    "Payload",
    "parse_header",
    "receive_answer",
    "receive_message",
    "send_answer",
    "send_message",
    "to_payload",
]

Payload = tuple["bytes | memoryview", ...]
"""One pickled value: the pickle, then the large arrays in it, as raw frames."""

_SMALL = 1 << 14  # bytes up to which an array travels inside the pickle
_LONGEST_HEADER = 1 << 13  # bytes; a failure of 300 characters and 64 dimensions fit
_LARGEST_ANSWER = 1 << 32  # bytes
_DTYPE = re.compile(r"[<>=|][biufc][0-9]{1,2}")
_KEYS = {"serial", "seconds", "failure", "dtype", "shape"}


@final
class BrokenAnswer(Exception):  # noqa: N818 - it never leaves the executor
    """What came is no answer."""


def to_payload(value: object) -> Payload:
    """Pickle a value, leaving its large arrays outside, uncopied.

    Example:
        >>> from anyk.executors.wire import to_payload
        >>> pickled, array = to_payload(("share", np.zeros(10_000)))
        >>> len(array)
        80000
    """
    frames: list[memoryview] = []

    def keep_inside(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes > _SMALL:
            frames.append(raw)
        return raw.nbytes <= _SMALL

    pickled = pickle.dumps(value, protocol=5, buffer_callback=keep_inside)
    return (pickled, *frames)


def send_message(connection: Connection, *payloads: Payload) -> None:
    """Send payloads as one message: all pickles in one frame, then the large arrays."""
    connection.send_bytes(pickle.dumps([(payload[0], len(payload) - 1) for payload in payloads]))
    for payload in payloads:
        for frame in payload[1:]:
            connection.send_bytes(frame)


def receive_message(connection: Connection) -> list[Payload]:
    """Receive the payloads of one message, still pickled.

    Raises:
        EOFError: if the master has closed its end, or is gone.
    """
    return [
        (pickled, *(connection.recv_bytes() for _ in range(large)))
        for pickled, large in pickle.loads(connection.recv_bytes())  # noqa: S301 - from the master
    ]


def send_answer(
    connection: Connection,
    serial: int,
    seconds: float,
    value: NDArray[Any] | None,
    failure: str | None,
) -> None:
    """Send the answer to the task with this serial number."""
    header: dict[str, object] = {"serial": serial, "seconds": seconds, "failure": failure}
    if value is None:
        connection.send_bytes(json.dumps(header | {"dtype": None, "shape": None}).encode())
        return
    header |= {"dtype": value.dtype.str, "shape": value.shape}
    connection.send_bytes(json.dumps(header).encode())
    flat = value.reshape(-1)
    connection.send_bytes(flat.view(np.uint8).data if flat.size else b"")


def parse_header(frame: bytes, serial: int) -> tuple[float, str | None, np.dtype[Any], list[int]]:
    """Read the header of an answer, and believe nothing in it.

    Args:
        frame: the bytes that came.
        serial: number of the task that was sent.

    Returns:
        (seconds, failure, dtype, shape); dtype and shape mean nothing if there is a failure.

    Raises:
        BrokenAnswer: if anything is not as it must be.

    Example:
        >>> from anyk.executors.wire import parse_header
        >>> parse_header(
        ...     b'{"serial": 4, "seconds": 0.5, "failure": null, "dtype": "<f8", "shape": [3]}', 4
        ... )
        (0.5, None, dtype('float64'), [3])
    """
    try:
        header = json.loads(frame)
    except (ValueError, RecursionError):
        raise BrokenAnswer("its header is no JSON") from None
    if not isinstance(header, dict) or header.keys() != _KEYS:
        raise BrokenAnswer("its header has other keys")
    seconds, failure = header["seconds"], header["failure"]
    if type(header["serial"]) is not int or header["serial"] != serial:
        raise BrokenAnswer("it answers another task")
    if type(seconds) is not float or not (math.isfinite(seconds) and seconds >= 0):
        raise BrokenAnswer("its seconds are no time")
    if failure is not None:
        if not isinstance(failure, str):
            raise BrokenAnswer("its failure is no text")
        return seconds, printable(failure), np.dtype(np.float64), []
    return seconds, None, _parse_dtype(header["dtype"]), _parse_shape(header["shape"])


def _parse_dtype(text: object) -> np.dtype[Any]:
    if not isinstance(text, str) or not _DTYPE.fullmatch(text):
        raise BrokenAnswer("its dtype is none of numbers")
    try:
        return np.dtype(text)
    except TypeError:
        raise BrokenAnswer("its dtype is unknown") from None


def _parse_shape(shape: object) -> list[int]:
    if not isinstance(shape, list) or len(shape) > 64:  # noqa: PLR2004 - of any numpy
        raise BrokenAnswer("its shape is no short list")
    if not all(type(length) is int and 0 <= length <= _LARGEST_ANSWER for length in shape):
        raise BrokenAnswer("its shape is not of lengths")
    return shape


def receive_answer(
    connection: Connection, serial: int
) -> tuple[NDArray[Any] | None, str | None, float]:
    """Receive the answer to the task with this serial number.

    Returns:
        (value, failure, seconds), one of the first two None; the value can't be written in.

    Raises:
        BrokenAnswer: if what comes is no answer.
        EOFError: if the worker is gone.
        OSError: if a frame is longer than it may be, or the worker is gone.
    """
    header = connection.recv_bytes(_LONGEST_HEADER)
    seconds, failure, dtype, shape = parse_header(header, serial)
    if failure is not None:
        return None, failure, seconds
    size = math.prod(shape) * dtype.itemsize
    if size > _LARGEST_ANSWER:
        raise BrokenAnswer(f"it is larger than {_LARGEST_ANSWER} bytes")
    body = connection.recv_bytes(size)
    if len(body) != size:
        raise BrokenAnswer(f"it has {len(body)} bytes instead of {size}")
    try:
        return np.frombuffer(body, dtype=dtype).reshape(shape), None, seconds
    except ValueError:
        raise BrokenAnswer("its shape is more than an array can have") from None
