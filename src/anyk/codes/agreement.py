"""Whether copies of one answer agree: to the bit, but for rounding, or not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import real

__all__ = ["ROUNDINGS", "SINGLE", "Agreement", "Majority", "precision", "same"]

ROUNDINGS: Final = 512
"""How many roundings of their type two honest answers may lie apart.

Between instruction sets 126 were measured for eigenvectors, and up to 320 for products of long
vectors that nearly cancel and inverses of matrices of condition 2e5, in double precision; 10 for
deep networks in single.
"""

SINGLE: Final = ROUNDINGS * float(np.finfo(np.float32).eps)
"""How far apart honest answers in single precision may lie: 6e-5 of their norm."""

_WHOLE = 1 << 22  # single precision tells halves apart below; so whole numbers are no accident
_WHOLE_DOUBLES = 1 << 45  # as above, for what single precision does not hold
_HALVES = 16  # roundings in half precision, of which 512 would be half the answer
_FEW = 64  # numbers, which tell mostly
_TINY = float(np.finfo(np.float64).tiny)
_SQUARED = 1e100  # beyond, or below its inverse, squares may leave the range of floats


@final
@dataclass(frozen=True, kw_only=True)
class Majority:
    """The copies that agree with one of them.

    Args:
        chosen: the place of the one, which is nearest to the others.
        agreeing: the places of all that agree with it, itself among them, increasing.
        alike: how many of these are equal to it, to the bit.
        spread: how far the farthest of them is from it, norm by norm; 0.0 where all are alike.

    Example:
        >>> from anyk.codes.agreement import Agreement
        >>> Agreement().majority([np.array([0.1]), np.array([9.0]), np.array([0.1])], 2)
        Majority(chosen=0, agreeing=(0, 2), alike=2, spread=0.0)
    """

    chosen: int
    agreeing: tuple[int, ...]
    alike: int
    spread: float

    def known(self, least: int) -> bool:
        """Whether most of them, and at least so many, are alike to the bit.

        Args:
            least: how many can't all be liars.
        """
        return self.alike >= least and 2 * self.alike > len(self.agreeing)


@final
@dataclass(frozen=True)
class Agreement:
    """When two answers on one share are the same: ||a - b|| <= rtol * max(||a||, ||b||).

    The norm is that of all the numbers of an answer, so that entries that are nearly 0 may lose
    all their digits, as they do where honest hosts add up in another order.

    Args:
        rtol: None to go by what the answers hold: whole numbers must be equal; what single
            precision holds may differ by 512 roundings of it, 6e-5; anything else by 512 roundings
            of double precision, 1.1e-13. Two answers of which one is finer go by the finer. (They
            are told by their values, as a function may compute in single precision and return
            doubles. Whole numbers beyond 4 million count as such where single precision does not
            hold them all.)

        floor: what may differ in any case, but for whole numbers, where rtol is None.

    Raises:
        InvalidArgument: if rtol is no finite number of at least 0.

    Guarantee:
        NaN and Inf agree where they stand in the same places. Nothing overflows. What differs by
        less than rtol of the norm, in a few numbers or in all, is not told from rounding.

    Example:
        >>> from anyk.codes.agreement import Agreement
        >>> a = np.array([1e6, 0.1])
        >>> Agreement().agree(a, a + 1e-9), Agreement().agree(a, a + 1e-6)
        (True, False)
        >>> Agreement().agree(a.astype(np.float32), (a + 1.0).astype(np.float32))
        True
        >>> Agreement().agree(np.array([3.0, 4.0]), np.array([3.0, 5.0]))
        False
    """

    rtol: float | None = None
    floor: float = 0.0

    def __post_init__(self) -> None:
        if self.rtol is None:
            return
        needed = "None, or a finite number of at least 0"
        change = "Pass 0.0 for equal to the bit, or about 1e-4 for single precision."
        number = real("rtol", self.rtol, least=0.0, needed=needed, change=change)
        object.__setattr__(self, "rtol", number)

    def agree(self, one: NDArray[Any], other: NDArray[Any]) -> bool:
        """Whether two answers differ by rounding at most.

        Args:
            one: ndarray of any shape and dtype.
            other: another; of another shape or dtype it does not agree.
        """
        return _apart(one, other) <= self._limit(precision(one), precision(other))

    def majority(self, copies: Sequence[NDArray[Any]], least: int) -> Majority | None:
        """The copies that agree with one of them, where there are so many.

        Args:
            copies: ndarrays, one a worker, of any shapes.
            least: how many must agree, itself included.

        Returns:
            Those around the copy with which most agree; of several such, the one that is nearest
            to those that agree with it. None where there is none.
        """
        if len(copies) < max(least, 1):
            return None
        kinds = _alike(copies)
        if len(kinds) == 1:
            who = tuple(kinds[0])
            return Majority(chosen=0, agreeing=who, alike=len(who), spread=0.0)
        found = [copies[kind[0]] for kind in kinds]
        sizes = np.array([len(kind) for kind in kinds])
        apart, close = np.zeros((len(kinds),) * 2), np.eye(len(kinds), dtype=np.bool_)
        precisions = [precision(each) for each in found]
        for row, one in enumerate(found):
            for column in range(row):
                distance = _apart(one, found[column])
                near = distance <= self._limit(precisions[row], precisions[column])
                apart[row, column] = apart[column, row] = distance
                close[row, column] = close[column, row] = near
        supporters = close @ sizes
        if supporters.max() < least:
            return None
        lengths = np.where(close, apart, 0.0) @ sizes
        best = int(np.lexsort((lengths, -supporters))[0])
        members = np.flatnonzero(close[best])
        farthest = float(apart[best, members].max())
        return Majority(
            chosen=kinds[best][0],
            agreeing=tuple(sorted(place for each in members for place in kinds[each])),
            alike=int(sizes[best]),
            spread=farthest / (1.0 - farthest) if farthest < 1.0 else math.inf,
        )

    def _limit(self, one: tuple[float, bool], other: tuple[float, bool]) -> float:
        """rtol, as given or by the precision of both answers."""
        if self.rtol is not None:
            return self.rtol
        (fine, whole), (finer, both) = one, other
        return 0.0 if whole and both else max(min(fine, finer), self.floor)


def _alike(copies: Sequence[NDArray[Any]]) -> list[list[int]]:
    """The places of copies that are equal to the bit, together, by their first."""
    kinds: list[list[int]] = []
    for place, copy in enumerate(copies):
        for kind in kinds:
            if same(copies[kind[0]], copy):
                kind.append(place)
                break
        else:
            kinds.append([place])
    return kinds


def same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two answers of one dtype are equal, NaN to NaN.

    Args:
        one: ndarray of any shape and dtype.
        other: another; of another dtype it is another answer.

    Example:
        >>> from anyk.codes.agreement import same
        >>> same(np.array([np.nan, 1.0]), np.array([np.nan, 1.0]))
        True
    """
    if one.dtype != other.dtype:
        return False
    return np.array_equal(one, other) or (
        one.dtype.kind in "fc" and np.array_equal(one, other, equal_nan=True)
    )


