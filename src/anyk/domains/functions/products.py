"""Products of field elements, as numpy has them: one of all, outer, inner, of polynomials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anyk.domains.extent import Extent
from anyk.domains.functions.constants import constant
from anyk.domains.functions.inside import made, moved, residues_of, stacked
from anyk.errors import InvalidArgument

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = [
    "cross",
    "cross_of_last",
    "cumulative_product",
    "dot",
    "inner",
    "kron",
    "matvec",
    "multiply_all",
    "outer",
    "tensordot",
    "vdot",
    "vecdot",
    "vecmat",
]


def multiply_all(x: FieldArray, axis: Any = None, *, keepdims: bool = False) -> FieldArray:
    """`np.prod`: of n elements n times their degree.

    Args:
        x: the factors.
        axis: along which; all by default.
        keepdims: whether axes along which it goes stay, with length 1.
    """
    places = (
        range(x.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    )
    moved = np.moveaxis(residues_of(x), tuple(places), range(len(tuple(places))))
    rest = moved.shape[len(tuple(places)) :]
    factors = moved.reshape(-1, *rest)
    number = len(factors)
    while len(factors) > 1:
        odd = factors[len(factors) // 2 * 2 :]
        pairs = x.field.reduce(factors[: len(factors) // 2 * 2 : 2] * factors[1::2])
        factors = np.concatenate([pairs, odd])
    total = factors[0].copy() if number else np.broadcast_to(x.field.constant(1), rest).copy()
    if keepdims:
        kept = tuple(1 if i in places else length for i, length in enumerate(x.shape))
        total = total.reshape(kept)
    return made(x, total, None if x.extent is None else x.extent.power(number))


def cumulative_product(x: FieldArray, axis: Any = None) -> FieldArray:
    """`np.cumprod`: the last of n has n times the degree.

    Args:
        x: the factors.
        axis: along which; of all elements in a row by default.
    """
    along = x.reshape(-1) if axis is None else moved(x, axis, 0)
    products = residues_of(along).copy()
    step = 1
    while step < len(products):
        products[step:] = x.field.reduce(products[step:] * products[:-step])
        step *= 2
    extent = x.extent
    if extent is not None and len(products):
        last = extent.power(len(products))
        if extent.bound is None:
            extent = last
        else:  # each of the products is multiplied until it has as many bits as the last
            lacks = extent.bits * np.arange(len(products) - 1, -1, -1)
            scales = constant(x.field, [1 << int(bits) for bits in lacks], None)[0]
            products = x.field.reduce(products * scales.reshape(-1, *[1] * (products.ndim - 1)))
            extent = _powers(extent, len(products))
    result = made(x, products, extent)
    return result if axis is None else moved(result, 0, axis)


def _powers(extent: Extent, most: int) -> Extent:
    """Of an array that has all powers from the first to the last."""
    every = extent
    for power in range(2, most + 1):
        every = every.joined(extent.power(power))
    return every


def outer(a: FieldArray, b: FieldArray) -> FieldArray:
    """`np.outer`.

    Args:
        a: of the rows.
        b: of the columns.
    """
    return a.reshape(-1, 1) * b.reshape(1, -1)


def tensordot(a: FieldArray, b: FieldArray, axes: Any = 2) -> FieldArray:
    """`np.tensordot`.

    Args:
        a: the left factor.
        b: the right factor.
        axes: how many axes, the last of a and the first of b; or which of each.

    Raises:
        InvalidArgument: if these are not of the same lengths.
    """
    try:
        count = range(int(axes))
        of_a, of_b = [a.ndim - len(count) + i for i in count], list(count)
    except TypeError:
        of_a, of_b = ([each] if np.ndim(each) == 0 else list(each) for each in axes)
    of_a = [axis % max(a.ndim, 1) for axis in of_a]
    of_b = [axis % max(b.ndim, 1) for axis in of_b]
    if [a.shape[i] for i in of_a] != [b.shape[i] for i in of_b]:
        raise InvalidArgument(
            "axes",
            given=f"{axes!r} for shapes {a.shape} and {b.shape}",
            needed="axes of the same lengths",
            change="Transpose one of them.",
        )
    rows = [i for i in range(a.ndim) if i not in of_a]
    columns = [i for i in range(b.ndim) if i not in of_b]
    size = int(np.prod([a.shape[i] for i in of_a], dtype=np.int64))
    shape = [a.shape[i] for i in rows] + [b.shape[i] for i in columns]
    height = int(np.prod([a.shape[i] for i in rows], dtype=np.int64))
    width = int(np.prod([b.shape[i] for i in columns], dtype=np.int64))
    left = a.transpose(*rows, *of_a).reshape(height, size)
    right = b.transpose(*of_b, *columns).reshape(size, width)
    return (left @ right).reshape(tuple(shape))


def inner(a: FieldArray, b: FieldArray) -> FieldArray:
    """`np.inner`, along both last axes.

    Args:
        a: the left factor.
        b: the right factor.
    """
    return a * b if not a.ndim or not b.ndim else tensordot(a, b, axes=(-1, -1))


def dot(a: FieldArray, b: FieldArray) -> FieldArray:
    """`np.dot`, along the last axis of a and the last but one of b.

    Args:
        a: the left factor.
        b: the right factor.
    """
    if not a.ndim or not b.ndim:
        return a * b
    return tensordot(a, b, axes=(-1, -2 if b.ndim > 1 else -1))


def vdot(a: FieldArray, b: FieldArray) -> FieldArray:
    """`np.vdot`, of all elements in a row.

    Args:
        a: the left factor.
        b: the right factor.
    """
    return a.reshape(-1) @ b.reshape(-1)


def vecdot(x1: FieldArray, x2: FieldArray, *, axis: int = -1) -> FieldArray:
    """`np.vecdot`.

    Args:
        x1: vectors.
        x2: vectors.
        axis: along which they lie.
    """
    a, b = moved(x1, axis, -1), moved(x2, axis, -1)
    return (a[..., None, :] @ b[..., :, None])[..., 0, 0]


def matvec(x1: FieldArray, x2: FieldArray) -> FieldArray:
    """`np.matvec`.

    Args:
        x1: matrices.
        x2: vectors.
    """
    return (x1 @ x2[..., None])[..., 0]


def vecmat(x1: FieldArray, x2: FieldArray) -> FieldArray:
    """`np.vecmat`.

    Args:
        x1: vectors.
        x2: matrices.
    """
    return (x1[..., None, :] @ x2)[..., 0, :]


def kron(a: FieldArray, b: FieldArray) -> FieldArray:
    """`np.kron`.

    Args:
        a: the outer factor.
        b: the inner factor.
    """
    most = max(a.ndim, b.ndim)
    rows = (1,) * (most - a.ndim) + a.shape
    columns = (1,) * (most - b.ndim) + b.shape
    left = a.reshape(tuple(n for row in rows for n in (row, 1)))
    right = b.reshape(tuple(n for column in columns for n in (1, column)))
    return (left * right).reshape(tuple(m * n for m, n in zip(rows, columns, strict=True)))


def cross(  # noqa: PLR0917 - numpy's order
    a: FieldArray, b: FieldArray, axisa: int = -1, axisb: int = -1, axisc: int = -1,
    axis: int | None = None,
) -> FieldArray:  # fmt: skip
    """`np.cross`, of three-dimensional vectors.

    Args:
        a: vectors.
        b: vectors.
        axisa: along which those of a lie.
        axisb: along which those of b lie.
        axisc: along which those of the result lie.
        axis: in place of all three.

    Raises:
        InvalidArgument: if they are no vectors of three numbers.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = moved(a, axisa, 0), moved(b, axisb, 0)
    if len(x) != len(y) or len(x) != 3:  # noqa: PLR2004 - of space
        raise InvalidArgument(
            "cross",
            given=f"vectors of {len(x)} and {len(y)} numbers",
            needed="3 numbers each",
            change="Give plane vectors a third number, 0.",
        )
    parts = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]]
    return moved(stacked(a, parts), 0, axisc)


def cross_of_last(x1: FieldArray, x2: FieldArray, *, axis: int = -1) -> FieldArray:
    """`np.linalg.cross`.

    Args:
        x1: vectors.
        x2: vectors.
        axis: along which they lie.
    """
    return cross(x1, x2, axis=axis)
