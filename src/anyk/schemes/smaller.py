"""What to lower where a scheme has too few workers: the advice of `anyk.Unachievable`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, Final, TypeVar

__all__ = ["altered", "enough", "or_lower"]

S = TypeVar("S")

_LEAST: Final = {"blocks": 1, "degree": 1}  # others may be 0


def or_lower(names: Iterable[str]) -> str:
    """An advice after another one: to lower one of these.

    Example:
        >>> from anyk.schemes.smaller import or_lower
        >>> or_lower([]), or_lower(["degree"]), or_lower(["blocks", "degree", "colluders"])
        ('', ', or lower degree', ', or lower blocks, degree or colluders')
    """
    told = list(names)
    if not told:
        return ""
    *most, last = told
    return f", or lower {', '.join(most)}{' or ' if most else ''}{last}"


def enough(scheme: S, fits: Callable[[S], bool], *names: str, **least: int) -> list[str]:
    """The parameters of which one alone, lowered as far as it goes, lets a scheme fit its workers.

    Args:
        scheme: a frozen value, in its `__post_init__`, that asks for too much.
        fits: whether one asks for no more than it has; called with copies of the scheme.
        *names: the parameters, in the order in which they are named.
        **least: the smallest value of one, where it is not 1 for blocks and degree, or 0.

    Example:
        >>> from dataclasses import dataclass
        >>> from anyk.schemes.smaller import enough
        >>> @dataclass(frozen=True)
        ... class Pair:
        ...     blocks: int
        ...     adversaries: int
        >>> enough(Pair(4, 1), lambda it: it.blocks + it.adversaries < 4, "blocks", "adversaries")
        ['blocks']
    """
    found = []
    for name in names:
        given: Any = getattr(scheme, name)
        smallest = least.get(name, _LEAST.get(name, 0))
        if given is None or given <= smallest:
            continue
        if fits(altered(scheme, name, smallest)):
            found.append(name)
    return found


def altered(scheme: S, name: str, value: Any) -> S:
    """A copy that is not checked, with one parameter changed.

    Args:
        scheme: a frozen value, in its `__post_init__`.
        name: the parameter.
        value: of it.
    """
    other = object.__new__(type(scheme))
    for each in fields(scheme):  # type: ignore[arg-type] # a dataclass
        given = value if each.name == name else getattr(scheme, each.name)
        object.__setattr__(other, each.name, given)
    return other
