"""Data that lie on a cluster already: its workers encode among themselves, without the master.

Each worker makes its own share, of the blocks that are in it, which the engine brings from where
they lie: slab by slab, and without this process.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, final

import numpy as np

from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.core.columns import UNKNOWN
from anyk.executors.core.crew import AbstractCrewed
from anyk.observe.slabs import slab_bar
from anyk.running.slabs.filled import Filled
from anyk.running.slabs.maker import Maker
from anyk.running.slabs.read import edges_of, is_dask_array
from anyk.schemes.base import AbstractScheme
from anyk.schemes.encoded import Encoded
from anyk.spec import MatMul
from anyk.works.mixed import Mixed

__all__ = ["AbstractBlocksThere", "blocks_there", "made_there"]


_BROUGHT = {"Dask": "client.gather(X)", "Ray": "[ray.get(block) for block in X]"}


class AbstractBlocksThere(ABC):
    """Blocks that lie on the cluster of an executor."""

    def __init__(self, executor: AbstractCrewed) -> None:
        self.executor = executor

    @property
    @abstractmethod
    def columns(self) -> int | None:
        """How many columns there are; None where nobody knows yet."""

    @abstractmethod
    def slabs(self) -> Iterator[list[Any]]:
        """Of each slab, K futures or references, one of the columns of each block."""


@final
class _DaskChunks(AbstractBlocksThere):
    """Of a dask.array: computed on the cluster slab by slab, where it is not there already."""

    def __init__(self, executor: Any, array: Any, columns: int | None) -> None:
        super().__init__(executor)
        self._client, self._array, self._edges = executor.client, array, edges_of(array, columns)

    @property
    def columns(self) -> int:
        return int(self._array.shape[1])

    def slabs(self) -> Iterator[list[Any]]:
        for start, stop in self._edges:
            yield self._client.compute([block[start:stop] for block in self._array])


@final
class _Handles(AbstractBlocksThere):
    """Futures or references of blocks, or of the columns of each."""

    def __init__(self, executor: AbstractCrewed, blocks: Sequence[Sequence[Any]]) -> None:
        super().__init__(executor)
        self._blocks = blocks

    @property
    def columns(self) -> None:
        return

    def slabs(self) -> Iterator[list[Any]]:
        for each in zip(*self._blocks, strict=True):
            yield list(each)


def blocks_there(
    scheme: AbstractScheme,
    X: Any,
    executor: AbstractExecutor,
    columns: int | None,
    *,
    embedded: bool,
) -> AbstractBlocksThere | None:
    """Data that its workers can encode among themselves; None for others.

    Args:
        scheme: how.
        X: a dask.array, or K futures of Dask's or references of Ray's, or as many lists of such.
        executor: whose cluster they must be on.
        columns: how many a slab of a dask.array has.
        embedded: whether reals are to become residues first.

    Raises:
        InvalidArgument: if they are futures or references, and the workers can't encode them so.
    """
    engine, inner = _engine_of(X), _innermost(executor)
    if not engine:
        return None
    handles = not is_dask_array(X)
    why, change = _obstacle(scheme, embedded=embedded), "Take such a scheme, anyk.Lagrange say"
    if embedded:
        change = "Make whole numbers of them on the cluster"
    if type(inner).__name__ != engine:
        why = f"an executor on their own cluster, and no {type(inner).__name__}"
        change = "Pass anyk.Dask(client)" if engine == "Dask" else "Pass anyk.Ray(N)"
    if not why and isinstance(inner, AbstractCrewed):
        if not handles:
            return _DaskChunks(inner, X, columns) if X.ndim > 1 else None
        blocks = [[*each] if isinstance(each, (list, tuple)) else [each] for each in X]
        if len(blocks) == scheme.problem.blocks and len({len(each) for each in blocks}) == 1:  # type: ignore[union-attr] # it is no product
            return _Handles(inner, blocks)
        number = scheme.problem.blocks  # type: ignore[union-attr] # as above
        why = f"{number} blocks, of as many slabs each"
        change = f"Pass {number} handles, or {number} lists of as many each"
    if not handles:
        return None
    raise InvalidArgument(
        "X",
        given=f"{len(X)} handles of data on a {engine} cluster, for {type(scheme).__name__}",
        needed=why,
        change=f"{change}; or bring the data here: X = {_BROUGHT[engine]}.",
    )


def made_there(scheme: AbstractScheme, blocks: AbstractBlocksThere, *, progress: bool) -> Filled:
    """Let the workers make their shares.

    Args:
        scheme: a linear one without masks.
        blocks: where they are.
        progress: whether to show how far it is.

    Raises:
        InvalidArgument: if a worker can't make its share of them.
        ExecutorError: if the executor is closed, or all workers are lost.
    """
    shape = (scheme.problem.blocks, 1)  # type: ignore[union-attr] # it is no product
    encoded = scheme.encode(np.zeros(shape, dtype=scheme.domain.dtype))  # for its layout alone
    matrix, executor = encoded.encoder.data, blocks.executor
    crew = executor.crew
    placement = crew.place_filled(len(matrix), 1)
    liars = scheme.guarantee.adversaries
    maker = Maker(executor, placement, Mixed(encoded.scheme.domain), matrix, liars=liars)
    try:
        width = UNKNOWN if blocks.columns is None else blocks.columns
        with slab_bar(blocks.columns, progress=progress) as show:
            for slab in blocks.slabs():
                maker.make(slab, width)
                show(maker.columns)
                del slab
        outline = maker.finish()
    except BaseException:
        crew.release(placement)
        raise
    parts: Any = (outline,)
    return Filled(Encoded(encoded.scheme, parts, encoded.layout), placement, None)


def _obstacle(scheme: AbstractScheme, *, embedded: bool) -> str:
    """Why workers can't make shares by themselves; "" where they can."""
    if embedded:
        return "data without an embedding, which this process would have to round"
    if isinstance(scheme.problem, MatMul) or scheme.columns != (1,):
        return "a scheme whose shares are combinations of blocks"
    promise = scheme.guarantee
    if promise.colluders or promise.pieces > 1:
        return "a scheme without colluders, and with one share a worker"
    shape = (scheme.problem.blocks, 1)
    encoder = scheme.encode(np.zeros(shape, dtype=scheme.domain.dtype)).encoder
    masked = encoder.masks.size or encoder.of_outputs
    return "a scheme without masks" if masked else ""


def _engine_of(X: Any) -> str:
    """The executor on whose cluster these data lie; "" where they are here."""
    if is_dask_array(X):
        return "Dask"
    if not isinstance(X, (list, tuple)) or not X:
        return ""
    first = X[0][0] if isinstance(X[0], (list, tuple)) and X[0] else X[0]
    distributed, ray = sys.modules.get("distributed"), sys.modules.get("ray")
    if distributed is not None and isinstance(first, distributed.Future):
        return "Dask"
    return "Ray" if ray is not None and isinstance(first, ray.ObjectRef) else ""


def _innermost(executor: AbstractExecutor) -> AbstractExecutor:
    """The executor in wrappers, whose workers they are."""
    from anyk.executors.wrappers.wrapper import AbstractWrapper  # noqa: PLC0415 - wrappers alone

    while isinstance(executor, AbstractWrapper):
        executor = executor.within
    return executor
