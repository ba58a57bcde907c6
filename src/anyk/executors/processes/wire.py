"""What travels between the master and a worker process.

To a worker: messages of one or more payloads. A payload is one pickle, with large arrays beside it
as raw bytes. The worker trusts the master. To the master: answers on shares, each a header of JSON,
raw bytes and an end, of which nothing is unpickled; and results of calls, which are, as they may be
of any type. Anything odd in either is a `BrokenAnswer`, also where a task has written something of
its own into the pipe.
"""

from __future__ import annotations

import json
import math
import pickle
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from anyk.connections.broken import BrokenAnswer
from anyk.executors.core.answer_header import LARGEST_ANSWER, LONGEST_HEADER, parse_header
from anyk.executors.core.raised import LONGEST_TRACEBACK, printable, with_source
from anyk.executors.core.run_task import Reply
from anyk.executors.processes.pickling import dumps
from anyk.executors.processes.pipe import Pipe

__all__ = [
    "Payload",
    "keep_small",
    "load",
    "message",
    "receive_answer",
    "receive_message",
    "receive_results",
    "send_answer",
    "send_message",
    "send_results",
    "to_payload",
]

Payload = tuple["bytes | memoryview", ...]
"""One pickled value: the pickle, then the large arrays in it, as raw bytes."""

_SMALL = 1 << 14  # bytes up to which an array travels inside the pickle
_LONGEST_TRACEBACK = 4 * LONGEST_TRACEBACK  # bytes of that many characters
_FRAME = struct.Struct("!4sQ")  # a mark and a length; or, at the end of an answer, its serial
_MARK, _TRACEBACK, _END = b"anyk", b"from", b"done"


def to_payload(value: object) -> Payload:
    """Pickle a value, leaving its large arrays outside, uncopied.

    Example:
        >>> from anyk.executors.processes.wire import to_payload
        >>> pickled, array = to_payload(("share", np.zeros(10_000)))
        >>> len(array)
        80000
    """
    frames: list[memoryview] = []
    pickled = dumps(value, frames.clear, keep_small(frames))
    return (pickled, *frames)


def load(payload: Payload) -> Any:
    """The value of a payload, which comes from somebody who is trusted.

    Raises:
        Exception: whatever unpickling raises.
    """
    return pickle.loads(payload[0], buffers=payload[1:])  # noqa: S301 - who calls this trusts it


def keep_small(frames: list[memoryview]) -> Callable[[pickle.PickleBuffer], bool]:
    """What keeps small arrays inside a pickle, and appends the memory of large ones to a list."""

    def keep_inside(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes > _SMALL:
            frames.append(raw)
        return raw.nbytes <= _SMALL

    return keep_inside


def send_message(pipe: Pipe, *payloads: Payload) -> None:
    """Send payloads as one message: all small pickles together, then what is large."""
    pipe.send(*message(*payloads))


def message(*payloads: Payload) -> list[bytes | memoryview]:
    """The bytes of a message with these payloads."""
    index: list[tuple[bytes | memoryview | None, list[int]]] = []
    large: list[bytes | memoryview] = []
    for pickled, *frames in payloads:
        beside = frames if len(pickled) <= _SMALL else [pickled, *frames]
        index.append((None if beside is not frames else pickled, [len(each) for each in beside]))
        large += beside
    head = pickle.dumps(index)
    return [_FRAME.pack(_MARK, len(head)) + head, *large]


def receive_message(pipe: Pipe) -> list[Payload]:
    """Receive the payloads of one message, still pickled.

    Raises:
        EOFError: if the master has closed its end, or is gone.
    """
    _, size = _FRAME.unpack(pipe.receive(_FRAME.size))
    return _payloads(pipe, pickle.loads(pipe.receive(size)))  # noqa: S301 - from the master


def _payloads(pipe: Pipe, index: list[tuple[Any, list[int]]]) -> list[Payload]:
    payloads: list[Payload] = []
    for pickled, sizes in index:
        beside = tuple(pipe.receive(each) for each in sizes)
        payloads.append(beside if pickled is None else (pickled, *beside))
    return payloads


def send_results(pipe: Pipe, serial: int, *payloads: Payload) -> None:
    """Send what came of the batch with this serial number."""
    pipe.send(*message(*payloads), _FRAME.pack(_END, serial))


def receive_results(pipe: Pipe, serial: int) -> list[Payload]:
    """Receive what came of the batch with this serial number, still pickled.

    Raises:
        BrokenAnswer: if what comes is nothing of the kind.
        EOFError: if the worker is gone.
        OSError: if the worker is gone.
        TimeoutError: if the pipe's deadline is over.
    """
    mark, length = _FRAME.unpack(pipe.receive(_FRAME.size))
    if mark != _MARK or length > LARGEST_ANSWER:
        raise BrokenAnswer("its frame does not begin as one")
    try:
        index = pickle.loads(pipe.receive(length))  # noqa: S301 - these workers are trusted
        payloads = _payloads(pipe, index)
    except (pickle.UnpicklingError, TypeError, ValueError) as error:
        raise BrokenAnswer("its frame is none") from error
    if pipe.receive(_FRAME.size) != _FRAME.pack(_END, serial):
        raise BrokenAnswer("its frame does not end as one")
    return payloads


def send_answer(pipe: Pipe, serial: int, reply: Reply) -> None:
    """Send the answer to the task with this serial number; a failure's with its traceback."""
    value, failure, seconds, traceback = reply
    header: dict[str, object] = {"serial": serial, "seconds": seconds, "failure": failure}
    if value is None:
        header |= {"dtype": None, "shape": None}
    else:
        header |= {"dtype": value.dtype.str, "shape": value.shape}
    text = json.dumps(header).encode()
    pipe.send(_FRAME.pack(_MARK, len(text)) + text)
    if failure is not None:
        lines = traceback.encode(errors="replace")
        pipe.send(_FRAME.pack(_TRACEBACK, len(lines)) + lines)
    elif value is not None and value.size:
        pipe.send(value.reshape(-1).view(np.uint8).data)
    pipe.send(_FRAME.pack(_END, serial))


def receive_answer(pipe: Pipe, serial: int) -> Reply:
    """Receive the answer to the task with this serial number.

    Returns:
        The value can't be written in.

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
    traceback = "" if failure is None else _receive_traceback(pipe)
    size = 0 if failure is not None else math.prod(shape) * dtype.itemsize
    if size > LARGEST_ANSWER:
        raise BrokenAnswer(f"it is larger than {LARGEST_ANSWER} bytes")
    body = pipe.receive(size)
    if pipe.receive(_FRAME.size) != _FRAME.pack(_END, serial):
        raise BrokenAnswer("its frame does not end as one")
    if failure is not None:
        return Reply(None, failure, seconds, traceback)
    try:
        value = np.frombuffer(body, dtype=dtype).reshape(shape)
    except ValueError:
        raise BrokenAnswer("its shape is more than an array can have") from None
    value.flags.writeable = False
    return Reply(value, None, seconds)


def _receive_traceback(pipe: Pipe) -> str:
    mark, length = _FRAME.unpack(pipe.receive(_FRAME.size))
    if mark != _TRACEBACK or length > _LONGEST_TRACEBACK:
        raise BrokenAnswer("its traceback is none")
    text = bytes(pipe.receive(length)).decode(errors="replace")
    return with_source("\n".join(printable(line) for line in text.split("\n")))
