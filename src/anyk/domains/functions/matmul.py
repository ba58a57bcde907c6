"""The matrix product of field elements, by numpy's rules, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractField
from anyk.domains.extent import Extent
from anyk.domains.functions.constants import centred, order_of
from anyk.domains.functions.inside import made, residues_of
from anyk.errors import InvalidArgument

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = ["matmul"]

_SMALL = 1 << 11  # multiplications in one product, below which many are made at once
_WORKSPACE = 1 << 20
_WHOLE = 1 << 62  # sums of smaller numbers are in int64's range


def matmul(left: FieldArray, right: FieldArray) -> FieldArray:
    """`np.matmul`, of vectors and stacks of matrices too.

    Args:
        left: (.., rows, inner), or (inner,).
        right: (.., inner, columns), or (inner,).

    Raises:
        InvalidArgument: if the shapes do not fit.
    """
    one, other = residues_of(left), residues_of(right)
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


def _product(
    field: AbstractField, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.int64]:
    if right.ndim <= 2:  # noqa: PLR2004 - one matrix on the right
        columns = right.reshape(right.shape[0], -1)
        rows = left.reshape(-1, left.shape[-1])
        # the kernel does more to the operand that it calls small
        product = (
            field.matmul(rows, columns)
            if rows.size <= columns.size
            else field.matmul(columns.T, rows.T).T
        )
        return product.reshape((*left.shape[:-1], *right.shape[1:]))
    if left.ndim == 1:
        return _product(field, left[None], right)[..., 0, :]
    stack = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, stack + left.shape[-2:])
    right = np.broadcast_to(right, stack + right.shape[-2:])
    out = np.empty((*stack, left.shape[-2], right.shape[-1]), dtype=np.int64)
    if left.shape[-2] * right.shape[-2] * right.shape[-1] < _SMALL:
        _at_once(field, left, right, out)
    else:
        for index in np.ndindex(*stack):
            out[index] = field.matmul(left[index], right[index])
    return out


def _at_once(
    field: AbstractField,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Many small products: all products of two elements, then their sums, a group at a time."""
    rows, inner, columns = *left.shape[-2:], right.shape[-1]
    left = left.reshape(-1, rows, inner, 1)
    right = right.reshape(-1, 1, inner, columns)
    group = max(1, _WORKSPACE // max(1, rows * inner * columns))
    flat = out.reshape(-1, rows, columns)
    for start in range(0, len(left), group):
        here = slice(start, start + group)
        flat[here] = field.reduce(field.reduce(left[here] * right[here]).sum(axis=2))
