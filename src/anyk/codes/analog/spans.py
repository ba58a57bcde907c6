"""What columns span, what is orthogonal to it, and the rows of sets of groups."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows", "complement", "span_of"]

_DEPENDENT = 1e-12  # of the longest column


@final
class Rows:
    """The rows of sets of groups.

    Args:
        groups: the rows of each group.
    """

    def __init__(self, groups: tuple[NDArray[np.intp], ...]) -> None:
        self.counts = np.array([len(each) for each in groups])
        self._first = np.cumsum(self.counts) - self.counts
        self._all = np.concatenate(groups)

    def of(self, sets: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """The rows of each set, of those together that have as many.

        Args:
            sets: ndarray (sets, size) of places of groups.

        Yields:
            Which sets, and their rows, ndarray (these sets, rows).
        """
        counts = self.counts[sets]
        total = counts.sum(axis=1)
        for count in np.unique(total):
            some = np.flatnonzero(total == count)
            each = counts[some].ravel()
            ahead = np.repeat(self._first[sets[some]].ravel() - np.cumsum(each) + each, each)
            yield some, self._all[ahead + np.arange(len(ahead))].reshape(some.size, count)


def span_of(columns: NDArray[Any]) -> NDArray[Any]:
    """Orthonormal columns of the same span, and zeros, for each of some matrices.

    Args:
        columns: ndarray (..., n, m).

    Example:
        >>> from anyk.codes.analog.spans import span_of
        >>> span_of(np.array([[3.0, 6.0], [4.0, 8.0]])).round(1)[:, 1] + 0.0
        array([0., 0.])
    """
    turned, triangle = np.linalg.qr(columns)
    size = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1)).min(axis=-1, initial=math.inf)
    if (size <= _DEPENDENT * np.abs(triangle).max(initial=0.0)).any():
        turned, lengths, _ = np.linalg.svd(columns, full_matrices=False)
        clear = lengths > _DEPENDENT * lengths.max(axis=-1, initial=0.0, keepdims=True)
        turned = np.where(clear[..., None, :], turned, 0.0)
    return turned


def complement(basis: NDArray[Any]) -> NDArray[Any]:
    """Orthonormal rows that vanish on the columns of a matrix, ndarray (n - m, n).

    Args:
        basis: ndarray (n, m).
    """
    turned: NDArray[Any] = np.linalg.qr(basis, mode="complete")[0]
    return turned[:, basis.shape[1] :].conj().T
