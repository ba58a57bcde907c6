"""`FieldArray`: residues and their field together, with numpy's operators and functions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractField
from anyk.errors import InvalidArgument, NotPolynomial

__all__ = ["FieldArray"]

_REPR_LIMIT = 1000
_MOST_TERMS = 1 << 32


@final
class FieldArray:
    """An array of field elements: what a function on a field scheme is called with.

    It has the operators + - * @ ** (by an integer), indexing, `sum`, `reshape`, `T`, and the
    numpy functions that are polynomials or move elements about. Plain integers mix in and stand
    for their residues. Everything else raises `NotPolynomial`, because a share put through it
    would decode to something wrong.

    Args:
        values: int64 ndarray of residues in [0, p), any shape; use `field.array` to check them.
        field: the field they belong to.

    Example:
        >>> x = anyk.PrimeField(7).array([[1, 2], [3, 4]])
        >>> (x @ x.T - 1) ** 2
        PrimeField(7).array([[2, 2], [2, 2]])
        >>> np.stack([x[0], x.sum(axis=0)]).values
        array([[1, 2],
               [4, 6]])
    """

    __slots__ = ("field", "values")

    def __init__(self, values: NDArray[np.int64], field: AbstractField) -> None:
        self.values = values
        self.field = field

    def __reduce__(self) -> tuple[Any, ...]:
        return FieldArray, (self.values, self.field)

    # What it looks like

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, as numpy's."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.values.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.values.size

    @property
    def T(self) -> FieldArray:
        """The transpose: axes reversed."""
        return FieldArray(self.values.T, self.field)

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[FieldArray]:
        return (self[index] for index in range(len(self.values)))

    def __getitem__(self, index: Any) -> FieldArray:
        return FieldArray(np.asarray(self.values[index]), self.field)

    def __repr__(self) -> str:
        if self.values.size > _REPR_LIMIT:
            return f"<FieldArray of shape {self.shape} over {self.field!r}>"
        return f"{self.field!r}.array({self.values.tolist()})"

    def reshape(self, *shape: Any) -> FieldArray:
        """The same elements in another shape, as numpy's `reshape`."""
        return FieldArray(self.values.reshape(*shape), self.field)

    def transpose(self, *axes: Any) -> FieldArray:
        """Axes in another order, as numpy's `transpose`."""
        return FieldArray(self.values.transpose(*axes), self.field)

    def sum(self, axis: Any = None, *, keepdims: bool = False) -> FieldArray:
        """The sum along the given axes, all of them by default."""
        if self.values.size >= _MOST_TERMS:
            raise InvalidArgument(
                "sum",
                given=f"{self.values.size} terms",
                needed="fewer than 2**32, whose sum int64 holds",
                change="Sum parts, then the sums.",
            )
        total = np.sum(self.values, axis=axis, keepdims=keepdims)
        return FieldArray(self.field.reduce(np.asarray(total)), self.field)

    # Arithmetic

    def _residues(self, other: Any) -> NDArray[np.int64]:
        if isinstance(other, FieldArray):
            if other.field != self.field:
                raise InvalidArgument(
                    "operand",
                    given=f"an array over {other.field!r}",
                    needed=f"one over {self.field!r}",
                    change="Use one field throughout.",
                )
            return other.values
        return self.field.constant(other)

    def __add__(self, other: Any) -> FieldArray:
        return FieldArray(self.field.reduce(self.values + self._residues(other)), self.field)

    def __radd__(self, other: Any) -> FieldArray:
        return self.__add__(other)

    def __sub__(self, other: Any) -> FieldArray:
        return FieldArray(self.field.reduce(self.values - self._residues(other)), self.field)

    def __rsub__(self, other: Any) -> FieldArray:
        return FieldArray(self.field.reduce(self._residues(other) - self.values), self.field)

    def __mul__(self, other: Any) -> FieldArray:
        return FieldArray(self.field.reduce(self.values * self._residues(other)), self.field)

    def __rmul__(self, other: Any) -> FieldArray:
        return self.__mul__(other)

    def __neg__(self) -> FieldArray:
        return FieldArray(self.field.reduce(-self.values), self.field)

    def __pos__(self) -> FieldArray:
        return self

    def __pow__(self, exponent: Any) -> FieldArray:
        try:
            power = operator.index(exponent)
        except TypeError:
            raise NotPolynomial(
                "**: the exponent must be one integer, not an array or a fraction."
            ) from None
        if power < 0:
            raise NotPolynomial(f"** {power}: a negative power is no polynomial.")
        return FieldArray(self.field.power(self.values, power), self.field)

    def __matmul__(self, other: Any) -> FieldArray:
        return FieldArray(_matmul(self.field, self.values, self._residues(other)), self.field)

    def __rmatmul__(self, other: Any) -> FieldArray:
        return FieldArray(_matmul(self.field, self._residues(other), self.values), self.field)

    def _no_quotient(self, _other: object = None) -> FieldArray:
        raise NotPolynomial(
            "/, //, % and abs() are no polynomials: multiply by field.inverse(constant) instead."
        )

    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _no_quotient
    __mod__ = __rmod__ = __abs__ = _no_quotient

    def _refuse(self, _other: object) -> bool:
        raise NotPolynomial(
            "a comparison of field elements is no polynomial, and no order exists in a field: "
            "compare .values outside of the coded function."
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = None  # type: ignore[assignment] # as numpy's arrays: not hashable

    def __bool__(self) -> bool:
        raise NotPolynomial("the truth of a field element is no polynomial.")

    def __array__(self, *_: Any, **__: Any) -> NDArray[Any]:
        raise NotPolynomial(
            "turning a FieldArray into an ndarray would lose the field: use .values."
        )

    # numpy

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "reduce" and ufunc is np.add:
            _only(kwargs, _PLAIN, "add.reduce")
            return self.sum(**{"axis": 0, **kwargs})
        if method == "__call__" and ufunc is np.power and not kwargs:
            if not isinstance(inputs[0], FieldArray):
                raise _not_polynomial("power")
            return inputs[0] ** inputs[1]
        if method == "__call__" and ufunc in _UFUNCS and not kwargs:
            return _UFUNCS[ufunc](*(FieldArray(self._residues(x), self.field) for x in inputs))
        raise _not_polynomial(
            ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        )

    def __array_function__(
        self, function: Callable[..., Any], _types: Iterable[type], args: Any, kwargs: Any
    ) -> Any:
        _only(kwargs, _PLAIN, function.__name__)
        numbers = (*args[1:], *kwargs.values())
        if function in _PLACES and any(isinstance(each, FieldArray) for each in numbers):
            raise _not_polynomial(f"{function.__name__} by field elements")
        if function in _MOVES:
            return FieldArray(function(*_values(args, self), **kwargs), self.field)
        if function in _SUMS:
            if len(args) > _SUMS[function]:
                raise _not_plain("dtype", f"numpy.{function.__name__} of {len(args)} arguments")
            return FieldArray(
                self.field.reduce(function(*_values(args, self), **kwargs)), self.field
            )
        if function is np.dot and [np.ndim(_bare(each)) <= _MATRIX for each in args] == [True] * 2:
            return args[0] @ args[1]
        if function in _SHAPES:
            return function(*_values(args, self), **kwargs)
        raise _not_polynomial(function.__name__)


_UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.matmul: operator.matmul,
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.square: lambda x: x * x,
}
_MOVES = {
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.squeeze, np.expand_dims,
    np.broadcast_to, np.stack, np.concatenate, np.vstack, np.hstack, np.flip, np.roll, np.tile,
    np.repeat, np.take, np.diag, np.diagonal, np.atleast_1d, np.atleast_2d, np.tril, np.triu,
}  # fmt: skip
_PLACES = {np.take, np.tile, np.repeat, np.roll}  # by numbers, which no field element is
_SUMS: dict[Callable[..., Any], int] = {np.sum: 2, np.trace: 4, np.cumsum: 2}
"""How many of their arguments come before those that would change the numbers."""
_MATRIX = 2
_PLAIN = {
    "axis", "axis1", "axis2", "axes", "destination", "indices", "k", "keepdims", "offset", "order",
    "repeats", "reps", "shape", "shift", "source",
}  # fmt: skip
_SHAPES = {np.shape, np.ndim, np.size}


