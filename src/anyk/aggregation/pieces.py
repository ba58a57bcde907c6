"""Pieces of a vector, as they lie in boxes: seeds or residues; and the check that they are fit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from anyk.aggregation.setting import SEED, WEIGHT_BITS, Setting
from anyk.aggregation.wire import Garbled, number
from anyk.randomness.entropy import AbstractSource, keystream, residues

__all__ = [
    "add_piece",
    "blocks_of_mask",
    "check_values",
    "pieces_of",
    "read_piece",
    "read_residues",
    "residues_as_bytes",
]

_LONG: Final = 1 << 12  # products of 47 bits at a time: 2**17 of them add up exactly in 64
_WORD: Final = np.dtype("<u4")
_WEIGHT: Final = np.dtype(f"<u{WEIGHT_BITS // 8}")


@final
@dataclass(frozen=True, eq=False)
class _Known(AbstractSource):
    """A key that was drawn before: what is made of it can be made again, by who has it."""

    seed: bytes

    def key(self) -> bytes:
        return self.seed


def pieces_of(setting: Setting, integers: NDArray[np.int64], source: AbstractSource) -> list[bytes]:
    """The pieces of a vector, one a party.

    Args:
        setting: of the round.
        integers: int64 ndarray (entries,), with signs.
        source: of masks.
    """
    vectors, seeds = setting.plan.vectors, setting.plan.seeds
    plain: list[list[bytes]] = [[] for _ in setting.parties]
    length = setting.plan.piece
    for code in setting.codes:
        keys = [source.key() for _ in range(seeds)]
        whole = np.zeros((code.blocks + seeds, setting.width), dtype=np.uint32)
        for block in range(code.blocks):
            part = integers[block * length : (block + 1) * length]
            if len(part):
                whole[block, : len(part)] = vectors.residues(part, code.field)
        checks = code.blocks, setting.checks
        whole[: code.blocks, length:] = residues(source, code.field.modulus, checks)
        _expand(keys, code.field.modulus, whole[code.blocks :])
        _write(plain, keys, code.rest(whole))
    return [b"".join(each) for each in plain]


def blocks_of_mask(
    setting: Setting, source: AbstractSource
) -> tuple[list[NDArray[np.int64]], list[bytes]]:
    """A fresh mask and its pieces, one a party: the first K + T pieces are drawn, as seeds.

    K blocks of a mask and T pieces determine K + T pieces and the other way round. So to draw the
    pieces uniformly is to draw mask and noise uniformly, and most of the parties need a seed alone.

    Args:
        setting: of the round.
        source: of masks.

    Returns:
        For each prime the mask, int64 ndarray (entries,); and the pieces.
    """
    plan = setting.plan
    plain: list[list[bytes]] = [[] for _ in setting.parties]
    masks = []
    for code in setting.codes:
        keys = [source.key() for _ in range(plan.seeds)]
        first = np.empty((plan.seeds, setting.width), dtype=np.uint32)
        _expand(keys, code.field.modulus, first)
        blocks, rest = code.drawn(first)
        mask = blocks[:, : plan.piece].ravel()[: plan.vectors.entries]
        masks.append(mask.astype(np.int64))
        _write(plain, keys, rest)
    return masks, [b"".join(each) for each in plain]


def _expand(keys: list[bytes], modulus: int, into: NDArray[np.uint32]) -> None:
    """Write the residues of seeds in an array, (seeds, width)."""
    for key, row in zip(keys, into, strict=True):
        row[:] = residues(_Known(key), modulus, row.shape)


def _write(plain: list[list[bytes]], keys: list[bytes], rest: NDArray[np.uint32]) -> None:
    rows = rest.astype(_WORD, copy=False)
    for each, key in zip(plain, keys, strict=False):
        each.append(key)
    for each, row in zip(plain[len(keys) :], rows, strict=True):
        each.append(row.tobytes())


def read_piece(setting: Setting, place: int, plain: bytes) -> list[NDArray[np.uint32]]:
    """The residues of a piece, for each prime.

    Args:
        setting: of the round.
        place: of the party.
        plain: what was in its box, of the size that it must have.

    Raises:
        Garbled: if one is no residue.
    """
    if place >= setting.plan.seeds:
        return [*read_residues(setting, plain, "a number in its piece")]
    rows = []
    for at, code in enumerate(setting.codes):
        key = plain[at * SEED : (at + 1) * SEED]
        row = residues(_Known(key), code.field.modulus, (setting.width,))
        rows.append(row.astype(np.uint32))
    return rows


def add_piece(
    totals: list[NDArray[np.uint64]], piece: list[NDArray[np.uint32]], length: int
) -> None:
    """Add a piece to sums, in place: 2**32 of them fit.

    Args:
        totals: for each prime.
        piece: for each prime.
        length: numbers of a piece that count.
    """
    for total, row in zip(totals, piece, strict=True):
        np.add(total, row[:length], out=total)


def check_values(
    setting: Setting, round_number: int, digest: bytes, piece: list[NDArray[np.uint32]]
) -> bytes:
    """A few random combinations of the numbers of a piece, which tell if it lies on the curve.

    Each is a sum of the piece's numbers times numbers of 16 bits that a hash of the client's
    message gives, plus one of the numbers that the client drew for this: so those of all parties
    are values of one polynomial of degree below K + T if the pieces are, tell nothing of the
    vector, and can't be foreseen when the pieces are made.

    Args:
        setting: of the round.
        round_number: of the round.
        digest: of the client's header, which holds digests of all its boxes.
        piece: for each prime.

    Returns:
        `checks` residues for each prime, 4 bytes each.
    """
    length, out = setting.plan.piece, []
    for at, (code, row) in enumerate(zip(setting.codes, piece, strict=True)):
        about = b"anyk check\0" + setting.context + number(round_number, 8) + digest
        key = hashlib.sha384(about + number(at, 1)).digest()
        modulus = np.uint64(code.field.modulus)
        values = row[length:].astype(np.uint64)
        wide = min(length, _LONG)
        stream = keystream(_Known(key), -(-setting.checks * wide // 2))
        for start in range(0, length, wide):
            part = row[start : min(start + wide, length)].astype(np.uint64)
            drawn = next(stream).view(_WEIGHT)[: setting.checks * wide]
            weights = drawn.reshape(setting.checks, wide)[:, : len(part)].astype(np.uint64)
            values = (values + weights @ part % modulus) % modulus
        out.append(values.astype(_WORD).tobytes())
    return b"".join(out)


def residues_as_bytes(arrays: list[NDArray[np.int64]]) -> bytes:
    """Residues of each prime as bytes, 4 each.

    Args:
        arrays: for each prime.
    """
    return b"".join(each.astype(_WORD).tobytes() for each in arrays)


def read_residues(setting: Setting, data: bytes | memoryview, what: str) -> NDArray[np.uint32]:
    """Residues of each prime, from their bytes.

    Args:
        setting: of the round.
        data: as `residues_as_bytes` makes it, of the size that it must have.
        what: one of the numbers, in words.

    Returns:
        ndarray (primes, numbers).

    Raises:
        Garbled: if one is no residue.
    """
    rows = np.frombuffer(data, _WORD).reshape(len(setting.codes), -1)
    moduli = [code.field.modulus for code in setting.codes]
    if (rows.max(axis=1) >= moduli).any():
        raise Garbled(f"{what} is no residue")
    return rows.astype(np.uint32, copy=False)
