"""`Values`: numbers of any type, as they come; nothing is computed with them but by the user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import flag
from anyk.domains.base import AbstractDomain, ndarray_of, product_shapes
from anyk.domains.outside import plain
from anyk.errors import InvalidArgument

__all__ = ["Values", "added", "together"]

_EXACT = 1 << 53
_ROUNDED = 0.999  # of a limit, which a sum of rounded sizes may miss
_WIDEST = {"f": 8, "c": 16}  # bytes of a number; longer ones are of another length elsewhere


@final
@dataclass(frozen=True)
class Values(AbstractDomain):
    """Numbers of any type that numpy has: booleans, integers, floats, complex, of 64 bits a part.

    A function sees its block in the dtype in which it came (in native byte order), and the value
    has the dtype of what the function returned. NaN and Inf are values like others. Strings, dates
    and other objects are refused: `anyk.map` takes them.

    Args:
        finite: whether NaN and Inf are refused, as schemes that estimate want it.

    Raises:
        InvalidArgument: if it is no bool.

    Example:
        >>> anyk.Values().validate(np.array([1, 2], dtype=">i2"), "X").dtype
        dtype('int16')
        >>> scheme = anyk.Replication(blocks=2, workers=4)
        >>> with anyk.Inline(4) as executor:
        ...     anyk.run(scheme, np.isnan, [[1.0, np.nan], [2.0, 3.0]], executor).value
        array([[False,  True],
               [False, False]])
    """

    finite: bool = False

    def __post_init__(self) -> None:
        flag("finite", self.finite)

    @property
    def exact(self) -> bool:
        """False: floats among them round."""
        return False

    @property
    def dtype(self) -> Any:
        """float64, of the small matrices that say which block is where."""
        return np.dtype(np.float64)

    def holds(self, dtype: Any) -> bool:
        """Whether it is of numbers, in native byte order."""
        number = isinstance(dtype, np.dtype) and dtype.kind in "biufc" and dtype.isnative
        return number and dtype.itemsize <= _WIDEST.get(dtype.kind, dtype.itemsize)

    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Numbers in their own dtype; else InvalidArgument."""
        if type(values) is np.ndarray and self.holds(values.dtype) and values.flags.c_contiguous:
            array: NDArray[Any] = values.view()
        else:
            array = self._read(values, argument)
        if self.finite and array.dtype.kind in "fc" and not np.isfinite(array).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise InvalidArgument(
                argument,
                given=f"{array[where]} at index {where}",
                needed="finite numbers",
                change="Remove or fill in NaN and Inf.",
            )
        return array

    def _read(self, values: Any, argument: str) -> NDArray[Any]:
        """What came as a C-contiguous array in native byte order."""
        values = plain(values, argument, "numbers", labels=False)
        array = ndarray_of(values, argument, kind="numbers")
        _check_kind(array.dtype, argument)
        if isinstance(values, (list, tuple)):
            _check_list(values, array, argument)
        native = array.dtype.newbyteorder("=")
        same: NDArray[Any] = np.ascontiguousarray(array, dtype=native).reshape(array.shape)
        return same

    def present(self, values: NDArray[Any]) -> Any:
        """The ndarray itself."""
        return values

    def accept(self, result: Any) -> NDArray[Any]:
        """A function's result in its own dtype; InvalidArgument if it is not numbers."""
        return self.validate(result, "answer")

    def matmul(self, small: Any, big: Any) -> NDArray[Any]:
        """(*rows, inner) @ (inner, *shape), in the dtype that numpy has for both.

        Where each row of the small one chooses, being 0 but for one 1, it is what is chosen: in its
        own dtype, and untouched by NaN elsewhere.

        Raises:
            InvalidArgument: if a value is no number, or the shapes do not fit.
        """
        left, right = self.validate(small, "small"), self.validate(big, "big")
        product_shapes(left.shape, right.shape)
        if (
            left.size
            and (left == 1).sum(axis=-1).min() == 1
            and np.count_nonzero(left) == (left.size // left.shape[-1])
        ):
            return np.asarray(right[np.argmax(left == 1, axis=-1)])
        return np.tensordot(left, right, axes=1)


def together(rows: Sequence[NDArray[Any]], argument: str) -> NDArray[Any]:
    """Arrays of one shape as one array: in their own dtype, or in one that holds all their numbers.

    Args:
        rows: ndarrays of numbers.
        argument: what they are, for the error.

    Raises:
        InvalidArgument: if no dtype of numpy holds them all.

    Example:
        >>> from anyk.domains.values import together
        >>> together([np.array([1, 2]), np.array([0.5, 1.0])], "values").tolist()
        [[1.0, 2.0], [0.5, 1.0]]
        >>> together([np.array([2**62 + 1]), np.array([0.5])], "values")
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: values: got int64 and float64, with numbers that no one type
        holds; needed: one dtype for all blocks. Let the function return the same dtype for each
        block: np.asarray(result, dtype=float), say.
    """
    stacked = np.stack(rows)
    for row, kept in zip(rows, stacked, strict=True):
        if row.dtype != stacked.dtype and not _kept(row, kept):
            names = " and ".join(dict.fromkeys(str(each.dtype) for each in rows))
            raise InvalidArgument(
                argument,
                given=f"{names}, with numbers that no one type holds",
                needed="one dtype for all blocks",
                change="Let the function return the same dtype for each block: "
                "np.asarray(result, dtype=float), say.",
            )
    return stacked


def added(rows: NDArray[Any], argument: str) -> NDArray[Any]:
    """The sum of numbers along the first axis: floats in their dtype, whole numbers exactly.

    Args:
        rows: ndarray (n, *shape).
        argument: what they are, for the error.

    Returns:
        ndarray (*shape); int64 or uint64 for whole numbers, booleans among them.

    Raises:
        InvalidArgument: if such a sum does not fit.

    Example:
        >>> from anyk.domains.values import added
        >>> added(np.array([[100, 1], [100, 2]], dtype=np.int8), "values")
        array([200,   3])
    """
    if rows.dtype.kind in "fc":
        wide = np.result_type(rows.dtype, np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(rows.sum(axis=0, dtype=wide).astype(rows.dtype))
    kind = np.uint64 if rows.dtype.kind == "u" else np.int64
    most, limit = (
        float(np.abs(rows.astype(np.float64)).sum(axis=0).max(initial=0.0)),
        np.iinfo(kind),
    )
    if most >= limit.max * _ROUNDED:
        exact = rows.astype(object).sum(axis=0)
        if not (np.min(exact) >= limit.min and np.max(exact) <= limit.max):
            raise InvalidArgument(
                argument,
                given="whole numbers whose sum has more than 64 bits",
                needed=f"a sum that {np.dtype(kind)} holds",
                change="Let the function return floats, or take a scheme over a field.",
            )
    return np.asarray(rows.sum(axis=0, dtype=kind))


def _kept(row: NDArray[Any], wider: NDArray[Any]) -> bool:
    """Whether a wider dtype holds the same numbers."""
    if np.can_cast(row.dtype, wider.dtype) and not _long(row.dtype):
        return True
    return row.dtype.kind in "iu" and all(abs(int(each)) <= _EXACT for each in row.flat)


def _long(dtype: np.dtype[Any]) -> bool:
    """Whether it has integers of which float64 does not tell all apart, though numpy casts them."""
    return dtype.kind in "iu" and dtype.itemsize > 4  # noqa: PLR2004 - bytes


def _check_kind(dtype: np.dtype[Any], argument: str) -> None:
    """Refuse what is not numbers, or longer ones than travel."""
    if dtype.kind not in "biufc":
        raise InvalidArgument(
            argument,
            given=f"dtype {dtype}",
            needed="numbers: booleans, integers, floats or complex ones",
            change="Convert it, with .astype(float), say; anyk.map takes strings, dates and any "
            "other Python values as they are.",
        )
    if dtype.itemsize > _WIDEST.get(dtype.kind, dtype.itemsize):
        raise InvalidArgument(
            argument,
            given=f"dtype {dtype}",
            needed="numbers of at most 64 bits a part: longer ones are of another length elsewhere",
            change="Round them: .astype(np.float64), or np.complex128; anyk.map takes them as they "
            "are.",
        )


def _check_list(values: Sequence[Any], array: NDArray[Any], argument: str) -> None:
    """Refuse a list of which numpy made another type than that of what is in it."""
    kinds = {each.dtype for each in values if isinstance(each, np.ndarray)}
    if len(kinds) > 1:
        raise InvalidArgument(
            argument,
            given=f"a list of arrays of {' and '.join(sorted(map(str, kinds)))}",
            needed="blocks of one dtype",
            change="Convert them: [np.asarray(block, dtype=float) for block in X], say.",
        )
    if array.dtype.kind in "fc" and not kinds:
        long = [each for each in np.asarray(values, dtype=object).flat if _is_long(each)]
        if long:
            raise InvalidArgument(
                argument,
                given=f"the integer {long[0]} in a list of which numpy makes {array.dtype}",
                needed="numbers that one type holds",
                change="Make an array of a dtype that holds them, or round them to floats.",
            )


def _is_long(number: Any) -> bool:
    """Whether it is an integer of more bits than a float keeps."""
    return isinstance(number, (int, np.integer)) and abs(int(number)) > _EXACT
