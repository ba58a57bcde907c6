"""Functions of a script or notebook, in the processes that a task starts with multiprocessing."""

from __future__ import annotations

import io
import pickle
import sys
from multiprocessing.reduction import ForkingPickler
from types import FunctionType
from typing import Any

from anyk.executors.processes.importable import importable

__all__ = ["share_functions"]


def share_functions() -> None:
    """Let multiprocessing send functions and classes that came here with their code.

    A function of the master's script or notebook is in no module of a worker, so that pickle finds
    it nowhere when a task hands it to a pool. Here, it goes on with its code. Processes that
    receive one send theirs likewise. Harmless when called twice.

    Example:
        >>> def half(x):
        ...     return x / 2
        >>> def task(block):
        ...     with ProcessPoolExecutor(2) as pool:  # of the worker
        ...         return sum(pool.map(half, block))
        >>> from concurrent.futures import ProcessPoolExecutor
        >>> with anyk.Processes(1) as executor:
        ...     anyk.run(anyk.Replication(1, 1), task, [[6, 8]], executor).value
        array([7.])
    """
    setattr(ForkingPickler, "reducer_override", _reduce)  # noqa: B010 - typed as pickle's own


def _reduce(_: ForkingPickler, obj: Any) -> Any:
    if isinstance(obj, (FunctionType, type)) and not _found(obj):
        from anyk.executors.processes.by_value import dump  # noqa: PLC0415 - is rarely needed

        stream = io.BytesIO()
        dump(obj, stream)
        return _load, (stream.getvalue(),)
    return NotImplemented


def _found(obj: Any) -> bool:
    """Whether whoever unpickles the name of this will find it."""
    name = str(obj.__module__)
    found: Any = sys.modules.get(name)
    for part in obj.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is obj and importable(name)


def _load(pickled: bytes) -> Any:
    share_functions()
    return pickle.loads(pickled)  # noqa: S301 - from the process that started this one
