"""Key updates of TLS 1.3, made as fast as they can be: what OpenSSL answers without coming back."""

import hmac
import socket
import ssl
import struct
import time
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CIPHER = "TLS_AES_256_GCM_SHA384"


def label(name: bytes, length: int) -> bytes:
    """RFC 8446, section 7.1, with the counter of HKDF-Expand behind it."""
    name = b"tls13 " + name
    return struct.pack(">HB", length, len(name)) + name + b"\0\1"


KEY, IV, UPDATE = label(b"key", 32), label(b"iv", 12), label(b"traffic upd", 48)


def sealed(secret: bytes, kind: int, data: bytes) -> bytes:
    """The first record under a secret."""
    key, iv = (hmac.digest(secret, each, "sha384") for each in (KEY, IV))
    start = struct.pack(">BHH", 0x17, 0x0303, len(data) + 17)
    return start + AESGCM(key[:32]).encrypt(iv[:12], data + bytes([kind]), start)


def key_updates(secret: bytes, number: int, *, asks: bool) -> tuple[bytes, bytes]:
    """The next secret, and so many records; each may ask the other end for one of its own."""
    records = []
    for _ in range(number):
        records.append(sealed(secret, 0x16, bytes.fromhex("18000001") + bytes([asks])))
        secret = hmac.digest(secret, UPDATE, "sha384")
    return secret, b"".join(records)


def secret_of(log: Path, side: str) -> bytes:
    """The secret under which a side of the newest connection sends."""
    lines = [line.split() for line in log.read_text(encoding="utf-8").splitlines()]
    return bytes.fromhex([line[2] for line in lines if line[0] == f"{side}_TRAFFIC_SECRET_0"][-1])


def flood(
    secure: ssl.SSLSocket, log: Path, side: str, *, asks: bool, seconds: float, pause: float = 0.0
) -> int:
    """Send key updates until the other end closes the connection, and say how many bytes.

    Nothing may have been sent under the secret but whole records that the caller knows of: none.
    """
    cipher = secure.cipher()
    assert cipher is not None
    assert cipher[0] == CIPHER
    secret, sent = secret_of(log, side), 0
    until = time.monotonic() + seconds
    with socket.socket(fileno=secure.detach()) as raw:
        raw.settimeout(seconds)
        while time.monotonic() < until:
            secret, data = key_updates(secret, 1 if pause else 500, asks=asks)
            try:
                raw.sendall(data)
            except OSError:
                return sent
            sent += len(data)
            time.sleep(pause)
    raise AssertionError(f"{sent} bytes of key updates were taken, and the connection kept")
