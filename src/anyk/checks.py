"""Validators of arguments: each returns what it checked, or raises a full error."""

from __future__ import annotations

import math
import numbers
import operator
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, SupportsIndex, get_args

import numpy as np

from anyk.errors import InvalidArgument

__all__ = [
    "GENERATOR",
    "MOST",
    "choice",
    "count",
    "flag",
    "indices_of",
    "instance",
    "integer",
    "positive",
    "probability",
    "real",
    "settle",
    "several",
    "shown",
]

GENERATOR: Final = "Pass np.random.default_rng()."
"""What to change where something is no numpy generator."""

MOST: Final = (1 << 31) - 1
"""Workers, blocks, a degree: numpy could make no array of more."""

_SQUARED = 1e-100, 1e100  # what can be squared, and added up, as floats
_LONGEST = 80  # characters of an argument in an error


def integer(argument: str, value: SupportsIndex, *, change: str = "Pass an int.") -> int:
    """Check that an argument is an integer of any size and sign, and return it as an int.

    Args:
        argument: its name, for the error.
        value: what came; bools are refused.
        change: what to pass instead.

    Raises:
        InvalidArgument: if it is no integer.

    Example:
        >>> from anyk.checks import integer
        >>> integer("exponent", np.array(-2))
        -2
    """
    try:
        number = operator.index(value)
    except TypeError:  # an array has an index too, if it is one integer
        number = None
    if number is None or isinstance(value, bool):
        raise InvalidArgument(argument, given=shown(value), needed="an integer", change=change)
    return number


def count(argument: str, value: SupportsIndex, *, least: int, most: int | None = None) -> int:
    """Check that an argument is an integer in a range, and return it as an int.

    Args:
        argument: its name, for the error.
        value: what came; bools are refused.
        least: the smallest value allowed.
        most: the largest; None for any.

    Returns:
        The value, as a Python int.

    Raises:
        InvalidArgument: if it is no integer, too small, or too large.

    Example:
        >>> from anyk.checks import count
        >>> count("workers", np.int64(12), least=1)
        12
    """
    number = integer(argument, value, change=f"Pass an int >= {least}.")
    if number < least:
        raise InvalidArgument(
            argument, given=shown(number), needed=f"at least {least}", change="Raise it."
        )
    if most is not None and number > most:
        raise InvalidArgument(
            argument, given=shown(number), needed=f"at most {most}", change="Lower it."
        )
    return number


def indices_of(argument: str, values: Iterable[SupportsIndex]) -> tuple[int, ...]:
    """Check that an argument is indices of workers or shares, and return them as ints.

    Args:
        argument: its name, for the error.
        values: what came.

    Raises:
        InvalidArgument: if it can't be gone through, or something in it is no index.

    Example:
        >>> from anyk.checks import indices_of
        >>> indices_of("answered", np.array([2, 0]))
        (2, 0)
    """
    told = several(argument, values, change="Pass a list of indices.")
    return tuple(
        each
        if type(each) is int and 0 <= each <= MOST
        else count(argument, each, least=0, most=MOST)
        for each in told
    )


def choice(argument: str, value: object, among: Sequence[str], *, change: str) -> None:
    """Check that an argument is one of a few words.

    Args:
        argument: its name, for the error.
        value: what came, of any type.
        among: the words.
        change: what to pass instead.

    Raises:
        InvalidArgument: if it is none of them.

    Example:
        >>> from anyk.checks import choice
        >>> choice("rounding", "up", ["nearest", "stochastic"], change="Take the nearest.")
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: rounding: got 'up'; needed: "nearest" or "stochastic". Take the
        nearest.
    """
    if not isinstance(value, str) or value not in among:
        needed = " or ".join(f'"{each}"' for each in among)
        raise InvalidArgument(argument, given=shown(value), needed=needed, change=change)


def settle(value: object, *, optional: str = "", **least: int) -> None:
    """Make the counts of a frozen value plain ints, if they are large enough and below 2**31.

    Args:
        value: a frozen dataclass, in its `__post_init__`.
        optional: the field that may be None.
        **least: the smallest value allowed, by field.

    Raises:
        InvalidArgument: if one is no integer, too small, or too large.
    """
    for name, smallest in least.items():
        given = getattr(value, name)
        if given is not None or name != optional:
            object.__setattr__(value, name, count(name, given, least=smallest, most=MOST))


