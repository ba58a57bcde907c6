"""Functions and classes that travel with their code; a file of its own, as it loads cloudpickle."""

from __future__ import annotations

import functools
import io
import sys
import threading
from collections.abc import Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, final

import cloudpickle  # type: ignore[import-untyped]

from anyk.executors.processes.importable import importable

__all__ = ["dump"]

_Cached = type(functools.cache(abs))  # its own way to be pickled is a name
_HIDDEN = "<dynamic-code>"
_lock = threading.Lock()  # what is registered is so for the whole process


def dump(value: object, stream: io.BytesIO, **options: Any) -> None:
    """Pickle a value, by value what another process can't import.

    Args:
        value: what to pickle.
        stream: where to.
        options: of `cloudpickle.Pickler`.

    Raises:
        Exception: whatever pickling raises.

    Example:
        >>> import io, pickle
        >>> from anyk.executors.processes.by_value import dump
        >>> stream, factor = io.BytesIO(), 3
        >>> dump(lambda x: factor * x, stream)
        >>> pickle.loads(stream.getvalue())(14)
        42
    """
    with _lock:
        pickler = _ByValue(stream, **options)
        try:
            pickler.dump(value)
        finally:
            for module in pickler.registered:
                cloudpickle.unregister_pickle_by_value(module)


def _cached(function: Any, parameters: Mapping[str, Any]) -> Any:
    return functools.lru_cache(**parameters)(function)


@final
class _ByValue(cloudpickle.Pickler):  # type: ignore[misc]
    """Cloudpickle's way, also for modules that exist in this process alone."""

    def __init__(self, stream: io.BytesIO, **options: Any) -> None:
        cloudpickle.Pickler.__init__(self, stream, **options)
        self.registered: list[Any] = []

    def reducer_override(self, obj: Any) -> Any:
        """Let cloudpickle know of modules that others can't import, before it looks."""
        if isinstance(obj, (FunctionType, type, ModuleType)):
            name = str(obj.__name__ if isinstance(obj, ModuleType) else obj.__module__)
            if name != "__main__" and name in sys.modules and not importable(name):
                self._register(name)
        if isinstance(obj, CodeType):  # cloudpickle hides the file, which tracebacks tell
            make, about, *more = self.dispatch_table[CodeType](obj)
            about = tuple(obj.co_filename if each == _HIDDEN else each for each in about)
            return make, about, *more
        if isinstance(obj, _Cached) and not importable(str(obj.__module__)):
            return _cached, (obj.__wrapped__, obj.cache_parameters())
        return cloudpickle.Pickler.reducer_override(self, obj)

    def _register(self, name: str) -> None:
        if name not in cloudpickle.list_registry_pickle_by_value():
            cloudpickle.register_pickle_by_value(sys.modules[name])
            self.registered.append(sys.modules[name])
