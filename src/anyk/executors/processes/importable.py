"""Which modules other processes can import."""

from __future__ import annotations

import sys
import weakref
from types import ModuleType

__all__ = ["importable"]

_MAIN = {"__main__", "__mp_main__"}
_known: weakref.WeakKeyDictionary[ModuleType, bool] = weakref.WeakKeyDictionary()
_path: list[str] = []  # for which that holds


def importable(name: str) -> bool:
    """Whether another process that has the same `sys.path` can import this module of that name.

    Example:
        >>> from anyk.executors.processes.importable import importable
        >>> importable("__main__"), importable("numpy.linalg")
        (False, True)
    """
    if name in _MAIN:
        return False
    module = sys.modules.get(name)
    if module is None:  # an odd type's; pickle knows better
        return True
    if sys.path != _path:
        _known.clear()
        _path[:] = sys.path
    if module not in _known:
        _known[module] = _found(module, name)
    return _known[module]


def _found(module: ModuleType, name: str) -> bool:
    """Whether whoever looks for the name finds the file that the module is from."""
    own = getattr(module, "__spec__", None)
    if own is None:
        return False
    if own.origin in {"built-in", "frozen"}:
        return True
    above = sys.modules.get(name.rpartition(".")[0])
    path = getattr(above, "__path__", None) if above is not None else None
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        found = None if find is None else find(name, path)
        if found is not None:
            return bool(found.origin == own.origin)
    return False
