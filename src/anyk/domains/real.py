"""The reals and the complex numbers, in double precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain, ndarray_of, product_shapes
from anyk.errors import InvalidArgument

__all__ = ["Complex", "Reals"]

_EXACT = 1 << 53
_WIDE = 8  # bytes of an integer that may be larger


def _floating(values: Any, argument: str, dtype: type, kinds: str) -> NDArray[Any]:
    """An ndarray of `dtype`, if the values are finite numbers of one of the dtype kinds."""
    ready = type(values) is np.ndarray and values.dtype == dtype and values.flags.c_contiguous
    if ready and np.isfinite(values).all():  # as most are
        same: NDArray[Any] = values.view()
        return same
    array = ndarray_of(values, argument, kind="numbers")
    if array.dtype.kind not in kinds:
        raise InvalidArgument(
            argument,
            given=f"dtype {array.dtype}",
            needed=f"numbers that {np.dtype(dtype)} can hold",
            change="Convert it, or choose another domain.",
        )
    with np.errstate(over="ignore"):  # of a wider float, looked for in the next line
        converted: NDArray[Any] = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
    if array.dtype.kind in "iu" and array.dtype.itemsize == _WIDE and _too_long(array):
        raise InvalidArgument(
            argument,
            given="integers of more than 53 bits",
            needed=f"numbers that {np.dtype(dtype)} holds exactly",
            change="Round them to floats first, or use a scheme over a field.",
        )
    finite = np.isfinite(converted)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise InvalidArgument(
            argument,
            given=f"{converted[where]} at index {where}",
            needed="finite numbers",
            change="Remove or fill in NaN and Inf.",
        )
    return converted


def _product(domain: AbstractDomain, small: Any, big: Any) -> NDArray[Any]:
    """(*rows, inner) @ (inner, *shape), by BLAS; what is of the dtype is not looked at again."""
    left, right = (
        each
        if type(each) is np.ndarray and each.dtype == domain.dtype
        else domain.validate(each, argument)
        for each, argument in ((small, "small"), (big, "big"))
    )
    product_shapes(left.shape, right.shape)
    return np.tensordot(left, right, axes=1)


def _too_long(array: NDArray[Any]) -> bool:
    """Whether an integer is larger than all that float64 tells apart."""
    return bool(array.size) and bool(array.max() > _EXACT or array.min() < -_EXACT)


@final
@dataclass(frozen=True)
class Reals(AbstractDomain):
    """The real numbers, as float64.

    References:
        IEEE 754-2019, binary64.

    Example:
        >>> anyk.Reals().matmul(np.array([[1.0, 2.0]]), np.array([[1.0], [10.0]]))
        array([[21.]])
    """

    @property
    def exact(self) -> bool:
        """False: every operation rounds."""
        return False

    @property
    def dtype(self) -> Any:
        """float64."""
        return np.dtype(np.float64)

    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Finite float64 values, from bools, integers or floats; else InvalidArgument."""
        return _floating(values, argument, np.float64, "biuf")

    def present(self, values: NDArray[Any]) -> Any:
        """The ndarray itself."""
        return values

    def accept(self, result: Any) -> NDArray[Any]:
        """A function's result as a finite float64 ndarray; else InvalidArgument."""
        return self.validate(result, "answer")

    def matmul(self, small: Any, big: Any) -> NDArray[Any]:
        """(*rows, inner) @ (inner, *shape) in double precision; InvalidArgument if they don't fit.

        NaN and Inf in an ndarray of this dtype go the way that IEEE 754 says.
        """
        return _product(self, small, big)


@final
@dataclass(frozen=True)
class Complex(AbstractDomain):
    """The complex numbers, as complex128.

    References:
        IEEE 754-2019, binary64 for both parts.

    Example:
        >>> anyk.Complex().matmul(np.array([[1j]]), np.array([[1.0 + 0j]]))
        array([[0.+1.j]])
    """

    @property
    def exact(self) -> bool:
        """False: every operation rounds."""
        return False

    @property
    def dtype(self) -> Any:
        """complex128."""
        return np.dtype(np.complex128)

    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Finite complex128 values, from any numbers; else InvalidArgument."""
        return _floating(values, argument, np.complex128, "biufc")

    def present(self, values: NDArray[Any]) -> Any:
        """The ndarray itself."""
        return values

    def accept(self, result: Any) -> NDArray[Any]:
        """A function's result as a finite complex128 ndarray; else InvalidArgument."""
        return self.validate(result, "answer")

    def matmul(self, small: Any, big: Any) -> NDArray[Any]:
        """(*rows, inner) @ (inner, *shape) in double precision; InvalidArgument if they don't fit.

        NaN and Inf in an ndarray of this dtype go the way that IEEE 754 says.
        """
        return _product(self, small, big)
