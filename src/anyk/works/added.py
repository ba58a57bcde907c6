"""`Added`: the sum of f of several blocks, in the type of what f returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.array import FieldArray
from anyk.domains.values import added, together
from anyk.work import AbstractWork, Function
from anyk.works.combined import check_shape, results_of

__all__ = ["Added"]


@final
@dataclass(frozen=True)
class Added(AbstractWork):
    """The sum f(X_1) + .. + f(X_m) of the blocks that a worker holds.

    The share has two parts: the blocks, (m, *shape), and for each of them 1, or 0 where it only
    fills up a share of fewer blocks: f is not called on those. Whole numbers are added as such, to
    int64 or uint64, and refused where a sum has more bits; floats in double precision, which is
    rounded to their type once. One block's result is left as it is.

    Args:
        function: f, whose results are numbers, of one shape for all blocks.

    Example:
        >>> from anyk.works.added import Added
        >>> blocks = np.array([[1, 100], [2, 100], [2, 100]], dtype=np.int8)
        >>> Added(np.negative)([blocks, np.array([1.0, 1.0, 0.0])], [])
        array([  -3, -200])
    """

    function: Function

    @property
    def users(self) -> Function:
        """The function."""
        return self.function

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """The sum of f(X_j, argument, ..)."""
        blocks, there = parts
        flags = there.values if isinstance(there, FieldArray) else np.asarray(there)
        own = [blocks[place] for place in np.flatnonzero(flags).tolist()]
        total: Any = None
        kinds = []
        for result in results_of(self.function, own, arguments):
            if len(own) == 1:
                return result
            check_shape(result.shape, result.shape if total is None else total.shape)
            if isinstance(result, FieldArray):
                total = result if total is None else total + result
                continue
            kinds.append(result.dtype)
            total = _wide(result) if total is None else _plus(total, result)
        if isinstance(total, FieldArray) or total is None:
            return total
        kind = np.result_type(*kinds)
        with np.errstate(over="ignore"):
            return total.astype(kind) if kind.kind in "fc" else total


def _wide(result: NDArray[Any]) -> NDArray[Any]:
    """A result in the type in which others are added to it."""
    if result.dtype.kind in "fc":
        return result.astype(np.result_type(result.dtype, np.float64))
    return result if result.dtype.kind == "O" else added(result[None], "answer")


def _plus(total: NDArray[Any], result: NDArray[Any]) -> NDArray[Any]:
    """The sum of both, in a type that holds it."""
    kinds = {total.dtype.kind, result.dtype.kind}
    if "O" in kinds:  # the domain takes or refuses them, as it does those of one block
        return np.asarray(total + result, dtype=object)
    if kinds <= {"f", "c"}:
        with np.errstate(over="ignore", invalid="ignore"):  # the domain refuses Inf and NaN
            return np.asarray(total + result)
    return added(together([total, result], "answer"), "answer")
