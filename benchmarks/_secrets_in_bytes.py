"""Whether numbers that nobody may see are in bytes: as integers, floats, residues, and as text."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Secrets"]

_TEXT = re.compile(rb"[0-9]{8,}")
_WINDOW = 8  # bytes: by chance one in 2^64 is the same


class Secrets:
    """Vectors and pieces of them, in the forms in which they could be written.

    Args:
        vectors: integers, of at least 8 digits each.
        weights: of the vectors.
        moduli: of residues.
        raw: bytes that may be nowhere either: pieces of vectors.
    """

    def __init__(
        self,
        vectors: Iterable[NDArray[np.int64]],
        weights: Iterable[int],
        moduli: Iterable[int],
        raw: Iterable[bytes],
    ) -> None:
        windows: list[NDArray[np.uint64]] = [_windows(each) for each in raw]
        self._words: set[bytes] = set()
        moduli = list(moduli)
        for vector, weight in zip(vectors, weights, strict=True):
            for integers in (vector, vector * weight):
                self._words |= {str(abs(int(each))).encode() for each in integers}
                forms = [integers.astype(form) for form in ("<i8", ">i8", "<f8", ">f8")]
                windows += [np.frombuffer(each.tobytes(), np.uint64) for each in forms]
                rows = [integers % modulus for modulus in moduli]
                narrow = [each.astype(form) for each in rows for form in ("<u4", ">u4")]
                windows += [_windows(each.tobytes(), 4) for each in narrow]
        self._windows = np.unique(np.concatenate(windows)) if windows else np.zeros(0, np.uint64)

    @property
    def many(self) -> int:
        """How many patterns there are."""
        return len(self._windows) + len(self._words)

    def found(self, data: bytes) -> list[str]:
        """What of them is in these bytes."""
        words = {each for each in _TEXT.findall(data) if each in self._words}
        there = np.intersect1d(_windows(data), self._windows)
        return [f"text {each.decode()}" for each in sorted(words)] + [
            f"bytes {int(each):016x}" for each in there
        ]


def _windows(data: bytes, step: int = 1) -> NDArray[np.uint64]:
    """All runs of 8 bytes, that begin at multiples of the step."""
    parts = [
        np.frombuffer(data, np.uint64, (len(data) - start) // _WINDOW, start)
        for start in range(0, min(_WINDOW, len(data) - _WINDOW + 1), step)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.uint64)
