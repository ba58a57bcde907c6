"""What travels between a master and Dask workers: pickles, with the memory of arrays beside."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from anyk.errors import InvalidArgument
from anyk.executors.core.raised import describe
from anyk.wording import missing_extra

__all__ = ["OPERATION", "Frames", "library", "packed", "sendable", "size_of", "unpacked", "wrapped"]

OPERATION = "anyk"
"""Of a message that opens a session with a worker."""

Frames = tuple[Any, ...]
"""One pickled value: the pickle, then the memory of the arrays in it, as arrays of bytes."""


def library() -> Any:
    """`distributed`, if it is installed.

    Raises:
        ImportError: if it is not.
    """
    try:
        import distributed  # noqa: PLC0415 - import anyk must not need it
    except ImportError as error:
        raise missing_extra("anyk.Dask needs dask.distributed", "dask") from error
    return distributed


def packed(value: object) -> Frames:
    """A value as frames, by Dask's pickle; arrays are not copied."""
    dumps: Any = library().protocol.pickle.dumps  # cloudpickle where it is needed
    buffers: list[pickle.PickleBuffer] = []
    pickled = dumps(value, buffer_callback=buffers.append, protocol=5)
    return (pickled, *(np.frombuffer(buffer.raw(), dtype=np.uint8) for buffer in buffers))


def wrapped(frames: Frames) -> list[Any]:
    """Frames in a message."""
    to_serialize: Any = library().protocol.to_serialize
    return [to_serialize(each) for each in frames]


def size_of(message: Mapping[str, Any]) -> int:
    """Bytes of the frames in a message."""
    frames = (each.data for each in message.get("frames", ()))
    return sum(each.nbytes if isinstance(each, np.ndarray) else len(each) for each in frames)


def unpacked(frames: Sequence[Any], *, copy: bool = False) -> Any:
    """What was packed; with arrays of its own, where they are shared or can't be written in."""
    buffers = [each.copy() if copy or not each.flags.writeable else each for each in frames[1:]]
    return pickle.loads(frames[0], buffers=buffers)  # noqa: S301 - workers are trusted, and the master


def sendable(name: str, value: object) -> Frames:
    """A value, packed.

    Args:
        name: of the argument that has it.
        value: what must be sent.

    Raises:
        InvalidArgument: if it can't be pickled.
    """
    try:
        return packed(value)
    except Exception as error:
        raise InvalidArgument(
            name,
            given=f"one that, or what is in it, Dask can't pickle ({describe(error)})",
            needed="functions and items that cloudpickle can send",
            change="Leave out locks, files and connections.",
        ) from error
