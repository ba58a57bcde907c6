"""The seam of transports: what carries the messages of a shuffle, and no more than that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["AbstractTransport"]


class AbstractTransport(ABC):
    """Carries bytes between nodes. Nodes are told by their seats: 0, 1, .. in a plan's `live`.

    All processes of a shuffle call these methods in the same order. A transport needs to know
    nothing of codes; a message that it alters is noticed, and one that it loses too.

    Example:
        >>> from anyk import shuffle
        >>> shuffle.LocalNodes().seats(3)
        (0, 1, 2)
    """

    @abstractmethod
    def seats(self, count: int) -> tuple[int, ...]:
        """The seats that this process plays.

        Args:
            count: how many there are.

        Raises:
            InvalidArgument: if it has not so many.
        """

    @abstractmethod
    def exchange(
        self,
        members: tuple[int, ...],
        sent: Mapping[int, NDArray[np.uint8]],
        sizes: tuple[int, ...],
    ) -> Mapping[int, NDArray[np.uint8]]:
        """Each member multicasts one message to all others of the group.

        Args:
            members: seats of the group, at least one of them in this process.
            sent: messages of the members in this process, by seat; uint8 arrays.
            sizes: bytes of each member's message, which all know; 0 for a member that sends none.

        Returns:
            By seat, the messages that came; those of this process's own members may be among them.
        """

    @abstractmethod
    def share(self, notes: Mapping[int, bytes], most: int) -> Mapping[int, bytes]:
        """Tell all processes something short, and hear what they tell.

        Args:
            notes: by seat, for all seats in this process.
            most: bytes that one may have; a longer one is an error in all processes.

        Returns:
            The notes of all seats.
        """
