"""Two factors as users pass them: any array-like, by numpy's rules of shapes, in one arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import ndarray_of
from anyk.domains.real import Reals
from anyk.errors import InvalidArgument
from anyk.planning.costs import Size

__all__ = ["Factors", "factors_of"]

_MATRIX: Final = 2  # axes
_BYTES: Final = 8  # of a number
_DENSE: Final = 1 << 32  # bytes that a sparse matrix may take when it is none any more
_EXACT: Final = 1 << 53
_SLACK: Final = 1.0 + 1e-9  # for what rounding does to a bound


@final
@dataclass(frozen=True, eq=False)
class Factors:
    """A and B as matrices, or as many matrices each, and what becomes of their product.

    Args:
        left: A, ndarray (rows, inner), or (stack, rows, inner).
        right: B, ndarray (inner, columns) or (inner,), or (stack, inner, columns).
        shape: of the product, by numpy's rules.
        order: axes of the product as computed, in the order in which the user wants them, where
            that is another one; of shape `before`.
        before: the shape of the product as computed, axes apart that were put together.
        dtype: of the product.
        shift: by which power of two the product of `left` and `right` is smaller.
    """

    left: NDArray[Any]
    right: NDArray[Any]
    shape: tuple[int, ...]
    order: tuple[int, ...]
    before: tuple[int, ...]
    dtype: np.dtype[Any]
    shift: int = 0

    @property
    def size(self) -> Size:
        """Of the product."""
        columns = self.right.shape[-1] if self.right.ndim > 1 else 1
        stack = self.left.shape[0] if self.left.ndim > _MATRIX else 1
        return Size(self.left.shape[-2], self.left.shape[-1], columns, stack)

    @property
    def whole(self) -> bool:
        """Whether they are integers, or truth values."""
        return self.dtype.kind in "bi"

    @property
    def largest(self) -> tuple[int, int]:
        """The largest absolute values of both, which are integers."""
        return _largest(self.left), _largest(self.right)

    @property
    def bound(self) -> int:
        """A number that no absolute value in the product of two integer factors is above."""
        most, others = self.largest
        rows = np.abs(self.left.astype(np.float64)).sum(axis=-1).max()
        columns = np.abs(self.right.astype(np.float64))
        sums = columns.sum(axis=-2 if columns.ndim > 1 else -1).max()
        told = min(float(rows) * others, float(sums) * most)
        return math.ceil(told * _SLACK) if told >= _EXACT // 2 else math.ceil(told)

    def of_floats(self) -> Factors:
        """The same, for a product that is not exact."""
        return replace(self, dtype=np.dtype(np.float64))

    def scaled(self) -> Factors:
        """The same reals times powers of two, so that the largest of each is below 1.

        Raises:
            InvalidArgument: if one is not finite.
        """
        left, right = Reals().validate(self.left, "a"), Reals().validate(self.right, "b")
        own, other = (int(np.frexp(np.abs(each).max())[1]) for each in (left, right))
        return replace(
            self, left=np.ldexp(left, -own), right=np.ldexp(right, -other), shift=own + other
        )

    def value(self, product: NDArray[Any]) -> NDArray[Any]:
        """The product as the user wants it.

        Args:
            product: of `left` and `right`.

        Raises:
            InvalidArgument: if it is beyond what its dtype holds.
        """
        apart = product.reshape(self.before).transpose(self.order).reshape(self.shape)
        if self.dtype.kind == "b":
            return np.asarray(apart != 0)
        if self.dtype.kind != "c":
            apart = apart.real  # of a product over the complex numbers the rest is rounding
        with np.errstate(over="ignore"):
            if self.shift:
                apart = np.ldexp(apart, self.shift)
            value = np.ascontiguousarray(apart, dtype=self.dtype).reshape(self.shape)
        if self.dtype.kind in "fc" and not np.isfinite(value).all() and np.isfinite(product).all():
            raise InvalidArgument(
                "a",
                given=f"factors of dtype {self.dtype}, whose product has entries up to "
                f"{float(np.abs(apart).max()):.3g}",
                needed=f"at most {np.finfo(self.dtype).max:.3g}, which {self.dtype} holds",
                change="Pass a.astype(float).",
            )
        return value


def factors_of(a: Any, b: Any) -> Factors:
    """Two factors, if they can be multiplied.

    Args:
        a: array-like of one axis or more.
        b: array-like of one axis or more.

    Raises:
        InvalidArgument: if they are no numbers, or do not fit.

    Example:
        >>> from anyk.running.factors import factors_of
        >>> factors = factors_of(np.ones((5, 4, 3)), np.ones(3))
        >>> factors.left.shape, factors.right.shape, factors.shape
        ((20, 3), (3,), (5, 4))
    """
    A, B = _numbers(a, "a"), _numbers(b, "b")
    inner = A.shape[-1]
    if B.shape[-2 if B.ndim > 1 else 0] != inner:
        raise InvalidArgument(
            "b",
            given=f"shape {B.shape}, with an a of shape {A.shape}",
            needed=f"{inner} rows, as many as a has columns",
            change="Transpose one of them.",
        )
    dtype = _dtype(A, B)
    if not (A.size and B.size):
        raise InvalidArgument(
            "b" if A.size else "a",
            given=f"shapes {A.shape} and {B.shape}",
            needed="entries in both",
            change="Nothing to multiply: leave the call out.",
        )
    rows = A if A.ndim > 1 else A[None]
    try:
        np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    except ValueError as error:
        raise InvalidArgument(
            "b",
            given=f"shape {B.shape}, with an a of shape {A.shape}",
            needed="as many matrices in both, or one in one of them",
            change="Reshape one of them, or multiply one after the other.",
        ) from error
    return _arranged(rows, B, flat=A.ndim == 1, dtype=dtype)


def _arranged(A: NDArray[Any], B: NDArray[Any], *, flat: bool, dtype: np.dtype[Any]) -> Factors:
    """As one product of matrices where one of them is one matrix; else as a stack."""
    inner, many, few = A.shape[-1], A.shape[:-2], B.shape[:-2]
    last = () if B.ndim == 1 else B.shape[-1:]
    rows = () if flat else A.shape[-2:-1]
    if math.prod(few) == 1:  # all rows below each other
        right = B if B.ndim == 1 else B.reshape(inner, *last)
        lead = np.broadcast_shapes(many, few)
        shape = (*lead, *rows, *last)
        return _plain(A.reshape(-1, inner), right, shape, dtype)
    if math.prod(many) == 1:  # all columns beside each other
        lead = np.broadcast_shapes(many, few)
        beside = np.moveaxis(B.reshape(-1, inner, *last), 0, 1).reshape(inner, -1)
        before = (A.shape[-2], math.prod(few), *last)
        left, shape = A.reshape(-1, inner), (*lead, *rows, *last)
        return Factors(left, np.ascontiguousarray(beside), shape, (1, 0, 2), before, dtype)
    lead = np.broadcast_shapes(many, few)
    left = np.broadcast_to(A, (*lead, *A.shape[-2:])).reshape(-1, *A.shape[-2:])
    right = np.broadcast_to(B, (*lead, *B.shape[-2:])).reshape(-1, *B.shape[-2:])
    return _plain(left, right, (*lead, *rows, *last), dtype)


def _plain(
    left: NDArray[Any], right: NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Factors:
    return Factors(left, right, shape, tuple(range(len(shape))), shape, dtype)


def _numbers(values: Any, argument: str) -> NDArray[Any]:
    """A factor as an ndarray of numbers, with an axis or more."""
    if callable(getattr(values, "toarray", None)) and hasattr(values, "nnz"):
        values = _dense(values, argument)
    array = ndarray_of(values, argument, kind="numbers")
    kind = array.dtype.kind
    if kind in "fc" and array.dtype.itemsize > _BYTES * (1 + (kind == "c")):
        change = "Round it: .astype(float), or .astype(complex)."
        raise InvalidArgument(
            argument, given=f"dtype {array.dtype}", needed="at most 64 bits a number", change=change
        )
    if kind not in "biufc" or array.ndim == 0:
        raise InvalidArgument(
            argument,
            given=f"{type(values).__name__} of dtype {array.dtype} and shape {array.shape}",
            needed="a matrix, or a vector, of integers, floats or complex numbers",
            change="Convert it: np.asarray(..., dtype=float), say.",
        )
    return array


def _dense(values: Any, argument: str) -> Any:
    """A sparse matrix with its zeros."""
    size = math.prod(values.shape) * _BYTES
    if size > _DENSE:
        raise InvalidArgument(
            argument,
            given=f"a sparse matrix of shape {values.shape}, {size / 2**30:.0f} GiB with its zeros",
            needed=f"at most {_DENSE / 2**30:.0f} GiB: shares of the schemes here are dense",
            change="Multiply block by block of rows.",
        )
    return values.toarray()


def _dtype(A: NDArray[Any], B: NDArray[Any]) -> np.dtype[Any]:
    """Of the product: numpy's, but that integers do not wrap in a short one."""
    dtype = np.result_type(A.dtype, B.dtype)
    whole = A.dtype.kind in "biu" and B.dtype.kind in "biu"
    return np.dtype(np.int64) if whole and dtype.kind != "b" else dtype


def _largest(array: NDArray[Any]) -> int:
    """The largest absolute value of integers."""
    return max(abs(int(array.min())), abs(int(array.max())))
