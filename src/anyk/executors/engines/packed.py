"""A value that is pickled only if it leaves this process, and then once for all workers."""

from __future__ import annotations

import pickle
import threading
from typing import Any, final

import numpy as np

from anyk.executors.processes.wire import Payload, to_payload

__all__ = ["Packed"]


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
        self._payload: Payload | None = None

    @property
    def value(self) -> Any:
        """The value; on a worker of another process, made at every call.

        Raises:
            Exception: whatever unpickling raises.
        """
        return self._value

    def __reduce__(self) -> tuple[Any, ...]:
        with self._lock:  # each worker's engine may pickle it in a thread of its own
            if self._payload is None:
                self._payload = to_payload(self._value)
        pickled, *large = self._payload
        return _Arrived, (pickled, [np.frombuffer(each, np.uint8) for each in large])


@final
class _Arrived:
    """What a worker has of it."""

    def __init__(self, pickled: bytes, large: list[Any]) -> None:
        self._pickled, self._large = pickled, large

    @property
    def value(self) -> Any:
        return pickle.loads(self._pickled, buffers=self._large)  # noqa: S301 - the master is trusted
