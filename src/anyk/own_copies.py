"""Values of which nobody else has the arrays: what a task may write in."""

from __future__ import annotations

from collections import UserDict, UserList, deque
from copy import deepcopy
from dataclasses import is_dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

__all__ = ["own_copies"]

_HOLDERS = (list, tuple, dict, UserDict, UserList, deque, SimpleNamespace)


def own_copies(value: Any, *, fresh: bool = False) -> Any:
    """A value of which nobody else has the arrays.

    Args:
        value: arrays are copied, also those of other packages, and whatever lists, tuples, dicts,
            dataclasses and the like hold of them; functions, models and other objects are as they
            are.
        fresh: whether nobody else has them anyway: what can be written in needs no copy.

    Example:
        >>> from anyk.own_copies import own_copies
        >>> mine = [np.zeros(2), "text"]
        >>> theirs = own_copies(mine)
        >>> theirs[0] += 1
        >>> mine
        [array([0., 0.]), 'text']
    """
    return _own(value, {}, fresh=fresh)


def _own(value: Any, copies: dict[int, Any], *, fresh: bool) -> Any:
    """The same; with the copies of what was met already, by identity."""
    if id(value) in copies:
        return copies[id(value)]
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        copies[id(value)] = value if fresh and value.flags.writeable else value.copy(order="K")
        return copies[id(value)]
    if type(value) in {list, dict, tuple}:
        return _own_container(value, copies, fresh=fresh)
    if isinstance(value, _HOLDERS) or hasattr(type(value), "__array__") or is_dataclass(value):
        return deepcopy(value, copies)
    return value


def _own_container(value: Any, copies: dict[int, Any], *, fresh: bool) -> Any:
    if type(value) is list:
        items: list[Any] = copies.setdefault(id(value), [])
        items += [_own(each, copies, fresh=fresh) for each in value]
        return items
    if type(value) is dict:
        table: dict[Any, Any] = copies.setdefault(id(value), {})
        table |= {key: _own(each, copies, fresh=fresh) for key, each in value.items()}
        return table
    return tuple(_own(each, copies, fresh=fresh) for each in value)
