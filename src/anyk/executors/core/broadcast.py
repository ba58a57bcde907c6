"""Constants that stay on the workers: sent once, and named by a handle afterwards."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Self, final

from anyk.errors import ExecutorError

__all__ = ["Broadcast", "Broadcasts", "Unreadable", "forget", "keep", "kept", "unwrapped"]

_values: dict[str, Any] = {}  # of this process, by key
_lock = threading.Lock()
_handles: weakref.WeakSet[Broadcast] = weakref.WeakSet()  # that there are in this process


def keep(key: str, value: Any) -> None:
    """Let this process hold a constant."""
    with _lock:
        _values[key] = value


def forget(key: str) -> None:
    """Let this process hold a constant no more. Harmless when called twice."""
    with _lock:
        _values.pop(key, None)


def kept(key: str) -> bool:
    """Whether this process holds a constant."""
    return key in _values


@final
class Unreadable:
    """Stands for a constant that a worker could not unpickle.

    Args:
        reason: why not.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason


@final
class Broadcast:
    """A constant that every worker holds; made by `executor.broadcast(value)`.

    As an argument of `anyk.run`, `anyk.map` or `distribute(...).run`, also in a list, a tuple, a
    dict or a `functools.partial`, the function is called with the value itself. In a closure or in
    an object of yours, write `.value`. A worker has one for all its calls: do not
    write in it. The handle travels in a few bytes, whatever the size of the value.

    Args:
        key: by which workers know it.
        release: called once, to let the workers forget it; None for one that came to a worker.

    Example:
        >>> with anyk.Threads(2) as executor:
        ...     table = executor.broadcast({"a": 1, "b": 2})
        ...     anyk.map(lambda k, table: table[k], "ba", executor, kwargs={"table": table}).value
        [2, 1]
    """

    def __init__(self, key: str, release: Callable[[str], None] | None = None) -> None:
        self.key = key
        self._release = release
        _handles.add(self)

    @property
    def value(self) -> Any:
        """The constant.

        Raises:
            ExecutorError: if it was released, or is another executor's.
        """
        try:
            value = _values[self.key]
        except KeyError:
            raise ExecutorError(
                "this constant is not here: it was released, or is of another executor; make it "
                "with .broadcast of the executor that runs the function."
            ) from None
        if isinstance(value, Unreadable):
            raise ExecutorError(f"this constant can't be unpickled here ({value.reason}).")
        return value

    def release(self) -> None:
        """Let the workers forget it. Harmless when called twice."""
        release, self._release = self._release, None
        if release is not None:
            release(self.key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"a Broadcast has no {name}: write .value.{name} where it is no argument of its own"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return Broadcast, (self.key,)

    def __repr__(self) -> str:
        state = type(_values[self.key]).__name__ if kept(self.key) else "not here"
        return f"<Broadcast: {state}>"


@final
class Broadcasts:
    """The constants of one executor, held in the master's process too.

    Args:
        name: of the executor's class.
        send: called with the key and the value of a new one, before its handle is given out.
        drop: called with the key of one that was released.

    Example:
        >>> from anyk.executors.core.broadcast import Broadcasts
        >>> constants = Broadcasts("Threads")
        >>> handle = constants.add("a table")
        >>> handle.value, constants.keys == {handle.key}
        ('a table', True)
        >>> constants.close()
        >>> handle
        <Broadcast: not here>
    """

    def __init__(
        self,
        name: str,
        send: Callable[[str, Any], None] | None = None,
        drop: Callable[[str], None] | None = None,
    ) -> None:
        self._name, self._send, self._drop = name, send, drop
        self._closed = False
        self.keys: set[str] = set()

    def add(self, value: Any) -> Broadcast:
        """Hold a constant, and send it.

        Raises:
            ExecutorError: if the executor is closed.
        """
        if self._closed:
            raise ExecutorError(f"this {self._name} executor is closed; make a new one.")
        key = os.urandom(16).hex()
        if self._send is not None:
            self._send(key, value)
        keep(key, value)
        self.keys.add(key)
        return Broadcast(key, self._remove)

    def close(self) -> None:
        """Forget all, and take no more. Harmless when called twice."""
        self._closed = True
        for key in tuple(self.keys):
            self.keys.discard(key)
            forget(key)

    def _remove(self, key: str) -> None:
        if key in self.keys:
            self.keys.discard(key)
            forget(key)
            if self._drop is not None:
                self._drop(key)


def unwrapped(value: Any) -> Any:
    """A value in which constants stand instead of their handles.

    Args:
        value: handles are looked for in it, and in the lists, tuples, dicts and partials within.

    Example:
        >>> from anyk.executors.core.broadcast import unwrapped
        >>> with anyk.Inline(1) as executor, executor.broadcast(5) as handle:
        ...     unwrapped([1, {"five": handle}])
        [1, {'five': 5}]
    """
    if not _handles:
        return value
    from anyk.executors.core.within import exchanged  # noqa: PLC0415 - where there are constants

    return exchanged(value, _opened)


def _opened(value: Any) -> Any:
    return value.value if isinstance(value, Broadcast) else value
