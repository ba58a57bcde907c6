"""Workers that lie: wrong values of the right kind, so that only a decoder can tell."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, positive
from anyk.faults.failures import AbstractFault, Run
from anyk.faults.values import LETTERS, Leaves, shifted

__all__ = ["Collude", "Corrupt", "Lie"]

_BELOW = 1000  # of integers that are made up, where there is no modulus
_LARGE = 2**62  # integers above are Python's own
_ASCII: tuple[tuple[str, ...], ...] = ((), ("ascii",))  # how to make a text, and how bytes


@final
@dataclass(frozen=True, kw_only=True)
class Lie:
    """A source of wrong values, the same each time.

    Args:
        seed: numbers that the values depend on.
        modulus: p, so that integers lie in [0, p); None for any integers.
        scale: size of real errors.

    Raises:
        InvalidArgument: if a number is out of range.

    Example:
        >>> from anyk.faults.lies import Lie
        >>> Lie(seed=(0, 1), modulus=2).added_to(np.array([0, 1, 1]))
        array([1, 0, 0])
    """

    seed: tuple[int, ...]
    modulus: int | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        for number in self.seed:
            count("seed", number, least=0)
        if self.modulus is not None:
            count("modulus", self.modulus, least=2)
        positive("scale", self.scale, change="Pass 1.")

    def added_to(self, truth: NDArray[Any], entries: int | None = None) -> NDArray[Any]:
        """The true values with errors in some entries, each of them different from the truth.

        Args:
            truth: ndarray of numbers.
            entries: how many entries are wrong; None for all.

        Returns:
            ndarray of the same shape and dtype.
        """
        generator = self.generator
        wrong = truth.flatten()
        number = wrong.size if entries is None else min(entries, wrong.size)
        places = generator.permutation(wrong.size)[:number]
        wrong[places] = self._miss(wrong[places], self._size(truth), generator)
        return wrong.reshape(truth.shape)

    def instead_of(self, truth: NDArray[Any]) -> NDArray[Any]:
        """Values that depend on the shape and dtype of the truth, and not on its values.

        Args:
            truth: ndarray of numbers.

        Returns:
            ndarray of the same shape and dtype.
        """
        generator = self.generator
        if truth.dtype.kind in "fc":
            return np.asarray(self.scale * _normal(generator, truth)).astype(truth.dtype)
        below = 2 if truth.dtype.kind == "b" else self.modulus or _BELOW
        return generator.integers(below, size=truth.shape).astype(truth.dtype)

    def about(self, truth: Any, entries: int | None = None) -> Any:
        """The truth with errors in what it holds: of any type, which stays.

        Args:
            truth: any value.
            entries: how many entries of an array are wrong; None for all.

        Example:
            >>> from anyk.faults.lies import Lie
            >>> lie = Lie(seed=(0,)).about({"score": 3, "name": "any"})
            >>> lie.keys(), lie["score"] == 3, lie["name"] == "any"
            (dict_keys(['score', 'name']), False, False)
        """

        def change(place: int, leaf: Any) -> Any:
            lie = self._of(place)
            if _numeric(leaf):
                return _as(leaf, lie.added_to(np.asarray(leaf), entries))
            return shifted(leaf, lie.generator.integers(1, 20).item())

        return Leaves(change)(truth)

    def like(self, truth: Any) -> Any:
        """What is of the type and shape of the truth, and has else nothing to do with it.

        Args:
            truth: any value.
        """

        def change(place: int, leaf: Any) -> Any:
            lie = self._of(place)
            if _numeric(leaf):
                return _as(leaf, lie.instead_of(np.asarray(leaf)))
            by = lie.generator.integers(1, 20).item()
            if isinstance(leaf, (str, bytes)):
                return type(leaf)(LETTERS[by] * len(leaf), *_ASCII[isinstance(leaf, bytes)])
            if isinstance(leaf, dt.date):
                return leaf.replace(year=1900 + by, month=1, day=1)
            return type(leaf)(by)

        return Leaves(change)(truth)

    @property
    def generator(self) -> np.random.Generator:
        """Of its random numbers, from their beginning."""
        return np.random.default_rng(self.seed)

    def _of(self, place: int) -> Lie:
        """Another one for each leaf."""
        return replace(self, seed=(*self.seed, place)) if place else self

    def _size(self, truth: NDArray[Any]) -> float:
        """Root mean square of the values, and 1 where that says nothing."""
        with np.errstate(all="ignore"):
            size = float(np.sqrt(np.mean(np.abs(truth.astype(complex)) ** 2))) if truth.size else 0
        return size if 0 < size < math.inf else 1.0

    def _miss(
        self, values: NDArray[Any], size: float, generator: np.random.Generator
    ) -> NDArray[Any]:
        if values.dtype.kind in "fc":
            values = np.where(np.isfinite(values), values, 0)  # an error in NaN would be NaN
        if values.dtype.kind == "b":
            return np.asarray(np.logical_not(values))
        if values.dtype.kind in "fc":
            noise = _normal(generator, values)
            errors = self.scale * size * (noise + noise / np.abs(noise))
            return np.asarray(values + errors.astype(values.dtype))
        if self.modulus is not None:
            errors = generator.integers(1, self.modulus, size=values.shape)
            return np.asarray((values + errors) % self.modulus)
        most = min(math.ceil(self.scale * size), int(np.iinfo(values.dtype).max))
        errors = generator.integers(1, most, endpoint=True, size=values.shape)
        signs = generator.choice([-1, 1], size=values.shape)
        return np.asarray(values + (signs * errors).astype(values.dtype))  # may wrap around


def _numeric(leaf: Any) -> bool:
    """Whether numpy makes other values of its type."""
    kinds = (np.ndarray, np.number, np.bool_, bool, float, complex)
    return isinstance(leaf, kinds) or (type(leaf) is int and abs(leaf) < _LARGE)


def _as(leaf: Any, array: NDArray[Any]) -> Any:
    """A wrong leaf of the type of the right one."""
    if isinstance(leaf, np.ndarray):
        return array
    return array[()] if isinstance(leaf, np.generic) else type(leaf)(array[()].item())


def _normal(generator: np.random.Generator, like: NDArray[Any]) -> NDArray[Any]:
    noise = generator.standard_normal(like.shape)
    if like.dtype.kind == "c":
        return np.asarray((noise + 1j * generator.standard_normal(like.shape)) / math.sqrt(2))
    return np.asarray(noise)


@final
@dataclass(frozen=True, kw_only=True)
class Corrupt(AbstractFault):
    """The worker adds errors to its answer, as a bad memory or a lone liar does.

    Liars with the same seed are independent of each other. Each wrong entry differs from the
    true one; the same worker makes the same errors in each call. An answer of `anyk.map` of any
    type has errors in its numbers, texts and dates, and is else as it was.

    Args:
        seed: of the errors.
        entries: how many entries are wrong, at random places of an array, or of each array in an
            answer; None for all.
        modulus: p, so that integer answers stay in [0, p); None for errors of the answer's size.
        scale: size of the errors in a real answer, relative to its root mean square.

    Raises:
        InvalidArgument: if a number is out of range.

    Example:
        >>> from anyk.faults import Corrupt
        >>> fault = Corrupt(seed=0, modulus=7)
        >>> bool(np.all(fault.around(lambda: np.zeros(9, dtype=int), worker=2) > 0))
        True
    """

    seed: int = 0
    entries: int | None = None
    modulus: int | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.entries is not None:
            count("entries", self.entries, least=1)
        Lie(seed=(self.seed,), modulus=self.modulus, scale=self.scale)

    def around(self, run: Run, worker: int) -> Any:
        """Add errors; see `AbstractFault.around`."""
        lie = Lie(seed=(self.seed, worker), modulus=self.modulus, scale=self.scale)
        return lie.about(run(), self.entries)


@final
@dataclass(frozen=True, kw_only=True)
class Collude(AbstractFault):
    """All workers with this fault tell the same lie: the same wrong values.

    It depends on the type and shape of the answer, and for texts on their length.

    Args:
        seed: of the lie; liars that share it agree.
        modulus: p, so that integer answers lie in [0, p); None for integers below 1000.
        scale: standard deviation of the lie where answers are real.

    Raises:
        InvalidArgument: if a number is out of range.

    Example:
        >>> from anyk.faults import Collude
        >>> fault = Collude(seed=4, modulus=7)
        >>> one, other = (fault.around(lambda: np.arange(9), worker) for worker in (2, 5))
        >>> np.array_equal(one, other)
        True
    """

    seed: int = 0
    modulus: int | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        Lie(seed=(self.seed,), modulus=self.modulus, scale=self.scale)

    def around(self, run: Run, worker: int) -> Any:  # noqa: ARG002 - that is the point
        """Tell the common lie; see `AbstractFault.around`."""
        lie = Lie(seed=(self.seed,), modulus=self.modulus, scale=self.scale)
        return lie.like(run())
