"""The end of a round at its server: signatures of parties on a set of clients, and their sums."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from anyk.aggregation.asking import Asking
from anyk.aggregation.identity import SIGNATURE_BYTES
from anyk.aggregation.pieces import read_residues
from anyk.aggregation.requests import SIGN, SUM, sums
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import Garbled, Reader
from anyk.errors import NotEnoughAnswers

__all__ = ["reasons", "signatures_on", "sums_of"]

_TOLD: Final = 10  # names in an error


def reasons(left: Mapping[str, str]) -> str:
    """Who was left out, and why, in a sentence; nothing where nobody was.

    Args:
        left: why, by name.
    """
    told = "; ".join(f"{name}: {why}" for name, why in islice(left.items(), _TOLD))
    more = f"; and {len(left) - _TOLD} others" if len(left) > _TOLD else ""
    return f"Left out: {told}{more}. " if told else ""


def signatures_on(
    setting: Setting, round_number: int, asking: Asking, digest: bytes
) -> dict[int, bytes]:
    """Signatures of parties on a set of clients, by place.

    Args:
        setting: of the round.
        round_number: of the round.
        asking: the parties that are left.
        digest: of the set.

    Raises:
        NotEnoughAnswers: if fewer than q signed.
    """
    message = setting.signed_set(round_number, digest)

    def read(place: int, reader: Reader) -> bytes:
        signature = reader.raw(SIGNATURE_BYTES)
        reader.end()
        if not setting.parties[place].signed(signature, message):
            raise Garbled("its signature is wrong")
        return signature

    request = setting.start(SIGN, round_number) + digest
    signatures = asking.ask(dict.fromkeys(asking.live, request), SIGN, read)
    if len(signatures) < setting.plan.signatures:
        needed = f"{setting.plan.signatures} signatures on one set of clients"
        _refuse(setting, asking, signatures, needed)
    return signatures


def sums_of(
    setting: Setting,
    round_number: int,
    asking: Asking,
    digest: bytes,
    signatures: Mapping[int, bytes],
) -> dict[int, NDArray[np.int64]]:
    """The sums of pieces of parties, (primes, L), by place.

    Args:
        setting: of the round.
        round_number: of the round.
        asking: the parties that are left.
        digest: of the set.
        signatures: on it.

    Raises:
        NotEnoughAnswers: if they are too few to decode.
    """

    def read(place: int, reader: Reader) -> NDArray[np.int64]:
        payload = reader.take(setting.sum_bytes)
        signature = reader.raw(SIGNATURE_BYTES)
        reader.end()
        signed = setting.signed_sum(round_number, digest, payload)
        if not setting.parties[place].signed(signature, signed):
            raise Garbled("the signature of its sum is wrong")
        return read_residues(setting, payload, "a number in its sum").astype(np.int64)

    proof = dict(islice(signatures.items(), setting.plan.signatures))
    request = sums(setting, round_number, digest, proof)
    rows = asking.ask(dict.fromkeys(asking.live, request), SUM, read)
    certainty = setting.plan.code.certainty
    if certainty.margin(rows) < 0:
        _refuse(setting, asking, rows, certainty.needed.replace("answer", "sum"))
    return rows


def _refuse(setting: Setting, asking: Asking, there: Collection[int], needed: str) -> NoReturn:
    raise NotEnoughAnswers(
        answered=there,
        missing=set(range(len(setting.parties))) - set(there),
        needed=needed,
        of="client" if setting.plan.masked else "aggregator",
        change=f"{reasons(asking.silent)}Open another round when they are there again, or plan for "
        "more who are silent.",
    )
