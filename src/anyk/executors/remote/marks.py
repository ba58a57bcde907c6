"""`anyk.task`: the functions of a module that its workers serve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from anyk.checks import shown
from anyk.errors import InvalidArgument

__all__ = ["is_task", "task"]

_MARK = "__anyk_task__"
_Function = TypeVar("_Function", bound=Callable[..., Any])


def task(function: _Function) -> _Function:
    """Let `anyk worker` serve a function: masters may name it, and run it on data of theirs.

    It stands above other decorators, as it marks what is right below it and no more. A module
    whose workers serve it says what masters may run in this way or by its `__all__`; nothing else
    in it is served.

    Args:
        function: of the module in which this is used.

    Returns:
        The same function.

    Raises:
        InvalidArgument: if it is no function that can be marked.

    Example:
        >>> @anyk.task
        ... def gram(x):
        ...     return x.T @ x
        >>> gram(np.ones((2, 1))).tolist()
        [[2.0]]
    """
    try:
        if not isinstance(function, type):
            setattr(function, _MARK, function)
            if callable(function):
                return function
    except (AttributeError, TypeError):  # one that is written in C, say
        pass
    raise InvalidArgument(
        "function",
        given=shown(function),
        needed="a function that is written in Python",
        change="Wrap it in one: def name(x): return f(x).",
    )


def is_task(function: object) -> bool:
    """Whether `task` has marked this very function, and not one that it wraps.

    Example:
        >>> import functools
        >>> from anyk.executors.remote.marks import is_task
        >>> f = anyk.task(lambda x: x)
        >>> is_task(f), is_task(functools.wraps(f)(lambda x: 2 * x))
        (True, False)
    """
    return callable(function) and getattr(function, _MARK, None) is function
