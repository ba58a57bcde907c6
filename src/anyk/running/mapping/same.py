"""When two answers to one item are the same, whatever their type."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from numbers import Number
from types import SimpleNamespace
from typing import Any, final

import numpy as np

from anyk.codes.agreement import Agreement

__all__ = ["Same"]

_HOLDERS = (dict, list, tuple, set, frozenset, deque, SimpleNamespace)
_FLOATS = (float, complex, np.floating, np.complexfloating)


@final
@dataclass(frozen=True)
class Same:
    """Whether two answers are the same: equal, but that floats may differ by rounding.

    Both must be of one type. Arrays, frames and tensors must have one dtype, shape and labels, and
    their numbers are compared by norm, as those of `Replication` are. What lists, tuples, dicts and
    dataclasses hold is compared in turn; other objects by ==, and those that know no == by what
    they consist of.

    Args:
        rtol: how far floats may be from each other; None to go by their precision.
        equal: the user's own way instead, of two answers.

    Example:
        >>> from anyk.running.mapping.same import Same
        >>> same = Same()
        >>> same({"a": 0.1 + 0.2}, {"a": 0.3}), same(1, 1.0), same(2**60, 2**60 + 1)
        (True, False, False)
    """

    rtol: float | None = None
    equal: Callable[[Any, Any], object] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rtol", Agreement(self.rtol).rtol)

    def __call__(self, one: Any, other: Any) -> bool:
        """Whether two answers are the same; what can't be compared is not."""
        if self.equal is not None:
            return bool(self.equal(one, other))
        try:
            return self._same(one, other)
        except Exception:  # noqa: BLE001 - types of users raise what they like when compared
            return False

    def _same(self, one: Any, other: Any) -> bool:
        if one is other:
            return True
        if type(one) is not type(other):
            return False
        if isinstance(one, (np.ndarray, np.datetime64, np.timedelta64)):
            return self._same_array(one, other)
        if isinstance(one, _FLOATS):
            return self._near(np.asarray(one), np.asarray(other))
        if isinstance(one, _HOLDERS) or is_dataclass(one):
            return self._same_within(one, other)
        return self._same_object(one, other)

    def _same_within(self, one: Any, other: Any) -> bool:
        """Containers of one type."""
        if isinstance(one, dict):
            pairs = _paired(one.keys(), other.keys())
            return pairs is not None and all(
                self._same(one[key], other[twin]) for key, twin in pairs
            )
        if isinstance(one, (set, frozenset)):
            return _paired(one, other) is not None
        if isinstance(one, (list, tuple, deque)):
            return len(one) == len(other) and all(map(self._same, one, other))
        if isinstance(one, SimpleNamespace):
            return self._same_within(vars(one), vars(other))
        names = [each.name for each in fields(one) if each.compare]
        return all(self._same(getattr(one, name), getattr(other, name)) for name in names)

    def _same_object(self, one: Any, other: Any) -> bool:
        """Objects of one type of somebody else's."""
        kind = type(one)
        package = kind.__module__.partition(".")[0]
        if package == "pandas" and hasattr(one, "equals"):
            return self._same_frame(one, other)
        if package == "torch" and hasattr(one, "detach"):
            return one.dtype == other.dtype and self._same_array(_numpy(one), _numpy(other))
        if package == "scipy" and hasattr(one, "tocoo"):
            return self._same(_entries(one), _entries(other))
        if "__eq__" in {name for each in kind.__mro__[:-1] for name in vars(each)}:
            equal = one == other
            equal = bool(equal.all()) if hasattr(equal, "all") else bool(equal)
            return equal or (_no_number(one) and _no_number(other))
        return self._same(_state(one), _state(other))

    def _same_array(self, one: Any, other: Any) -> bool:
        if one.dtype != other.dtype or one.shape != other.shape:
            return False
        if isinstance(one, np.ma.MaskedArray) and one.dtype.names is None:
            return self._same_masked(one, other)
        if one.dtype.names is not None:
            return all(self._same_array(one[name], other[name]) for name in one.dtype.names)
        if one.dtype.kind == "O":
            return all(map(self._same, one.ravel().tolist(), other.ravel().tolist()))
        if one.dtype.kind in "mM":
            return np.array_equal(one.view(np.int64), other.view(np.int64))
        return self._near(one, other)

    def _same_masked(self, one: Any, other: Any) -> bool:
        """Arrays in which some values are not there."""
        here, there = ~np.ma.getmaskarray(one), ~np.ma.getmaskarray(other)
        return np.array_equal(here, there) and self._same_array(
            np.ma.getdata(one)[here], np.ma.getdata(other)[there]
        )

    def _same_frame(self, one: Any, other: Any) -> bool:
        """Frames, series and indices of pandas."""
        if hasattr(one, "columns"):
            return (
                self._same_frame(one.columns, other.columns)
                and self._same_frame(one.index, other.index)
                and all(
                    self._same_frame(one.iloc[:, place], other.iloc[:, place])
                    for place in range(len(one.columns))
                )
            )
        return (
            one.dtype == other.dtype
            and len(one) == len(other)
            and self._same(_names(one), _names(other))
            and (not hasattr(one, "index") or self._same_frame(one.index, other.index))
            and self._same_column(one, other)
        )

    def _same_column(self, one: Any, other: Any) -> bool:
        """Values of one type, without their labels."""
        if one.dtype.kind in "fc" and isinstance(one.dtype, np.dtype):
            return self._near(one.to_numpy(), other.to_numpy())
        if one.dtype.kind != "O" or not isinstance(one.dtype, np.dtype):
            return bool(one.equals(other))
        with suppress(Exception):  # of what is in it
            if one.equals(other):
                return True
        return self._same_array(one.to_numpy(), other.to_numpy())

    def _near(self, one: Any, other: Any) -> bool:
        return Agreement(self.rtol).agree(one, other)


def _numpy(tensor: Any) -> Any:
    """A tensor as an array; those of which numpy has no type, as floats that hold them."""
    there = tensor.detach().cpu()
    try:
        return there.numpy()
    except TypeError:
        return there.double().numpy()


def _entries(matrix: Any) -> tuple[Any, ...]:
    """What a sparse matrix consists of, whatever the order in which it is kept."""
    kept = matrix.tocsr().copy()
    kept.sum_duplicates()
    return kept.shape, kept.indptr, kept.indices, kept.data


def _state(value: Any) -> Any:
    """What an object consists of, as far as pickle would say."""
    how = value.__reduce_ex__(2)
    return how if isinstance(how, str) else how[1:3]


def _no_number(value: Any) -> bool:
    """Whether it is NaN, of whatever type of numbers."""
    return isinstance(value, Number) and value != value  # noqa: PLR0124 - that is how it is told


def _paired(one: Collection[Any], other: Collection[Any]) -> list[tuple[Any, Any]] | None:
    """The same members of two sets, or keys of two dicts; None if they are not the same.

    A NaN is equal to none, but to itself where it has not travelled.
    """
    if len(one) != len(other):
        return None
    left, right = ([x for x in a if x not in b] for a, b in ((one, other), (other, one)))
    nans = all(_no_number(x) and type(x) is type(y) for x, y in zip(left, right, strict=True))
    both = [(each, each) for each in one if each in other]
    return [*both, *zip(left, right, strict=True)] if nans else None


def _names(labels: Any) -> Any:
    """What series and indices are called."""
    return list(labels.names) if hasattr(labels, "names") else getattr(labels, "name", None)
