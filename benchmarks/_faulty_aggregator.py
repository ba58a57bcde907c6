"""`anyk aggregator`, which keeps to no rule where a file of orders says so.

    python benchmarks/_faulty_aggregator.py ORDERS aggregator --listen 127.0.0.1:0 ...

ORDERS holds words of `FAULTS`, which are read anew for each request.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from anyk.aggregation import AbstractParty, Aggregator, Identity, remote
from anyk.aggregation.remote import command, letters, service
from anyk.aggregation.requests import KEEP, OFFER, SIGN, SUM
from anyk.aggregation.roster import Roster
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import DIGEST, Reader
from anyk.cli import main

KINDS = {"offer": OFFER, "keep": KEEP, "sign": SIGN, "sum": SUM}
WIRE = ("drip", "long", "half", "closed")  # what it sends instead of a letter
SILENT = tuple(
    f"{what} {kind}"
    for what in ("hang", "garbage", "cut", "flip", "replay", "refuse", "die", "die after", *WIRE)
    for kind in KINDS
)
"""Each costs an aggregator's part in a round."""

LYING = ("lie sum", "lie once sum", "zero sum", "old sum")
"""Each is a sum of another set or of nothing, with a good signature."""

ACCUSING = ("lie checks offer", "veto offer", "flip offer", "replay offer")
"""Each may say of a client's good box that it is none."""

HANG = 1.2  # seconds


class Faulty(AbstractParty):
    """An aggregator with orders."""

    def __init__(self, plan: Any, identity: Identity, roster: Roster, **more: Any) -> None:
        self._within = Aggregator(plan, identity, roster, **more)
        self._identity, self._setting = identity, Setting(plan, roster)
        self._last: dict[bytes, bytes] = {}
        self.wire = ""

    @property
    def most_request(self) -> int:
        """As without orders."""
        return self._within.most_request

    def answer(self, request: bytes) -> bytes:
        """Answer as it is told to."""
        self.wire = ""
        kind = request[5:6]
        orders = [
            what
            for what, _, name in (each.rpartition(" ") for each in ORDERS.read_text().split(","))
            if KINDS.get(name) == kind
        ]
        for what in orders:
            if what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
        answer = self._within.answer(request)
        last, self._last[kind] = self._last.get(kind, b""), answer
        for what in orders:
            if what in WIRE:
                self.wire = what
            else:
                answer = self._spoilt(what, answer, last, request)
        return answer

    def _spoilt(self, what: str, answer: bytes, last: bytes, request: bytes) -> bytes:
        if what == "die after":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "hang":
            time.sleep(HANG)
        if what in {"lie", "lie once", "zero", "old"}:
            return self._lie(what, answer, last, request)
        at = secrets.randbelow(len(answer))
        veto = 8 + 4 * self._setting.checks * len(self._setting.codes)  # where the first box ends
        return {
            "garbage": secrets.token_bytes(len(answer)),
            "cut": answer[:at],
            "flip": answer[:at]
            + bytes([answer[at] ^ 1 << secrets.randbelow(8)])
            + answer[at + 1 :],
            "replay": last,
            "refuse": answer[:6] + b"\1\0\2no",
            "lie checks": answer[:8] + bytes([answer[8] ^ 1]) + answer[9:],
            "veto": answer[:7] + b"\1\2no" + answer[veto:],
        }.get(what, answer)

    def _lie(self, what: str, answer: bytes, last: bytes, request: bytes) -> bytes:
        """A wrong sum with a good signature."""
        size = self._setting.sum_bytes
        if answer[6] or len(answer) < 7 + size:  # it refused
            return answer
        values = np.frombuffer(answer[7 : 7 + size], "<u4").copy()
        if what == "lie":
            least = min(code.field.modulus for code in self._setting.codes)
            values[:] = [secrets.randbelow(least) for _ in values]
        elif what == "lie once":
            values[secrets.randbelow(len(values))] ^= 1 << secrets.randbelow(20)
        elif what == "old" and len(last) == len(answer):
            values = np.frombuffer(last[7 : 7 + size], "<u4")
        else:
            values[:] = 0
        reader = Reader(request)
        _, number = self._setting.read_start(reader)
        digest = reader.raw(DIGEST)
        signed = self._setting.signed_sum(number, digest, values.tobytes())
        return answer[:7] + values.tobytes() + self._identity.sign(signed)


def send(stream: Any, letter: bytes, deadline: float | None) -> None:
    """Send a letter, or something else."""
    wire = FAULTY[-1].wire
    if not wire:
        letters.send(stream, letter, deadline)
        return
    length = len(letter).to_bytes(8, "big")
    if wire == "long":
        stream.send(memoryview((1 << 50).to_bytes(8, "big") + letter), deadline)
        time.sleep(HANG)
    elif wire == "half":
        stream.send(memoryview(length + letter[: len(letter) // 2]), deadline)
    elif wire == "drip":
        until = time.monotonic() + HANG
        for byte in length + letter:
            stream.send(memoryview(bytes([byte])), deadline)
            time.sleep(0.1)
            if time.monotonic() > until:
                break
    raise EOFError(wire)


FAULTY: list[Faulty] = []


def make(plan: Any, identity: Identity, roster: Roster, **more: Any) -> Faulty:
    """The one of this process."""
    FAULTY.append(Faulty(plan, identity, roster, **more))
    return FAULTY[-1]


if __name__ == "__main__":
    ORDERS = Path(sys.argv[1])
    assert remote  # noqa: S101 - its modules are what is changed here
    command.Aggregator = make  # type: ignore[assignment, misc]
    service.send = send  # type: ignore[assignment]
    sys.exit(main(sys.argv[2:]))
