"""An authority for a trial: it signs certificates, keeps a copy of each, and lists revoked ones."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path
from typing import final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from anyk.checks import shown
from anyk.connections.party import AUTHORITY, KEY, REVOKED
from anyk.errors import InvalidArgument

__all__ = ["ASKERS", "Authority", "general_name", "new_key", "pem_of", "write"]

ASKERS = frozenset({"master", "server"})
"""Names of those who connect to others, and whom nobody connects to."""

_FOLDER, _ISSUED = "authority", "issued"
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?", re.ASCII)
_EARLIER = dt.timedelta(hours=1)  # clocks differ
_SERIAL = 40  # hexadecimal digits: 20 bytes, as RFC 5280 has them at most
_LEAST_DAYS = 365  # of an authority, which outlives what it signs


@final
class Authority:
    """Whoever has its key can be anybody: the folder `authority` of a directory of certificates.

    Args:
        directory: of all certificates.

    Raises:
        InvalidArgument: if no authority is there that can sign.

    Example:
        >>> import tempfile
        >>> from anyk.connections.authority import Authority, new_key
        >>> with tempfile.TemporaryDirectory() as place:
        ...     authority = Authority.make(Path(place), days=30)
        ...     certificate = authority.sign("master", new_key(), ["master"], days=30)
        ...     authority.parties
        ('master',)
    """

    def __init__(self, directory: Path) -> None:
        self._place = directory / _FOLDER
        try:
            secret = (self._place / KEY).read_bytes()
            key = serialization.load_pem_private_key(secret, None)
            self.certificate = x509.load_pem_x509_certificate(
                (self._place / AUTHORITY).read_bytes()
            )
        except (OSError, ValueError, TypeError) as error:
            raise _no_authority(directory, f"{type(error).__name__}: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise _no_authority(directory, "its key is of another kind")
        self._key = key
        if self.certificate.not_valid_after_utc <= _now():
            raise InvalidArgument(
                "directory",
                given=f"{str(directory)!r}, whose authority ran out on {self.until}",
                needed="an authority that can still sign",
                change="Make new certificates in another directory: "
                "anyk certificates DIR --workers 3.",
            )

    @classmethod
    def make(cls, directory: Path, days: int) -> Authority:
        """A new one, which lasts for a year, or for as many days where these are more."""
        place = directory / _FOLDER
        place.mkdir(parents=True, mode=0o700)
        (place / _ISSUED).mkdir(mode=0o700)
        key, now = new_key(), _now()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anyk trial authority")])
        builder = (
            _begun(name, name, key, now)
            .not_valid_after(now + dt.timedelta(days=max(days, _LEAST_DAYS)))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_issuer_of(key), critical=False)
            .add_extension(_usage(signs=True), critical=True)
        )
        certificate = builder.sign(key, hashes.SHA256())
        write(place / AUTHORITY, pem_of(certificate), secret=False)
        write(place / KEY, pem_of(key), secret=True)
        return cls(directory)

    @property
    def until(self) -> str:
        """The day until which it can sign."""
        return f"{self.certificate.not_valid_after_utc:%Y-%m-%d}"

    @property
    def parties(self) -> tuple[str, ...]:
        """Names of those for whom it has signed."""
        return tuple(sorted({_party(path) for path in self._all()}))

    @property
    def revoked(self) -> bytes | None:
        """Its list of revoked certificates, where it has written one."""
        path = self._place / REVOKED
        return path.read_bytes() if path.exists() else None

    def sign(
        self, name: str, key: ec.EllipticCurvePrivateKey, names: Sequence[str], days: int
    ) -> x509.Certificate:
        """Certify that a key is that of a party, which has these names and addresses.

        It lasts for so many days, but no longer than the authority.
        """
        now = _now()
        oid = ExtendedKeyUsageOID
        use = oid.CLIENT_AUTH if name in ASKERS else oid.SERVER_AUTH
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        alternative = x509.SubjectAlternativeName([general_name(each) for each in names])
        end = min(now + dt.timedelta(days=days), self.certificate.not_valid_after_utc)
        builder = (
            _begun(subject, self.certificate.subject, key, now)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_issuer_of(self._key), critical=False)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=True)
            .add_extension(alternative, critical=False)
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        path = self._place / _ISSUED / f"{name}-{certificate.serial_number:0{_SERIAL}x}.pem"
        write(path, pem_of(certificate), secret=False)
        return certificate

    def issued(self, name: str) -> list[x509.Certificate]:
        """All certificates that it has signed for a party, the newest last."""
        found = [
            x509.load_pem_x509_certificate(path.read_bytes())
            for path in self._all()
            if _party(path) == name
        ]
        return sorted(found, key=lambda each: each.not_valid_before_utc)

    def revoke(self, certificates: Sequence[x509.Certificate], days: int) -> bytes:
        """Write its list anew, with these and all that were revoked before, good for some days."""
        now = _now()
        gone = {each.serial_number: now for each in certificates}
        if self.revoked is not None:
            for old in x509.load_pem_x509_crl(self.revoked):
                gone[old.serial_number] = old.revocation_date_utc
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - _EARLIER)
            .next_update(now + dt.timedelta(days=days))
            .add_extension(_issuer_of(self._key), critical=False)
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        )
        for serial, when in gone.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when)
            builder = builder.add_revoked_certificate(entry.build())
        text = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        write(self._place / REVOKED, text, secret=False)
        return text

    def _all(self) -> list[Path]:
        return sorted((self._place / _ISSUED).glob(f"*-{'[0-9a-f]' * _SERIAL}.pem"))


def _party(path: Path) -> str:
    """Whose certificate a file of those that were issued is."""
    return path.stem[: -_SERIAL - 1]


def general_name(name: str) -> x509.GeneralName:
    """A name or IP address as a certificate has it.

    Raises:
        InvalidArgument: if it is neither, or would stand for several.
    """
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        if _NAME.fullmatch(name):
            return x509.DNSName(name)
    raise InvalidArgument(
        "hosts",
        given=shown(name),
        needed="names of letters, digits, hyphens and dots, or IP addresses",
        change="Write a name as DNS has it (xn--...), and each host as a word of its own.",
    )


def new_key() -> ec.EllipticCurvePrivateKey:
    """A secret that nobody else has."""
    return ec.generate_private_key(ec.SECP256R1())


def pem_of(thing: x509.Certificate | ec.EllipticCurvePrivateKey) -> bytes:
    """A certificate or a key as text."""
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    kind, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return thing.private_bytes(serialization.Encoding.PEM, kind, bare)


def write(path: Path, data: bytes, *, secret: bool) -> None:
    """Write a file in one step, in which nobody sees half of it."""
    half = path.with_name(f"{path.name}.new")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600 if secret else 0o644, exist_ok=False)
    half.write_bytes(data)
    half.replace(path)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _issuer_of(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _no_authority(directory: Path, why: str) -> InvalidArgument:
    return InvalidArgument(
        "directory",
        given=f"{str(directory)!r} ({why})",
        needed=f"a directory whose folder {_FOLDER} has the authority's key",
        change="Name the one that anyk certificates DIR --workers N has made.",
    )
