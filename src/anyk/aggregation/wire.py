"""Bytes that parties exchange: fixed fields and bounded ones, big-endian; no other form is read."""

from __future__ import annotations

import struct
from typing import Final, final

__all__ = [
    "DIGEST",
    "LATEST",
    "MAGIC",
    "MOST_REASON",
    "Garbled",
    "Reader",
    "number",
    "text",
    "whole",
]

MAGIC: Final = b"anyk\x01"
"""In front of every message: what it is, and the version of its form."""

DIGEST: Final = 32
"""Bytes of a SHA-256 digest."""

MOST_REASON: Final = 300
"""Characters of a reason that one party tells another."""

LATEST: Final = (1 << 63) - 1
"""No round has a greater number."""

_FORMS: Final = {1: ">B", 2: ">H", 4: ">I", 8: ">Q"}


@final
class Garbled(Exception):  # noqa: N818 - what the message is
    """A message that is not in the form it must have, or that its sender may not send: why."""


def whole(data: object) -> bytes:
    """What came, if it is bytes.

    Raises:
        Garbled: if it is not.
    """
    if not isinstance(data, bytes):
        raise Garbled("it is not bytes")
    return data


def number(value: int, size: int) -> bytes:
    """An integer in so many bytes.

    Args:
        value: 0 or more.
        size: 1, 2, 4 or 8.
    """
    return struct.pack(_FORMS[size], value)


def text(value: str, size: int = 1) -> bytes:
    """A text, with its length in front.

    Args:
        value: any.
        size: bytes of the length.
    """
    data = value.encode()
    return number(len(data), size) + data


@final
class Reader:
    """Reads a message from its start, and no byte beyond its end.

    Args:
        data: that came, from anybody.

    Example:
        >>> from anyk.aggregation.wire import Reader, number, text
        >>> reader = Reader(number(7, 4) + text("ann"))
        >>> reader.number(4), reader.text(10)
        (7, 'ann')
        >>> reader.take(1)
        Traceback (most recent call last):
        anyk.aggregation.wire.Garbled: it is cut short
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data, self._at = memoryview(data), 0

    def take(self, size: int) -> memoryview:
        """So many bytes, which are not copied.

        Raises:
            Garbled: if there are fewer.
        """
        if size > len(self._data) - self._at:
            raise Garbled("it is cut short")
        self._at += size
        return self._data[self._at - size : self._at]

    def raw(self, size: int) -> bytes:
        """So many bytes, as a copy."""
        return bytes(self.take(size))

    def number(self, size: int) -> int:
        """An integer of 1, 2, 4 or 8 bytes."""
        value: int = struct.unpack(_FORMS[size], self.take(size))[0]
        return value

    def text(self, most: int, size: int = 1) -> str:
        """A text with its length in front.

        Args:
            most: bytes that it may have.
            size: bytes of the length.

        Raises:
            Garbled: if it is longer, or no UTF-8.
        """
        length = self.number(size)
        if length > most:
            raise Garbled("a text in it is too long")
        try:
            return str(self.take(length), "utf-8")
        except UnicodeDecodeError:
            raise Garbled("a text in it is none") from None

    def expect(self, what: bytes, why: str) -> None:
        """These bytes, or `Garbled` with the reason."""
        if self.take(len(what)) != what:
            raise Garbled(why)

    @property
    def at(self) -> int:
        """How many bytes were read."""
        return self._at

    def end(self) -> None:
        """Nothing follows, or `Garbled`."""
        if self._at != len(self._data):
            raise Garbled("it is too long")
