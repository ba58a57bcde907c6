"""What travels between the master and a worker process.

To a worker: messages of one or more payloads. A payload is one pickle, with large arrays beside it
as raw frames. The worker trusts the master. To the master: answers, each a header of JSON and a
frame of raw bytes. The master never unpickles; anything odd in an answer is a `BrokenAnswer`.
"""

from __future__ import annotations

import json
import math
import pickle
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.executors.core.answer_header import (
    LARGEST_ANSWER,
    LONGEST_HEADER,
    BrokenAnswer,
    parse_header,
)
from anyk.executors.core.run_task import Reply

__all__ = [
    "Payload",
    "receive_answer",
    "receive_message",
    "send_answer",
    "send_message",
    "to_payload",
]

Payload = tuple["bytes | memoryview", ...]
"""One pickled value: the pickle, then the large arrays in it, as raw frames."""

_SMALL = 1 << 14  # bytes up to which an array travels inside the pickle


def to_payload(value: object) -> Payload:
    """Pickle a value, leaving its large arrays outside, uncopied.

    Example:
        >>> from anyk.executors.processes.wire import to_payload
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
    value: NDArray[Any] | None,
    failure: str | None,
    seconds: float,
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


def receive_answer(connection: Connection, serial: int) -> Reply:
    """Receive the answer to the task with this serial number.

    Returns:
        (value, failure, seconds), one of the first two None; the value can't be written in.

    Raises:
        BrokenAnswer: if what comes is no answer.
        EOFError: if the worker is gone.
        OSError: if a frame is longer than it may be, or the worker is gone.
    """
    header = connection.recv_bytes(LONGEST_HEADER)
    seconds, failure, dtype, shape = parse_header(header, serial)
    if failure is not None:
        return None, failure, seconds
    size = math.prod(shape) * dtype.itemsize
    if size > LARGEST_ANSWER:
        raise BrokenAnswer(f"it is larger than {LARGEST_ANSWER} bytes")
    body = connection.recv_bytes(size)
    if len(body) != size:
        raise BrokenAnswer(f"it has {len(body)} bytes instead of {size}")
    try:
        return np.frombuffer(body, dtype=dtype).reshape(shape), None, seconds
    except ValueError:
        raise BrokenAnswer("its shape is more than an array can have") from None
