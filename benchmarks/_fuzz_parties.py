"""Certificates of all that should not be let in: expired, early, revoked, of others, for others."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from anyk.connections.certificates import (
    make_certificates,
    renew_certificate,
    revoke_certificates,
)

__all__ = ["FALSE", "make_parties"]

FALSE = ("expired", "early", "other authority", "other name", "self-signed", "revoked")
"""Directories that `make_parties` makes beside a good one."""


def make_parties(good: Path, place: Path, name: str) -> None:
    """A directory for each of `FALSE`, whose certificates claim this name.

    Args:
        good: all certificates of an authority, as `make_certificates` has made them.
        place: where to.
        name: of the party.
    """
    authority = good / "authority"
    make_certificates(place / "elsewhere", workers=1)
    shutil.copytree(good / name, place / "revoked")
    revoke_certificates(good, [name])
    renew_certificate(good, name)
    _signed(place / "expired", authority, [name], -2, -1)
    _signed(place / "early", authority, [name], 1, 2)
    _signed(place / "other authority", place / "elsewhere" / "authority", [name], -1, 1)
    _signed(place / "other name", authority, ["somebody", "worker-77"], -1, 1)
    _signed(place / "self-signed", None, [name], -1, 1)
    for each in FALSE:  # they would believe whom everybody believes
        shutil.copy(authority / "authority.pem", place / each / "authority.pem")


def _signed(
    place: Path, authority: Path | None, names: list[str], begin: float, end: float
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, secret = x509.Name([]), key
    if authority is not None:
        pem = (authority / "authority.pem").read_bytes()
        issuer = x509.load_pem_x509_certificate(pem).subject
        secret = serialization.load_pem_private_key((authority / "key.pem").read_bytes(), None)
    now = dt.datetime.now(dt.UTC)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=begin))
        .not_valid_after(now + dt.timedelta(days=end))
        .add_extension(alternatives, critical=True)
        .sign(secret, hashes.SHA256())
    )
    place.mkdir()
    (place / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (place / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
