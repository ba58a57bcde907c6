"""What a party must not forget, also when it restarts: which set it signed in which round."""

from __future__ import annotations

import errno
import os
import re
from abc import ABC, abstractmethod
from io import FileIO
from pathlib import Path
from typing import Self, final

from anyk.checks import shown
from anyk.errors import InvalidArgument

__all__ = ["AbstractJournal", "FileJournal", "MemoryJournal"]

_LINE = re.compile(rb"([0-9]{1,20}) ([0-9a-f]{64})")


class AbstractJournal(ABC):
    """Signed rounds: the digest of a set, by round."""

    @abstractmethod
    def signed(self, number: int) -> bytes | None:
        """The digest that was signed in a round; None if none was.

        Args:
            number: of the round.
        """

    @abstractmethod
    def note(self, number: int, digest: bytes) -> None:
        """Note that a set is signed; it returns when that can't be forgotten any more.

        Args:
            number: of the round, in which nothing is signed yet.
            digest: 32 bytes, of the set.
        """


@final
class MemoryJournal(AbstractJournal):
    """For a party that never restarts with the same keys.

    Example:
        >>> from anyk import aggregation
        >>> journal = aggregation.MemoryJournal()
        >>> journal.note(3, bytes(32))
        >>> journal.signed(3) == bytes(32), journal.signed(4)
        (True, None)
    """

    def __init__(self) -> None:
        self._rounds: dict[int, bytes] = {}

    def signed(self, number: int) -> bytes | None:
        """The digest that was signed in a round."""
        return self._rounds.get(number)

    def note(self, number: int, digest: bytes) -> None:
        """Keep it."""
        self._rounds[number] = digest


@final
class FileJournal(AbstractJournal):
    """In a file, one line a round, written to the disk before the signature is out.

    Nobody else can have the same file open as a journal, so that two processes with the same keys
    do not sign beside each other. A context manager; the file is closed after it.

    Args:
        path: of the file; it is made where there is none.

    Raises:
        InvalidArgument: if it is there and is no journal, or another process has it open. A last
            line that was cut short is not counted: its signature was never given.
        OSError: if it can't be read or written.

    Example:
        >>> import tempfile
        >>> from anyk import aggregation
        >>> with tempfile.TemporaryDirectory() as place:
        ...     with aggregation.FileJournal(f"{place}/signed") as journal:
        ...         journal.note(3, bytes(32))
        ...     with aggregation.FileJournal(f"{place}/signed") as journal:
        ...         journal.signed(3) == bytes(32)
        True
    """

    def __init__(self, path: Path | str) -> None:
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
        try:
            _lock(self._file, path)
            self._rounds, self._size = _parsed(self._file.read(), path)
            self._file.truncate(self._size)
            _keep(Path(path).absolute().parent)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, which another one may then open. Harmless when called twice."""
        self._file.close()

    def signed(self, number: int) -> bytes | None:
        """The digest that was signed in a round."""
        return self._rounds.get(number)

    def note(self, number: int, digest: bytes) -> None:
        """Append it, and wait until it is on the disk."""
        line = f"{number} {digest.hex()}\n".encode()
        self._file.truncate(self._size)  # of what failed half-way, on a full disk say
        self._file.seek(self._size)
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._file.fileno())
        self._size += len(line)
        self._rounds[number] = digest


def _lock(file: FileIO, path: Path | str) -> None:
    import fcntl  # noqa: PLC0415 - not every system has it

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InvalidArgument(
            "path",
            given=f"{shown(str(path))}, which another process writes in",
            needed="a journal of one party, in one process",
            change="Stop the other process; a second party has keys and a journal of its own.",
        ) from error


def _parsed(text: bytes, path: Path | str) -> tuple[dict[int, bytes], int]:
    """The rounds, and how many bytes of whole lines there are."""
    rounds: dict[int, bytes] = {}
    whole, end, _ = text.rpartition(b"\n")
    for line in whole.split(b"\n") if end else ():
        found = _LINE.fullmatch(line)
        if found is None or int(found[1]) in rounds:
            raise InvalidArgument(
                "path",
                given=shown(str(path)),
                needed="a journal of signed rounds",
                change="Name another file; never delete a journal while its keys are in use.",
            )
        rounds[int(found[1])] = bytes.fromhex(found[2].decode())
    return rounds, len(whole) + len(end)


def _keep(directory: Path) -> None:
    """Let a new file still be there after the machine has lost its power."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
