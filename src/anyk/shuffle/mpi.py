"""`MPINodes`: the processes of an MPI program as nodes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.errors import InvalidArgument
from anyk.shuffle.failed import ShuffleFailed
from anyk.shuffle.transport import AbstractTransport
from anyk.wording import missing_extra

__all__ = ["MPINodes"]

_TAG = 17  # of the making of communicators for groups


def _world() -> Any:
    try:
        from mpi4py import MPI  # noqa: PLC0415 - needed for this alone
    except ImportError as error:
        raise missing_extra("shuffle.MPINodes runs on mpi4py", "mpi") from error
    return MPI.COMM_WORLD


@final
@dataclass(frozen=True)
class MPINodes(AbstractTransport):
    """The processes of an MPI program: rank i is node i, or the i-th of those that are left.

    Every process makes the same calls, with the files that its node holds, and gets the part that
    its node reduces. A message is a collective `Bcast` in a communicator of its group alone, one
    after the other, in the plan's order. What `Bcast` makes of it is MPI's: on most networks
    copies to one process after the other, along a tree.

    Where a node's own functions raise, all processes raise. Where a process dies, MPI ends the
    whole program; start it again, if need be with `Without` the dead. Start programs by
    ``python -m mpi4py``, so that this is also what becomes of an interrupt, or of no memory left:
    the others would wait for that process.

    Args:
        communicator: of mpi4py; None for all processes of the program.

    Raises:
        ImportError: if mpi4py is not installed.

    Example:
        >>> from anyk import shuffle
        >>> transport = shuffle.MPINodes()  # doctest: +SKIP
    """

    communicator: Any = None

    def __post_init__(self) -> None:
        if self.communicator is None:
            object.__setattr__(self, "communicator", _world())

    def seats(self, count: int) -> tuple[int, ...]:
        """The rank of this process.

        Raises:
            InvalidArgument: if there are more or fewer processes.
        """
        if self.communicator.size != count:
            raise InvalidArgument(
                "transport",
                given=f"{self.communicator.size} processes",
                needed=f"one for each of {count} nodes",
                change=f"Start the program with mpiexec -n {count}.",
            )
        return (self.communicator.rank,)

    def exchange(
        self,
        members: tuple[int, ...],
        sent: Mapping[int, NDArray[np.uint8]],
        sizes: tuple[int, ...],
    ) -> Mapping[int, NDArray[np.uint8]]:
        """A broadcast from each member in turn."""
        rank, received = self.communicator.rank, {}
        with self._together(members) as group:
            for place, (member, size) in enumerate(zip(members, sizes, strict=True)):
                if size:
                    buffer = np.empty(size, dtype=np.uint8)
                    if member == rank:
                        buffer[:] = sent[member]
                    group.Bcast(buffer, root=place)
                    received[member] = buffer
        return received

    def share(self, notes: Mapping[int, bytes], most: int) -> Mapping[int, bytes]:
        """A gathering of all notes at all processes.

        Raises:
            ShuffleFailed: if one is too long: in all processes.
        """
        note = np.frombuffer(notes[self.communicator.rank], dtype=np.uint8)
        lengths = np.empty(self.communicator.size, dtype=np.int64)
        self.communicator.Allgather(np.array([len(note)], dtype=np.int64), lengths)
        long = {
            rank: f"tells {length} bytes, where {most} are the most."
            for rank, length in enumerate(lengths.tolist())
            if length > most
        }
        if long:
            raise ShuffleFailed(long)
        every = np.empty(int(lengths.sum()), dtype=np.uint8)
        self.communicator.Allgatherv(note.copy(), [every, lengths.tolist()])
        ends = np.cumsum(lengths)
        return {
            rank: every[end - length : end].tobytes()
            for rank, (end, length) in enumerate(zip(ends, lengths, strict=True))
        }

    @contextlib.contextmanager
    def _together(self, members: tuple[int, ...]) -> Iterator[Any]:
        """A communicator of a group alone.

        It is made and freed each time, as its members have other groups in between, and a process
        can't keep one for each of thousands.
        """
        every = self.communicator.Get_group()
        group = every.Incl(members)
        made = self.communicator.Create_group(group, _TAG)
        try:
            yield made
        finally:
            made.Free()
            group.Free()
            every.Free()
