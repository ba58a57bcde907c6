"""`anyk.dask_array`: A @ x for a dask.array A, by shares that are made where its chunks lie."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Outcome
from anyk.checks import count, instance, shown
from anyk.dask_array.shares import Made, OnWorkers, Recipe, address, piece_of
from anyk.domains.real import Reals
from anyk.errors import InvalidArgument, NotEnoughAnswers
from anyk.executors.core.base import AbstractExecutor, Placement
from anyk.executors.engines.dask import Dask
from anyk.running.distributed import Distributed
from anyk.schemes.encoded import Encoded
from anyk.schemes.products.base import AbstractProduct, code_of
from anyk.schemes.products.layout import Held
from anyk.schemes.products.sparse import Sparse
from anyk.wording import missing_extra

__all__ = ["distribute", "matmul"]

_MATRIX = 2  # axes
_PATIENCE = 60.0  # seconds in which each worker must say where it is


def matmul(
    A: Any,
    x: Any,
    *,
    scheme: AbstractProduct | None = None,
    stragglers: int = 1,
    client: Any = None,
    deadline: float | None = None,
    tolerance: float | None = None,
) -> Outcome:
    """A @ x for a dask.array A, while some workers of the cluster are late or dead.

    Chunks are combined to shares on the workers, each s + 1 blocks of rows; they move from worker
    to worker, and never through this process. That costs several products (`docs`: measured): for
    many x, call `distribute` once.

    Args:
        A: dask.array (rows, inner) of reals, its chunks numpy arrays or of scipy.sparse.
        x: array-like or dask.array, (inner,) or (inner, columns).
        scheme: as for `distribute`.
        stragglers: as for `distribute`.
        client: a connected ``dask.distributed.Client``; the current one by default.
        deadline: as for `anyk.run`.
        tolerance: as for `anyk.run`.

    Returns:
        The outcome, its value A @ x as an ndarray.

    Raises:
        ImportError: if Dask is not installed.
        InvalidArgument: if A can't be multiplied with x.
        Unachievable: if there are too few workers.
        RecoveryError: if too few usable answers came.

    Example:
        >>> import dask.array, distributed
        >>> A = dask.array.ones((12, 5), chunks=(4, 5))
        >>> with distributed.Client(n_workers=3, processes=False, dashboard_address=":0"):
        ...     outcome = anyk.dask_array.matmul(A, np.arange(5))
        >>> outcome.value[:3].round(6), len(outcome.used)
        (array([10., 10., 10.]), 2)
    """
    with ExitStack() as stack:
        executor = stack.enter_context(Dask(_client() if client is None else client))
        held = stack.enter_context(distribute(A, executor, scheme=scheme, stragglers=stragglers))
        factor = x.compute() if _is_dask_array(x) else x
        return held.matmul(factor, deadline=deadline, tolerance=tolerance)


def distribute(
    A: Any,
    executor: AbstractExecutor,
    *,
    scheme: AbstractProduct | None = None,
    stragglers: int = 1,
) -> Distributed:
    """Make a coded share of a dask.array on each worker, of chunks that lie there.

    Args:
        A: dask.array (rows, inner), its chunks numpy arrays or of scipy.sparse.
        executor: an `anyk.Dask`; or a wrapper around one.
        scheme: cuts the rows of A alone, gives B to every worker and hides nothing; by default
            `anyk.Sparse` over the reals.
        stragglers: S, how many workers may be late or dead, where there is no scheme: A is cut in
            N - S blocks of rows, and a share combines S + 1 of them.

    Returns:
        The distributed factor, for `.matmul(x)`; release it, or use it as a context manager.

    Raises:
        ImportError: if Dask is not installed.
        InvalidArgument: if A is no such array, or the scheme cuts or hides more.
        Unachievable: if there are too few workers.
        NotEnoughAnswers: if a worker does not say within a minute where it is.

    Example:
        >>> import dask.array, distributed
        >>> A = dask.array.eye(12, chunks=4)
        >>> with (
        ...     distributed.Client(n_workers=3, processes=False, dashboard_address=":0") as client,
        ...     anyk.Dask(client) as executor,
        ...     anyk.dask_array.distribute(A, executor) as held,
        ... ):
        ...     [round(float(held.matmul(np.full(12, number)).value[5]), 6) for number in (1, 2)]
        [1.0, 2.0]
    """
    instance("executor", executor, AbstractExecutor, change="Pass anyk.Dask(client).")
    _check_array(A)
    chosen = _by_default(executor.workers, stragglers) if scheme is None else scheme
    _check_scheme(chosen)
    client = _client_of(executor)
    shares, m = chosen.workers, chosen.problem.partition[0]
    placement = executor.place([np.arange(shares)])
    try:
        addresses = _addresses(executor, placement, shares)
        height = -(-A.shape[0] // m)
        pieces = _pieces(client, A, m, height)
        made = [
            _share(client, chosen, row, pieces, height=height, where=where)
            for row, where in zip(code_of(chosen).left.data, addresses, strict=True)
        ]
        known = client.gather([client.submit(_known, each, pure=False) for each in made])
    except BaseException:
        executor.release(placement)
        raise
    encoded = _encoded(chosen, A.shape, height, known)
    return Distributed(encoded, OnWorkers(executor, made), placement)


def _known(made: Made) -> tuple[int, dict[int, NDArray[np.float64]]]:
    """What the master needs of a share: of how many parts it is, and how large its blocks are."""
    return len(made.parts), made.sizes


def _encoded(
    scheme: AbstractProduct,
    shape: tuple[int, int],
    height: int,
    known: list[tuple[int, dict[int, NDArray[np.float64]]]],
) -> Encoded:
    """The factor as schemes know it; what stands for its shares has no memory."""
    sizes: dict[int, NDArray[np.float64]] = {}
    for _, own in known:
        sizes |= own
    parts, shares = known[0][0], scheme.workers
    nothing = np.zeros((), dtype=scheme.domain.dtype)
    part = np.broadcast_to(nothing, (shares, height, shape[1]))
    columns = None
    if not scheme.domain.exact:
        columns = np.stack([sizes[block] for block in sorted(sizes)])
    return Encoded(scheme, (part,) * parts, Held(shape, columns), alone=True)


_Pieces = dict[int, dict[int, list[Any]]]
"""Of each block, by their first row, futures of what each chunk has of it, from left to right."""


def _pieces(client: Any, A: Any, blocks: int, height: int) -> _Pieces:
    """What each chunk has of each block, where it lies; of an empty block, no rows of the last."""
    kept = client.persist(A)
    futures = {each.key: each for each in _library().futures_of(kept)}
    edges = np.cumsum([0, *kept.chunks[0]]).tolist()
    pieces: _Pieces = {}
    for block in range(blocks):
        start = min(block * height, A.shape[0])
        stop = min(start + height, A.shape[0])
        rows = pieces.setdefault(block, {})
        for place, (first, end) in enumerate(pairwise(edges)):
            low, high = max(start, first), min(stop, end)
            if low < high or (start == stop and end == A.shape[0]):
                rows[low] = [
                    chunk
                    if (low, high) == (first, end)
                    else client.submit(piece_of, chunk, low - first, high - first, pure=False)
                    for chunk in (
                        futures[kept.name, place, column] for column in range(kept.numblocks[1])
                    )
                ]
    return pieces


def _share(
    client: Any,
    scheme: AbstractProduct,
    row: NDArray[Any],
    pieces: _Pieces,
    *,
    height: int,
    where: str,
) -> Any:
    """A future of one share, made on the worker that keeps it."""
    used = tuple(int(block) for block in np.flatnonzero(row))
    taken = [
        ((block, first), piece)
        for block in used
        for first, beside in pieces[block].items()
        for piece in beside
    ]
    places = tuple(place for place, _ in taken)
    return client.submit(
        Recipe(scheme.domain, row[list(used)], used, height, places),
        *(piece for _, piece in taken),
        workers=[where],
        allow_other_workers=False,
        pure=False,
        retries=0,
    )


def _addresses(executor: AbstractExecutor, placement: Placement, shares: int) -> list[str]:
    """The address of the Dask worker behind each of the executor's."""
    found: dict[int, str] = {}
    dispatch = executor.dispatch(address, placement, [])
    until = executor.clock() + _PATIENCE
    while len(found) < shares:
        answer = dispatch.receive(max(0.0, until - executor.clock()))
        if answer is None or answer.value is None:
            dispatch.abandon()
            missing = set(range(shares)) - found.keys()
            raise NotEnoughAnswers(
                answered=found.keys(), missing=missing, needed="all workers, to make their shares"
            )
        found[answer.worker] = bytes(answer.value.astype(np.uint8)).decode()
    return [found[worker] for worker in range(shares)]


