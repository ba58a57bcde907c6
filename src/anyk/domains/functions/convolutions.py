"""`np.convolve` and `np.correlate` on field elements: products with all windows of a vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anyk.domains.functions.inside import concatenated, made, memory_of
from anyk.errors import InvalidArgument

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = ["convolve", "correlate"]

_WORKSPACE = 1 << 20  # numbers in as many windows as are taken at once


def convolve(a: FieldArray, v: FieldArray, mode: str = "full") -> FieldArray:
    """`np.convolve`: the product of two polynomials' coefficients.

    Args:
        a: a vector.
        v: a vector.
        mode: "full", "same" or "valid".
    """
    if len(v) > len(a):
        a, v = v, a
    return _slide(a, v[::-1], mode)


def correlate(a: FieldArray, v: FieldArray, mode: str = "valid") -> FieldArray:
    """`np.correlate`.

    Args:
        a: a vector.
        v: a vector.
        mode: "full", "same" or "valid".
    """
    if len(v) > len(a):
        return _slide(v, a, mode)[::-1]
    return _slide(a, v, mode)


def _slide(a: FieldArray, v: FieldArray, mode: str) -> FieldArray:
    """Inner products of a vector with all windows of a longer one."""
    if a.ndim != 1 or v.ndim != 1 or not len(v):
        raise InvalidArgument(
            "vectors",
            given=f"shapes {a.shape} and {v.shape}",
            needed="vectors with at least one number each",
            change="Ravel them.",
        )
    size = len(v)
    sides = {
        "full": (size - 1, size - 1),
        "same": (size // 2, size - 1 - size // 2),
        "valid": (0, 0),
    }
    if mode not in sides:
        raise InvalidArgument(
            "mode", given=repr(mode), needed='"full", "same" or "valid"', change="Take one of them."
        )
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(memory_of(a), sides[mode]), size)
    rows = max(1, _WORKSPACE // size)
    parts = [
        made(a, windows[start : start + rows], a.extent) @ v
        for start in range(0, len(windows), rows)
    ]
    return concatenated(parts)
