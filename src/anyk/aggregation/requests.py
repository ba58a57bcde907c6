"""What a server asks a party, and what it answers: four questions.

    offer   "O"  count (4), and for each client: length (4) and header, box
            -> for each: 0 and its check values, or 1 and a reason
    keep    "K"  whether all others that are held are to be dropped (1), count (4), places (4 each)
            -> how many clients the party has added (4)
    sign    "S"  SHA-256 of the set (32)
            -> Ed25519 signature (64)
    sum     "T"  SHA-256 of the set (32), count (2), and of each party that signed: place (2),
            signature (64)
            -> the sum, 4 bytes a number, signature (64)

Every request begins with "anyk" 1, kind (1), context (32), round (8); every answer with "anyk" 1,
kind (1), and 0, or 1 and the reason of a refusal, a text with its length (2) in front.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from anyk.aggregation.boxes import Header
from anyk.aggregation.identity import SIGNATURE_BYTES
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import MAGIC, MOST_REASON, Garbled, Reader, number, text

__all__ = [
    "KEEP",
    "OFFER",
    "SIGN",
    "SUM",
    "done",
    "keep",
    "offer",
    "offered",
    "plain",
    "refused",
    "signatures_of",
    "sums",
    "unwrap",
]

OFFER, KEEP, SIGN, SUM = b"O", b"K", b"S", b"T"
_DONE, _REFUSED = 0, 1
_KIND: Final = 1


def offer(
    setting: Setting, round_number: int, boxes: Iterable[tuple[Header, bytes | memoryview]]
) -> bytes:
    """Boxes of some clients for one party."""
    parts = [setting.start(OFFER, round_number), b""]
    for header, box in boxes:
        parts += [number(len(header.raw), 4), header.raw, bytes(box)]
    parts[1] = number((len(parts) - 2) // 3, 4)
    return b"".join(parts)


def offered(setting: Setting, reader: Reader, place: int) -> list[tuple[memoryview, memoryview]]:
    """Header and box of each client of an offer.

    Raises:
        Garbled: if it is none, or has more of them than a party holds.
    """
    many = reader.number(4)
    if many > setting.plan.most_held:
        raise Garbled(f"it offers more than {setting.plan.most_held} boxes at once")
    found = []
    for _ in range(many):
        length = reader.number(4)
        if length > setting.most_header:
            raise Garbled("a header in it is too long")
        found.append((reader.take(length), reader.take(setting.box_sizes[place])))
    reader.end()
    return found


def keep(setting: Setting, round_number: int, clients: Sequence[int], *, drop: bool) -> bytes:
    """Which of the clients offered are in the sum, by their places."""
    head = setting.start(KEEP, round_number) + number(drop, 1) + number(len(clients), 4)
    return head + b"".join(number(client, 4) for client in clients)


def sums(
    setting: Setting, round_number: int, digest: bytes, signatures: Mapping[int, bytes]
) -> bytes:
    """The question for a sum, with the proof that the set is agreed to."""
    head = setting.start(SUM, round_number) + digest + number(len(signatures), 2)
    return head + b"".join(number(place, 2) + own for place, own in signatures.items())


def signatures_of(setting: Setting, reader: Reader) -> dict[int, bytes]:
    """Signatures by the place of the party.

    Raises:
        Garbled: if they are not in their form, or one party is there twice.
    """
    many = reader.number(2)
    if many > len(setting.parties):
        raise Garbled("it has more signatures than there are parties")
    found: dict[int, bytes] = {}
    for _ in range(many):
        place = reader.number(2)
        if place in found or place >= len(setting.parties):
            raise Garbled("a signature in it is of nobody, or of a party that is there twice")
        found[place] = reader.raw(SIGNATURE_BYTES)
    reader.end()
    return found


def done(kind: bytes, payload: bytes = b"") -> bytes:
    """An answer."""
    return MAGIC + kind + number(_DONE, 1) + payload


def refused(kind: bytes, reason: str) -> bytes:
    """The answer to what is refused."""
    return MAGIC + kind + number(_REFUSED, 1) + text(reason[:MOST_REASON], 2)


def unwrap(answer: object, kind: bytes) -> Reader:
    """What is in an answer.

    Args:
        answer: that came.
        kind: of the request.

    Raises:
        Garbled: if it is no answer to it; or the reason of a refusal.
    """
    if not isinstance(answer, (bytes, bytearray, memoryview)):
        raise Garbled("its answer is not bytes")
    reader = Reader(bytes(answer))
    reader.expect(MAGIC + kind, "its answer is no message of this protocol")
    if reader.number(_KIND) != _DONE:
        raise Garbled(f"it refused: {plain(reader.text(4 * MOST_REASON, 2))}")
    return reader


def plain(reason: str) -> str:
    """A reason that somebody else wrote, as one line of ASCII."""
    shown = (mark if mark.isascii() and mark.isprintable() else "?" for mark in reason)
    return "".join(shown)[:MOST_REASON]
