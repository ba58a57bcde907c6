"""A peer that has a certificate, and sends TLS 1.3 key updates instead of what TLS is for."""

from __future__ import annotations

import socket
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "executors"))
from key_updates import CIPHER, key_updates, secret_of

__all__ = ["flood_of"]

_AT_ONCE = 2000


def flood_of(port: int, keys: Path, protocol: str, name: str = "worker-0") -> Iterator[int]:
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
        if tls.cipher()[0] != CIPHER:
            raise SystemExit(f"this flood is made for another cipher than {tls.cipher()[0]}")
        secret = secret_of(Path(log.name), "CLIENT")
    with socket.socket(fileno=tls.detach()) as raw:
        raw.settimeout(10)
        while True:
            secret, records = key_updates(secret, _AT_ONCE, asks=False)
            raw.sendall(records)
            yield _AT_ONCE
