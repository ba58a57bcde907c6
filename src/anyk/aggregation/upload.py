"""The masked vector of a client of `LightSecAgg`.

message = "anyk" 1 "U", context (32), round (8), name (1 + n), SHA-256 of the header of the
          client's pieces (32), Ed25519 signature (64) of all before it and of a SHA-256 of what
          follows, numbers (4 bytes each, of each prime)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from anyk.aggregation.boxes import digest_of
from anyk.aggregation.identity import MOST_NAME, SIGNATURE_BYTES, Identity
from anyk.aggregation.pieces import read_residues, residues_as_bytes
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import DIGEST, Garbled, Reader, text

__all__ = ["UPLOAD", "Upload", "read_upload", "upload_of"]

UPLOAD: Final = b"U"
_SIGNED: Final = b"anyk upload\0"


@final
@dataclass(frozen=True, eq=False)
class Upload:
    """A masked vector.

    Args:
        client: place of the client.
        pieces: digest of the header of the pieces of its mask.
        digest: SHA-256 of it all.
        masked: residues for each prime, (entries,).
    """

    client: int
    pieces: bytes
    digest: bytes
    masked: tuple[NDArray[np.uint32], ...]


def upload_of(
    setting: Setting,
    identity: Identity,
    round_number: int,
    pieces: bytes,
    masked: list[NDArray[np.int64]],
) -> bytes:
    """The message.

    Args:
        setting: of the round.
        identity: of the client.
        round_number: of the round.
        pieces: digest of the header of its mask's pieces.
        masked: residues for each prime.
    """
    payload = residues_as_bytes(masked)
    head = setting.start(UPLOAD, round_number) + text(identity.name) + pieces
    return head + identity.sign(_SIGNED + head + digest_of(payload)) + payload


def read_upload(setting: Setting, message: bytes, *, round_number: int) -> Upload:
    """A masked vector, if a client of the roster signed it for this round.

    Args:
        setting: of the round.
        message: that came.
        round_number: of the round.

    Raises:
        Garbled: why it is none.
    """
    reader = Reader(message)
    _, number = setting.read_start(reader)
    if number != round_number:
        raise Garbled(f"it is of round {number}")
    place = setting.roster.places.get(reader.text(MOST_NAME))
    if place is None:
        raise Garbled("its client is not in the roster")
    pieces = reader.raw(DIGEST)
    head = message[: reader.at]
    signature = reader.raw(SIGNATURE_BYTES)
    payload = reader.take(setting.bytes_of(setting.plan.vectors.entries))
    reader.end()
    signed = _SIGNED + head + digest_of(payload)
    if not setting.roster.clients[place].signed(signature, signed):
        raise Garbled("its client did not sign it")
    rows = read_residues(setting, payload, "a number in it")
    return Upload(place, pieces, digest_of(message), tuple(rows))
