"""What every executor must do with shares that come in slabs."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.base import AbstractExecutor, PerWorker
from anyk.executors.core.columns import UNKNOWN, Outline
from anyk.testing.expect import expect, require
from anyk.testing.tasks import weighted

__all__ = ["check_filling"]

_PATIENCE = 60.0  # seconds after which a silent worker is lost


def check_filling(executor: AbstractExecutor) -> None:
    """Check that slabs are joined in their order, and that what was abandoned is forgotten.

    Args:
        executor: open, with at least 3 workers.

    Raises:
        AssertionError: if the executor breaks its contract.

    Example:
        >>> from anyk.testing.filling import check_filling
        >>> with anyk.Inline(3) as executor:
        ...     check_filling(executor)
    """
    workers = executor.workers
    for pieces, columns in ((1, UNKNOWN), (2, 7)):
        shares = np.arange(14.0 * pieces * workers).reshape(pieces * workers, 7, 2)
        outline = Outline((len(shares), columns, 2), shares.dtype, axis=1)
        _check_joined(executor, shares, outline, pieces)
    beyond = Outline((workers + 1, 7), np.dtype(np.float64), axis=1)
    expect(InvalidArgument, "too many shares", partial(executor.filling, [beyond]))
    outline = Outline((workers, 7), np.dtype(np.float64), axis=1)
    slab = np.ones((workers, 4))
    left = executor.filling([outline])
    left.write([slab])
    expect(InvalidArgument, "too few columns", left.finish)
    left.abandon()
    left.abandon()
    expect(ExecutorError, "a slab of what was abandoned", partial(left.write, [slab]))
    for wrong in (slab[:, :0], slab.astype(np.float32), slab[1:], np.ones((workers, 8))):
        filling = executor.filling([outline])
        expect(InvalidArgument, "a slab that does not fit", partial(filling.write, [wrong]))
        filling.abandon()


def _check_joined(
    executor: AbstractExecutor, shares: NDArray[np.float64], outline: Outline, pieces: int
) -> None:
    filling = executor.filling([outline], pieces)
    for some in (slice(0, 1), slice(1, 5), slice(5, 7)):
        slab = shares[:, some].copy()
        filling.write([slab])
        slab[:] = -1.0  # it is ours again
    placement = filling.finish()
    filling.abandon()
    require(placement.pieces == pieces, f"the placement has {placement.pieces} pieces")
    own = PerWorker(np.arange(len(shares)) * 100.0)
    dispatch = executor.dispatch(weighted, placement, (3.0, own))
    for _ in range(len(shares)):
        answer = dispatch.receive(_PATIENCE)
        if answer is None:
            raise AssertionError("a worker does not answer on what came in slabs")
        share = answer.worker * pieces + answer.piece
        require(answer.failure is None, f"worker {answer.worker} failed: {answer.failure}")
        right = shares[share] * 3.0 + share * 100.0
        require(
            answer.value is not None and np.array_equal(answer.value, right),
            f"worker {answer.worker} has joined slabs in another order, or not all of them",
        )
    executor.release(placement)
