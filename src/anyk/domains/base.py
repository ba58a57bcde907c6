"""The seam of arithmetic: where the numbers of a scheme live."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.outside import plain
from anyk.errors import AnykError, InvalidArgument

__all__ = ["AbstractDomain", "AbstractField", "Prepared", "ndarray_of", "product_shapes"]


def ndarray_of(values: Any, argument: str, *, kind: str, labels: bool = True) -> NDArray[Any]:
    """What came from outside as an ndarray of any dtype.

    Args:
        values: array-like.
        argument: its name, for the error.
        kind: what its values should be, in the plural.
        labels: whether names of rows and columns may be lost.

    Raises:
        InvalidArgument: if numpy can make no array of it, or would drop a mask.

    Example:
        >>> from anyk.domains.base import ndarray_of
        >>> ndarray_of([1, [2]], "X", kind="integers")
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: X: got list; needed: an array of integers with one shape. Make
        its rows equally long.
    """
    if values is None:
        raise InvalidArgument(
            argument, given="None", needed=f"an array of {kind}", change="Return or pass one."
        )
    values = plain(values, argument, kind, labels=labels)
    several = values if isinstance(values, (list, tuple)) else [values]
    if any(isinstance(each, np.ma.MaskedArray) and np.ma.is_masked(each) for each in several):
        raise InvalidArgument(
            argument,
            given="an array with masked values",
            needed=f"{kind} everywhere: a mask can't be encoded",
            change="Fill it in with .filled(...), or leave those blocks out.",
        )
    try:
        array = np.asarray(values)
    except AnykError:
        raise
    except ValueError as error:  # ragged nesting
        raise InvalidArgument(
            argument,
            given=type(values).__name__,
            needed=f"an array of {kind} with one shape",
            change="Make its rows equally long.",
        ) from error
    except Exception as error:  # its __array__ may raise anything
        raise InvalidArgument(
            argument,
            given=f"{type(values).__name__}, which numpy can't read ({type(error).__name__})",
            needed=f"an array of {kind}",
            change="Convert it to an ndarray first.",
        ) from error
    if array.dtype.hasobject:
        _refuse_elsewhere(array, argument, kind)
    return array


def _refuse_elsewhere(array: NDArray[Any], argument: str, kind: str) -> None:
    """Refuse what stands for numbers that are still to come, or lie on a cluster."""
    first = next(iter(array.flat), None)
    given, change = "", ""
    if isinstance(first, Iterator):
        given = f"a {type(first).__name__}"
        change = "Make an array of it, np.array([*X]) say; anyk.distribute takes slabs of columns"
    elif type(first).__module__.partition(".")[0] in {"distributed", "ray"}:
        given = f"{type(first).__name__}s, which stand for data on a cluster"
        change = "Pass blocks to anyk.distribute, or bring them here: client.gather(X), ray.get(X)"
    if given:
        raise InvalidArgument(
            argument, given=given, needed=f"an array of {kind}", change=f"{change}."
        )


Prepared = tuple[NDArray[Any], ...]
"""What a domain keeps of a share beside it."""

_Shape = tuple[int, ...]


def product_shapes(small: _Shape, big: _Shape) -> tuple[tuple[int, int], tuple[int, int], _Shape]:
    """How to multiply two arrays along the last axis of one and the first of the other.

    Args:
        small: shape of the left one.
        big: shape of the right one.

    Returns:
        The shapes of both as matrices, and that of the product.

    Raises:
        InvalidArgument: if a number is among them, or the two axes differ in length.

    Example:
        >>> from anyk.domains.base import product_shapes
        >>> product_shapes((2, 3), (3, 4, 5))
        ((2, 3), (3, 20), (2, 4, 5))
        >>> product_shapes((2, 3), (2, 3))
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: big: got shape (2, 3), with a small one of shape (2, 3);
        needed: its first axis as long as the last axis of small. Transpose one of them.
    """
    if not small or not big:
        raise InvalidArgument(
            "big" if small else "small",
            given="a number",
            needed="an array with at least one axis",
            change="Multiply numbers by *.",
        )
    if small[-1] != big[0]:
        raise InvalidArgument(
            "big",
            given=f"shape {big}, with a small one of shape {small}",
            needed="its first axis as long as the last axis of small",
            change="Transpose one of them.",
        )
    rows, rest = small[:-1], big[1:]
    return (math.prod(rows), big[0]), (big[0], math.prod(rest)), rows + rest


class AbstractDomain(ABC):
    """A set of numbers with an exact or approximate matrix product.

    Arrays at every boundary are plain ndarrays of `dtype`; a domain is a value passed as an
    argument. `present` and `accept` are the two sides of a worker's function: what it is called
    with and what is made of its result.

    Example:
        >>> anyk.Reals().exact, anyk.PrimeField(7).exact
        (False, True)
    """

    __slots__ = ()

    @property
    @abstractmethod
    def exact(self) -> bool:
        """Whether arithmetic has no rounding."""

    @property
    @abstractmethod
    def dtype(self) -> Any:
        """The numpy dtype of this domain's ndarrays."""

    @property
    def finite(self) -> bool:
        """Whether NaN and Inf are refused."""
        return True

    def holds(self, dtype: Any) -> bool:
        """Whether arrays of this dtype may be numbers of this domain, as they travel.

        Args:
            dtype: of an array that a worker sent.
        """
        return isinstance(dtype, np.dtype) and bool(dtype == self.dtype)

    def at_rest(self, values: NDArray[Any]) -> NDArray[Any]:
        """The same numbers as they lie on workers and travel: in the smallest type they need.

        That of a field is unsigned, and of other domains the one that they have. `holds` is true of
        it, and `present`, `validate` and the decoders take it as they take `dtype`.

        Args:
            values: ndarray of numbers of this domain. What is none stays as it is, and is refused
                where it is looked at.
        """
        return values

    def from_rest(self, values: NDArray[Any]) -> NDArray[Any]:
        """Numbers at rest, to be computed with: of `dtype` again, in most domains as they are.

        Args:
            values: ndarray, as `at_rest` made it.
        """
        return values

    def returned(self, value: NDArray[Any]) -> Any:
        """A value as whoever asked for it receives it: the ndarray itself, in most domains.

        Args:
            value: ndarray of any shape.
        """
        return value

    @abstractmethod
    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Check values from outside.

        Args:
            values: array-like of any shape.
            argument: its name, for the error.

        Returns:
            ndarray of `dtype`, C-contiguous; the input itself where it already is one.

        Raises:
            InvalidArgument: if a value is not in this domain; NaN and Inf are in no `finite` one.
        """

    @abstractmethod
    def present(self, values: NDArray[Any]) -> Any:
        """What a user's function is called with: (*shape) in, an array-like object out."""

    @property
    def lends(self) -> bool:
        """Whether functions may be called with shares where they lie, in the type that `holds`.

        It is hashable then.
        """
        return False

    def prepared(self, values: NDArray[Any]) -> Prepared | None:  # noqa: ARG002 - for those that lend
        """What is made of a share that stays, once: None where each call has a copy of its own.

        Args:
            values: ndarray at rest, in which nobody writes. What is returned holds no view of it.
        """
        return None

    def lend(self, values: NDArray[Any], prepared: Prepared) -> Any:
        """`present`, of a share that stays: whoever writes in it writes in a copy.

        Args:
            values: the share.
            prepared: what `prepared` made of it.
        """
        raise NotImplementedError(f"{type(self).__name__} prepares nothing")

    @abstractmethod
    def accept(self, result: Any) -> NDArray[Any]:
        """What a user's function returned, as an ndarray of `dtype`, or as it is at rest.

        Raises:
            InvalidArgument: if it is not an array of this domain.
        """

    @abstractmethod
    def matmul(self, small: NDArray[Any], big: NDArray[Any]) -> NDArray[Any]:
        """The product of a small and a big array, along the last axis and the first.

        Args:
            small: array-like (*rows, inner) of numbers of this domain.
            big: array-like (inner, *shape) of numbers of this domain.

        Returns:
            ndarray (*rows, *shape) of `dtype`.

        Raises:
            InvalidArgument: if a value is not in this domain, or the shapes do not fit.
        """


class AbstractField(AbstractDomain):
    """A finite field whose elements are the integers from 0 to its order, less one.

    Example:
        >>> anyk.PrimeField(7).reduce(np.array([-1, 8]))
        array([6, 1])
    """

    __slots__ = ()

    @abstractmethod
    def constant(self, values: Any) -> NDArray[np.int64]:
        """Integers of any size and sign, as residues: what a number in a formula stands for."""

    @abstractmethod
    def reduce(self, values: Any) -> NDArray[np.int64]:
        """Integers of any size and sign, as residues: quick where they are an int64 ndarray."""

    @abstractmethod
    def times(self, left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.int64]:
        """Products of residues, element by element, in int64 or as they are at rest."""

    @abstractmethod
    def power(self, values: Any, exponent: int) -> Any:
        """Integers, as residues, to an integer power; a negative one inverts."""
