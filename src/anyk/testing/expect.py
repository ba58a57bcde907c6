"""What the checks share: what must hold, what must raise, which sets to try, what data to use."""

from __future__ import annotations

import importlib
import itertools
import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField

__all__ = ["check_value", "expect", "numbers", "require", "subsets"]


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


def check_value(value: Any) -> None:
    """A public value survives pickle, and its repr rebuilds it."""
    require(pickle.loads(pickle.dumps(value)) == value, f"{value!r} does not survive pickle")  # noqa: S301 - our own bytes
    public = vars(importlib.import_module("anyk"))  # at run time: it stands above this file
    rebuilt = eval(repr(value), public.copy())  # noqa: S307 - our own repr
    require(rebuilt == value, f"the repr {value!r} rebuilds {rebuilt!r}")
    require(hash(rebuilt) == hash(value), f"{value!r} and its copy hash differently")


def numbers(
    domain: AbstractDomain, shape: tuple[int, ...], generator: np.random.Generator
) -> NDArray[Any]:
    """Random numbers of a domain, of this shape."""
    if isinstance(domain, PrimeField):
        return generator.integers(0, domain.modulus, shape)
    return domain.validate(generator.normal(size=shape), "values")
