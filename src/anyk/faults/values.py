"""Values of any type that are made wrong leaf by leaf: what holds them stays as it is."""

from __future__ import annotations

import copy
import datetime as dt
import functools
import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from numbers import Number
from typing import Any, final

import numpy as np

__all__ = ["LETTERS", "Leaves", "shifted"]

LETTERS = "abcdefghijklmnopqrstuvwxyz"

Change = Callable[[int, Any], Any]
"""Makes another leaf of the place of one and of itself."""

_WHOLE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)


@final
class Leaves:
    """Changes the leaves of values: arrays of numbers, numbers, texts, dates.

    In lists, tuples, sets, dicts, dataclasses, data frames, sparse matrices, tensors and other
    objects, the leaves are changed one after the other, and their places counted. Of a set, one
    element changes. The keys of a dict stay, and so do functions, types, None, and whatever else
    has no other value of its type.

    Args:
        change: of the place of a leaf and of itself.

    Example:
        >>> from anyk.faults.values import Leaves
        >>> Leaves(lambda place, leaf: leaf + 10 * place)({"a": 1, "b": (2, [3])})
        {'a': 1, 'b': (12, [23])}
    """

    def __init__(self, change: Change) -> None:
        self._change = change
        self._place = -1

    def __call__(self, value: Any) -> Any:
        """The value with other leaves."""
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, (Number, np.generic, str, bytes, dt.date, dt.timedelta)):
            return self._leaf(value)
        if isinstance(value, (list, tuple, set, frozenset, dict)):
            return self._container(value)
        return self._foreign(value)

    def _foreign(self, value: Any) -> Any:
        """Objects of other packages, or of the user's."""
        package = type(value).__module__.partition(".")[0]
        if package == "pandas" and hasattr(value, "to_numpy"):
            return self._frame(value)
        if package == "torch" and hasattr(value, "new_tensor"):
            return value.new_tensor(self._array(np.asarray(value.detach().cpu())))
        if package == "scipy" and hasattr(value, "tocoo"):
            changed = value.tocsr(copy=True)
            changed.data = self(changed.data)
            return changed.asformat(value.format)
        return self._object(value)

    def _leaf(self, leaf: Any) -> Any:
        self._place += 1
        return self._change(self._place, leaf)

    def _array(self, array: Any) -> Any:
        array = np.asarray(array)
        if array.dtype.kind in "biufc":
            return self._leaf(array)
        if array.dtype.names is not None:
            changed = array.copy()
            for name in array.dtype.names:
                changed[name] = self(array[name])
            return changed
        if array.dtype.kind in "mM":
            return self(array.view(np.int64)).view(array.dtype)
        changed = np.empty(array.shape, array.dtype)
        changed.ravel()[:] = [self(each) for each in array.ravel().tolist()]
        return changed

    def _container(self, value: Any) -> Any:
        if isinstance(value, dict):
            table = copy.copy(value)
            table.update({key: self(each) for key, each in value.items()})
            return table
        if isinstance(value, (set, frozenset)):
            first = sorted(value, key=repr)[:1]  # all of them might be exchanged for each other
            return (value - {*first}) | {self(each) for each in first}
        items = [self(each) for each in value]
        if isinstance(value, list):
            changed = copy.copy(value)
            changed[:] = items
            return changed
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)

    def _frame(self, value: Any) -> Any:
        if hasattr(value, "columns"):
            changed = value.copy()
            for place in range(len(value.columns)):
                changed.isetitem(place, self(value.iloc[:, place]))
            return changed
        if not hasattr(value, "index"):
            return value
        plain = value if isinstance(value.dtype, np.dtype) else value.astype(object)
        other = self(plain.to_numpy())
        return type(value)(other, index=value.index, name=value.name).astype(value.dtype)

    def _object(self, value: Any) -> Any:
        if isinstance(value, _WHOLE) or not (is_dataclass(value) or hasattr(value, "__dict__")):
            return value
        if isinstance(value, functools.partial):
            return value
        changed = copy.copy(value)
        names = [each.name for each in fields(value)] if is_dataclass(value) else vars(value)
        for name in names:
            object.__setattr__(changed, name, self(getattr(value, name)))
        return changed


def shifted(leaf: Any, by: int) -> Any:
    """Another leaf of the same type, for those that numpy does not make.

    Args:
        leaf: a text, bytes, a date or time, or any number.
        by: not 0; two that differ by less than 25 make other texts.

    Example:
        >>> from anyk.faults.values import shifted
        >>> shifted("any k", 1), shifted("", 2), shifted(10**30, -1)
        ('bny k', 'c', 999999999999999999999999999999)
    """
    if isinstance(leaf, str):
        old = LETTERS.find(leaf[:1]) if leaf else 0
        new = LETTERS[(old + by) % len(LETTERS)]
        return type(leaf)((new if new != leaf[:1] else "?") + leaf[1:])
    if isinstance(leaf, bytes):
        first = (leaf[0] if leaf else 0) + by % 255 or 1
        return bytes([first % 256]) + leaf[1:]
    if isinstance(leaf, dt.date):
        return leaf.replace(year=1 + (leaf.year + by - 1) % 9999, day=min(leaf.day, 28))
    if isinstance(leaf, dt.timedelta):
        return dt.timedelta(days=by) - leaf / 2
    return type(leaf)(leaf + by)
