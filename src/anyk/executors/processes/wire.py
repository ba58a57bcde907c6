"""What travels between the master and a worker process.

To a worker: messages of one or more payloads. A payload is one pickle, with large arrays beside it
as raw bytes. The worker trusts the master. To the master: answers, each a header of JSON, raw bytes
and an end. The master never unpickles; anything odd in an answer is a `BrokenAnswer`, also where a
task has written something of its own into the pipe.
"""

from __future__ import annotations

import json
import math
import pickle
import struct

import numpy as np

from anyk.executors.core.answer_header import (
    LARGEST_ANSWER,
    LONGEST_HEADER,
    BrokenAnswer,
    parse_header,
)
from anyk.executors.core.run_task import Reply
from anyk.executors.processes.pickling import dumps
from anyk.executors.processes.pipe import Pipe

__all__ = [
    "Payload",
    "receive_answer",
    "receive_message",
    "send_answer",
    "send_message",
    "to_payload",
]

Payload = tuple["bytes | memoryview", ...]
"""One pickled value: the pickle, then the large arrays in it, as raw bytes."""

_SMALL = 1 << 14  # bytes up to which an array travels inside the pickle
_FRAME = struct.Struct("!4sQ")  # a mark and a length; or, at the end of an answer, its serial
_MARK, _END = b"anyk", b"done"


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

    def begin() -> None:
        frames.clear()

    pickled = dumps(value, begin, keep_inside)
    return (pickled, *frames)


def send_message(pipe: Pipe, *payloads: Payload) -> None:
    """Send payloads as one message: all pickles together, then the large arrays."""
    index = pickle.dumps(
        [(payload[0], [len(frame) for frame in payload[1:]]) for payload in payloads]
    )
    pipe.send(_FRAME.pack(_MARK, len(index)) + index)
    for payload in payloads:
        pipe.send(*payload[1:])


def receive_message(pipe: Pipe) -> list[Payload]:
    """Receive the payloads of one message, still pickled.

    Raises:
        EOFError: if the master has closed its end, or is gone.
    """
    _, size = _FRAME.unpack(pipe.receive(_FRAME.size))
    index = pickle.loads(pipe.receive(size))  # noqa: S301 - from the master
    return [(pickled, *(pipe.receive(each) for each in sizes)) for pickled, sizes in index]


def send_answer(
    pipe: Pipe,
    serial: int,
    reply: Reply,
) -> None:
    """Send the answer to the task with this serial number."""
    value, failure, seconds, _ = reply
    header: dict[str, object] = {"serial": serial, "seconds": seconds, "failure": failure}
    if value is None:
        header |= {"dtype": None, "shape": None}
    else:
        header |= {"dtype": value.dtype.str, "shape": value.shape}
    text = json.dumps(header).encode()
    pipe.send(_FRAME.pack(_MARK, len(text)) + text)
    if value is not None and value.size:
        pipe.send(value.reshape(-1).view(np.uint8).data)
    pipe.send(_FRAME.pack(_END, serial))


def receive_answer(pipe: Pipe, serial: int) -> Reply:
    """Receive the answer to the task with this serial number.

    Returns:
        (value, failure, seconds), one of the first two None; the value can't be written in.

    Raises:
        BrokenAnswer: if what comes is no answer.
        EOFError: if the worker is gone.
        OSError: if the worker is gone.
        TimeoutError: if the pipe's deadline is over.
    """
    mark, length = _FRAME.unpack(pipe.receive(_FRAME.size))
    if mark != _MARK or length > LONGEST_HEADER:
        raise BrokenAnswer("its frame does not begin as one")
    seconds, failure, dtype, shape = parse_header(bytes(pipe.receive(length)), serial)
    size = 0 if failure is not None else math.prod(shape) * dtype.itemsize
    if size > LARGEST_ANSWER:
        raise BrokenAnswer(f"it is larger than {LARGEST_ANSWER} bytes")
    body = pipe.receive(size)
    if pipe.receive(_FRAME.size) != _FRAME.pack(_END, serial):
        raise BrokenAnswer("its frame does not end as one")
    if failure is not None:
        return Reply(None, failure, seconds)
    try:
        value = np.frombuffer(body, dtype=dtype).reshape(shape)
    except ValueError:
        raise BrokenAnswer("its shape is more than an array can have") from None
    value.flags.writeable = False
    return Reply(value, None, seconds)
