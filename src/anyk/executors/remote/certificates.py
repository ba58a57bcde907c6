"""`anyk certificates`: an authority, a master's certificate and one a worker, for a trial."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from anyk.checks import count, shown
from anyk.errors import InvalidArgument
from anyk.executors.remote.party import AUTHORITY, CERTIFICATE, KEY

__all__ = ["make_certificates"]

_MOST_DAYS = 3650
_NAME = re.compile(r"[A-Za-z0-9_*](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?", re.ASCII)


def make_certificates(
    directory: Path,
    *,
    workers: int,
    hosts: Sequence[str] = ("localhost", "127.0.0.1", "::1"),
    days: int = 30,
) -> list[str]:
    """Write an authority's certificate, the master's, and one for each worker, with their keys.

    They are for a trial: whoever has the authority's key, which is written beside them, can make
    more. In earnest, use an authority that you have; a party's directory then holds its
    certificate, its key and the certificate of the authority that it believes, by the same names.

    Args:
        directory: where to; DIR/master, DIR/worker-0 and so on, each for one party alone, and
            DIR/authority, for nobody.
        workers: how many workers.
        hosts: names and IP addresses that the workers' certificates are good for too.
        days: how long they last.

    Returns:
        Names of the workers: worker-0, worker-1 and so on.

    Raises:
        InvalidArgument: if the directory has certificates already, a number is out of range, or a
            host is neither a name nor an address.

    Example:
        >>> import tempfile
        >>> from anyk.executors.remote.certificates import make_certificates
        >>> with tempfile.TemporaryDirectory() as place:
        ...     names = make_certificates(Path(place), workers=2)
        ...     files = sorted(path.name for path in (Path(place) / "worker-1").iterdir())
        >>> names, files
        (['worker-0', 'worker-1'], ['authority.pem', 'certificate.pem', 'key.pem'])
    """
    number = count("workers", workers, least=1)
    last = dt.timedelta(days=_checked_days(days))
    for host in hosts:
        _host(host)  # so that a name that is none leaves no half of the certificates behind
    names = [f"worker-{worker}" for worker in range(number)]
    parties = ["authority", "master", *names]
    taken = [name for name in parties if (directory / name).exists()]
    if taken:
        raise InvalidArgument(
            "directory",
            given=f"{str(directory)!r}, which has {taken[0]}",
            needed="a directory without certificates",
            change="Name another one, or remove it if nobody uses it.",
        )
    authority_key = _new_key()
    authority = _signed("anyk trial authority", authority_key, None, authority_key, (), last)
    for name in parties:
        (directory / name).mkdir(parents=True, mode=0o700)
        _write(directory / name / AUTHORITY, _pem(authority), secret=False)
    _write(directory / "authority" / KEY, _key_pem(authority_key), secret=True)
    for name in parties[1:]:
        key = _new_key()
        others = () if name == "master" else tuple(hosts)
        certificate = _signed(name, key, authority, authority_key, others, last)
        _write(directory / name / CERTIFICATE, _pem(certificate), secret=False)
        _write(directory / name / KEY, _key_pem(key), secret=True)
    return names


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _signed(  # noqa: PLR0917 - each of them another thing
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    hosts: Sequence[str],
    last: dt.timedelta,
) -> x509.Certificate:
    """A certificate: an authority's own where there is no issuer, else a party's."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))  # clocks differ
        .not_valid_after(now + last)
        .add_extension(
            x509.BasicConstraints(ca=issuer is None, path_length=0 if issuer is None else None),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(_usage(signs=issuer is None), critical=True)
    )
    if issuer is not None:
        oid = ExtendedKeyUsageOID
        use = oid.CLIENT_AUTH if name == "master" else oid.SERVER_AUTH
        names = [x509.DNSName(name), *(_host(host) for host in hosts)]
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


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


def _checked_days(days: int) -> int:
    if count("days", days, least=1) > _MOST_DAYS:
        raise InvalidArgument(
            "days",
            given=str(days),
            needed=f"at most {_MOST_DAYS}",
            change="These certificates are for a trial: lower it.",
        )
    return days


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if _NAME.fullmatch(host):
            return x509.DNSName(host)
    raise InvalidArgument(
        "hosts",
        given=shown(host),
        needed="names of letters, digits, hyphens and dots, or IP addresses",
        change="Write a name as DNS has it (xn--...), and each host as a word of its own.",
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes, *, secret: bool) -> None:
    mode = 0o600 if secret else 0o644
    path.touch(mode=mode, exist_ok=False)
    path.write_bytes(data)
