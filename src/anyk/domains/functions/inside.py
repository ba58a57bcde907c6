"""What this room sees of a `FieldArray`, which stands above it: residues, and what is known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractField
from anyk.domains.extent import Extent
from anyk.domains.functions.constants import constant
from anyk.domains.rest import lifted
from anyk.errors import InvalidArgument, NotPolynomial

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = [
    "aligned",
    "concatenated",
    "holds",
    "made",
    "memory_of",
    "moved",
    "no_elements",
    "residues_of",
    "shifted",
    "spread",
    "stacked",
    "tree",
    "wrapped",
]


def memory_of(array: FieldArray) -> NDArray[Any]:
    """The memory of an array, whatever its extent: to be moved, seen, sent and written in.

    It may be unsigned, and what is computed with it wraps: take `residues_of` for that.

    Args:
        array: a FieldArray.
    """
    return array._residues  # noqa: SLF001 - what this function is for


def residues_of(array: FieldArray) -> NDArray[np.int64]:
    """The residues of an array, whatever its extent: to be computed with.

    Args:
        array: a FieldArray.
    """
    return lifted(array._residues)  # noqa: SLF001 - what this function is for


def made(like: FieldArray, residues: NDArray[Any], extent: Extent | None) -> FieldArray:
    """A new array over the field of another.

    Args:
        like: the other.
        residues: of the new one, which nobody else writes in.
        extent: of the new one.
    """
    return like._new(residues, extent)  # noqa: SLF001 - its own room's door


def holds(like: FieldArray, value: Any) -> bool:
    """Whether a value is a FieldArray, or has one in its lists.

    Args:
        like: any FieldArray.
        value: anything.
    """
    if isinstance(value, (list, tuple)):
        return any(holds(like, each) for each in value)
    return isinstance(value, type(like))


def wrapped(like: FieldArray, value: Any) -> FieldArray:
    """An operand as a FieldArray: constants become one, lists of FieldArrays are stacked.

    Args:
        like: another operand.
        value: a FieldArray, a list or tuple that has some, or plain numbers.

    Raises:
        InvalidArgument: if it is over another field, or no array of numbers.
    """
    if isinstance(value, type(like)):
        _one_field(like, value)
        return value
    if holds(like, value):
        return stacked(like, value)
    return made(like, *constant(like.field, value, like.extent))


def _one_field(like: FieldArray, other: FieldArray) -> None:
    if other.field != like.field:
        raise InvalidArgument(
            "operand",
            given=f"an array over {other.field!r}",
            needed=f"one over {like.field!r}",
            change="Use one field throughout.",
        )


def stacked(like: FieldArray, items: Sequence[Any], axis: int = 0) -> FieldArray:
    """FieldArrays and constants of one shape as one array.

    Args:
        like: any FieldArray of them.
        items: a list or tuple; those in it are stacked first.
        axis: along which.
    """
    residues, extent = aligned([wrapped(like, each) for each in items])
    return made(like, np.stack(residues, axis=axis), extent)


def shifted(field: AbstractField, residues: NDArray[Any], bits: int) -> NDArray[Any]:
    """Residues of numbers 2^bits times as large.

    Args:
        field: of the residues.
        residues: ndarray, as they are in memory.
        bits: how many bits; no more than 0 for a zero, which has as many as it likes.
    """
    if bits <= 0:
        return residues
    return field.reduce(lifted(residues) * _scale(field, bits))


@lru_cache(maxsize=1024)
def _scale(field: AbstractField, bits: int) -> NDArray[np.int64]:
    return field.constant(1 << bits)


def aligned(arrays: Sequence[FieldArray]) -> tuple[list[NDArray[Any]], Extent | None]:
    """Memory of several arrays with the same bits each, and what is known of all together.

    Args:
        arrays: FieldArrays over one field, at least one.
    """
    known = [each.extent for each in arrays]
    some = next((each for each in known if each is not None), None)
    if some is None:
        return [memory_of(each) for each in arrays], None
    extents = [each.extent or each.beside(some) for each in arrays]
    extent = extents[0]
    for each in extents[1:]:
        extent = extent.joined(each)
    residues = [
        shifted(each.field, memory_of(each), extent.bits - own.bits)
        for each, own in zip(arrays, extents, strict=True)
    ]
    return residues, extent


def tree(like: FieldArray, nested: Any) -> tuple[Any, Extent | None]:
    """Nested lists of arrays and constants: the same of residues, and what is known of all.

    Args:
        like: any FieldArray of them.
        nested: a FieldArray, plain numbers that are no list, or a list or tuple of those.
    """
    leaves: list[FieldArray] = []

    def collect(each: Any) -> Any:
        if isinstance(each, (list, tuple)):
            return [collect(item) for item in each]
        leaves.append(wrapped(like, each))
        return len(leaves) - 1

    places = collect(nested)
    residues, extent = aligned(leaves)

    def fill(each: Any) -> Any:
        return [fill(item) for item in each] if isinstance(each, list) else residues[each]

    return fill(places), extent


def moved(x: FieldArray, source: Any, destination: Any) -> FieldArray:
    """`np.moveaxis`.

    Args:
        x: an array.
        source: axes of it.
        destination: where they go.
    """
    return x.seen(np.moveaxis(memory_of(x), source, destination))


def spread(x: FieldArray, shape: tuple[int, ...]) -> FieldArray:
    """`np.broadcast_to`.

    Args:
        x: an array.
        shape: that it is spread to.
    """
    return x.seen(np.broadcast_to(memory_of(x), shape))


def concatenated(arrays: Sequence[FieldArray], axis: int = 0) -> FieldArray:
    """`np.concatenate`.

    Args:
        arrays: FieldArrays over one field, at least one.
        axis: along which.
    """
    residues, extent = aligned(arrays)
    return made(arrays[0], np.concatenate(residues, axis=axis), extent)


def no_elements(like: FieldArray, name: str, *numbers: Any) -> None:
    """Refuse field elements where plain numbers are needed: places, axes, masks.

    Args:
        like: any FieldArray.
        name: of the function.
        *numbers: what must be plain.

    Raises:
        NotPolynomial: if one is a FieldArray.
    """
    if any(holds(like, each) for each in numbers):
        raise NotPolynomial(
            f"{name} by field elements is no polynomial: take constants there. Of a mask m of "
            "zeros and ones, x where it is one and y elsewhere is m * x + (1 - m) * y."
        )
