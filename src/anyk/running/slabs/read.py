"""Data that come in slabs of columns: read, encoded and sent one after the other."""

from __future__ import annotations

import math
import mmap
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sized
from itertools import pairwise
from typing import Any, final

import numpy as np

from anyk.domains.base import ndarray_of
from anyk.errors import InvalidArgument
from anyk.schemes.base import AbstractScheme

__all__ = ["AbstractSlabs", "edges_of", "is_dask_array", "slabs_of"]

_NUMBERS = 1 << 23  # of a slab and its shares, where nobody says how many columns it has
_MATRIX = 2  # axes


class AbstractSlabs(ABC):
    """Data (K, columns, *rest) of which some columns are read at a time."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...] | None:
        """Of all data; None where nobody knows before the last slab."""

    @abstractmethod
    def __iter__(self) -> Iterator[Any]:
        """The slabs, array-likes (K, w, *rest), from left to right."""


@final
class _Array(AbstractSlabs):
    """Columns of an array; what was read of a file is not kept in this process.

    Args:
        array: ndarray, or a memmap.
        columns: how many a slab has.
    """

    def __init__(self, array: Any, columns: int) -> None:
        self._array, self._columns = array, columns

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array."""
        shape: tuple[int, ...] = self._array.shape
        return shape

    def __iter__(self) -> Iterator[Any]:
        """Copies of columns."""
        for start in range(0, self.shape[1], self._columns):
            yield np.array(self._array[:, start : start + self._columns], subok=False)
            _forget_pages(self._array)


def _forget_pages(array: Any) -> None:
    """Let the pages of a file that were read count as this process's memory no more."""
    advice = getattr(mmap, "MADV_DONTNEED", None)  # where the system has it
    pages = getattr(array, "_mmap", None)
    if advice is not None and pages is not None and array.mode != "c":  # own changes are kept there
        pages.madvise(advice)


@final
class _DaskArray(AbstractSlabs):
    """Columns of a dask.array, computed slab by slab.

    Args:
        array: dask.array.
        columns: how many a slab has; None for those of each chunk.
    """

    def __init__(self, array: Any, columns: int | None) -> None:
        self._array, self._columns = array, columns

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array."""
        return tuple(int(length) for length in self._array.shape)

    def __iter__(self) -> Iterator[Any]:
        """Computed columns."""
        for start, stop in edges_of(self._array, self._columns):
            yield self._array[:, start:stop].compute()


@final
class _Iterable(AbstractSlabs):
    """Slabs that somebody else makes.

    Args:
        slabs: of them.
    """

    def __init__(self, slabs: Iterable[Any]) -> None:
        self._slabs = slabs

    @property
    def shape(self) -> None:
        """Nobody knows."""
        return

    def __iter__(self) -> Iterator[Any]:
        """As they come."""
        return iter(self._slabs)


def slabs_of(scheme: AbstractScheme, X: Any, columns: int | None) -> AbstractSlabs | None:
    """Data that should be encoded slab by slab; None for those that are encoded at once.

    Args:
        scheme: that encodes them.
        X: a large memmap, a dask.array, an iterable of slabs without a length such as a generator,
            or any array where a number of columns is given.
        columns: how many a slab has; None for as many as are a few million numbers with their
            shares, or a chunk of a dask.array.

    Raises:
        InvalidArgument: if they are data for slabs, and the scheme can't encode such.
    """
    if is_dask_array(X):
        _check_chunks(X)
        found: AbstractSlabs | None = _DaskArray(X, columns) if X.ndim >= _MATRIX else None
    elif isinstance(X, Iterable) and not isinstance(X, (Sized, str)):
        found = _Iterable(X)
        if columns is not None:
            raise InvalidArgument(
                "columns",
                given=f"{columns}, and slabs that come from a {type(X).__name__}",
                needed="None: a slab has the columns that it comes with",
                change="Leave it out.",
            )
    else:
        found = _array_of(scheme, X, columns)
    if found is None or scheme.columns is not None:
        return found
    if columns is not None or isinstance(found, _Iterable):
        whole = "Pass np.concatenate([*X], axis=1)" if columns is None else "Leave columns= out"
        raise _unable(scheme, whole)
    return None  # an array all the same, which is read whole


def edges_of(array: Any, columns: int | None) -> list[tuple[int, int]]:
    """Where the slabs of a dask.array begin and end.

    Args:
        array: the dask.array (K, columns, *rest).
        columns: how many a slab has; None for those of each chunk.
    """
    _check_chunks(array)
    if columns is None:
        edges = np.cumsum([0, *array.chunks[1]]).tolist()
    else:
        edges = [*range(0, array.shape[1], columns), array.shape[1]]
    return [*pairwise(edges)]


def is_dask_array(X: Any) -> bool:
    """Whether it is a dask.array, without importing Dask."""
    return type(X).__module__.startswith("dask.array")


def _array_of(scheme: AbstractScheme, X: Any, columns: int | None) -> _Array | None:
    if columns is None and not isinstance(X, np.memmap):
        return None
    array = ndarray_of(X, "X", kind="numbers") if columns is not None else X
    if isinstance(X, np.memmap):
        array = X
    if array.ndim < _MATRIX or not array.size:
        return None
    promise = scheme.guarantee
    stored = len(array) + math.ceil(promise.workers * promise.load)
    fitting = max(1, _NUMBERS // (stored * math.prod(array.shape[2:])))
    if columns is None and fitting >= array.shape[1]:
        return None
    return _Array(array, fitting if columns is None else columns)


def _check_chunks(X: Any) -> None:
    if any(math.isnan(size) for sizes in X.chunks for size in sizes):
        raise InvalidArgument(
            "X",
            given="chunks of unknown sizes",
            needed="chunks of which the sizes are known",
            change="Call X.compute_chunk_sizes() first.",
        )


def _unable(scheme: AbstractScheme, whole: str) -> InvalidArgument:
    """Why a scheme takes no slabs, and how to give it all data at once."""
    from anyk.spec import MatMul  # noqa: PLC0415 - for the words alone

    product = isinstance(scheme.problem, MatMul)
    why = "factors are cut whole" if product else "where a block goes depends on all of its numbers"
    other = (
        "cut A in K blocks of rows (K, rows, inner) for anyk.Lagrange or anyk.Replication, which "
        "take slabs, with np.matmul as the function"
        if product
        else "take anyk.Replication or anyk.Berrut, which take slabs"
    )
    return InvalidArgument(
        "X",
        given=f"slabs of columns, for {type(scheme).__name__}",
        needed=f"data as one array: by this scheme, {why}",
        change=f"{whole} where it fits in memory, or {other}.",
    )
