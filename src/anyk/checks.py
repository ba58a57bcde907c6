"""Validators of arguments: each returns what it checked, or raises a full error."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any, SupportsIndex

from anyk.errors import InvalidArgument

__all__ = ["count", "instance", "positive", "settle", "shown"]

_LONGEST = 80  # characters of an argument in an error


def count(argument: str, value: SupportsIndex, *, least: int) -> int:
    """Check that an argument is an integer of at least `least`, and return it as an int.

    Args:
        argument: its name, for the error.
        value: what came; bools are refused.
        least: the smallest value allowed.

    Returns:
        The value, as a Python int.

    Raises:
        InvalidArgument: if it is no integer, or too small.

    Example:
        >>> from anyk.checks import count
        >>> count("workers", np.int64(12), least=1)
        12
    """
    try:
        number = operator.index(value)
    except TypeError:  # an array has an index too, if it is one integer
        number = None
    if number is None or isinstance(value, bool):
        raise InvalidArgument(
            argument, given=shown(value), needed="an integer", change=f"Pass an int >= {least}."
        )
    if number < least:
        raise InvalidArgument(
            argument, given=shown(number), needed=f"at least {least}", change="Raise it."
        )
    return number


def settle(value: object, *, optional: str = "", **least: int) -> None:
    """Make the counts of a frozen value plain ints, if they are large enough.

    Args:
        value: a frozen dataclass, in its `__post_init__`.
        optional: the field that may be None.
        **least: the smallest value allowed, by field.

    Raises:
        InvalidArgument: if one is no integer, or too small.
    """
    for name, smallest in least.items():
        given = getattr(value, name)
        if given is not None or name != optional:
            object.__setattr__(value, name, count(name, given, least=smallest))


def positive(argument: str, value: Any, *, change: str) -> float:
    """Check that an argument is a finite real number above zero, and return it as a float.

    Args:
        argument: its name, for the error.
        value: what came.
        change: what to pass instead.

    Raises:
        InvalidArgument: if it is none.

    Example:
        >>> from anyk.checks import positive
        >>> positive("deadline", 0, change="Give seconds.")
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: deadline: got 0; needed: a positive number. Give seconds.
    """
    try:
        number = float(value) if isinstance(value, numbers.Real) else 0.0
    except OverflowError:  # an integer that no float can hold
        number = math.inf
    if not (math.isfinite(number) and number > 0):
        raise InvalidArgument(
            argument, given=shown(value), needed="a positive number", change=change
        )
    return number


def shown(value: object) -> str:
    """What came, for an error: its repr on one line, cut short.

    Example:
        >>> from anyk.checks import shown
        >>> len(shown(np.zeros((100, 100)))) <= 80
        True
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 - a repr may raise anything, as that of a huge integer does
        return f"a {type(value).__name__}, which can't be printed"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def instance(argument: str, value: object, kind: Any, *, change: str) -> None:
    """Check that an argument is an instance of a class.

    Args:
        argument: its name, for the error.
        value: what came.
        kind: the class, abstract or not, or a tuple of classes.
        change: what to pass instead.

    Raises:
        InvalidArgument: if it is no instance.

    Example:
        >>> from anyk.checks import instance
        >>> instance("domain", anyk.Reals, anyk.Reals, change="Pass anyk.Reals().")
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: domain: got the class Reals; needed: an instance of Reals. Pass
        anyk.Reals().
    """
    if not isinstance(value, kind):
        given = f"the class {value.__name__}" if isinstance(value, type) else shown(value)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        needed = " or ".join(_one_of(each.__name__) for each in kinds)
        raise InvalidArgument(argument, given=given, needed=needed, change=change)


def _one_of(name: str) -> str:
    """What an instance of a class is called: `AbstractScheme` is "a scheme"."""
    kind = name.removeprefix("Abstract")
    if kind == name:
        return f"an instance of {name}"
    if kind.endswith("s"):
        return kind.lower()
    return f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind.lower()}"
