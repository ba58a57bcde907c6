"""Shares that are made on Dask workers, of chunks that lie there, and stay there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain
from anyk.errors import ExecutorError
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, Placement
from anyk.executors.core.calls import AbstractCalls
from anyk.executors.core.run_task import Task
from anyk.executors.wrappers.wrapper import AbstractWrapper
from anyk.schemes.products.sizes import column_sizes, sparse_column_sizes
from anyk.schemes.products.sparse_rows import is_sparse, sparse_combination, sparse_rows

__all__ = ["Made", "OnWorkers", "Recipe", "address", "piece_of"]


@final
@dataclass(frozen=True, eq=False)
class Recipe:
    """How one share is made of pieces of chunks: what a chunk has of a block.

    Args:
        domain: of the entries.
        coefficients: of the blocks that are in it, ndarray (blocks,).
        blocks: which these are.
        height: rows of a block.
        pieces: the block and the first row of each piece, row by row of chunks.
    """

    domain: AbstractDomain
    coefficients: NDArray[Any]
    blocks: tuple[int, ...]
    height: int
    pieces: tuple[tuple[int, int], ...]

    def __call__(self, *pieces: Any) -> Made:
        """The share; called on the worker that keeps it.

        Args:
            *pieces: ndarrays, or matrices of scipy.sparse.
        """
        rows: dict[tuple[int, int], list[Any]] = {}
        for place, piece in zip(self.pieces, pieces, strict=True):
            rows.setdefault(place, []).append(piece)
        sparse = is_sparse(pieces[0])
        blocks = [
            (self._sparse if sparse else self._dense)(
                [rows[place] for place in sorted(rows) if place[0] == block]
            )
            for block in self.blocks
        ]
        sizes = {block: _sizes(each) for block, each in zip(self.blocks, blocks, strict=True)}
        if not sparse:
            share = self.domain.matmul(self.coefficients[None], np.stack(blocks))[0]
            return Made((self.domain.at_rest(share),), sizes)
        made = sparse_combination(self.domain, self.coefficients, blocks)
        return Made((self.domain.at_rest(made.data), made.indices, made.indptr), sizes)

    def _dense(self, rows: list[list[NDArray[Any]]]) -> NDArray[Any]:
        """One block, with zeros where A ends before it does."""
        joined = self.domain.validate(np.block(rows), "A")
        return np.pad(joined, ((0, self.height - len(joined)), (0, 0)))

    def _sparse(self, rows: list[list[Any]]) -> Any:
        """The same of sparse pieces."""
        joined = scipy.sparse.vstack([scipy.sparse.hstack(each) for each in rows], format="csr")
        lacking = self.height - joined.shape[0]
        if lacking:
            empty = scipy.sparse.csr_array((lacking, joined.shape[1]), dtype=joined.dtype)
            joined = scipy.sparse.vstack([joined, empty], format="csr")
        return sparse_rows(self.domain, joined, 1)[0]


def piece_of(chunk: Any, low: int, high: int) -> Any:
    """Rows of a chunk, cut where it lies, so that no others move.

    Args:
        chunk: ndarray, or a matrix of scipy.sparse.
        low: the first row.
        high: behind the last one.
    """
    return chunk.tocsr()[low:high] if is_sparse(chunk) else np.ascontiguousarray(chunk[low:high])


@final
@dataclass(frozen=True, eq=False)
class Made:
    """A share, and what is known of the blocks in it.

    Args:
        parts: of the share.
        sizes: of each block in it, how large the columns are, root mean square, ndarray (inner,).
    """

    parts: tuple[NDArray[Any], ...]
    sizes: dict[int, NDArray[np.float64]]


def _sizes(block: Any) -> NDArray[np.float64]:
    """How large the columns are, root mean square."""
    return sparse_column_sizes(block) if is_sparse(block) else column_sizes(block[None])[0]


def address(index: NDArray[np.int64]) -> NDArray[np.uint8]:  # noqa: ARG001 - a task has its share
    """Where the Dask worker is that runs this: its address, letter by letter."""
    return np.frombuffer(_worker().address.encode(), dtype=np.uint8)


@final
class OnWorkers(AbstractWrapper):
    """An executor of which each worker has made its share, and is asked by its index alone.

    Args:
        executor: an `anyk.Dask`, or what is around one.
        made: futures of the shares, by worker: Dask keeps them as long as these are kept.
    """

    def __init__(self, executor: AbstractExecutor, made: Sequence[Any]) -> None:
        self._executor = executor
        self._made = list(made)

    @property
    def within(self) -> AbstractExecutor:
        """The Dask executor."""
        return self._executor

    def dispatch(
        self,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Run a task on what each worker has made; see `AbstractExecutor.dispatch`."""
        on_share = _OnShare(task, tuple(each.key for each in self._made))
        return self._executor.dispatch(on_share, placement, arguments, without)

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function; see `AbstractExecutor.calls`."""
        return self._executor.calls(function)

    def release(self, placement: Placement) -> None:
        """Let Dask forget the shares. Harmless when called twice."""
        self._executor.release(placement)
        self._made.clear()


@final
@dataclass(frozen=True)
class _OnShare:
    """A task on the share that this worker has made."""

    task: Task
    keys: tuple[str, ...]

    def __call__(self, index: NDArray[np.int64], *arguments: Any) -> NDArray[Any]:
        made = _worker().data.get(self.keys[int(index)])
        if made is None:
            raise ExecutorError("this worker has not made the share, or no longer has it.")
        return self.task(*made.parts, *arguments)


def _worker() -> Any:
    from distributed import get_worker  # noqa: PLC0415 - import anyk must not need it

    return get_worker()
