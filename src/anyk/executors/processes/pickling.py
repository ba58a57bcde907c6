"""How a task is pickled: by name where a worker can import it, and else with its code."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from types import FunctionType
from typing import Any, final

from anyk.executors.processes.importable import importable

__all__ = ["dumps"]

OutOfBand = Callable[[pickle.PickleBuffer], bool]
"""Says of a buffer whether it stays inside the pickle, as `pickle.Pickler` wants it."""

_PROTOCOL = 5


def dumps(value: object, begin: Callable[[], None], out_of_band: OutOfBand) -> bytes:
    """Pickle a value that a worker process unpickles.

    Functions and classes of importable modules go by name, as pickle has it. Those of a script, a
    notebook or an interactive session, lambdas and closures go with their code and with what they
    refer to, as cloudpickle has it.

    Args:
        value: what to pickle.
        begin: called before each of at most two attempts.
        out_of_band: of `pickle.Pickler`.

    Raises:
        Exception: whatever pickling raises, if it can't be done either way.

    Example:
        >>> import pickle
        >>> from anyk.executors.processes.pickling import dumps
        >>> pickle.loads(dumps(lambda x: 3 * x, list, bool))(14)
        42
    """
    begin()
    stream = io.BytesIO()
    try:
        _ByName(stream, protocol=_PROTOCOL, buffer_callback=out_of_band).dump(value)
    except Exception:  # noqa: BLE001 - user types raise what they like, and the second try says why
        from anyk.executors.processes.by_value import dump  # noqa: PLC0415 - is rarely needed

        begin()
        stream = io.BytesIO()
        dump(value, stream, protocol=_PROTOCOL, buffer_callback=out_of_band)
    return stream.getvalue()


@final
class _OnlyByValue(Exception):  # noqa: N818 - it never leaves this file
    """A function or class that no other process can import."""


@final
class _ByName(pickle.Pickler):
    """Pickle's own way, as long as a worker could unpickle what comes of it."""

    def reducer_override(self, obj: Any) -> Any:
        """Leave everything to pickle, but for what can't be imported elsewhere."""
        named = isinstance(obj, (FunctionType, type)) or hasattr(type(obj), "cache_parameters")
        if named and not importable(str(obj.__module__)):
            raise _OnlyByValue
        return NotImplemented
