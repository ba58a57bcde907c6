"""A party's directory: whom it believes, who it is, its secret, and who is believed no more."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from anyk.errors import InvalidArgument

if TYPE_CHECKING:
    from cryptography import x509

__all__ = [
    "AUTHORITY",
    "CERTIFICATE",
    "KEY",
    "REVOKED",
    "Party",
    "Stranger",
    "name_of",
    "read_party",
    "unreadable",
]

AUTHORITY, CERTIFICATE, KEY = "authority.pem", "certificate.pem", "key.pem"
"""The files of a party's directory: whom it believes, who it is, and its secret."""

REVOKED = "revoked.pem"
"""The file of a party's directory with lists of revoked certificates, where there are any."""

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----\s*", re.DOTALL)
_LIST = b"X509 CRL"


@final
class Stranger(Exception):  # noqa: N818 - it never leaves the executor
    """The other end is not the one it should be, or no longer."""


@final
@dataclass(frozen=True)
class Party:
    """What a directory says when it is read.

    Args:
        until: when the first of what it holds runs out, in seconds since 1970.
        revoked: (issuer, serial number) of the certificates that are not believed any more.
    """

    until: float
    revoked: frozenset[tuple[bytes, int]]


def read_party(directory: Path) -> Party:
    """Read a party's certificate and its lists of revoked ones, and check that they are good now.

    Raises:
        InvalidArgument: if they are not; with the date, where it is one.

    Example:
        >>> import tempfile
        >>> from anyk.connections.certificates import make_certificates
        >>> from anyk.connections.party import read_party
        >>> with tempfile.TemporaryDirectory() as place:
        ...     names = make_certificates(Path(place), workers=1, days=30)
        ...     party = read_party(Path(place) / "master")
        >>> round((party.until - time.time()) / 86400), party.revoked
        (30, frozenset())
    """
    authorities, own = _read(directory)
    lists = _lists(directory)
    now = time.time()
    _check_own(directory, own, now)
    believed = max(_end_of(each) for each in authorities)
    if now >= believed:
        raise _over(directory, f"{AUTHORITY} ran out on {_date(believed)}")
    ends = [believed, _end_of(own), *(_check_list(directory, each, now) for each in lists)]
    revoked = frozenset(
        (each.issuer.public_bytes(), gone.serial_number) for each in lists for gone in each
    )
    if name_of(own) in revoked:
        raise _over(directory, f"{CERTIFICATE} is revoked by its own {REVOKED}")
    return Party(min(ends), revoked)


def name_of(certificate: x509.Certificate) -> tuple[bytes, int]:
    """What a list of revoked certificates calls this one."""
    return certificate.issuer.public_bytes(), certificate.serial_number


def _read(directory: Path) -> tuple[Sequence[x509.Certificate], x509.Certificate]:
    """Whom a party believes, and who it is."""
    from cryptography import x509  # noqa: PLC0415 - takes a while, and few need it

    try:
        authorities = x509.load_pem_x509_certificates((directory / AUTHORITY).read_bytes())
        own = x509.load_pem_x509_certificates((directory / CERTIFICATE).read_bytes())[0]
    except (OSError, ValueError) as error:
        raise unreadable(directory, error) from error
    return authorities, own


def _lists(directory: Path) -> list[x509.CertificateRevocationList]:
    """Its lists of revoked certificates."""
    from cryptography import x509  # noqa: PLC0415 - takes a while, and few need it

    path = directory / REVOKED
    try:
        text = path.read_bytes().strip() if path.exists() else None
    except OSError as error:
        raise unreadable(directory, error) from error
    if text is None:
        return []
    blocks = list(_BLOCK.finditer(text))
    if not blocks or sum(len(block[0]) for block in blocks) != len(text):
        raise _bad_list(directory, f"{REVOKED} is not of whole lists in PEM alone")
    if any(block[1] != _LIST for block in blocks):  # a certificate there would be believed
        raise _bad_list(directory, f"{REVOKED} holds something else than lists")
    try:
        return [x509.load_pem_x509_crl(block[0]) for block in blocks]
    except ValueError as error:
        raise _bad_list(directory, f"{REVOKED} holds a list that can't be read") from error


def _check_own(directory: Path, own: x509.Certificate, now: float) -> None:
    begin = own.not_valid_before_utc.timestamp()
    if now < begin:
        raise _over(directory, f"{CERTIFICATE} is not valid before {_date(begin)}")
    if now >= _end_of(own):
        raise _over(directory, f"{CERTIFICATE} ran out on {_date(_end_of(own))}")


def _check_list(directory: Path, each: x509.CertificateRevocationList, now: float) -> float:
    """When a list runs out, if it has begun and has not."""
    begin, end = each.last_update_utc.timestamp(), each.next_update_utc
    if end is None or now >= end.timestamp():
        when = "has no end" if end is None else f"ran out on {_date(end.timestamp())}"
        raise _bad_list(directory, f"a list in {REVOKED} {when}")
    if now < begin:
        raise _bad_list(directory, f"a list in {REVOKED} is not valid before {_date(begin)}")
    return end.timestamp()


def _end_of(certificate: x509.Certificate) -> float:
    return certificate.not_valid_after_utc.timestamp()


def _date(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def unreadable(directory: Path, error: Exception) -> InvalidArgument:
    """What to say of a directory that can't be read."""
    return InvalidArgument(
        "tls",
        given=f"{str(directory)!r} ({type(error).__name__}: {error})",
        needed=f"a directory with {AUTHORITY}, {CERTIFICATE} and {KEY}, in PEM and readable",
        change="Make some for a trial: anyk certificates DIR --workers 3; for aggregators, "
        "anyk committee DIR --aggregators 4 --clients 3.",
    )


def _over(directory: Path, what: str) -> InvalidArgument:
    return InvalidArgument(
        "tls",
        given=f"{str(directory)!r}, where {what}; it is {_date(time.time())} here",
        needed="certificates that are valid now",
        change="Renew it (anyk certificates DIR --renew NAME, if that made it), or set the clock.",
    )


def _bad_list(directory: Path, what: str) -> InvalidArgument:
    return InvalidArgument(
        "tls",
        given=f"{str(directory)!r}, where {what}; it is {_date(time.time())} here",
        needed="lists that are valid now: who is revoked is not known otherwise",
        change="Get a new list of the authority (anyk certificates DIR --revoke writes one, if "
        "that made it).",
    )
