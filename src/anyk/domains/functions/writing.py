"""Writing in a FieldArray: it, and all that are views of it, know of what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anyk.domains.extent import Extent
from anyk.domains.functions.inside import memory_of, no_elements, shifted, wrapped
from anyk.domains.functions.lent import own_memory
from anyk.errors import InvalidArgument

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = ["write"]


def write(target: FieldArray, index: Any, value: Any) -> None:
    """What `target[index] = value` does.

    Where the value has more fraction bits than the array, all of the array gets as many. Its extent
    is from now on that of both, or that of the value if it is written everywhere.

    Args:
        target: the array.
        index: where, by constants.
        value: a FieldArray, or plain numbers.

    Raises:
        InvalidArgument: if the array can't be written in.
    """
    no_elements(target, "x[..] = y", index)
    own_memory(target.owner)
    residues = memory_of(target)
    if not residues.flags.writeable:
        raise InvalidArgument(
            "array",
            given="one that can't be written in",
            needed="an array with memory of its own",
            change="Write in a copy, x.copy().",
        )
    owner, given = target.owner, wrapped(target, value)
    own, new = owner.extent, given.extent
    if own is None and new is not None:  # whoever made the array may hold its memory
        raise InvalidArgument(
            "x[..] = y",
            given="shares, to be written in an array of constants",
            needed="an array that knows of shares",
            change="Make it by np.zeros_like(x), of a share x; or take x + y instead of x += y.",
        )
    met, lacks, extent = own or new, 0, None
    if met is not None:
        own, new = own or owner.beside(met), new or given.beside(met)
        everywhere = owner is target and (index is ... or _is_all(index))
        extent = new if everywhere else own.joined(new)
        if not everywhere and extent.bits > own.bits:
            memory_of(owner)[...] = shifted(owner.field, memory_of(owner), extent.bits - own.bits)
            _know(owner, own.aligned(extent.bits))
        lacks = extent.bits - new.bits
    residues[index] = shifted(target.field, memory_of(given), lacks)
    _know(owner, extent)


def _know(owner: FieldArray, extent: Extent | None) -> None:
    owner._extent = extent  # noqa: SLF001 - of what was just written


def _is_all(index: Any) -> bool:
    return isinstance(index, slice) and index == slice(None)
