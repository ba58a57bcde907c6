"""What nodes of a group send: pieces of values under XOR, and headers by which they are checked."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEADER", "Layout", "header_of", "matches", "read_header"]

Bytes = NDArray[np.uint8]

_FORM: Final = struct.Struct("<Q16s")
_NAME: Final = struct.Struct("<QQ")
HEADER: Final = _FORM.size
"""Bytes of a header: the length of a value, and its digest."""


def header_of(file: int, node: int, value: bytes) -> Bytes:
    """What is told of a value: its length, and a digest that is also of its file and its node.

    Args:
        file: of which it is.
        node: for which it is.
        value: the bytes.

    Example:
        >>> from anyk.shuffle.pieces import header_of, matches
        >>> header = header_of(3, 0, b"value")
        >>> matches(header, 3, 0, b"value"), matches(header, 3, 0, b"valve")
        (True, False)
    """
    return np.frombuffer(_FORM.pack(len(value), _digest(file, node, value)), dtype=np.uint8)


def read_header(header: Bytes) -> int:
    """The length that a header tells.

    Args:
        header: uint8 array of 24 bytes.
    """
    return int(_FORM.unpack(header.tobytes())[0])


def matches(header: Bytes, file: int, node: int, value: bytes) -> bool:
    """Whether a value is the one that a header is of.

    Args:
        header: uint8 array of 24 bytes.
        file: of which the value should be.
        node: for which it should be.
        value: the bytes.
    """
    return bool(np.array_equal(header, header_of(file, node, value)))


def _digest(file: int, node: int, value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16, salt=_NAME.pack(file, node)).digest()


@final
@dataclass(frozen=True)
class Layout:
    """How the values that a group wants are cut, and how long the messages are.

    Args:
        lengths: of the value that each member wants, by its place in the group; 0 for none.

    Example:
        >>> from anyk.shuffle.pieces import Layout
        >>> layout = Layout((4, 3, 0))
        >>> layout.pieces, layout.messages
        ((2, 2, 0), (2, 2, 2))
        >>> values = {0: b"abcd", 1: b"efg"}
        >>> mixed = [layout.mixed({k: v for k, v in values.items() if k != p}) for p in range(3)]
        >>> sent = {place: mixed[place][place, :2] for place in range(3)}
        >>> layout.opened(0, mixed[0], sent), layout.opened(1, mixed[1], sent)
        (b'abcd', b'efg')
    """

    lengths: tuple[int, ...]

    @cached_property
    def pieces(self) -> tuple[int, ...]:
        """Bytes of a piece of each value; the last pieces are filled up with zeros."""
        others = len(self.lengths) - 1
        return tuple(-(-length // others) for length in self.lengths)

    @cached_property
    def messages(self) -> tuple[int, ...]:
        """Bytes that each member sends: as many as the longest piece that it is charged with."""
        return tuple(
            max(self.pieces[:place] + self.pieces[place + 1 :]) for place in range(len(self.pieces))
        )

    def receivers(self, place: int) -> int:
        """How many want something of a member's message.

        Args:
            place: of the member.
        """
        return sum(bool(piece) for other, piece in enumerate(self.pieces) if other != place)

    def mixed(self, known: Mapping[int, bytes]) -> Bytes:
        """For each member the XOR of the pieces that it is charged with, of the values known here.

        With the values of all others, the own row is what this member sends, and each other row is
        what it takes out of that one's message.

        Args:
            known: values by the place of the member that wants them.

        Returns:
            uint8 array (members, bytes of the longest piece).
        """
        members = len(self.lengths)
        rows = np.zeros((members, max(self.pieces)), dtype=np.uint8)
        for place, value in known.items():
            length, piece = self.lengths[place], self.pieces[place]
            if not piece:
                continue
            whole = np.zeros(piece * (members - 1), dtype=np.uint8)
            whole[: min(length, len(value))] = np.frombuffer(value, dtype=np.uint8)[:length]
            cut = whole.reshape(members - 1, piece)
            rows[:place, :piece] ^= cut[:place]
            rows[place + 1 :, :piece] ^= cut[place:]
        return rows

    def opened(self, place: int, mixed: Bytes, sent: Mapping[int, Bytes]) -> bytes | None:
        """The value that a member wants, from the messages of all others; None if one is missing.

        Args:
            place: of the member.
            mixed: what it knows of their messages.
            sent: message by place; all of the lengths that `messages` tells.
        """
        piece = self.pieces[place]
        others = [each for each in range(len(self.lengths)) if each != place]
        if not piece:
            return b""
        if any(other not in sent for other in others):
            return None
        rows = np.empty((len(others), piece), dtype=np.uint8)
        for row, other in enumerate(others):
            np.bitwise_xor(sent[other][:piece], mixed[other, :piece], out=rows[row])
        return rows.tobytes()[: self.lengths[place]]
