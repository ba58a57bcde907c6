"""The seam of data that are cut by rows: what a part of them is, and how parts go together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

__all__ = ["AbstractRows"]


class AbstractRows(ABC):
    """Data of one kind, as rows."""

    @property
    @abstractmethod
    def number(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def between(self, start: int, end: int) -> Any:
        """Some of the rows, of the same kind as all: `X[start:end]`."""

    @abstractmethod
    def stacked(self, ends: Sequence[int]) -> Any:
        """Blocks of equal shape, along a first axis that is new; where a row lacks, zeros.

        Args:
            ends: of each block, the row after its last.

        Raises:
            InvalidArgument: if no array holds them.
        """
