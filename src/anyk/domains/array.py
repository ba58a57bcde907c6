"""`FieldArray`: residues and their field together, with numpy's operators and functions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractField
from anyk.domains.extent import Extent, constant_extent, largest_of
from anyk.domains.functions import matmul, refused, sums
from anyk.domains.functions.constants import as_residues, centred, constant, power_of_two
from anyk.domains.functions.inside import no_elements, shifted, wrapped
from anyk.domains.functions.lent import Views, note
from anyk.domains.functions.writing import write
from anyk.domains.rest import lifted
from anyk.errors import InvalidArgument, NotPolynomial

__all__ = ["FieldArray"]

_REPR_LIMIT = 1000


@final
class FieldArray:
    """An array of field elements: what a function on a field scheme is called with.

    It has the operators + - * @ ** (by an integer), indexing, assignment, the methods of ndarrays
    and the numpy functions that are polynomials or move elements about. Plain integers mix in and
    stand for their residues; in fixed point, floats as well. Everything else raises
    `NotPolynomial`, because a share put through it would decode to something wrong.

    In-place code writes in its memory, as with ndarrays; what is written in a part of an array
    counts for all of it. To fill an array bit by bit, begin with `np.zeros_like(x)`.

    What a function on a scheme is called with has an `extent`: its degree in the encoded arguments
    and, in fixed point, its fraction bits, its bound and its rounding error. Every operation says
    that of its result. An array that was made in another way has none, and counts as a constant.

    Args:
        values: ndarray of residues in [0, p), any shape; one of int64 is not copied, nor is one of
            the unsigned type in which they rest.
        field: the field they belong to.
        extent: what is known of them as polynomials of the encoded arguments; None for constants.

    Raises:
        InvalidArgument: if a value is no residue.

    Example:
        >>> x = anyk.PrimeField(7).array([[1, 2], [3, 4]])
        >>> (x @ x.T - 1) ** 2
        PrimeField(7).array([[2, 2], [2, 2]])
        >>> np.stack([x[0], x.sum(axis=0)]).values
        array([[1, 2],
               [4, 6]])
    """

    __slots__ = ("__weakref__", "_extent", "_owner", "_residues", "_views", "field")

    def __init__(
        self, values: NDArray[Any], field: AbstractField, extent: Extent | None = None
    ) -> None:
        self._residues = as_residues(values, field)
        self.field = field
        self._extent = extent
        self._owner: FieldArray | None = None
        self._views: Views | None = None  # of memory that is lent

    @classmethod
    def of_residues(
        cls, residues: NDArray[Any], field: AbstractField, *, lent: bool = False
    ) -> Self:
        """The same, of what is known to be residues: nobody looks at them again.

        Args:
            residues: ndarray of int64, or of the type in which they rest.
            field: the field they belong to.
            lent: whether others need them as they are: they are copied before anything is written
                in them. C-contiguous, and not of int64 then.
        """
        new = cls.__new__(cls)
        new.field, new._residues = field, residues  # noqa: SLF001 - its own class
        new._extent, new._owner = None, None  # noqa: SLF001 - its own class
        new._views = {} if lent else None  # noqa: SLF001 - its own class
        return new

    def _new(self, residues: NDArray[Any], extent: Extent | None) -> FieldArray:
        """Residues that this file or its functions computed, over the same field."""
        new = FieldArray.__new__(FieldArray)
        # arithmetic on arrays without axes gives numpy's scalars, which can't be written in
        residues = residues if type(residues) is np.ndarray else np.asarray(residues)
        new.field, new._residues = self.field, residues  # noqa: SLF001 - its own class
        new._extent, new._owner, new._views = extent, None, None  # noqa: SLF001 - its own class
        return new

    def known_as(self, extent: Extent | None) -> FieldArray:
        """The same elements, of which something else is known.

        They are in the same memory, lent where it was; those of a view of lent memory are copied.

        Args:
            extent: what is known of them; None for constants.
        """
        lent = self.owner._views is not None  # noqa: SLF001 - its own class
        if lent and self._owner is not None:
            return self._new(self._residues.copy(), extent)
        new = self._new(self._residues, extent)
        new._views = {} if lent else None  # noqa: SLF001 - its own class
        return new

    def __reduce__(self) -> tuple[Any, ...]:
        return FieldArray, (self.field.at_rest(self._residues), self.field, self.extent)

    # What is known of it

    @property
    def values(self) -> NDArray[np.int64]:
        """The residues of an array that stands for no share; those of a share refuse.

        Of an array with an extent they are a copy that can't be written in: what was written there
        it would not know of, and shares written in the array later would be seen as numbers. So
        they are of an array in memory of another type than int64.
        """
        extent = self.extent
        if extent is None and self._residues.dtype == np.int64:
            return self._residues
        if extent is not None and (extent.degree > 0 or extent.bits):
            raise NotPolynomial(
                ".values of a share: what is made of its residues in another way than by "
                "polynomials decodes to something wrong, and int64 overflows. Use the FieldArray "
                "itself, with numpy's functions; if the function is a polynomial of a degree d "
                "that you know, wrap it: anyk.of_degree(f, d)."
            )
        values = self._residues.astype(np.int64)
        values.flags.writeable = False
        return values

    @property
    def extent(self) -> Extent | None:
        """What is known of it as polynomials of the encoded arguments; None for constants."""
        owner = self._owner
        return self._extent if owner is None else owner._extent  # noqa: SLF001 - its own class

    @property
    def owner(self) -> FieldArray:
        """The array whose memory it sees: itself, unless it is a view."""
        return self if self._owner is None else self._owner

    def beside(self, other: Extent) -> Extent:
        """What is known of it as constants that meet an array with an extent."""
        if other.bound is None:
            return constant_extent(None, other)
        return constant_extent(largest_of(centred(self.field, self._residues)), other)

    def seen(self, residues: NDArray[Any]) -> FieldArray:
        """Its elements elsewhere: a view, where they are in its memory."""
        view = self._new(residues, self.extent)
        base, mine = residues.base, self._residues
        if base is not None and (
            base is mine or base is mine.base or np.may_share_memory(residues, mine)
        ):
            view._owner = owner = self.owner  # noqa: SLF001 - its own class
            if owner._views is not None:  # noqa: SLF001 - its own class
                note(owner._views, view)  # noqa: SLF001 - its own class
        return view

    # What it looks like

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape, as numpy's."""
        return self._residues.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._residues.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._residues.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """int64, the type of residues, in whatever memory they lie."""
        return np.dtype(np.int64)

    @property
    def T(self) -> FieldArray:
        """The transpose: axes reversed."""
        return self.seen(self._residues.T)

    @property
    def mT(self) -> FieldArray:
        """The transpose of each matrix."""
        return self.seen(self._residues.mT)

    def __len__(self) -> int:
        return len(self._residues)

    def __iter__(self) -> Iterator[FieldArray]:
        return (self[index] for index in range(len(self._residues)))

    def __getitem__(self, index: Any) -> FieldArray:
        if type(index) is not int and type(index) is not slice:
            no_elements(self, "x[..]", index)
        return self.seen(self._residues[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        write(self, index, value)

    def __repr__(self) -> str:
        if self.size > _REPR_LIMIT:
            return f"<FieldArray of shape {self.shape} over {self.field!r}>"
        extent = self.extent
        if extent is None:
            return f"{self.field!r}.array({self._residues.tolist()})"
        return f"<FieldArray of shape {self.shape} over {self.field!r}, {extent!r}>"

    def reshape(self, *shape: Any) -> FieldArray:
        """The same elements in another shape, as numpy's `reshape`."""
        return self.seen(self._residues.reshape(*shape))

    def transpose(self, *axes: Any) -> FieldArray:
        """Axes in another order, as numpy's `transpose`."""
        return self.seen(self._residues.transpose(*axes))

    def flatten(self) -> FieldArray:
        """A copy of all elements in a row."""
        return self._new(self._residues.flatten(), self.extent)

    def copy(self) -> FieldArray:
        """The same elements in memory of its own."""
        return self._new(self._residues.copy(), self.extent)

    __copy__ = copy

    def sum(
        self, axis: Any = None, dtype: None = None, out: None = None, *, keepdims: bool = False
    ) -> FieldArray:
        """The sum along the given axes, all of them by default."""
        refused.other_numbers("sum", dtype=dtype, out=out)
        return sums.add_all(self, axis, keepdims=keepdims)

    def prod(
        self, axis: Any = None, dtype: None = None, out: None = None, *, keepdims: bool = False
    ) -> FieldArray:
        """The product along the given axes, all of them by default."""
        refused.other_numbers("prod", dtype=dtype, out=out)
        product: FieldArray = np.prod(self, axis=axis, keepdims=keepdims)
        return product

    def dot(self, other: Any) -> FieldArray:
        """The product with another array, as numpy's `dot`."""
        product: FieldArray = np.dot(self, other)
        return product

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = _METHODS.get(name)
        if function is not None:
            return lambda *args, **kwargs: function(self, *args, **kwargs)
        if not name.startswith("_") and callable(getattr(np.ndarray, name, None)):
            return refused.method(name)
        raise AttributeError(f"a FieldArray has no attribute {name!r}", name=name, obj=self)

    # Arithmetic

    def _met(self, other: Any) -> tuple[NDArray[np.int64], Extent | None, Extent | None]:
        """The residues of an operand in memory, and what is known of both: of none, or of each."""
        owner = self._owner  # as self.extent, which takes longer
        own = self._extent if owner is None else owner._extent  # noqa: SLF001 - its own class
        if not isinstance(other, FieldArray):
            if not isinstance(other, (list, tuple)):
                residues, theirs = constant(self.field, other, own)
                return residues, theirs, own
            other = wrapped(self, other)
        elif other.field is not self.field:
            wrapped(self, other)
        theirs = other.extent
        if theirs is None and own is not None:
            theirs = other.beside(own)
        elif own is None and theirs is not None:
            own = self.beside(theirs)
        return other._residues, theirs, own  # noqa: SLF001 - its own class

    def _plus(self, other: Any, function: Callable[..., Any]) -> FieldArray:
        residues, theirs, own = self._met(other)
        mine, extent = self._residues, None
        if own is not None and theirs is not None:
            extent = own.plus(theirs)
            if extent.bits:
                mine = shifted(self.field, mine, extent.bits - own.bits)
                residues = shifted(self.field, residues, extent.bits - theirs.bits)
        return self._new(self.field.reduce(function(lifted(mine), lifted(residues))), extent)

    def __add__(self, other: Any) -> FieldArray:
        return self._plus(other, operator.add)

    __radd__ = __add__

    def __sub__(self, other: Any) -> FieldArray:
        return self._plus(other, operator.sub)

    def __rsub__(self, other: Any) -> FieldArray:
        return self._plus(other, lambda mine, residues: residues - mine)

    def __mul__(self, other: Any) -> FieldArray:
        residues, theirs, own = self._met(other)
        extent = None if own is None or theirs is None else own.times(theirs)
        return self._new(self.field.times(self._residues, residues), extent)

    __rmul__ = __mul__

    def __neg__(self) -> FieldArray:
        return self._new(self.field.reduce(-lifted(self._residues)), self.extent)

    __pos__ = copy

    def __pow__(self, exponent: Any, modulo: Any = None) -> FieldArray:
        try:
            power = operator.index(exponent)
        except TypeError:  # a FieldArray's own is one
            power = None
        if isinstance(exponent, float) and exponent.is_integer():
            raise NotPolynomial(f"** {exponent}: the exponent must be an int, {int(exponent)}.")
        if power is None or modulo is not None:
            raise NotPolynomial("**: the exponent must be one integer, not an array or a fraction.")
        if power < 0:
            raise NotPolynomial(
                f"** {power}: a negative power is no polynomial. "
                "To divide by a constant c, multiply by field.inverse(c)."
            )
        extent = None if self.extent is None else self.extent.power(power)
        return self._new(self.field.power(self._residues, power), extent)

    def __matmul__(self, other: Any) -> FieldArray:
        return matmul.matmul(self, wrapped(self, other))

    def __rmatmul__(self, other: Any) -> FieldArray:
        return matmul.matmul(wrapped(self, other), self)

    def __truediv__(self, other: Any) -> FieldArray:
        extent, bits = self.extent, power_of_two(other)
        if extent is None or extent.bound is None or bits is None:
            return refused.quotient(self, other)
        return self._new(self._residues.copy(), extent.divided(bits))

    def _write(self, result: FieldArray) -> Self:
        if result.shape != self.shape:
            raise InvalidArgument(
                "operand",
                given=f"a result of shape {result.shape} for an array of shape {self.shape}",
                needed="the shape of the array that it is written in",
                change="Write x = x + y in place of x += y.",
            )
        write(self, ..., result)
        return self

    def __iadd__(self, other: Any) -> Self:
        return self._write(self + other)

    def __isub__(self, other: Any) -> Self:
        return self._write(self - other)

    def __imul__(self, other: Any) -> Self:
        return self._write(self * other)

    def __imatmul__(self, other: Any) -> Self:
        return self._write(self @ other)

    def __ipow__(self, exponent: Any, modulo: Any = None) -> Self:
        return self._write(pow(self, exponent, modulo))

    def __itruediv__(self, other: Any) -> Self:
        return self._write(self / other)

    # What is no polynomial

    __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = refused.quotient
    __divmod__ = __rdivmod__ = refused.quotient
    __rpow__ = refused.exponents
    __int__ = __float__ = __complex__ = __index__ = __round__ = __trunc__ = refused.number
    __floor__ = __ceil__ = refused.number
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = refused.bits
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = refused.bits
    __abs__ = refused.size
    __bool__ = refused.truth
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = refused.comparison
    __hash__ = None  # type: ignore[assignment] # as numpy's arrays: not hashable
    __array__ = refused.ndarray

    # numpy

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from anyk.domains.functions.table import call_ufunc  # noqa: PLC0415 - many need none

        return call_ufunc(self, ufunc, method, inputs, kwargs)

    def __array_function__(
        self, function: Callable[..., Any], _types: Iterable[type], args: Any, kwargs: Any
    ) -> Any:
        from anyk.domains.functions.table import call  # noqa: PLC0415 - many need none

        return call(self, function, args, kwargs)


_METHODS: dict[str, Callable[..., Any]] = {
    name: getattr(np, name)
    for name in (
        "conj", "conjugate", "cumprod", "cumsum", "diagonal", "ravel", "repeat", "squeeze",
        "swapaxes", "take", "trace",
    )
}  # fmt: skip
"""Methods that are numpy's functions of the same name."""
