"""Who is at the other end: addresses, certificates, and the connections that check them."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from anyk.checks import shown
from anyk.connections.party import (
    AUTHORITY,
    CERTIFICATE,
    KEY,
    REVOKED,
    Stranger,
    read_party,
    unreadable,
)
from anyk.errors import InvalidArgument

__all__ = [
    "Address",
    "client_context",
    "is_loopback",
    "names_in",
    "normal",
    "parse_address",
    "patient",
    "public_key_of",
    "server_context",
]

_HIGHEST_PORT = 65535


@final
@dataclass(frozen=True)
class Address:
    """Where somebody listens, and the name that its certificate must have.

    Args:
        name: in the certificate.
        host: name or IP address.
        port: 0 where it may be any.
    """

    name: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        name = "" if self.name == self.host else f"{self.name}@"
        return f"{name}{host}:{self.port}"


def parse_address(given: object, argument: str) -> Address:
    """Read [NAME@]HOST:PORT.

    Args:
        given: the text; an IPv6 address stands in brackets.
        argument: its name, for the error.

    Raises:
        InvalidArgument: if it is none.

    Example:
        >>> from anyk.connections.tls import parse_address
        >>> parse_address("worker-0@[::1]:7000", "addresses")
        Address(name='worker-0', host='::1', port=7000)
    """
    if isinstance(given, str):
        name, at, place = given.rpartition("@")
        host, colon, port = place.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else -1  # noqa: PLR2004 - digits of a port
        fine = bool(colon and bare) and bool(name) == bool(at) and 0 <= number <= _HIGHEST_PORT
        if fine and (bare == host) == (":" not in bare) and "@" not in name:
            return Address(name or bare, bare, number)
    raise InvalidArgument(
        argument,
        given=shown(given),
        needed="HOST:PORT, or NAME@HOST:PORT with a certificate's name; a port is at most 65535",
        change='Write "worker-0@10.0.0.5:7000", say.',
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its address or the name localhost.

    Example:
        >>> from anyk.connections.tls import is_loopback
        >>> is_loopback("127.0.0.2"), is_loopback("10.0.0.5"), is_loopback("localhost")
        (True, False, True)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def client_context(directory: Path, protocol: str) -> ssl.SSLContext:
    """TLS for who connects: it shows its certificate, and asks for one of its authority's.

    Files are read now, so that a context is as new as they are: make one for each connection.

    Args:
        directory: of certificates.
        protocol: what is spoken above TLS; both ends must say the same.

    Raises:
        InvalidArgument: if the directory does not hold what is needed, or not what is valid now.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = True
    return _prepared(context, directory, protocol)


def server_context(directory: Path, protocol: str) -> ssl.SSLContext:
    """TLS for who listens: it shows its certificate, and asks for one of its authority's.

    It gives no session tickets: with one, somebody whose certificate is over could come back.

    Args:
        directory: of certificates.
        protocol: what is spoken above TLS; both ends must say the same.

    Raises:
        InvalidArgument: if the directory does not hold what is needed, or not what is valid now.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0
    return _prepared(context, directory, protocol)


def _prepared(context: ssl.SSLContext, directory: Path, protocol: str) -> ssl.SSLContext:
    read_party(directory)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols([protocol])
    try:
        context.load_verify_locations(cafile=directory / AUTHORITY)
        if (directory / REVOKED).exists():
            context.load_verify_locations(cafile=directory / REVOKED)
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        context.load_cert_chain(directory / CERTIFICATE, directory / KEY, password=_no_password)
    except (OSError, ValueError) as error:
        if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
            raise InvalidArgument(
                "tls",
                given=f"{str(directory)!r}, where {KEY} is not the key of {CERTIFICATE}",
                needed="a certificate and its own key",
                change="Put both there that were made together; a renewal changes both.",
            ) from error
        raise unreadable(directory, error) from error
    return context


def _no_password() -> str:
    raise ValueError("its key asks for a password, and nobody is there to give it")


def names_in(connection: ssl.SSLObject, protocol: str) -> frozenset[str]:
    """The names and addresses in the certificate of the other end, which TLS has verified.

    Raises:
        Stranger: if the other end speaks another protocol.
    """
    if connection.selected_alpn_protocol() != protocol:
        raise Stranger(f"it does not speak {protocol}")
    certificate: Any = connection.getpeercert() or {}
    return frozenset(
        normal(name)
        for kind, name in certificate.get("subjectAltName", ())
        if kind in {"DNS", "IP Address"}
    )


def normal(name: str) -> str:
    """A name or IP address in the one way of writing it in which it can be compared.

    Example:
        >>> from anyk.connections.tls import normal
        >>> normal("0:0:0:0:0:0:0:1"), normal("Node.Example")
        ('::1', 'node.example')
    """
    try:
        return str(ipaddress.ip_address(name.strip()))
    except ValueError:
        return name.lower()


def public_key_of(connection: ssl.SSLObject) -> bytes:
    """The public key of the other end, which it has shown to have the secret of."""
    from cryptography import x509  # noqa: PLC0415 - takes a while, and few need it
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above

    certificate = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def patient(connection: socket.socket) -> None:
    """Let TCP notice within half a minute that the other end's machine is gone."""
    options = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 30_000}
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in options.items():
        option = getattr(socket, name, None)  # not every system has them all
        if option is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
