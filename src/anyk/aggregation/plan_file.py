"""A committee's plan as a small text file in TOML, the same for all parties."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from anyk.aggregation.committee import Committee
from anyk.aggregation.noise import Noise
from anyk.aggregation.vectors import Numbers, Whole
from anyk.checks import shown
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument
from anyk.fixed_point.format import FixedPoint

__all__ = ["plan_text", "read_plan"]

_FORM: Final = "anyk committee 1"
_LONGEST: Final = 1 << 16  # bytes of such a file
_NUMBERS: Final = {
    "fixed_point": (FixedPoint, ("fraction_bits", "magnitude", "rounding")),
    "whole": (Whole, ("magnitude",)),
    "prime_field": (PrimeField, ("modulus",)),
}
_NOISE: Final = ("std", "norm", "honest")
_OTHER: Final = {"numbers", "noise"}  # sections of their own
_PLAIN: Final = tuple(each.name for each in fields(Committee) if each.name not in _OTHER)


def plan_text(plan: Committee) -> str:
    """The text of a plan's file.

    Args:
        plan: of a committee.

    Example:
        >>> from anyk import aggregation
        >>> plan = aggregation.Committee(
        ...     aggregators=3, length=8, clients=5, numbers=aggregation.Whole(1000)
        ... )
        >>> print(aggregation.plan_text(plan), end="")
        form = "anyk committee 1"
        aggregators = 3
        length = 8
        clients = 5
        colluders = 1
        adversaries = 0
        stragglers = 0
        least_clients = 2
        blocks = 2
        quorum = 3
        <BLANKLINE>
        [whole]
        magnitude = 1000
    """
    kind = next(name for name, (made, _) in _NUMBERS.items() if isinstance(plan.numbers, made))
    parts = [_section("", {name: getattr(plan, name) for name in _PLAIN})]
    parts.append(_section(kind, {name: getattr(plan.numbers, name) for name in _NUMBERS[kind][1]}))
    if plan.noise is not None:
        parts.append(_section("noise", {name: getattr(plan.noise, name) for name in _NOISE}))
    return f'form = "{_FORM}"\n' + "\n".join(parts)


def read_plan(path: Path | str) -> Committee:
    """The plan of a file, as `plan_text` writes it; what has a default may be left out.

    Args:
        path: of the file.

    Raises:
        InvalidArgument: if it says anything else, or what it says is no plan.
        OSError: if it can't be read.
    """
    place = Path(path)
    with place.open("rb") as file:
        data = file.read(_LONGEST + 1)
    try:
        return _plan(data)
    except (ValueError, TypeError, RecursionError) as error:
        if isinstance(error, InvalidArgument):
            raise
        raise InvalidArgument(
            "plan",
            given=f"{shown(str(place))} ({error})",
            needed="a plan in TOML, as anyk.aggregation.plan_text writes it",
            change="Write it with plan_text(plan), and give all parties the same file.",
        ) from error


def _section(name: str, values: dict[str, Any]) -> str:
    lines = [f"[{name}]"] if name else []
    lines += [f"{key} = {_said(value)}" for key, value in values.items() if value is not None]
    return "\n".join(lines) + "\n"


def _said(value: float | str) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _plan(data: bytes) -> Committee:
    if len(data) > _LONGEST:
        raise ValueError(f"more than {_LONGEST} bytes")
    given = tomllib.loads(data.decode())
    if given.pop("form", None) != _FORM:
        raise ValueError(f'it does not say form = "{_FORM}"')
    kinds = sorted(given.keys() & _NUMBERS.keys())
    if len(kinds) != 1:
        raise ValueError(f"it needs one of [{'], ['.join(_NUMBERS)}]")
    made, names = _NUMBERS[kinds[0]]
    numbers: Numbers = made(**_known(given.pop(kinds[0]), names))
    noise = given.pop("noise", None)
    return Committee(
        **_known(given, _PLAIN),
        numbers=numbers,
        noise=None if noise is None else Noise(**_known(noise, _NOISE)),
    )


def _known(given: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """The values, if each has one of these names."""
    if not isinstance(given, dict):
        raise TypeError(f"a section of {', '.join(names)} is none")
    for name, value in given.items():
        if name not in names:
            raise ValueError(f"it says {name}, which is none of {', '.join(names)}")
        if not isinstance(value, (int, float, str)) or isinstance(value, bool):
            raise TypeError(f"{name} is neither a number nor text")
    return given
