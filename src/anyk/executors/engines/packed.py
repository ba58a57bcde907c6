"""A value that is pickled only if it leaves this process, and then once for all workers."""

from __future__ import annotations

import threading
from typing import Any, final

import numpy as np

from anyk.executors.processes.wire import Payload, load, to_payload

__all__ = ["Frames", "Packed", "frames", "payload"]

Frames = tuple[Any, ...]
"""A pickle, then the large arrays in it, as arrays of bytes."""


@final
class Packed:
    """A value on its way to workers of which nobody knows how they are sent it.

    Within this process it stays what it is. Where an engine pickles it, functions and classes that
    others can't import go with their code, whatever pickle the engine has, and it is unpickled by
    whoever wants the value: what can't be unpickled there breaks nothing else.

    Args:
        value: what is sent.

    Example:
        >>> import pickle
        >>> from anyk.executors.engines.packed import Packed
        >>> pickle.loads(pickle.dumps(Packed(lambda x: 3 * x))).value(14)
        42
    """

    def __init__(self, value: object) -> None:
        self._lock = threading.Lock()
        self._value = value
        self._frames: Frames | None = None

    @property
    def value(self) -> Any:
        """The value; on a worker of another process, made at every call.

        Raises:
            Exception: whatever unpickling raises.
        """
        return self._value

    @property
    def frames(self) -> Frames:
        """The value, pickled.

        Raises:
            Exception: whatever pickling raises.
        """
        with self._lock:  # each worker's engine may pickle it in a thread of its own
            if self._frames is None:
                self._frames = frames(to_payload(self._value))
            return self._frames

    def __reduce__(self) -> tuple[Any, ...]:
        return _Arrived, (self.frames,)


@final
class _Arrived:
    """What a worker has of it."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    @property
    def value(self) -> Any:
        return load(payload(self._frames))


def frames(payload: Payload) -> Frames:
    """A payload that every pickle can send."""
    return tuple(
        bytes(each) if place == 0 else np.frombuffer(each, np.uint8)
        for place, each in enumerate(payload)
    )


def payload(frames: Frames) -> Payload:
    """The payload again, in whose arrays can be written."""
    pickled, *large = frames
    own = (each if each.flags.writeable else each.copy() for each in large)
    return (pickled, *(each.data for each in own))
