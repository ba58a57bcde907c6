"""`LocalNodes`: all nodes in this process, for tests, and to count what would be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.shuffle.transport import AbstractTransport

__all__ = ["LocalNodes"]


@final
@dataclass(frozen=True)
class LocalNodes(AbstractTransport):
    """All nodes of a plan, one after the other in this process.

    Every node maps its own files, also those that another one mapped already, so that the work is
    the real one.

    Example:
        >>> from anyk import shuffle
        >>> done = shuffle.map_reduce(
        ...     shuffle.Coded(nodes=2, copies=1), [b"ab", b"cd"],
        ...     lambda file: [file[:1], file[1:]], b"".join, transport=shuffle.LocalNodes()
        ... )
        >>> done.parts
        {0: b'ac', 1: b'bd'}
    """

    def seats(self, count: int) -> tuple[int, ...]:
        """All of them."""
        return tuple(range(count))

    def exchange(
        self,
        members: tuple[int, ...],  # noqa: ARG002 - all are here
        sent: Mapping[int, NDArray[np.uint8]],
        sizes: tuple[int, ...],  # noqa: ARG002 - nothing is allocated
    ) -> Mapping[int, NDArray[np.uint8]]:
        """The same messages."""
        return sent

    def share(self, notes: Mapping[int, bytes], most: int) -> Mapping[int, bytes]:  # noqa: ARG002 - as above
        """The same notes."""
        return notes
