"""`Holding`: what a party has of one round: boxes that it opened, and the sum of those it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from anyk.aggregation.boxes import open_box, read_header
from anyk.aggregation.identity import Identity
from anyk.aggregation.pieces import add_piece, check_values, read_piece, residues_as_bytes
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import Garbled

__all__ = ["Holding"]


@final
class Holding:
    """One round at one party.

    Args:
        setting: of the round.
        round_number: of the round.
        place: of the party.
    """

    def __init__(self, setting: Setting, round_number: int, place: int) -> None:
        self._setting, self._round, self._place = setting, round_number, place
        self._open: dict[int, bytes] = {}  # what was in the boxes of clients, before it is added
        self._seen: dict[int, tuple[bytes, bytes]] = {}  # digest of a header, and check values
        self._kept: dict[int, bytes] = {}
        length = setting.plan.piece
        self._totals = [np.zeros(length, dtype=np.uint64) for _ in setting.codes]

    def take(self, identity: Identity, head: memoryview, box: memoryview, *, late: bool) -> bytes:
        """Open one box, hold what is in it, and give its check values.

        Args:
            identity: of the party.
            head: the header above it.
            box: it.
            late: whether nothing new is taken any more.

        Raises:
            Garbled: why it is refused.
        """
        header = read_header(self._setting, head, round_number=self._round)
        if len(header.raw) != len(head):
            raise Garbled("its header is too long")
        client = header.client
        before = self._seen.get(client)
        if before is not None and before[0] != header.digest:
            raise Garbled("its client sent another message in this round")
        if before is not None and (client in self._open or client in self._kept):
            return before[1]
        if late:
            raise Garbled("it is late: the set of this round is signed")
        if len(self._open) >= self._setting.plan.most_held:
            raise Garbled("too many boxes are held")
        plain = open_box(self._setting, identity, self._place, header, box)
        piece = read_piece(self._setting, self._place, plain)
        values = check_values(self._setting, self._round, header.digest, piece)
        self._open[client] = plain
        self._seen[client] = header.digest, values
        return values

    def keep(self, clients: Sequence[int], *, drop: bool) -> int:
        """Add the pieces of clients that are held, once each.

        Args:
            clients: their places.
            drop: whether the pieces of all others are dropped.

        Returns:
            How many clients are added by now.

        Raises:
            Garbled: if there is one of which no piece is held.
        """
        for client in clients:
            if client not in self._open and client not in self._kept:
                raise Garbled("it keeps a client of whom no piece is held")
        for client in clients:
            if client not in self._kept:
                piece = read_piece(self._setting, self._place, self._open.pop(client))
                add_piece(self._totals, piece, self._setting.plan.piece)
                self._kept[client] = self._seen[client][0]
        if drop:
            self._open.clear()
        return len(self._kept)

    def lacks(self, clients: Sequence[int]) -> bool:
        """Whether one of the clients is not added yet."""
        return any(client not in self._kept for client in clients)

    @property
    def size(self) -> int:
        """How many clients are added."""
        return len(self._kept)

    @property
    def digest(self) -> bytes:
        """Of the set of clients that are added."""
        return self._setting.set_digest(self._round, self._kept.items())

    @property
    def total(self) -> bytes:
        """The sum of their pieces."""
        rows = zip(self._totals, self._setting.codes, strict=True)
        moduli = [(total, np.uint64(code.field.modulus)) for total, code in rows]
        return residues_as_bytes([(total % modulus).astype(np.int64) for total, modulus in moduli])