def _only(kwargs: Mapping[str, Any], allowed: set[str], name: str) -> None:
    """Refuse what would change the numbers: initial=, where=, dtype=, out=, casting=."""
    strange = kwargs.keys() - allowed
    if strange:
        raise _not_plain(min(strange), f"numpy.{name}(..., {min(strange)}=...)")


def _not_plain(argument: str, given: str) -> InvalidArgument:
    return InvalidArgument(
        argument,
        given=given,
        needed="a sum or a move of field elements as they are",
        change="Leave it out.",
    )


def _not_polynomial(name: str) -> NotPolynomial:
    return NotPolynomial(
        f"numpy.{name}: only polynomials can be computed in a field: +, -, *, @, ** by an "
        "integer, sums and reshapes. Approximate the function by a polynomial, or use a scheme "
        "over the reals, such as anyk.Spline."
    )


def _bare(argument: Any) -> Any:
    return argument.values if isinstance(argument, FieldArray) else argument


def _values(arguments: Sequence[Any], like: FieldArray) -> list[Any]:
    """Arguments of a numpy function with the arrays' residues in place of the FieldArrays."""
    bare: list[Any] = []
    for argument in arguments:
        if isinstance(argument, FieldArray):
            bare.append(like._residues(argument))  # noqa: SLF001 - its own class
        elif isinstance(argument, (list, tuple)) and any(
            isinstance(item, FieldArray) for item in argument
        ):
            bare.append([like._residues(item) for item in argument])  # noqa: SLF001 - its own class
        else:
            bare.append(argument)
    return bare


def _matmul(
    field: AbstractField, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Multiply as numpy's `matmul` does, vectors and stacks of matrices too, over a field."""
    if (
        not left.ndim
        or not right.ndim
        or left.shape[-1] != right.shape[-2 if right.ndim > 1 else 0]
    ):
        raise InvalidArgument(
            "@",
            given=f"shapes {left.shape} and {right.shape}",
            needed="the last axis of the left as long as the last but one of the right",
            change="Transpose one of them.",
        )
    if right.ndim <= 2:  # noqa: PLR2004 - one matrix on the right
        columns = right.reshape(right.shape[0], -1)
        rows = left.reshape(-1, left.shape[-1])
        # the kernel splits the operand that it calls small
        product = (
            field.matmul(rows, columns)
            if rows.size <= columns.size
            else field.matmul(columns.T, rows.T).T
        )
        return product.reshape((*left.shape[:-1], *right.shape[1:]))
    if left.ndim == 1:
        return _matmul(field, left[None], right)[..., 0, :]
    stack = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, stack + left.shape[-2:])
    right = np.broadcast_to(right, stack + right.shape[-2:])
    out = np.empty((*stack, left.shape[-2], right.shape[-1]), dtype=np.int64)
    for index in np.ndindex(*stack):
        out[index] = field.matmul(left[index], right[index])
    return out
