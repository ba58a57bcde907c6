"""What the workers of a scheme for products run: the product of the parts of a share."""

from __future__ import annotations

import operator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import shown
from anyk.errors import InvalidArgument
from anyk.work import AbstractWork, Function
from anyk.works.products import Product, SparseProduct

__all__ = ["check_stack", "product_work", "require_matmul"]

_MATRICES: Final = 3  # axes of blocks that are matrices
_MULTIPLY: Final = (operator.matmul, np.matmul)


def product_work(
    function: Function, per_worker: tuple[bool, ...], *, sparse: bool = False
) -> AbstractWork:
    """What multiplies the two parts of a share, if that is what is asked.

    Args:
        function: that the user passed.
        per_worker: of further arguments.
        sparse: whether the left part may be sparse.

    Raises:
        InvalidArgument: if it is not matmul, or there are further arguments.
    """
    require_matmul(function, per_worker)
    return SparseProduct() if sparse else Product()


def require_matmul(function: Function, per_worker: tuple[bool, ...]) -> None:
    """Refuse another function than the product of two matrices.

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


def check_stack(name: str, blocks: NDArray[Any], *, alone: bool) -> None:
    """Refuse a stack of products, where a share is of one.

    Args:
        name: of the scheme.
        blocks: of A.
        alone: whether a share is of one product, as it is checked or has several blocks.

    Raises:
        InvalidArgument: if it is a stack nevertheless.
    """
    if alone and blocks.ndim > _MATRICES:
        raise InvalidArgument(
            "X",
            given=f"a stack of {blocks.shape[1]} matrices A, for {name}",
            needed="one matrix, where answers are checked or a share has several blocks",
            change="Multiply one after the other.",
        )
