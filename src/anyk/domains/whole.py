"""`Integers`: whole numbers in int64, computed with exactly or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain, product_shapes
from anyk.domains.extent import largest_of
from anyk.domains.integers import integers_of
from anyk.errors import InvalidArgument

__all__ = ["Integers"]

_INT64 = np.dtype(np.int64)
_LARGEST = (1 << 63) - 1


@final
@dataclass(frozen=True)
class Integers(AbstractDomain):
    """The integers below 2**63 in absolute value, as int64. Nothing wraps: it is refused.

    Example:
        >>> from anyk.domains.whole import Integers
        >>> Integers().matmul([[2**40, 1]], [[2**20], [-5]])
        array([[1152921504606846971]])
        >>> Integers().matmul([[2**40]], [[2**40]])
        Traceback (most recent call last):
        anyk.errors.InvalidArgument: product: got 1208925819614629174706176; needed: integers below
        2**63 in absolute value. Take smaller numbers.
    """

    @property
    def exact(self) -> bool:
        """True: nothing rounds."""
        return True

    @property
    def dtype(self) -> Any:
        """int64."""
        return _INT64

    def validate(self, values: Any, argument: str) -> NDArray[Any]:
        """Integers as int64, if they fit; else InvalidArgument."""
        array = integers_of(values, argument)
        if array.dtype != _INT64 and largest_of(array) > _LARGEST:
            raise _too_large(argument, largest_of(array))
        return np.ascontiguousarray(array, dtype=np.int64).reshape(array.shape)

    def present(self, values: NDArray[Any]) -> Any:
        """The array itself."""
        return values

    def accept(self, result: Any) -> NDArray[Any]:
        """What a function returned, as int64, if it is integers."""
        return self.validate(result, "answer")

    def matmul(self, small: Any, big: Any) -> NDArray[Any]:
        """The exact product, if it fits in int64.

        Raises:
            InvalidArgument: if it does not, a value is no integer, or the shapes do not fit.
        """
        left, right = self.validate(small, "small"), self.validate(big, "big")
        tall, wide, shape = product_shapes(left.shape, right.shape)
        left, right = left.reshape(tall), right.reshape(wide)
        if tall[1] * largest_of(left) * largest_of(right) <= _LARGEST:
            return np.asarray(left @ right).reshape(shape)
        exact = left.astype(object) @ right.astype(object)
        if largest_of(exact) > _LARGEST:
            raise _too_large("product", largest_of(exact))
        return np.asarray(exact.astype(np.int64)).reshape(shape)


def _too_large(argument: str, largest: int) -> InvalidArgument:
    return InvalidArgument(
        argument,
        given=str(largest),
        needed="integers below 2**63 in absolute value",
        change="Take smaller numbers.",
    )
