"""Copies of arrays, for functions that may write in what they are given."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["own_copies"]


def own_copies(value: Any, *, fresh: bool = False) -> Any:
    """A value of which nobody else has the arrays.

    Args:
        value: arrays are copied, also in lists, tuples and dicts; anything else is as it is.
        fresh: whether nobody else has them anyway: what can be written in needs no copy.

    Example:
        >>> from anyk.copies import own_copies
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
    if isinstance(value, np.ndarray):
        copies[id(value)] = value if fresh and value.flags.writeable else value.copy(order="K")
        return copies[id(value)]
    if type(value) is list:
        items: list[Any] = copies.setdefault(id(value), [])
        items += [_own(each, copies, fresh=fresh) for each in value]
        return items
    if type(value) is dict:
        table: dict[Any, Any] = copies.setdefault(id(value), {})
        table |= {key: _own(each, copies, fresh=fresh) for key, each in value.items()}
        return table
    if type(value) is tuple:
        return tuple(_own(each, copies, fresh=fresh) for each in value)
    return value
