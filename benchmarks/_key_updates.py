"""A peer that has a certificate, and sends TLS 1.3 key updates instead of what TLS is for."""

from __future__ import annotations

import hmac
import socket
import ssl
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_AT_ONCE = 2000
_HEADER = bytes.fromhex("1703030016")  # a record of 22 bytes: 6 of ciphertext, and its tag
_UPDATE = bytes.fromhex("180000010016")  # a key update, none asked for in return


def _label(name: str, length: int) -> bytes:
    """HKDF-Expand's input for a label without context (RFC 8446, section 7.1), and its counter."""
    text = b"tls13 " + name.encode()
    return struct.pack(">HB", length, len(text)) + text + b"\0\1"


_KEY, _IV, _NEXT = _label("key", 32), _label("iv", 12), _label("traffic upd", 48)


def _records(secret: bytes, number: int) -> tuple[bytes, bytes]:
    """The secret after so many key updates, and their records."""
    out = []
    for _ in range(number):
        key = hmac.digest(secret, _KEY, "sha384")[:32]
        first = hmac.digest(secret, _IV, "sha384")[:12]  # of record 0, the only one under this key
        out += [_HEADER, AESGCM(key).encrypt(first, _UPDATE, _HEADER)]
        secret = hmac.digest(secret, _NEXT, "sha384")
    return secret, b"".join(out)


def key_updates(port: int, keys: Path, protocol: str, name: str = "worker-0") -> Iterator[int]:
    """Shake hands with a server of this machine, then send it key updates.

    Args:
        port: the server's.
        keys: the directory of the peer's certificate.
        protocol: for ALPN.
        name: in the server's certificate.

    Yields:
        How many were sent since the last time.

    Raises:
        OSError: when the server ends it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(keys / "authority.pem")
    context.load_cert_chain(keys / "certificate.pem", keys / "key.pem")
    context.set_alpn_protocols([protocol])
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with tempfile.NamedTemporaryFile() as log:
        context.keylog_filename = log.name
        plain = socket.create_connection(("127.0.0.1", port), 10)
        tls = context.wrap_socket(plain, server_hostname=name)
        lines = Path(log.name).read_text().splitlines()
        if tls.cipher()[0] != "TLS_AES_256_GCM_SHA384":
            raise SystemExit(f"this flood is made for another cipher than {tls.cipher()[0]}")
    (secret,) = (
        bytes.fromhex(line.split()[2])
        for line in lines
        if line.startswith("CLIENT_TRAFFIC_SECRET_0")
    )
    with socket.socket(fileno=tls.detach()) as raw:
        raw.settimeout(10)
        while True:
            secret, records = _records(secret, _AT_ONCE)
            raw.sendall(records)
            yield _AT_ONCE
