"""What the checks share: what must hold, what must raise, which sets to try, what data to use."""

from __future__ import annotations

import dataclasses
import itertools
import math
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.whole import Integers

__all__ = ["check_pickle", "check_value", "different", "expect", "numbers", "require", "subsets"]

_LARGEST = 500  # of integers, so that sums of some products have 20 bits


def require(condition: object, message: str) -> None:
    """Raise AssertionError with the message unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def expect(error: type[Exception], message: str, action: Callable[[], object]) -> None:
    """Raise AssertionError with the message unless the action raises this error."""
    try:
        action()
    except error:
        return
    raise AssertionError(f"{message}: expected {error.__name__}, got a value")


def subsets(
    items: Sequence[int], size: int, patterns: int, generator: np.random.Generator
) -> Iterator[tuple[int, ...]]:
    """Every subset of a size, or a random sample where there are more than `patterns`."""
    if math.comb(len(items), size) <= patterns:
        yield from itertools.combinations(items, size)
        return
    for _ in range(patterns):
        chosen = generator.choice(len(items), size, replace=False)
        yield tuple(sorted(items[index] for index in chosen))


def check_pickle(value: Any) -> None:
    """A value is equal to what pickle makes of it, there and back."""
    try:
        copy = pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes
    except Exception as error:
        raise AssertionError(f"{value!r} does not survive pickle: {error}") from error
    require(copy == value, f"{value!r} does not survive pickle: it comes back as {copy!r}")


def check_value(value: Any) -> None:
    """A public value survives pickle, and its repr rebuilds it.

    The repr may use what the modules of the value's class and of the values within it define, and
    numpy as `np`: whoever wrote the class need not be in this library.
    """
    check_pickle(value)
    try:
        rebuilt = eval(repr(value), _names(value))  # noqa: S307 - our own repr
    except Exception as error:
        raise AssertionError(f"the repr {value!r} does not rebuild it: {error}") from error
    require(rebuilt == value, f"the repr {value!r} rebuilds {rebuilt!r}")
    require(hash(rebuilt) == hash(value), f"{value!r} and its copy hash differently")


def _names(value: Any) -> dict[str, Any]:
    """What the repr of a value may name; a class within it always stands for itself."""
    classes = {type(each): None for each in _within(value, set())}
    modules = [sys.modules[kind.__module__] for kind in reversed(classes)]
    names: dict[str, Any] = {"np": np}
    for module in modules:  # the value's own comes last, and its names win
        names.update(vars(module))
    for kind, module in zip(reversed(classes), modules, strict=True):
        outermost = kind.__qualname__.partition(".")[0]
        if hasattr(module, outermost):
            names[outermost] = getattr(module, outermost)
    return names


def _within(value: Any, seen: set[int]) -> Iterator[Any]:
    """The value, and what its fields and containers hold, all the way down."""
    if id(value) in seen:
        return
    seen.add(id(value))
    yield value
    if isinstance(value, Mapping):
        inner: Iterable[Any] = itertools.chain(value.keys(), value.values())
    elif isinstance(value, (tuple, list, set, frozenset)):
        inner = value
    elif dataclasses.is_dataclass(value):
        inner = [getattr(value, each.name) for each in dataclasses.fields(value)]
    else:
        inner = getattr(value, "__dict__", {}).values()
    for each in inner:
        yield from _within(each, seen)


def numbers(
    domain: AbstractDomain, shape: tuple[int, ...], generator: np.random.Generator
) -> NDArray[Any]:
    """Random numbers of a domain, of this shape."""
    if isinstance(domain, PrimeField):
        return generator.integers(0, domain.modulus, shape)
    if isinstance(domain, Integers):
        return generator.integers(-_LARGEST, _LARGEST, shape, endpoint=True)
    return domain.validate(generator.normal(size=shape), "values")


def different(domain: AbstractDomain) -> int | None:
    """How many different numbers `numbers` draws; None over the reals.

    Args:
        domain: of the numbers.
    """
    if isinstance(domain, PrimeField):
        return domain.modulus
    return 2 * _LARGEST + 1 if isinstance(domain, Integers) else None
