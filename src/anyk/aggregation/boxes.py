"""What a client sends to parties: boxes that only they can open, under a header that it signs.

    header = "anyk" 1 "B", context (32), round (8), name (1 + n), ephemeral key (32),
             SHA-256 of each box (32 M), Ed25519 signature (64) of all before it
    message = header, box of party 0, .., box of party M - 1

A box is AES-256-GCM of a piece, with a key from X25519 of the ephemeral key and that of the party,
by HKDF-SHA256 over context, round, both names and both keys: it opens in no other round, plan or
roster, for nobody else, and as of no other client. Sizes follow from the plan.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from anyk.aggregation.identity import KEY_BYTES, MOST_NAME, SIGNATURE_BYTES, Identity, Member
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import DIGEST, Garbled, Reader, number, text

__all__ = ["Header", "boxes_of", "digest_of", "message_of", "open_box", "read_header"]

KIND: Final = b"B"
_NONCE: Final = bytes(12)  # each key seals one box
_SIGNED: Final = b"anyk boxes\0"


@final
@dataclass(frozen=True, eq=False)
class Header:
    """What stands above the boxes of one client.

    Args:
        raw: its bytes.
        round: of the round.
        client: place of the client in the roster.
        ephemeral: X25519 public key of this message.
        boxes: SHA-256 of each party's box.
        digest: SHA-256 of it all: what the client is bound to.
    """

    raw: bytes
    round: int
    client: int
    ephemeral: bytes
    boxes: tuple[bytes, ...]
    digest: bytes


def digest_of(data: bytes | memoryview) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def message_of(
    setting: Setting, identity: Identity, round_number: int, pieces: list[bytes]
) -> tuple[bytes, bytes]:
    """A client's message, and the digest of its header.

    Args:
        setting: of the round.
        identity: the client's.
        round_number: of the round.
        pieces: one a party.
    """
    key = X25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    boxes = []
    for member, piece in zip(setting.parties, pieces, strict=True):
        shared = key.exchange(X25519PublicKey.from_public_bytes(member.sealing))
        seal = _key(setting, round_number, identity.name, member, halves=(shared, public))
        boxes.append(AESGCM(seal).encrypt(_NONCE, piece, None))
    head = setting.start(KIND, round_number) + text(identity.name) + public
    head += b"".join(digest_of(box) for box in boxes)
    head += identity.sign(_SIGNED + head)
    return b"".join([head, *boxes]), digest_of(head)


def read_header(setting: Setting, data: bytes | memoryview, *, round_number: int) -> Header:
    """The header at the start of some bytes, if a client of the roster signed it for this round.

    Args:
        setting: of the round.
        data: it, and what follows.
        round_number: of the round.

    Raises:
        Garbled: why it is none.
    """
    reader = Reader(bytes(data[: setting.most_header]))
    kind, number_ = setting.read_start(reader)
    if kind != KIND:
        raise Garbled("it is another message")
    if number_ != round_number:
        raise Garbled(f"it is of round {number_}")
    name = reader.text(MOST_NAME)
    place = setting.roster.places.get(name)
    if place is None:
        raise Garbled("its client is not in the roster")
    ephemeral = reader.raw(KEY_BYTES)
    boxes = tuple(reader.raw(DIGEST) for _ in setting.parties)
    head = bytes(data[: reader.at])
    signature = reader.raw(SIGNATURE_BYTES)
    if not setting.roster.clients[place].signed(signature, _SIGNED + head):
        raise Garbled("its client did not sign it")
    raw = head + signature
    return Header(raw, number_, place, ephemeral, boxes, digest_of(raw))


def boxes_of(setting: Setting, header: Header, message: bytes) -> list[memoryview]:
    """The boxes of a message, if they are those of which its header has the digests.

    Args:
        setting: of the round.
        header: of the message.
        message: whole.

    Raises:
        Garbled: if they are not.
    """
    reader = Reader(message)
    reader.take(len(header.raw))
    boxes = [reader.take(size) for size in setting.box_sizes]
    reader.end()
    if any(digest_of(box) != own for box, own in zip(boxes, header.boxes, strict=True)):
        raise Garbled("its boxes are not those that its client signed")
    return boxes


def open_box(
    setting: Setting, identity: Identity, place: int, header: Header, box: bytes | memoryview
) -> bytes:
    """What is in a box.

    Args:
        setting: of the round.
        identity: of the party that opens it.
        place: of the party.
        header: of the client's message.
        box: of the size that it must have.

    Raises:
        Garbled: why it does not open.
    """
    if digest_of(box) != header.boxes[place]:
        raise Garbled("its box is not the one that its client signed")
    client = setting.roster.clients[header.client].name
    try:
        shared = identity.shared(header.ephemeral)
        halves = shared, header.ephemeral
        key = _key(setting, header.round, client, setting.parties[place], halves=halves)
        return AESGCM(key).decrypt(_NONCE, bytes(box), None)
    except (InvalidTag, ValueError):
        raise Garbled("its box does not open") from None


def _key(
    setting: Setting, round_number: int, client: str, party: Member, *, halves: tuple[bytes, bytes]
) -> bytes:
    """The key of one box, from the shared secret and the ephemeral key."""
    shared, ephemeral = halves
    about = number(round_number, 8) + text(client) + text(party.name) + ephemeral + party.sealing
    return HKDF(hashes.SHA256(), KEY_BYTES, setting.context, b"anyk box\0" + about).derive(shared)
