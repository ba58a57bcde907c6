"""Shares that reach their workers in slabs: some columns after the others, never all at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.errors import ExecutorError
from anyk.executors.core.columns import Growing, Outline, check_whole, width_of

if TYPE_CHECKING:
    from anyk.executors.core.base import AbstractExecutor, Placement

__all__ = ["AbstractFilling", "Collected"]


class AbstractFilling(ABC):
    """Shares on their way to the workers of an executor, slab by slab."""

    @abstractmethod
    def write(self, parts: Sequence[NDArray[Any]]) -> None:
        """Send the next columns of all shares, and forget them.

        Returns when no more than these are held in this process; the arrays may be written in then.

        Args:
            parts: (shares, *shape) of the columns; a part without columns is the same in each call.

        Raises:
            ExecutorError: if the executor is closed, or no worker is left that has what came
                before.
        """

    @abstractmethod
    def finish(self) -> Placement:
        """The shares are whole: a placement like any other from now on.

        A worker that was lost while they came, or is lost later, fails: its share is kept nowhere
        else, unless the workers are in this process.
        """

    @abstractmethod
    def abandon(self) -> None:
        """Let the workers forget what has come. Harmless when called twice, or after `finish`."""


@final
class Collected(AbstractFilling):
    """Collects the shares in this process, and places them when they are whole.

    Args:
        executor: on which they are placed.
        outlines: of the parts of all shares.
        pieces: how many shares a worker holds.
    """

    def __init__(
        self, executor: AbstractExecutor, outlines: Sequence[Outline], pieces: int
    ) -> None:
        few = np.broadcast_to(np.zeros(()), (len(outlines[0]),))
        executor.release(executor.place([few], pieces))  # what can't be placed is refused now
        self._executor, self._pieces = executor, pieces
        self._outlines = tuple(outlines)
        self._growing: Growing | None = Growing(outlines)
        self._columns = 0

    def write(self, parts: Sequence[NDArray[Any]]) -> None:
        """Copy columns to where they belong; see `AbstractFilling.write`."""
        if self._growing is None:
            raise ExecutorError("these shares were abandoned, or are whole: begin again.")
        width = width_of(self._outlines, parts, self._columns)
        self._growing.add(self._columns, parts)
        self._columns += width

    def finish(self) -> Placement:
        """Place the shares; see `AbstractFilling.finish`."""
        growing, self._growing = self._growing, None
        if growing is None:
            raise ExecutorError("these shares were abandoned, or are whole: begin again.")
        check_whole(self._outlines, self._columns)
        return self._executor.place(growing.whole(), self._pieces)

    def abandon(self) -> None:
        """Forget them."""
        self._growing = None
