"""Memory for what a product needs while it is computed, kept for the next one.

A large array is given back to the system when it is freed, and comes anew page by page: of a short
product, that takes longer than all else. So a workspace is one piece, kept in this process. What is
in use is in no list: a product within another, of another thread, or of a finaliser, takes the next
one, or a new one; and one that was broken off is freed as all memory is.

What it held is not wiped, as it is nowhere in this process: residues, masks among them, lie there
until a product writes over them. No array of it leaves the functions that borrow it.
"""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Workspace", "borrowed"]

_MOST = 1 << 22  # bytes of one that is kept
_KEPT = 4  # of them, in a process
_LINE = 64  # bytes, to a multiple of which arrays are aligned

_free: list[Workspace] = []


@final
class Workspace:
    """Arrays in one piece of memory, one behind the other; one that does not fit has its own."""

    __slots__ = ("_end", "_memory", "_start", "_used", "_wanted")

    def __init__(self) -> None:
        self._grow(0)
        self._wanted = 0

    def _grow(self, size: int) -> None:
        self._memory = np.empty(size + _LINE, np.uint8)
        self._used = self._start = -self._memory.ctypes.data % _LINE
        self._end = self._start + size

    def array(self, shape: tuple[int, ...], dtype: Any = np.float64) -> NDArray[Any]:
        """An array of which nothing is known, until the workspace is given back.

        Args:
            shape: of it.
            dtype: of it.
        """
        size = -(-math.prod(shape) * np.dtype(dtype).itemsize // _LINE) * _LINE
        self._wanted += size
        start = self._used
        if start + size > self._end:
            return np.empty(shape, dtype)
        self._used += size
        return np.ndarray(shape, dtype, self._memory, start)

    def clear(self) -> None:
        """Begin anew, with memory for all that was asked of it, up to 4 MB: arrays are lost."""
        needed = min(1 << max(0, self._wanted - 1).bit_length(), _MOST)
        if needed > self._end - self._start:
            self._grow(needed)
        self._used, self._wanted = self._start, 0

    def give_back(self) -> None:
        """Keep it for others: its arrays are no more to be used."""
        self.clear()
        if len(_free) < _KEPT:
            _free.append(self)


def borrowed() -> Workspace:
    """A workspace that nobody uses, to be given back; one that never is costs its memory alone."""
    try:
        return _free.pop()
    except IndexError:
        return Workspace()
