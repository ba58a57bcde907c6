"""The seam of arithmetic: where the numbers of a scheme live."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.errors import AnykError, InvalidArgument

__all__ = ["AbstractDomain", "AbstractField", "ndarray_of"]


def ndarray_of(values: Any, argument: str, *, kind: str) -> NDArray[Any]:
    """What came from outside as an ndarray of any dtype.

    Args:
        values: array-like.
        argument: its name, for the error.
        kind: what its values should be, in the plural.

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
    several = values if isinstance(values, (list, tuple)) else [values]
    if any(isinstance(each, np.ma.MaskedArray) and np.ma.is_masked(each) for each in several):
        raise InvalidArgument(
            argument,
            given="an array with masked values",
            needed=f"{kind} everywhere: a mask can't be encoded",
            change="Fill it in with .filled(...), or leave those blocks out.",
        )
    try:
        return np.asarray(values)
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

    @abstractmethod
    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Check values from outside.

        Args:
            values: array-like of any shape.
            argument: its name, for the error.

        Returns:
            ndarray of `dtype`, C-contiguous; the input itself where it already is one.

        Raises:
            InvalidArgument: if a value is not in this domain; NaN and Inf never are.
        """

    @abstractmethod
    def present(self, values: NDArray[Any]) -> Any:
        """What a user's function is called with: (*shape) in, an array-like object out."""

    @abstractmethod
    def accept(self, result: Any) -> NDArray[Any]:
        """What a user's function returned, as an ndarray of `dtype`.

        Raises:
            InvalidArgument: if it is not an array of this domain.
        """

    @abstractmethod
    def matmul(self, small: NDArray[Any], big: NDArray[Any]) -> NDArray[Any]:
        """The hot kernel: a small matrix times a big array, along the array's first axis.

        Args:
            small: ndarray (rows, inner) of `dtype`.
            big: ndarray (inner, *shape) of `dtype`.

        Returns:
            ndarray (rows, *shape) of `dtype`.
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
    def reduce(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """The residues in [0, p) of int64 values."""

    @abstractmethod
    def power(self, values: NDArray[np.int64], exponent: int) -> NDArray[np.int64]:
        """Residues to an integer power; a negative one inverts."""
