"""The matrix product of field elements, by numpy's rules, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractField
from anyk.domains.extent import Extent
from anyk.domains.functions.constants import centred, order_of
from anyk.domains.functions.inside import made, memory_of, residues_of
from anyk.errors import InvalidArgument

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = ["matmul"]

_WHOLE = 1 << 62  # sums of smaller numbers are in int64's range


def matmul(left: FieldArray, right: FieldArray) -> FieldArray:
    """`np.matmul`, of vectors and stacks of matrices too.

    Args:
        left: (.., rows, inner), or (inner,).
        right: (.., inner, columns), or (inner,).

    Raises:
        InvalidArgument: if the shapes do not fit.
    """
    one, other = memory_of(left), memory_of(right)
    if not one.ndim or not other.ndim or one.shape[-1] != other.shape[-2 if other.ndim > 1 else 0]:
        raise InvalidArgument(
            "@",
            given=f"shapes {one.shape} and {other.shape}",
            needed="the last axis of the left as long as the last but one of the right",
            change="Transpose one of them.",
        )
    extent = _extent(left, right)
    return made(left, _product(left.field, one, other), extent)


def _extent(left: FieldArray, right: FieldArray) -> Extent | None:
    own, other = left.extent, right.extent
    if own is None or other is None:
        met = own if other is None else other
        if met is None or met.bound is None:
            return met
        own, other = own or left.beside(met), other or right.beside(met)
    terms = left.shape[-1]
    if own.bound is None or other.bound is None or own.zero or other.zero:
        return own.times(other)
    heaviest = _heaviest(left, own, -1)
    if heaviest is not None:
        return Extent(own.degree, own.bits, heaviest).times(other)
    heaviest = _heaviest(right, other, -2 if right.ndim > 1 else 0)
    if heaviest is not None:
        return own.times(Extent(other.degree, other.bits, heaviest))
    return own.times(other, terms)


def _heaviest(array: FieldArray, extent: Extent, axis: int) -> int | None:
    """Of constants, the largest sum of absolute values along an axis."""
    bound = extent.bound or 0
    if extent.degree or extent.error or 2 * bound >= order_of(array.field):
        return None  # the residues are not the numbers
    if bound * array.shape[axis] >= _WHOLE:
        return bound * array.shape[axis]
    sizes = np.abs(centred(array.field, residues_of(array)))
    return int(np.max(sizes.sum(axis=axis), initial=0))


def _product(field: AbstractField, left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """Of residues in memory of any type, in the smaller of both."""
    dtype = min(left.dtype, right.dtype, key=lambda each: each.itemsize)
    one = left if left.ndim > 1 else left[None]
    other = right if right.ndim > 1 else right[:, None]
    from anyk.domains.kernel import modular_stack  # noqa: PLC0415 - import anyk stays quick

    product = modular_stack(one, other, order_of(field), dtype)
    if left.ndim == 1:
        product = product[..., 0, :]
    return product[..., 0] if right.ndim == 1 else product
