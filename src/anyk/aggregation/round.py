"""`Round`: one round of a server, from the clients' messages to the sum."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Final, final

import numpy as np

from anyk.aggregation.asking import Asking
from anyk.aggregation.boxes import Header, boxes_of, read_header
from anyk.aggregation.gathering import reasons, signatures_on, sums_of
from anyk.aggregation.judging import Judging, Said
from anyk.aggregation.opening import opened
from anyk.aggregation.parties import AbstractParties
from anyk.aggregation.pieces import read_residues
from anyk.aggregation.requests import KEEP, OFFER, keep, offer, plain
from anyk.aggregation.result import Aggregated
from anyk.aggregation.setting import Setting
from anyk.aggregation.upload import UPLOAD, Upload, read_upload
from anyk.aggregation.wire import MAGIC, MOST_REASON, Garbled, Reader, whole
from anyk.errors import NotEnoughAnswers
from anyk.wording import numbered

__all__ = ["Round"]

_LOT: Final = 1 << 21  # bytes of boxes in one request, about
_EQUIVOCATES: Final = "it sent two different messages"
_FULL: Final = "the sum has as many clients as the plan allows"


@final
class Round:
    """One round of a server: `receive` each client's message, then `close` it.

    Not safe for threads: call it from one, or hold a lock.

    Args:
        setting: of the round.
        number: of the round.
        parties: the transport.
        timeout: seconds for each question.
        hold: bytes that are held back.
        vetoes: how many clients one party may have left out.
    """

    def __init__(
        self,
        setting: Setting,
        number: int,
        parties: AbstractParties,
        *,
        timeout: float,
        hold: int,
        vetoes: int,
    ) -> None:
        self._setting, self._number, self._hold = setting, number, hold
        self._asking = Asking(setting, parties, timeout)
        self._judging = Judging(setting, vetoes)
        self._digests: dict[int, bytes] = {}  # of headers, by client: the first that each sent
        self._held: dict[int, tuple[Header, list[memoryview]]] = {}
        self._held_bytes = 0
        self._accepted: dict[int, bytes] = {}  # digest of the header, by client
        self._uploads: dict[int, Upload] = {}
        self._left_out: dict[int, str] = {}
        self._received = 0
        self._closed = False

    @property
    def number(self) -> int:
        """Of the round."""
        return self._number

    def receive(self, message: bytes) -> str:
        """Take the message of a client.

        Args:
            message: as a client made it, or anything else.

        Returns:
            "" if it is taken (or was before: the same bytes count once), else why not. It raises
            nothing for what a client sent.
        """
        if self._closed:
            return "the round is closed"
        try:
            kind = whole(message)[len(MAGIC) : len(MAGIC) + 1]
            if kind == UPLOAD and self._setting.plan.masked:
                self._take_upload(message)
            else:
                self._take_boxes(message)
        except Garbled as why:
            return str(why)
        return ""

    def _take_boxes(self, message: bytes) -> None:
        header = read_header(self._setting, message, round_number=self._number)
        client = header.client
        first = self._digests.setdefault(client, header.digest)
        if first != header.digest:
            if self._held.pop(client, None) is not None:
                self._left_out[client] = _EQUIVOCATES
            elif client in self._accepted:
                counts = "" if self._setting.plan.masked else "; the first one counts"
                self._left_out.setdefault(client, f"{_EQUIVOCATES}{counts}")
            raise Garbled(_EQUIVOCATES)
        if client in self._held or client in self._accepted or client in self._left_out:
            if self._left_out.get(client, "").startswith(_EQUIVOCATES):
                raise Garbled(_EQUIVOCATES)
            if client in self._left_out:
                raise Garbled(self._left_out[client])
            return
        if len(self._held) + len(self._accepted) >= self._setting.plan.most:
            self._left_out[client] = _FULL
            raise Garbled(_FULL)
        try:
            boxes = boxes_of(self._setting, header, message)
        except Garbled:
            del self._digests[client]  # somebody cut it short: it may still come whole
            raise
        self._received += len(message)
        self._held[client] = header, boxes
        self._held_bytes += len(message)
        if self._held_bytes > self._hold:
            self.relay()

    def _take_upload(self, message: bytes) -> None:
        upload = read_upload(self._setting, message, round_number=self._number)
        first = self._uploads.setdefault(upload.client, upload)
        if first.digest != upload.digest:
            self._left_out[upload.client] = _EQUIVOCATES
        if upload.client in self._left_out:
            raise Garbled(self._left_out[upload.client])
        if first is upload:
            self._received += len(message)

    def relay(self) -> None:
        """Send the boxes that are held to the parties now, and not only when they fill `hold`.

        Under `LightSecAgg` this is what is done before clients know their vectors.
        """
        size = max(self._setting.box_sizes)
        many = max(1, min(self._setting.plan.most_held, _LOT // size))
        while self._held:
            lot = dict(islice(self._held.items(), many))
            for client in lot:
                del self._held[client]
            self._offer(lot)
        self._held_bytes = 0

    def _offer(self, lot: dict[int, tuple[Header, list[memoryview]]]) -> None:
        requests = {
            place: offer(
                self._setting,
                self._number,
                ((header, boxes[place]) for header, boxes in lot.values()),
            )
            for place in self._asking.live
        }
        said = self._asking.ask(requests, OFFER, lambda _, reader: self._said(reader, len(lot)))
        out, left = self._judging.judge(said, len(lot))
        for place in left:
            self._asking.leave(place, "it is at odds with more clients than others are")
        fit = []
        for at, (client, (header, _)) in enumerate(lot.items()):
            if at in out:
                self._left_out[client] = out[at]
            else:
                fit.append(client)
                self._accepted[client] = header.digest
        if not self._setting.plan.masked:
            self._keep(fit)

    def _said(self, reader: Reader, many: int) -> list[Said]:
        """What a party said of each box."""
        said: list[Said] = []
        for _ in range(many):
            if reader.number(1):
                said.append(plain(reader.text(MOST_REASON)) or "refused")
                continue
            raw = reader.take(self._setting.bytes_of(self._setting.checks))
            values = read_residues(self._setting, raw, "a check value in its answer")
            said.append(values.astype(np.int64))
        reader.end()
        return said

    def _keep(self, clients: list[int]) -> None:
        request = keep(self._setting, self._number, clients, drop=True)
        requests = dict.fromkeys(self._asking.live, request)
        self._asking.ask(requests, KEEP, lambda _, reader: reader.number(4))

    def close(self) -> Aggregated:
        """Propose the set of those who sent, gather signatures and sums, and decode.

        Returns:
            The sum, who is in it, and who is not.

        Raises:
            NotEnoughAnswers: if too few clients sent, and then the round is still open; or too few
                parties signed, or gave their sums: who is missing, and why.
            TooManyErrors: if the sums contradict each other, and not by as many liars as promised.
        """
        self.relay()
        unmatched = self._unmatched()
        left = {**self._left_out, **unmatched}
        self._require_clients(self._accepted.keys() - unmatched.keys(), left)
        self._closed, self._left_out = True, left
        for client in unmatched.keys() & self._accepted.keys():
            del self._accepted[client]
        if self._setting.plan.masked:
            self._keep(sorted(self._accepted))
        digest = self._setting.set_digest(self._number, self._accepted.items())
        signatures = signatures_on(self._setting, self._number, self._asking, digest)
        rows = sums_of(self._setting, self._number, self._asking, digest, signatures)
        masked = [self._uploads[client].masked for client in self._accepted if self._uploads]
        value, weight, liars = opened(self._setting, rows, masked, len(self._accepted))
        names = [each.name for each in self._setting.roster.clients]
        return Aggregated(
            total=value,
            weight=weight,
            counted=tuple(names[client] for client in sorted(self._accepted)),
            left_out=self._left_out_names(),
            silent=dict(self._asking.silent),
            liars=tuple(self._asking.name(place) for place in liars),
            bytes={
                "client": self._received,
                "relayed": self._asking.sent,
                "answers": self._asking.received,
            },
            weighted=self._setting.plan.vectors.weighted,
        )

    def _unmatched(self) -> dict[int, str]:
        """Who sent pieces of a mask and no vector under it, or the other way round: why."""
        if not self._setting.plan.masked:
            return {}
        out = {}
        for client, digest in self._accepted.items():
            upload = self._uploads.get(client)
            if client in self._left_out:
                out[client] = self._left_out[client]
            elif upload is None:
                out[client] = "it sent no masked vector"
            elif upload.pieces != digest:
                out[client] = "its masked vector belongs to another mask"
        for client in self._uploads.keys() - self._accepted.keys():
            out[client] = self._left_out.get(client, "it sent no pieces of its mask")
        return out

    def _require_clients(self, fit: Collection[int], left: dict[int, str]) -> None:
        least, clients = self._setting.plan.least_clients, self._setting.roster.clients
        if len(fit) < least:
            told = reasons({clients[client].name: why for client, why in sorted(left.items())})
            raise NotEnoughAnswers(
                answered=fit,
                missing=set(range(len(clients))) - set(fit),
                needed=f"{numbered(least, 'client')}, as no party signs a smaller set",
                of="client",
                change=f"{told}Wait for more of them, or lower least_clients of the plan.",
            )

    def _left_out_names(self) -> dict[str, str]:
        clients = self._setting.roster.clients
        return {clients[client].name: why for client, why in sorted(self._left_out.items())}