def _apart(one: NDArray[Any], other: NDArray[Any]) -> float:
    """||a - b|| / max(||a||, ||b||); infinite where NaN and Inf, shapes or dtypes differ."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return math.inf
    if same(one, other):
        return 0.0
    if not (one.dtype.kind in "biufc" and other.dtype.kind in "biufc"):
        return math.inf
    a, b = _parts(one), _parts(other)
    finite = np.isfinite(a) & np.isfinite(b)
    if not finite.all():
        if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
            return math.inf
        a, b = a[finite], b[finite]
    scale = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)))
    if scale == 0.0:
        return 0.0
    if not 1.0 / _SQUARED < scale < _SQUARED:
        a, b = a / scale, b / scale
    size = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)))
    return max(float(np.linalg.norm(a - b)) / size, _TINY)  # integers that float64 confounds


def _parts(values: NDArray[Any]) -> NDArray[np.float64]:
    """Real and imaginary parts, as float64 ndarray (n,)."""
    wide = np.complex128 if values.dtype.kind == "c" else np.float64
    parts: NDArray[np.float64] = np.ascontiguousarray(values, dtype=wide).ravel().view(np.float64)
    return parts


def precision(values: NDArray[Any]) -> tuple[float, bool]:
    """How far rounding may part honest answers that hold such numbers, and if they are whole.

    Args:
        values: ndarray of any shape and dtype.

    Returns:
        512 roundings of the type that holds them, as a share of their norm, and whether all are
        whole numbers that no rounding of that type makes.

    Example:
        >>> from anyk.codes.agreement import precision
        >>> precision(np.array([0.5, 1.0]))[0] > 1e-5 > precision(np.array([0.1]))[0]
        True
    """
    if values.dtype.kind not in "fc":
        return 0.0, True
    if values.dtype == np.float16:
        return _HALVES * float(np.finfo(np.float16).eps), False
    parts = _parts(values)
    single = _all(_held_by_single, parts)
    bound = _WHOLE if single else _WHOLE_DOUBLES
    whole = _all(lambda some: (np.abs(some) < bound) & (some == np.trunc(some)), parts)
    return ROUNDINGS * float(np.finfo(np.float32 if single else np.float64).eps), whole


def _held_by_single(parts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which numbers single precision holds, NaN among them."""
    with np.errstate(over="ignore", under="ignore"):  # it holds none of these
        held: NDArray[np.bool_] = (parts == parts.astype(np.float32)) | np.isnan(parts)
    return held


def _all(
    test: Callable[[NDArray[np.float64]], NDArray[np.bool_]], parts: NDArray[np.float64]
) -> bool:
    """Whether all numbers pass a test; a few are tried first, as one that fails is enough."""
    return bool(test(parts[:_FEW]).all() and test(parts).all())
