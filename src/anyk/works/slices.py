"""`CombinedSlices`: one combination of slices of f of several blocks, and how it is read again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.told import marked
from anyk.domains.array import FieldArray
from anyk.work import AbstractWork, Function
from anyk.works.combined import check_floats, check_shape, results_of

__all__ = ["CombinedSlices", "joined", "opened", "packed", "shape_in_digits", "sliced", "unpacked"]

_BASE = 1 << 10  # of the digits of a length: half precision holds them
_LIMIT = 1 << 62  # of the numbers in a result
_DOUBLES = 2  # in a complex number
_ENDS = 2  # numbers after the digits: how many each length has, and how many lengths there are


@final
@dataclass(frozen=True)
class CombinedSlices(AbstractWork):
    """One combination of m slices of each of f(X_1), .., f(X_l), and after it their shape.

    The share has two parts: the blocks, (l, *shape), and the weights of the slices: (l, m) over a
    field or in complex numbers; (l, m, 2), real and imaginary parts, where results may be real. Two
    real numbers count as one complex number then. All results are cut by `sliced`; the answer is
    one vector, in the type of the results: the combination, `marked` by how far rounding may have
    moved it, and `shape_in_digits`.

    Args:
        function: f, whose results are numbers, of one shape for all blocks.

    Example:
        >>> from anyk.works.slices import CombinedSlices
        >>> field = anyk.PrimeField(1009)
        >>> blocks = [field.array([1, 2, 3]), field.array([4, 5, 6])]
        >>> weights = field.array([[1, 0], [0, 1]])  # 1 2 of the first, and 6 0 of the second
        >>> CombinedSlices(lambda x: x)([blocks, weights], [])
        array([7, 2, 3, 1, 1])
    """

    function: Function

    @property
    def users(self) -> Function:
        """The function."""
        return self.function

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> NDArray[Any]:
        """The combination of the slices of f(X_j, argument, ..), and the shape of the results."""
        blocks, given = parts
        results = list(results_of(self.function, blocks, arguments))
        for result in results:
            check_shape(result.shape, results[0].shape)
        digits = shape_in_digits(results[0].shape)
        if isinstance(given, FieldArray):
            field, weights = given.field, given.values
            slices = [sliced(field.accept(each), weights.shape[1]) for each in results]
            sums = field.matmul(weights.ravel(), np.concatenate(slices))
            return np.concatenate([sums, digits])
        numbers, kind = np.asarray(given), _kind(results)
        if numbers.ndim > 2:  # noqa: PLR2004 - blocks and slices
            numbers = np.ascontiguousarray(numbers).view(np.complex128)[..., 0]
        elif kind.kind != "c":
            kind = np.result_type(kind, np.complex64)
        total: NDArray[Any] = np.zeros((), dtype=np.complex128)
        sizes: NDArray[Any] = np.zeros((), dtype=np.complex128)
        for own, result in zip(numbers, results, strict=True):
            rows = sliced(packed(result.ravel(), kind), len(own))
            with np.errstate(over="ignore", invalid="ignore"):  # the domain refuses Inf and NaN
                total = total + own @ rows
                sizes = sizes + (1 + 1j) * (np.abs(own) @ np.abs(rows))
        combined = marked(unpacked(total, kind), unpacked(sizes, kind), kind)
        return np.concatenate([combined, digits]).astype(kind)


def _kind(results: Sequence[NDArray[Any]]) -> np.dtype[Any]:
    """The type of the answer: that of the results, or float64 for whole numbers."""
    for each in results:
        check_floats(each)
    kind = np.result_type(*(each.dtype for each in results))
    return kind if kind.kind in "fc" else np.dtype(np.float64)


def packed(numbers: NDArray[Any], kind: np.dtype[Any]) -> NDArray[np.complex128]:
    """Numbers as complex ones: two real ones as one, with a zero for one that is missing.

    Args:
        numbers: ndarray (*rows, L).
        kind: of the answers: complex, or real.

    Returns:
        ndarray (*rows, L) of complex numbers, or (*rows, ceil(L / 2)) of real ones.

    Example:
        >>> from anyk.works.slices import packed
        >>> packed(np.arange(3.0), np.dtype(float))
        array([0.+1.j, 2.+0.j])
    """
    if kind.kind == "c":
        return numbers.astype(np.complex128)
    doubles = numbers.astype(np.float64)
    if doubles.shape[-1] % _DOUBLES:
        doubles = np.concatenate([doubles, np.zeros((*doubles.shape[:-1], 1))], axis=-1)
    return np.ascontiguousarray(doubles).view(np.complex128)


def unpacked(numbers: NDArray[np.complex128], kind: np.dtype[Any]) -> NDArray[Any]:
    """Complex numbers as what was packed in them.

    Args:
        numbers: ndarray (*rows, L) of complex numbers.
        kind: complex, or real.

    Returns:
        The same, or float64 ndarray (*rows, 2 L).
    """
    return numbers if kind.kind == "c" else np.ascontiguousarray(numbers).view(np.float64)


def sliced(numbers: NDArray[Any], slices: int) -> NDArray[Any]:
    """All numbers of an array in m rows of one length, with zeros after the last number.

    Args:
        numbers: ndarray of any shape.
        slices: m.

    Returns:
        ndarray (m, length).

    Example:
        >>> from anyk.works.slices import sliced
        >>> sliced(np.arange(1, 6), 2)
        array([[1, 2, 3],
               [4, 5, 0]])
    """
    length = -(-numbers.size // slices)
    rows = np.zeros(slices * length, dtype=numbers.dtype)
    rows[: numbers.size] = numbers.ravel()
    return rows.reshape(slices, length)


def joined(rows: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """An array of its slices, after each other.

    Args:
        rows: ndarray (m, length).
        shape: of the array.
    """
    return rows.reshape(-1)[: math.prod(shape)].reshape(shape)


def shape_in_digits(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """A shape in numbers below 1024, to be read from the end.

    Args:
        shape: of a result.

    Returns:
        int64 ndarray: the digits of each length, the lowest first; how many each has; how many
        lengths there are.

    Example:
        >>> from anyk.works.slices import shape_in_digits
        >>> shape_in_digits((5, 3000))
        array([  5,   0, 952,   2,   2,   2])
    """
    each = max((_digits(length) for length in shape), default=0)
    digits = [length // _BASE**place % _BASE for length in shape for place in range(each)]
    return np.array([*digits, each, len(shape)], dtype=np.int64)


def _digits(length: int) -> int:
    return max(1, -(-length.bit_length() // (_BASE.bit_length() - 1)))


def opened(answers: NDArray[Any]) -> tuple[NDArray[Any], tuple[int, ...]] | None:
    """The combinations in answers, and the shape of the results that all of them tell.

    Args:
        answers: ndarray (n, length).

    Returns:
        ndarray (n, what is left), and the shape; None where they tell several, or none.

    Example:
        >>> from anyk.works.slices import opened
        >>> opened(np.array([[7, 8, 2, 2, 1, 2]]))
        (array([[7, 8]]), (2, 2))
    """
    if answers.ndim != 2 or answers.shape[1] < _ENDS:  # noqa: PLR2004 - answers are vectors
        return None
    each, lengths = answers[0, -2:]
    if not _whole(each) or not _whole(lengths):
        return None
    digits = int(each.real) * int(lengths.real)
    start = answers.shape[1] - _ENDS - digits
    told = answers[:, max(start, 0) :]
    if start < 0 or not (told == told[0]).all() or not all(map(_whole, told[0])):
        return None
    read = [int(digit.real) for digit in told[0, :digits]]
    shape = tuple(
        sum(digit * _BASE**place for place, digit in enumerate(read[at : at + int(each.real)]))
        for at in range(0, digits, max(int(each.real), 1))
    )
    if math.prod(shape) > _LIMIT or not np.array_equal(told[0], shape_in_digits(shape)):
        return None
    return answers[:, :start], shape


def _whole(number: Any) -> bool:
    """Whether it is a digit."""
    return bool(0 <= number.real < _BASE and number == int(number.real))
