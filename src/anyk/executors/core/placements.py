"""What an executor remembers: the shares of each placement, and whether it is closed."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.errors import ExecutorError
from anyk.executors.core.base import AbstractExecutor, Placement, check_open, check_parts
from anyk.executors.core.run_task import guarded

__all__ = ["Placements", "Share"]

Share = tuple[NDArray[Any], ...]
"""The parts of what one worker holds."""


@final
class Placements:
    """The shares that lie on the workers of one executor, by placement.

    Placements are told apart by identity, so that one of another executor is never mistaken for
    one of this. Arrays are kept as they are, not copied. All methods may be called from any thread.

    Example:
        >>> from anyk.executors.core.placements import Placements
        >>> placements = Placements()
        >>> placement = placements.add(anyk.Inline(2), [np.array([5, 6])])
        >>> placements.shares(anyk.Inline(2), placement)
        [(array(5),), (array(6),)]
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys = itertools.count()
        self._placed: dict[Placement, list[Share]] = {}
        self._closed = False

    def add(self, executor: AbstractExecutor, parts: Sequence[NDArray[Any]]) -> Placement:
        """Cut parts (N, *shape) into N shares, and remember them; see `AbstractExecutor.place`."""
        arrays = [np.asarray(part) for part in parts]
        with self._lock:
            check_open(executor, closed=self._closed)
            number = check_parts(arrays, executor)
            placement = Placement(next(self._keys), number)
            self._placed[placement] = [
                tuple(guarded(array[worker, ...]) for array in arrays) for worker in range(number)
            ]
        return placement

    def shares(self, executor: AbstractExecutor, placement: Placement) -> list[Share]:
        """The share of each worker.

        Raises:
            ExecutorError: if the executor is closed, or the placement is not here (any more).
        """
        with self._lock:
            check_open(executor, closed=self._closed)
            shares = self._placed.get(placement)
        if shares is None:
            raise ExecutorError(
                f"these shares are not on this {type(executor).__name__} executor: they were "
                "released, or placed on another one; place them again."
            )
        return shares

    def live(self, worker: int) -> dict[int, Share]:
        """What one worker should hold: its share by the key of the placement."""
        with self._lock:
            return {
                placement.key: shares[worker]
                for placement, shares in self._placed.items()
                if worker < placement.workers
            }

    def remove(self, placement: Placement) -> bool:
        """Forget the shares of a placement; whether there were any."""
        with self._lock:
            return self._placed.pop(placement, None) is not None

    def close(self) -> bool:
        """Forget everything and take nothing more; whether this was the first call."""
        with self._lock:
            first, self._closed = not self._closed, True
            self._placed.clear()
        return first

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed
