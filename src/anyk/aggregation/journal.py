"""What a party must not forget, also when it restarts: which set it signed in which round."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import final

from anyk.checks import shown
from anyk.errors import InvalidArgument

__all__ = ["AbstractJournal", "FileJournal", "MemoryJournal"]

_DIGEST = 32


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

    Args:
        path: of the file; it is made where there is none.

    Raises:
        InvalidArgument: if it is there and is no journal. A last line that was cut short is not
            counted: its signature was never given.

    Example:
        >>> import tempfile
        >>> from anyk import aggregation
        >>> with tempfile.TemporaryDirectory() as place:
        ...     aggregation.FileJournal(f"{place}/signed").note(3, bytes(32))
        ...     aggregation.FileJournal(f"{place}/signed").signed(3) == bytes(32)
        True
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._rounds: dict[int, bytes] = {}
        text = self._path.read_bytes() if self._path.exists() else b""
        whole, _, cut = text.rpartition(b"\n")
        for line in whole.split(b"\n") if whole else ():
            try:
                number, _, digest = line.decode("ascii").partition(" ")
                self._rounds[int(number)] = bytes.fromhex(digest)
                fine = len(self._rounds[int(number)]) == _DIGEST
            except ValueError:
                fine = False
            if not fine:
                raise InvalidArgument(
                    "path",
                    given=shown(str(self._path)),
                    needed="a journal of signed rounds",
                    change="Name another file; never delete a journal while its keys are in use.",
                )
        if cut:
            with self._path.open("r+b") as file:
                file.truncate(len(text) - len(cut))

    def signed(self, number: int) -> bytes | None:
        """The digest that was signed in a round."""
        return self._rounds.get(number)

    def note(self, number: int, digest: bytes) -> None:
        """Append it, and wait until it is on the disk."""
        with self._path.open("ab") as file:
            file.write(f"{number} {digest.hex()}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        self._rounds[number] = digest