def flag(argument: str, value: object) -> bool:
    """Check that an argument is True or False, and return it as a bool.

    Args:
        argument: its name, for the error.
        value: what came.

    Raises:
        InvalidArgument: if it is neither.

    Example:
        >>> from anyk.checks import flag
        >>> flag("progress", np.True_)
        True
    """
    instance(argument, value, (bool, np.bool_), change="Pass True or False.")
    return bool(value)


def real(
    argument: str,
    value: Any,
    *,
    least: float,
    most: float = sys.float_info.max,
    needed: str,
    change: str,
) -> float:
    """Check that an argument is a real number in a range, and return it as a float.

    Args:
        argument: its name, for the error.
        value: what came; bools are refused.
        least: the smallest value allowed.
        most: the largest, itself allowed; `math.inf` where infinity is.
        needed: the range, in words.
        change: what to pass instead.

    Raises:
        InvalidArgument: if it is none, or out of range.

    Example:
        >>> from anyk.checks import real
        >>> real("probability", 0.5, least=0, most=1, needed="a number in [0, 1]", change="Pass 1.")
        0.5
    """
    number = math.nan if isinstance(value, bool) else _float(value)
    if not least <= number <= most:
        raise InvalidArgument(argument, given=shown(value), needed=needed, change=change)
    return number


def _float(value: Any) -> float:
    """A real number as a float; infinite where it is too large, NaN where it is no number."""
    try:
        return float(value) if isinstance(value, numbers.Real) else math.nan
    except OverflowError:  # an integer that no float can hold
        return math.copysign(math.inf, value > 0 or -1)


def positive(argument: str, value: Any, *, change: str, squared: bool = False) -> float:
    """Check that an argument is a finite real number above zero, and return it as a float.

    Args:
        argument: its name, for the error.
        value: what came.
        change: what to pass instead.
        squared: whether its square must be such a number too.

    Raises:
        InvalidArgument: if it is none.

    Example:
        >>> from anyk.checks import positive
        >>> positive("deadline", 0, change="Give seconds.")
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: deadline: got 0; needed: a positive number. Give seconds.
    """
    number = _float(value)
    least, most = _SQUARED if squared else (0.0, math.inf)
    if not (least < number < most):
        needed = f"a positive number from {least:g} to {most:g}" if squared else "a positive number"
        raise InvalidArgument(argument, given=shown(value), needed=needed, change=change)
    return number


def probability(argument: str, value: Any, *, change: str) -> float:
    """Check that an argument is a number between 0 and 1, and neither, and return it as a float.

    Args:
        argument: its name, for the error.
        value: what came.
        change: what to pass instead.

    Raises:
        InvalidArgument: if it is none.

    Example:
        >>> from anyk.checks import probability
        >>> probability("delta", 1, change="Pass 1e-6, say.")
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: delta: got 1; needed: a number in (0, 1). Pass 1e-6, say.
    """
    number = _float(value)
    if not 0.0 < number < 1.0:
        needed = "a number in (0, 1)"
        raise InvalidArgument(argument, given=shown(value), needed=needed, change=change)
    return number


def several(argument: str, values: Any, *, change: str) -> tuple[Any, ...]:
    """Check that an argument is several things, and return them as a tuple.

    Args:
        argument: its name, for the error.
        values: what came.
        change: what to pass instead.

    Raises:
        InvalidArgument: if it can't be gone through.

    Example:
        >>> from anyk.checks import several
        >>> several("fields", np.array(3), change="Pass a tuple of them.")
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: fields: got array(3); needed: several in a row. Pass a tuple of
        them.
    """
    try:
        return tuple(values)
    except TypeError as error:  # also a numpy array without axes, which says it can be gone through
        raise InvalidArgument(
            argument, given=shown(values), needed="several in a row", change=change
        ) from error


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
        kind: the class, abstract or not, or several: a tuple or a union.
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
        kinds = kind if isinstance(kind, tuple) else get_args(kind) or (kind,)
        needed = " or ".join(dict.fromkeys(_one_of(each.__name__) for each in kinds))
        raise InvalidArgument(argument, given=given, needed=needed, change=change)


def _one_of(name: str) -> str:
    """What an instance of a class is called: `AbstractScheme` is "a scheme"."""
    kind = name.removeprefix("Abstract")
    if kind == name:
        return f"an instance of {name}"
    if kind.endswith("s"):
        return kind.lower()
    return f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind.lower()}"
