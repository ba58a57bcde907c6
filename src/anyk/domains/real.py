"""The reals and the complex numbers, in double precision or in single."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import shown
from anyk.domains.base import AbstractDomain, ndarray_of, product_shapes
from anyk.errors import InvalidArgument

__all__ = ["Complex", "Reals", "in_doubles"]

_DOUBLE, _SINGLE = np.dtype(np.float64), np.dtype(np.float32)
_DOUBLES, _SINGLES = np.dtype(np.complex128), np.dtype(np.complex64)


def in_doubles(domain: AbstractDomain) -> AbstractDomain:
    """The reals or complex numbers in double precision, of such in single; others as they are.

    Args:
        domain: of a scheme.

    Example:
        >>> from anyk.domains.real import in_doubles
        >>> in_doubles(anyk.Reals(dtype=np.float32)), in_doubles(anyk.PrimeField(7))
        (Reals(), PrimeField(7))
    """
    if isinstance(domain, Reals):
        return Reals()
    return Complex() if isinstance(domain, Complex) else domain


def _floating(values: Any, argument: str, dtype: np.dtype[Any], kinds: str) -> NDArray[Any]:
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
            needed=f"numbers that {dtype} can hold",
            change="Convert it, or choose another domain.",
        )
    with np.errstate(over="ignore"):  # of a wider float, looked for in the next line
        converted: NDArray[Any] = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
    bits = np.finfo(dtype).nmant + 1
    if array.dtype.kind in "iu" and array.dtype.itemsize > bits // 8 and _too_long(array, bits):
        raise InvalidArgument(
            argument,
            given=f"integers of more than {bits} bits",
            needed=f"numbers that {dtype} holds exactly",
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
    """(*rows, inner) @ (inner, *shape), by BLAS; what is of the dtype is not looked at again.

    In single precision the coefficients and the sums are doubles, and the result is rounded once.
    """
    right = _ready(domain, big, "big")
    if domain.dtype not in (_SINGLE, _SINGLES):
        left = _ready(domain, small, "small")
        product_shapes(left.shape, right.shape)
        return np.tensordot(left, right, axes=1)
    left = _ready(Reals() if domain.dtype == _SINGLE else Complex(), small, "small")
    product_shapes(left.shape, right.shape)
    product = np.tensordot(left, right.astype(left.dtype), axes=1)
    with np.errstate(over="ignore"):
        return product.astype(domain.dtype)


def _ready(domain: AbstractDomain, values: Any, argument: str) -> NDArray[Any]:
    """An array of the domain's dtype as it is; anything else, if it is valid."""
    if type(values) is np.ndarray and values.dtype == domain.dtype:
        return values
    return domain.validate(values, argument)


def _too_long(array: NDArray[Any], bits: int) -> bool:
    """Whether an integer is larger than all that a float of so many bits tells apart."""
    exact = 1 << bits
    return bool(array.size) and bool(array.max() > exact or array.min() < -exact)


def _one_of(dtype: Any, several: tuple[np.dtype[Any], np.dtype[Any]]) -> np.dtype[Any]:
    """The dtype that was asked for, if it is one of two."""
    found: np.dtype[Any] | None
    try:
        found = np.dtype(dtype)
    except Exception:  # noqa: BLE001 - numpy raises whatever the argument's methods raise
        found = None
    if dtype is None or found is None or found not in several:
        double, single = several
        raise InvalidArgument(
            "dtype",
            given=shown(dtype),
            needed=f"np.{double} or np.{single}",
            change=f"Pass np.{single} for half the bytes and 7 digits, or leave it out.",
        )
    return found


@final
@dataclass(frozen=True, repr=False)
class Reals(AbstractDomain):
    """The real numbers, as float64 or float32.

    Args:
        dtype: of shares, of what travels, of answers and of the value; np.float32 takes half the
            bytes, and functions see it. Coefficients are computed in double precision all the same.

    Raises:
        InvalidArgument: if it is another dtype.

    References:
        IEEE 754-2019, binary64 and binary32.

    Example:
        >>> anyk.Reals().matmul(np.array([[1.0, 2.0]]), np.array([[1.0], [10.0]]))
        array([[21.]])
        >>> anyk.Reals(dtype=np.float32).validate([0.5], "X").dtype
        dtype('float32')
    """

    dtype: Any = _DOUBLE

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", _one_of(self.dtype, (_DOUBLE, _SINGLE)))

    def __repr__(self) -> str:
        return "Reals()" if self.dtype == _DOUBLE else "Reals(dtype=np.float32)"

    @property
    def exact(self) -> bool:
        """False: every operation rounds."""
        return False

    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Finite numbers of the dtype, from bools, integers or floats; else InvalidArgument."""
        return _floating(values, argument, self.dtype, "biuf")

    def present(self, values: NDArray[Any]) -> Any:
        """The ndarray itself."""
        return values

    def accept(self, result: Any) -> NDArray[Any]:
        """A function's result as a finite ndarray of the dtype; else InvalidArgument."""
        return self.validate(result, "answer")

    def matmul(self, small: Any, big: Any) -> NDArray[Any]:
        """(*rows, inner) @ (inner, *shape), in the dtype; InvalidArgument if they don't fit.

        NaN and Inf in an ndarray of this dtype go the way that IEEE 754 says.
        """
        return _product(self, small, big)


@final
@dataclass(frozen=True, repr=False)
class Complex(AbstractDomain):
    """The complex numbers, as complex128 or complex64.

    Args:
        dtype: of shares, of what travels, of answers and of the value; np.complex64 takes half the
            bytes, and functions see it. Coefficients are computed in double precision all the same.

    Raises:
        InvalidArgument: if it is another dtype.

    References:
        IEEE 754-2019, binary64 and binary32 for both parts.

    Example:
        >>> anyk.Complex().matmul(np.array([[1j]]), np.array([[1.0 + 0j]]))
        array([[0.+1.j]])
    """

    dtype: Any = _DOUBLES

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", _one_of(self.dtype, (_DOUBLES, _SINGLES)))

    def __repr__(self) -> str:
        return "Complex()" if self.dtype == _DOUBLES else "Complex(dtype=np.complex64)"

    @property
    def exact(self) -> bool:
        """False: every operation rounds."""
        return False

    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Finite numbers of the dtype, from any numbers; else InvalidArgument."""
        return _floating(values, argument, self.dtype, "biufc")

    def present(self, values: NDArray[Any]) -> Any:
        """The ndarray itself."""
        return values

    def accept(self, result: Any) -> NDArray[Any]:
        """A function's result as a finite ndarray of the dtype; else InvalidArgument."""
        return self.validate(result, "answer")

    def matmul(self, small: Any, big: Any) -> NDArray[Any]:
        """(*rows, inner) @ (inner, *shape), in the dtype; InvalidArgument if they don't fit.

        NaN and Inf in an ndarray of this dtype go the way that IEEE 754 says.
        """
        return _product(self, small, big)
