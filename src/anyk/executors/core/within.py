"""What stands in arguments, also in the containers and partials among them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

__all__ = ["exchanged"]


def exchanged(value: Any, exchange: Callable[[Any], Any]) -> Any:
    """A value in which others stand in the place of some.

    Args:
        value: a value, or lists, tuples, dicts and partials of them; what is the same afterwards is
            not copied.
        exchange: says what stands in the place of a value; itself for most.

    Example:
        >>> from anyk.executors.core.within import exchanged
        >>> exchanged([1, {"five": None}], lambda each: 5 if each is None else each)
        [1, {'five': 5}]
    """
    return _exchanged(value, exchange, frozenset())


def _exchanged(value: Any, exchange: Callable[[Any], Any], around: frozenset[int]) -> Any:
    """The same; with what the value is in, by identity, as a list may be in itself."""
    kind = type(value)
    if id(value) in around:
        return value
    if kind not in {tuple, list, dict, functools.partial}:
        return exchange(value)
    within = around | {id(value)}
    if kind is dict:
        table = {key: _exchanged(each, exchange, within) for key, each in value.items()}
        return value if all(table[key] is each for key, each in value.items()) else table
    if kind is functools.partial:
        made_of = (value.func, value.args, value.keywords)
        function, arguments, named = inner = _exchanged(made_of, exchange, within)
        return value if inner is made_of else functools.partial(function, *arguments, **named)
    items = [_exchanged(each, exchange, within) for each in value]
    same = all(new is old for new, old in zip(items, value, strict=True))
    return value if same else kind(items)
