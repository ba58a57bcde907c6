"""Memory that is lent to a `FieldArray`: it is copied before anything is written in it.

A share stays on its worker for many calls, and no call sees what another one wrote. Most write
nothing: so the function is called with the memory itself, and with a copy from its first write on.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = ["Views", "note", "own_memory"]

Views = dict[int, "weakref.ref[FieldArray]"]
"""The views of an array that are still there: they move with it."""


def note(views: Views, view: FieldArray) -> None:
    """Remember a view of lent memory, as long as it is there.

    Args:
        views: of the array whose memory it sees.
        view: the view.
    """
    key = id(view)

    def forget(_: object) -> None:
        views.pop(key, None)

    views[key] = weakref.ref(view, forget)


def own_memory(array: FieldArray) -> None:
    """Give an array, and all that are views of it, memory of their own if it was lent to them.

    Args:
        array: whose memory others see; no view.
    """
    views = array._views  # noqa: SLF001 - what this file is for
    if views is None:
        return
    lent = array._residues  # noqa: SLF001 - as above
    own = lent.copy()
    array._residues, array._views = own, None  # noqa: SLF001 - as above
    for each in list(views.values()):
        view = each()
        if view is not None:
            view._residues = _moved(view._residues, lent, own)  # noqa: SLF001 - as above


def _moved(view: NDArray[Any], source: NDArray[Any], target: NDArray[Any]) -> NDArray[Any]:
    """The same view of another array, that is C-contiguous as the first one is."""
    if not view.size:
        return view
    offset = _address(view) - _address(source)
    moved = np.ndarray(view.shape, view.dtype, target, offset, view.strides)
    moved.flags.writeable = view.flags.writeable
    return moved


def _address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])
