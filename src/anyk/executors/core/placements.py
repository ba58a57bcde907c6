"""What an executor remembers: the shares of each placement, and whether it is closed."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, several
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.base import OfWorker, PerWorker, Placement

__all__ = ["Parts", "Placements", "addressed", "alone", "split"]

Parts = tuple[NDArray[Any], ...]
"""The parts of some shares, each (shares, *shape): row i of each is one share."""


@final
class Placements:
    """The shares that lie on the workers of one executor, by placement.

    Placements are told apart by identity, so that one of another executor is never mistaken for
    one of this. Arrays are kept as they are, not copied. All methods may be called from any thread.

    Args:
        name: of the executor's class, for what is said in errors.
        workers: how many workers it has.
        more: how to get more of them, in words; "" where the number is the first argument.

    Example:
        >>> from anyk.executors.core.placements import Placements
        >>> placements = Placements("Threads", workers=2)
        >>> placement = placements.add([np.array([5, 6, 7])], pieces=2)
        >>> placements.parts(placement)
        (array([5, 6, 7]),)
        >>> placements.held_by(1)
        {0: (array([7]),)}
    """

    def __init__(self, name: str, workers: int, more: str = "") -> None:
        self._name = name
        self._more = more
        self._workers = workers
        self._lock = threading.Lock()
        self._keys = itertools.count()
        self._placed: dict[Placement, Parts] = {}
        self.closed = False

    def add(self, parts: Sequence[NDArray[Any]], pieces: int) -> Placement:
        """Remember the shares of which these are the parts; see `AbstractExecutor.place`."""
        arrays = tuple(
            np.asarray(part) for part in several("parts", parts, change="Pass a tuple of arrays.")
        )
        with self._lock:
            self.check_open()
            shares = _count_of(arrays)
            placement = Placement(next(self._keys), shares, count("pieces", pieces, least=1))
            self._check_room(-(-shares // pieces), pieces)
            self._placed[placement] = arrays
        return placement

    def add_filled(self, shares: int, pieces: int) -> Placement:
        """Remember shares that come in slabs, and are kept by the workers alone: without parts.

        Args:
            shares: how many there are.
            pieces: how many of them a worker holds.
        """
        with self._lock:
            self.check_open()
            placement = Placement(next(self._keys), shares, count("pieces", pieces, least=1))
            self._check_room(placement.workers, pieces)
            self._placed[placement] = ()
        return placement

    def key(self) -> int:
        """A key that no placement has."""
        with self._lock:
            return next(self._keys)

    def parts(self, placement: Placement) -> Parts:
        """The parts of all shares of a placement; none where only the workers have them.

        Raises:
            ExecutorError: if the executor is closed, or the placement is not here (any more).
        """
        with self._lock:
            self.check_open()
            parts = self._placed.get(placement)
        if parts is None:
            raise ExecutorError(
                f"these shares are not on this {self._name} executor: they were "
                "released, or placed on another one; place them again."
            )
        return parts

    def held_by(self, worker: int) -> dict[int, Parts]:
        """What one worker should hold: the parts of its shares, by the key of the placement.

        No parts of those that came in slabs.
        """
        with self._lock:
            return {
                placement.key: tuple(part[first : first + placement.pieces] for part in parts)
                for placement, parts in self._placed.items()
                if (first := worker * placement.pieces) < placement.shares
            }

    def remove(self, placement: Placement) -> int:
        """Forget the shares of a placement; how many workers held any."""
        with self._lock:
            known = self._placed.pop(placement, None) is not None
        return -(-placement.shares // placement.pieces) if known else 0

    def check_open(self) -> None:
        """Raise ExecutorError if the executor is closed."""
        if self.closed:
            raise ExecutorError(f"this {self._name} executor is closed; make a new one.")

    def close(self) -> None:
        """Forget everything and take nothing more."""
        with self._lock:
            self.closed = True
            self._placed.clear()

    def _check_room(self, workers: int, pieces: int) -> None:
        if workers > self._workers:
            each = "one for each share" if pieces == 1 else f"one for each {pieces} shares"
            more = self._more or f"Make it {self._name}({workers})"
            raise InvalidArgument(
                "executor",
                given=f"{self._name} with {self._workers} workers",
                needed=f"{workers} workers, {each}",
                change=f"{more}, or make the scheme smaller.",
            )


def _count_of(parts: Parts) -> int:
    """How many shares there are, if all parts are of as many.

    Raises:
        InvalidArgument: if there are none, or the parts differ.
    """
    counts = {len(part) if part.ndim else 0 for part in parts}
    if len(counts) != 1 or 0 in counts:
        raise InvalidArgument(
            "parts",
            given=f"parts of {sorted(counts)} shares",
            needed="the same number of shares in each part, one or more",
            change="Encode the parts with one scheme.",
        )
    return counts.pop()


def addressed(arguments: Sequence[Any], placement: Placement) -> list[Any]:
    """Arguments of a task on a placement, each `OfWorker` one as rows of the shares.

    Args:
        arguments: as for `AbstractExecutor.dispatch`.
        placement: whose shares the task is run on, each by its own worker.

    Example:
        >>> from anyk.executors.core.base import OfWorker, Placement
        >>> from anyk.executors.core.placements import addressed
        >>> addressed([OfWorker(["a", "b", "c"])], Placement(key=0, shares=4, pieces=2))[0].rows
        ['a', 'a', 'b', 'b']
    """
    return [
        PerWorker([each.rows[share // placement.pieces] for share in range(placement.shares)])
        if isinstance(each, OfWorker)
        else each
        for each in arguments
    ]


def alone(arguments: Sequence[Any], share: int, worker: int) -> list[Any]:
    """Arguments of a task on one share, computed by this worker.

    Args:
        arguments: as for `AbstractExecutor.dispatch`.
        share: which one.
        worker: who computes it.

    Example:
        >>> from anyk.executors.core.base import OfWorker, PerWorker
        >>> from anyk.executors.core.placements import alone
        >>> [each.rows for each in alone([PerWorker([5, 6]), OfWorker([7, 8])], 0, 1)]
        [[5], [8]]
    """
    places = {PerWorker: share, OfWorker: worker}
    return [
        PerWorker([each.rows[places[type(each)]]]) if type(each) in places else each
        for each in arguments
    ]


def split(arguments: Sequence[Any], shares: int) -> tuple[list[Any], list[dict[int, Any]]]:
    """What all shares receive of the arguments of a task, and what each has for itself.

    Args:
        arguments: as for `AbstractExecutor.dispatch`.
        shares: how many there are.

    Returns:
        The arguments, with None in the place of each `PerWorker`; and by share, its row of each
        `PerWorker`, by the place of that among the arguments.

    Example:
        >>> from anyk.executors.core.base import PerWorker
        >>> from anyk.executors.core.placements import split
        >>> split([0.5, PerWorker(["a", "b"])], shares=2)
        ([0.5, None], [{1: 'a'}, {1: 'b'}])
    """
    own = {place: each.rows for place, each in enumerate(arguments) if isinstance(each, PerWorker)}
    common = [None if place in own else each for place, each in enumerate(arguments)]
    return common, [{place: rows[share] for place, rows in own.items()} for share in range(shares)]
