"""A worker whose TLS is hostile: the other end of what `fuzz_the_wire` does to masters.

It listens on one port, and does to one master after the other what it is told. Run as a process of
its own; it prints its port, and reads a line with a kind for each master that will come.
"""

from __future__ import annotations

import argparse
import random
import socket
import ssl
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from _fuzz_parties import FALSE
from _fuzz_tls import AFTER, Tls, after, mutated, records

__all__ = ["SERVERS"]

SERVERS = (
    "flight mutated", "flight cut off", "random bytes", "random records", "silence", "trickle",
    "TLS 1.2", "another protocol", "no protocol", "many tickets", *FALSE, *AFTER,
)  # fmt: skip
"""What it does."""

HELD = 4.0  # seconds that it waits for the other end


def context_of(kind: str, parties: Path, log: Path) -> ssl.SSLContext:
    """TLS of a worker, for one kind."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    party = parties / "false" / kind if kind in FALSE else parties / "c" / "worker-0"
    context.load_cert_chain(party / "certificate.pem", party / "key.pem")
    if kind != "no protocol":
        context.set_alpn_protocols(["h2" if kind == "another protocol" else "anyk/1"])
    if kind == "TLS 1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 200 if kind == "many tickets" else 0
    context.keylog_filename = str(log)
    return context


def serve(
    connection: socket.socket, kind: str, context: ssl.SSLContext, log: Path, rng: random.Random
) -> None:
    """Be hostile once."""
    connection.settimeout(HELD)
    if kind in PLAIN:
        PLAIN[kind](connection, rng)
    else:
        secure = Tls(connection, context, None, log)
        if kind.startswith("flight"):
            flight(kind, secure, rng)
        else:
            secure.shake()
            greet(kind, secure, rng)
        if rng.random() < 0.5:
            return
    while connection.recv(1 << 16):
        pass


def flight(kind: str, secure: Tls, rng: random.Random) -> None:
    """The first flight, changed."""
    data = b""
    while not data:
        secure.feed()
        _, data = secure.step()
    cut = data[: rng.randrange(len(data))]
    secure.raw.sendall(mutated(data, rng) if kind == "flight mutated" else cut)


def greet(kind: str, secure: Tls, rng: random.Random) -> None:
    """What comes after the handshake."""
    if kind in AFTER:
        secure.raw.sendall(after(kind, secure.writer(), rng))
    elif kind == "many tickets":
        secure.say(struct.pack(">I", 1 << 30))
    else:
        secure.say(struct.pack(">I", 2) + b"{}")


def trickle(connection: socket.socket, rng: random.Random) -> None:
    """A byte now and then."""
    for byte in rng.randbytes(1000):
        connection.sendall(bytes([byte | 0x10]))
        time.sleep(0.05)


PLAIN: dict[str, Callable[[socket.socket, random.Random], None]] = {
    "random bytes": lambda end, rng: end.sendall(rng.randbytes(rng.choice([1, 5, 300, 200_000]))),
    "random records": lambda end, rng: end.sendall(records(rng)),
    "trickle": trickle,
    "silence": lambda _end, _rng: None,
}
"""Without TLS."""


def main() -> None:
    """Serve one master for each line of the standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parties", type=Path, required=True)
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311 - nothing here is secret
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    with tempfile.TemporaryDirectory() as place:
        log = Path(place) / "secrets"
        contexts = {kind: context_of(kind, options.parties, log) for kind in SERVERS}
        for line in sys.stdin:
            kind = line.strip()
            connection, _ = listener.accept()
            with connection:
                try:
                    serve(connection, kind, contexts[kind], log, rng)
                except (OSError, EOFError, ValueError):
                    continue


if __name__ == "__main__":
    main()
