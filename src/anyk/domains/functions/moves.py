"""Moves of field elements, as numpy has them: joined, padded, chosen by a mask, filled anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from anyk.domains.functions.inside import (
    aligned,
    made,
    memory_of,
    no_elements,
    spread,
    tree,
    wrapped,
)
from anyk.domains.functions.refused import refusal
from anyk.errors import InvalidArgument

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = [
    "appended",
    "at_least",
    "block",
    "broadcast_arrays",
    "chosen",
    "compressed",
    "filled",
    "inserted",
    "joined",
    "of_all_pairs",
    "ones",
    "padded",
    "selected",
    "zeros",
]

_PADDINGS = ("constant", "edge", "reflect", "symmetric", "wrap")


def joined(
    function: Callable[..., Any], like: FieldArray, arrays: Any, axis: Any = ...
) -> FieldArray:
    """`np.stack`, `np.concatenate` and their kin.

    Args:
        function: numpy's.
        like: any FieldArray of them.
        arrays: FieldArrays and constants; or one array, whose rows they are.
        axis: along which, where numpy's has that argument.

    Raises:
        InvalidArgument: if there are none.
    """
    pieces = [wrapped(like, each) for each in arrays]
    if not pieces:
        raise InvalidArgument(
            "arrays", given="none", needed="at least one", change="Pass a list of arrays."
        )
    residues, extent = aligned(pieces)
    result = function(residues) if axis is ... else function(residues, axis=axis)
    if len(pieces) == 1 and np.may_share_memory(result, residues[0]):
        result = result.copy()
    return made(like, result, extent)


def block(like: FieldArray, arrays: Any) -> FieldArray:
    """`np.block`.

    Args:
        like: any FieldArray of them.
        arrays: nested lists of FieldArrays and constants.
    """
    residues, extent = tree(like, arrays)
    return made(like, np.block(residues), extent)


def appended(like: FieldArray, arr: Any, values: Any, axis: int | None = None) -> FieldArray:
    """`np.append`.

    Args:
        like: any FieldArray of them.
        arr: what comes first.
        values: what comes then.
        axis: along which; all in a row by default.
    """
    (one, other), extent = aligned([wrapped(like, arr), wrapped(like, values)])
    return made(like, np.append(one, other, axis), extent)


def inserted(
    like: FieldArray, arr: Any, obj: Any, values: Any, axis: int | None = None
) -> FieldArray:
    """`np.insert`.

    Args:
        like: any FieldArray of them.
        arr: where.
        obj: before which places.
        values: what.
        axis: along which; all in a row by default.
    """
    no_elements(like, "numpy.insert", obj)
    (one, other), extent = aligned([wrapped(like, arr), wrapped(like, values)])
    return made(like, np.insert(one, obj, other, axis), extent)


def chosen(like: FieldArray, condition: Any, x: Any = None, y: Any = None) -> FieldArray:
    """`np.where` with a constant mask.

    Args:
        like: any FieldArray of them.
        condition: the mask.
        x: what there is where it is true.
        y: what there is elsewhere.

    Raises:
        NotPolynomial: if x or y is missing, or the mask has field elements.
    """
    if x is None or y is None:
        raise refusal("nonzero", "numpy.where of one argument")
    no_elements(like, "numpy.where", condition)
    (one, other), extent = aligned([wrapped(like, x), wrapped(like, y)])
    return made(like, np.where(condition, one, other), extent)


def padded(
    x: FieldArray, pad_width: Any, mode: Any = "constant", *, constant_values: Any = 0
) -> FieldArray:
    """`np.pad`, with constants or with elements of the array.

    Args:
        x: the array.
        pad_width: how many at each end of each axis.
        mode: "constant", "edge", "reflect", "symmetric" or "wrap".
        constant_values: the constants.

    Raises:
        InvalidArgument: if the mode is another one.
    """
    if mode not in _PADDINGS:
        raise InvalidArgument(
            "mode",
            given=repr(mode),
            needed=f"one of {', '.join(_PADDINGS)}",
            change="Pad with a constant.",
        )
    no_elements(x, "numpy.pad", pad_width, constant_values)
    if mode != "constant":
        return made(x, np.pad(memory_of(x), pad_width, mode=mode), x.extent)
    (inside, border), extent = aligned([x, wrapped(x, constant_values)])
    values = border.tolist()
    return made(x, np.pad(inside, pad_width, constant_values=values), extent)


def filled(x: FieldArray, fill_value: Any, *, shape: Any = None) -> FieldArray:
    """`np.full_like`: a new array that can be written in.

    Args:
        x: whose shape it has.
        fill_value: what stands everywhere.
        shape: another shape.
    """
    value = wrapped(x, fill_value)
    size = x.shape if shape is None else shape
    return made(x, np.broadcast_to(memory_of(value), size).copy(), value.extent)


def broadcast_arrays(like: FieldArray, *arrays: Any) -> tuple[FieldArray, ...]:
    """`np.broadcast_arrays`.

    Args:
        like: any FieldArray of them.
        *arrays: FieldArrays and constants.
    """
    pieces = [wrapped(like, each) for each in arrays]
    shape = np.broadcast_shapes(*(each.shape for each in pieces))
    return tuple(spread(each, shape) for each in pieces)


def zeros(x: FieldArray, *, shape: Any = None) -> FieldArray:
    """`np.zeros_like`.

    Args:
        x: whose shape it has.
        shape: another shape.
    """
    return filled(x, 0, shape=shape)


def ones(x: FieldArray, *, shape: Any = None) -> FieldArray:
    """`np.ones_like`.

    Args:
        x: whose shape it has.
        shape: another shape.
    """
    return filled(x, 1, shape=shape)


def selected(like: FieldArray, condlist: Any, choicelist: Any, default: Any = 0) -> FieldArray:
    """`np.select` with constant masks.

    Args:
        like: any FieldArray of them.
        condlist: the masks.
        choicelist: what there is where one is the first that is true.
        default: what there is elsewhere.
    """
    result = wrapped(like, default)
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        result = chosen(like, condition, choice, result)
    return result


def compressed(like: FieldArray, condition: Any, a: Any, axis: int | None = None) -> FieldArray:
    """`np.compress` by a constant mask.

    Args:
        like: any FieldArray of them.
        condition: the mask.
        a: from which.
        axis: along which; of all elements in a row by default.
    """
    no_elements(like, "numpy.compress", condition)
    x = wrapped(like, a)
    return made(like, np.compress(condition, memory_of(x), axis), x.extent)


def at_least(function: Callable[..., Any], like: FieldArray, *arrays: Any) -> Any:
    """`np.atleast_1d` and its kin.

    Args:
        function: numpy's.
        like: any FieldArray of them.
        *arrays: FieldArrays and constants.
    """
    pieces = [wrapped(like, each) for each in arrays]
    results = tuple(each.seen(function(memory_of(each))) for each in pieces)
    return results[0] if len(results) == 1 else results


def of_all_pairs(like: FieldArray, a: Any, b: Any, operator: str) -> FieldArray:
    """`np.multiply.outer` and its kin.

    Args:
        like: one of them.
        a: of the first axes.
        b: of the last axes.
        operator: the name of its method.
    """
    left, right = wrapped(like, a), wrapped(like, b)
    left = left.reshape((*left.shape, *(1,) * right.ndim))
    result: FieldArray = getattr(left, operator)(right)
    return result
