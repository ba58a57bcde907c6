"""Who listens: where, how many strangers at once, and how long one has to show who it is."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from anyk.connections.handshake import admit
from anyk.connections.party import Stranger
from anyk.connections.stream import AbstractStream, PlainStream
from anyk.connections.tls import Address, patient

__all__ = ["GREETING", "MOST_STRANGERS", "greet", "listen", "one_too_many"]

GREETING: Final = 10
"""Seconds that a stranger has to show who it is."""

MOST_STRANGERS: Final = 32
"""Connections at once of those who have not."""

_HANDSHAKE = b"\x16"  # how TLS begins


def listen(address: Address) -> socket.socket:
    """A socket that listens, and never waits.

    Args:
        address: where; port 0 for any that is free.

    Raises:
        OSError: if it can't listen there; it says what to do.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listener = socket.create_server((address.host, address.port), family=family, backlog=64)
    except OSError as error:
        raise OSError(
            f"can't listen on {address}: {error.strerror}. Name an address of this machine and "
            "a port that nobody uses; port 0 takes any that is free."
        ) from error
    listener.settimeout(0.0)
    return listener


def one_too_many(peers: Sequence[str]) -> int | None:
    """Which stranger makes room for the next one: the oldest, from where most of them are.

    Args:
        peers: where each stranger comes from, the oldest first.

    Returns:
        Its place; None if there is room.

    Example:
        >>> from anyk.connections.door import one_too_many
        >>> one_too_many(["10.0.0.5"]), one_too_many(["10.0.0.5"] + ["10.0.0.6"] * 31)
        (None, 1)
    """
    if len(peers) < MOST_STRANGERS:
        return None
    ((crowd, _),) = Counter(peers).most_common(1)
    return peers.index(crowd)


def greet(
    connection: socket.socket, tls: Path | None, name: str, *, protocol: str
) -> AbstractStream:
    """The connection, if who is at its other end shows in time to be this one.

    Args:
        connection: that was accepted; it is the caller's to close, whatever happens.
        tls: directory of certificates, of the one who listens; None to take anybody.
        name: that the certificate of the other end must be for.
        protocol: what is spoken above TLS.

    Raises:
        InvalidArgument: if the directory is not good now.
        Stranger: if the other end is somebody else.
        BrokenAnswer: if it sends too much.
        EOFError: if it closes the connection.
        OSError: if TLS fails, or it takes too long.
    """
    until = time.monotonic() + GREETING
    patient(connection)
    if tls is None:
        return PlainStream(connection)
    connection.settimeout(GREETING)
    first = connection.recv(1, socket.MSG_PEEK)  # nothing is read for those who say nothing
    if first != _HANDSHAKE:
        raise Stranger("it does not begin TLS" if first else "it has gone again")
    return admit(connection, tls, name, until, protocol=protocol)
