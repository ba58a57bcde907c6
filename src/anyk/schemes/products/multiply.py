"""What the workers of a scheme for products run: the product of the parts of a share."""

from __future__ import annotations

import operator
from typing import Final

import numpy as np

from anyk.checks import shown
from anyk.errors import InvalidArgument
from anyk.work import AbstractWork, Function, Product

__all__ = ["product_work"]

_MULTIPLY: Final = (operator.matmul, np.matmul)


def product_work(function: Function, per_worker: tuple[bool, ...]) -> AbstractWork:
    """What multiplies the two parts of a share, if that is what is asked.

    Args:
        function: that the user passed.
        per_worker: of further arguments.

    Raises:
        InvalidArgument: if it is not matmul, or there are further arguments.
    """
    if function not in _MULTIPLY or per_worker:
        raise InvalidArgument(
            "function",
            given=shown(function) + " and further arguments" * bool(per_worker),
            needed="numpy.matmul alone, as the workers multiply the two factors",
            change="Pass np.matmul, and the factors as X = (A, B).",
        )
    return Product()
