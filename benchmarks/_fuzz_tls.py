"""TLS from either end in hands that do with it what they like: each flight, record and secret."""

from __future__ import annotations

import hmac
import random
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["AFTER", "Tls", "Writer", "after", "mutated", "records"]

AFTER = (
    "key updates", "key updates that ask for one", "empty records", "renegotiation",
    "record replayed", "record forged", "record too long", "record cut off", "warnings",
    "old handshake", "garbage",
)  # fmt: skip
"""What may come on a connection whose handshake was fine."""

_KEY_UPDATE = 24


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, left out, doubled or added."""
    whole = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(whole) + 1)
        what = rng.random()
        if what < 0.7 and place < len(whole):
            whole[place] = rng.randrange(256)
        elif what < 0.8:
            del whole[place : place + rng.randint(1, 40)]
        elif what < 0.9:
            whole[place:place] = whole[place : place + rng.randint(1, 40)]
        else:
            whole[place:place] = rng.randbytes(rng.randint(1, 40))
        whole = whole or bytearray(1)
    return bytes(whole)


def records(rng: random.Random) -> bytes:
    """Records with heads that are right, of anything."""
    out = b""
    for _ in range(rng.randint(1, 4)):
        size = rng.choice([0, 1, 5, 200, 0x4000, 0x4101, 0xFFFF])
        version = rng.choice([0x0301, 0x0303, 0x0304, 0x0200, 0x0000])
        out += struct.pack(">BHH", rng.randint(19, 25), version, size)
        out += rng.randbytes(min(size, 1000))
    return out


class Writer:
    """Records of TLS 1.3 with AES-256-GCM, under a traffic secret.

    Args:
        secret: of SHA-384.
    """

    def __init__(self, secret: bytes) -> None:
        self._use(secret)

    def _use(self, secret: bytes) -> None:
        self._secret, self._number = secret, 0
        self._key = AESGCM(self._expand("key", 32))
        self._first = int.from_bytes(self._expand("iv", 12))

    def _expand(self, name: str, length: int) -> bytes:
        text = b"tls13 " + name.encode()
        label = struct.pack(">HB", length, len(text)) + text + b"\0\1"
        return hmac.digest(self._secret, label, "sha384")[:length]

    def record(self, kind: int, data: bytes) -> bytes:
        """One record."""
        inner = data + bytes([kind])
        head = b"\x17\x03\x03" + struct.pack(">H", len(inner) + 16)
        nonce = (self._first ^ self._number).to_bytes(12)
        self._number += 1
        return head + self._key.encrypt(nonce, inner, head)

    def key_update(self, *, ask: bool) -> bytes:
        """A record that changes the key."""
        out = self.record(22, bytes([_KEY_UPDATE, 0, 0, 1, ask]))
        self._use(self._expand("traffic upd", 48))
        return out


class Tls:
    """One end of a handshake, flight by flight.

    Args:
        connection: a connected socket.
        context: of either side.
        name: of the other end; None at the worker's end.
        log: file to which the context writes its secrets.
    """

    def __init__(
        self, connection: socket.socket, context: ssl.SSLContext, name: str | None, log: Path
    ) -> None:
        self.raw, self._log = connection, log
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._label = b"CLIENT" if name else b"SERVER"
        if log.exists():
            log.write_bytes(b"")
        self.tls = context.wrap_bio(
            self._came, self._goes, server_side=name is None, server_hostname=name
        )

    def step(self) -> tuple[bool, bytes]:
        """Whether the handshake is done on this end, and what there is to be sent."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False, self._goes.read()
        return True, self._goes.read()

    def feed(self) -> None:
        """Wait for something."""
        got = self.raw.recv(1 << 16)
        if not got:
            raise EOFError
        self._came.write(got)

    def shake(self) -> None:
        """The whole handshake."""
        done = False
        while not done:
            done, data = self.step()
            if data:
                self.raw.sendall(data)
            if not done:
                self.feed()

    def say(self, data: bytes) -> None:
        """Send data."""
        self.tls.write(data)
        self.raw.sendall(self._goes.read())

    def hear(self) -> bytes:
        """Some data, or what the other end has against it as an exception."""
        while True:
            try:
                return self.tls.read(1 << 16)
            except ssl.SSLWantReadError:
                self.feed()

    def writer(self) -> Writer:
        """For records of one's own, instead of `say`."""
        lines = [line.split() for line in self._log.read_bytes().splitlines()]
        start = self._label + b"_TRAFFIC_SECRET_0"
        (secret,) = (bytes.fromhex(line[2].decode()) for line in lines if line[0] == start)
        return Writer(secret)


def after(kind: str, writer: Writer, rng: random.Random) -> bytes:
    """Hostile records for a connection, of one of the kinds of `AFTER`."""
    if kind in _MANY:
        numbers, make = _MANY[kind]
        return b"".join(make(writer) for _ in range(rng.choice(numbers)))
    if kind in _HANDSHAKES:
        return writer.record(22, rng.choice(_HANDSHAKES[kind]))
    fine = writer.record(23, struct.pack(">I", 5))
    long = b"\x17\x03\x03" + struct.pack(">H", rng.choice([0x4101, 0x8000, 0xFFFF])) + fine
    return {
        "record replayed": fine + fine,
        "record forged": mutated(fine, rng),
        "record too long": long,
        "record cut off": fine[: rng.randrange(1, len(fine))],
        "garbage": rng.randbytes(rng.choice([1, 5, 100, 5000])),
    }[kind]


_MANY: dict[str, tuple[tuple[int, ...], Callable[[Writer], bytes]]] = {
    "key updates": ((1, 100, 4000), lambda writer: writer.key_update(ask=False)),
    "key updates that ask for one": ((1, 100, 4000), lambda writer: writer.key_update(ask=True)),
    "empty records": ((40, 4000), lambda writer: writer.record(23, b"")),
    "warnings": ((1, 50), lambda writer: writer.record(21, bytes([1, 90]))),
}
_HELLO = bytes([1, 0, 0, 38]) + b"\x03\x03" + bytes(36)
_HANDSHAKES = {
    "renegotiation": (_HELLO, bytes(4)),  # a ClientHello; a HelloRequest of TLS 1.2
    "old handshake": tuple(bytes([kind, 0, 0, 1, 0]) for kind in (2, 4, 8, 11, 13, 15, 20, 254)),
}