def _by_default(workers: int, stragglers: int) -> Sparse:
    late = count("stragglers", stragglers, least=0, most=workers - 1)
    return Sparse((workers - late, 1, 1), workers, domain=Reals())


def _check_array(A: Any) -> None:
    if not _is_dask_array(A) or A.ndim != _MATRIX or not all(A.shape):
        raise InvalidArgument(
            "A",
            given=shown(A),
            needed="a dask.array of shape (rows, inner)",
            change="Pass dask.array.from_array(A, chunks=..), or take anyk.distribute.",
        )
    if any(np.isnan(size) for sizes in A.chunks for size in sizes):
        raise InvalidArgument(
            "A",
            given="chunks of unknown sizes",
            needed="chunks of which the sizes are known",
            change="Call A.compute_chunk_sizes() first.",
        )


def _check_scheme(scheme: Any) -> None:
    instance("scheme", scheme, AbstractProduct, change="Leave it out, or make anyk.Sparse(..).")
    code = code_of(scheme)
    hidden, tiles = code.left.masks.shape[1], code.left.tiles
    if not code.common or hidden or tiles != (1, 1) or scheme.pieces > 1 or scheme.verified:
        raise InvalidArgument(
            "scheme",
            given=repr(scheme),
            needed="one that cuts rows of A alone, in one share a worker, and neither hides nor "
            "checks: this process never sees the shares",
            change="Leave it out, or make anyk.Sparse(..).",
        )


def _client_of(executor: AbstractExecutor) -> Any:
    """The client of a Dask executor, also of one in wrappers."""
    inner: Any = executor
    while not isinstance(inner, Dask):
        inner = getattr(inner, "within", None)
        if inner is None:
            raise InvalidArgument(
                "executor",
                given=repr(executor),
                needed="the Dask workers on which the chunks lie",
                change="Pass anyk.Dask(client).",
            )
    return inner.client


def _is_dask_array(A: Any) -> bool:
    return type(A).__module__.startswith("dask.array")


def _client() -> Any:
    return _library().get_client()


def _library() -> Any:
    try:
        import distributed  # noqa: PLC0415 - import anyk must not need it
    except ImportError as error:
        raise missing_extra("anyk.dask_array needs dask.distributed", "dask") from error
    return distributed
