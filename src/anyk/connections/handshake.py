"""Who is at the other end of a new connection: shown by TLS, and by the name in a certificate."""

from __future__ import annotations

import socket
from pathlib import Path

from anyk.connections.party import Stranger
from anyk.connections.secure import SecureStream
from anyk.connections.standing import Standing
from anyk.connections.tls import client_context, names_in, normal, server_context

__all__ = ["admit", "reach"]

_SPARE = 60.0  # seconds by which the clock of who connects may be behind


def reach(
    connection: socket.socket, directory: Path, name: str, deadline: float, *, protocol: str
) -> SecureStream:
    """The side that connects: TLS with who has this name, by the files as they are now.

    Args:
        connection: a connected socket; it is the caller's to close, whatever happens.
        directory: of certificates, of the one who connects.
        name: that the certificate of the other end must be for.
        deadline: on `time.monotonic`.
        protocol: what is spoken above TLS.

    Raises:
        InvalidArgument: if the directory is not good now.
        Stranger: if the other end is somebody else.
        BrokenAnswer: if it sends too much.
        EOFError: if it closes the connection.
        OSError: if TLS fails, or the deadline is over.
    """
    stream = SecureStream(connection, client_context(directory, protocol), host=name)
    stream.handshake(deadline)
    if normal(name) not in names_in(stream.tls, protocol):
        raise Stranger(f"its certificate is not for {name}")
    return _standing(stream, directory, spare=0.0)


def admit(
    connection: socket.socket, directory: Path, name: str, deadline: float, *, protocol: str
) -> SecureStream:
    """The side that listens: TLS with who has this name, by the files as they are now.

    Args:
        connection: a connected socket; it is the caller's to close, whatever happens.
        directory: of certificates, of the one who listens.
        name: that the certificate of the other end must be for.
        deadline: on `time.monotonic`.
        protocol: what is spoken above TLS.

    Raises:
        InvalidArgument: if the directory is not good now.
        Stranger: if the other end is somebody else.
        BrokenAnswer: if it sends too much.
        EOFError: if it closes the connection.
        OSError: if TLS fails, or the deadline is over.
    """
    stream = SecureStream(connection, server_context(directory, protocol), host=None)
    stream.handshake(deadline)
    names = names_in(stream.tls, protocol)
    if normal(name) not in names:
        shown = ", ".join(sorted(names)) or "nobody"
        raise Stranger(f"it is {shown}, not {name}")
    return _standing(stream, directory, spare=_SPARE)


def _standing(stream: SecureStream, directory: Path, *, spare: float) -> SecureStream:
    certificate = stream.tls.getpeercert(binary_form=True)
    if not certificate:
        raise Stranger("it has shown no certificate")
    stream.stand(Standing(directory, certificate, spare=spare))
    return stream
