"""Certificates for a trial of one who asks and some who answer: made, renewed and revoked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from anyk.checks import count
from anyk.connections.authority import Authority, general_name, new_key, pem_of, write
from anyk.connections.party import AUTHORITY, CERTIFICATE, KEY, REVOKED
from anyk.connections.tls import normal
from anyk.errors import InvalidArgument

__all__ = ["certify_parties", "make_certificates", "renew_certificate", "revoke_certificates"]

_MOST_DAYS = 3650


def make_certificates(
    directory: Path, *, workers: int, hosts: Sequence[str] = (), days: int = 30
) -> list[str]:
    """Write an authority's certificate, the master's, and one for each worker, with their keys.

    They are for a trial: whoever has the authority's key, which is written beside them, can make
    more. In earnest, use an authority that you have; a party's directory then holds its
    certificate, its key and the certificate of the authority that it believes, by the same names.

    Args:
        directory: where to; DIR/master, DIR/worker-0 and so on, each for one party alone, and
            DIR/authority, for nobody.
        workers: how many workers.
        hosts: a name or IP address for each worker, for which its certificate is good too; none
            where addresses are NAME@HOST:PORT.
        days: how long they last; the authority lasts for a year at least.

    Returns:
        Names of the workers: worker-0, worker-1 and so on.

    Raises:
        InvalidArgument: if the directory has certificates already, a number is out of range, or
            hosts are not one for each worker, another one each, or neither names nor addresses.

    Example:
        >>> import tempfile
        >>> from anyk.connections.certificates import make_certificates
        >>> with tempfile.TemporaryDirectory() as place:
        ...     names = make_certificates(Path(place), workers=2)
        ...     files = sorted(path.name for path in (Path(place) / "worker-1").iterdir())
        >>> names, files
        (['worker-0', 'worker-1'], ['authority.pem', 'certificate.pem', 'key.pem'])
    """
    return certify_parties(directory, "master", "worker", workers, hosts=hosts, days=days)


def certify_parties(
    directory: Path,
    asker: str,
    who: str,
    number: int,
    *,
    hosts: Sequence[str],
    days: int,
    others: Sequence[str] = (),
) -> list[str]:
    """Write an authority's certificate, that of who asks, and one for each of those who answer.

    Args:
        directory: where to; a directory for each party, and one of the authority, for nobody.
        asker: name of who connects to all others: one of `ASKERS`.
        who: what those are who listen, in one word.
        number: of them.
        hosts: a name or IP address for each of them; or none.
        days: how long they last.
        others: names of parties that get a directory and no certificate, of which none may be
            there either; the caller's to make.

    Returns:
        Names of those who listen.

    Raises:
        InvalidArgument: as `make_certificates` does.
    """
    names = [f"{who}-{place}" for place in range(count(f"{who}s", number, least=1))]
    _check_days(days)
    _check_hosts(hosts, asker, who, names)  # now, so that no half of them is left behind
    parties = ["authority", asker, *names, *others]
    taken = [name for name in parties if (directory / name).exists()]
    if taken:
        raise InvalidArgument(
            "directory",
            given=f"{str(directory)!r}, which has {taken[0]}",
            needed="a directory without certificates",
            change="Name another one, or remove it if nobody uses it.",
        )
    authority = Authority.make(directory, days)
    _certify(directory, authority, asker, [asker], days)
    for place, name in enumerate(names):
        _certify(directory, authority, name, [name, *hosts[place : place + 1]], days)
    return names


def renew_certificate(directory: Path, name: str, *, days: int = 30) -> str:
    """Write a new key and a new certificate for a party, with the names that it has.

    The old certificate is good until it runs out, unless it is revoked.

    Args:
        directory: as `make_certificates` has made it.
        name: of the party.
        days: how long the new one lasts, at most as long as the authority.

    Returns:
        The day until which it lasts.

    Raises:
        InvalidArgument: if there is no such party or no authority, or the number is out of range.

    Example:
        >>> import tempfile
        >>> from anyk.connections.certificates import make_certificates, renew_certificate
        >>> with tempfile.TemporaryDirectory() as place:
        ...     _ = make_certificates(Path(place), workers=1)
        ...     old = (Path(place) / "worker-0" / "key.pem").read_bytes()
        ...     _ = renew_certificate(Path(place), "worker-0")
        ...     old == (Path(place) / "worker-0" / "key.pem").read_bytes()
        False
    """
    _check_days(days)
    authority = Authority(directory)
    newest = _issued(authority, name)[-1]
    names = newest.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return _certify(directory, authority, name, [str(each.value) for each in names], days)


def revoke_certificates(directory: Path, names: Sequence[str] = (), *, days: int = 30) -> str:
    """Write a list of revoked certificates: those of these parties, and all that were in it.

    It goes to every party's directory here, and must reach those that are elsewhere.

    Args:
        directory: as `make_certificates` has made it.
        names: parties, of which no certificate is believed any more that was made so far; none to
            write the list again before it runs out.
        days: how long the list is good for.

    Returns:
        The day until which it is.

    Raises:
        InvalidArgument: if there is no such party or no authority, or the number is out of range.

    Example:
        >>> import tempfile
        >>> from anyk.connections.certificates import make_certificates, revoke_certificates
        >>> with tempfile.TemporaryDirectory() as place:
        ...     _ = make_certificates(Path(place), workers=2)
        ...     _ = revoke_certificates(Path(place), ["worker-1"])
        ...     (Path(place) / "master" / "revoked.pem").exists()
        True
    """
    _check_days(days)
    authority = Authority(directory)
    found = [each for name in names for each in _issued(authority, name)]
    text = authority.revoke(found, days)
    for name in authority.parties:
        if (directory / name).is_dir():
            write(directory / name / REVOKED, text, secret=False)
    end = x509.load_pem_x509_crl(text).next_update_utc
    return f"{end:%Y-%m-%d}"


def _certify(
    directory: Path, authority: Authority, name: str, names: Sequence[str], days: int
) -> str:
    """Write what a party needs; whoever reads between two files finds a key that does not fit."""
    key = new_key()
    certificate = authority.sign(name, key, names, days)
    place = directory / name
    place.mkdir(mode=0o700, exist_ok=True)
    write(place / AUTHORITY, pem_of(authority.certificate), secret=False)
    if authority.revoked is not None:
        write(place / REVOKED, authority.revoked, secret=False)
    write(place / KEY, pem_of(key), secret=True)
    write(place / CERTIFICATE, pem_of(certificate), secret=False)
    return f"{certificate.not_valid_after_utc:%Y-%m-%d}"


def _issued(authority: Authority, name: str) -> list[x509.Certificate]:
    found = authority.issued(name)
    if not found:
        raise InvalidArgument(
            "name",
            given=repr(name),
            needed=f"one of {', '.join(authority.parties)}",
            change="Name a party that this authority has certified.",
        )
    return found


def _check_hosts(hosts: Sequence[str], asker: str, who: str, names: Sequence[str]) -> None:
    """Refuse hosts for which two certificates would be good, or one of another party."""
    for host in hosts:
        general_name(host)
    if hosts and len(hosts) != len(names):
        raise InvalidArgument(
            "hosts",
            given=f"{len(hosts)} for {len(names)} {who}s",
            needed=f"one for each {who}, for which its certificate is good and no other",
            change=f"Pass one for each {who}, in order; or none, and name {who}s in their "
            f"addresses: {who}-0@HOST:PORT.",
        )
    same = [normal(name) for name in [asker, *names, *hosts]]
    for place, host in enumerate(same[-len(hosts) :] if hosts else [], len(same) - len(hosts)):
        if host in same[:place]:
            raise InvalidArgument(
                "hosts",
                given=f"{host} twice, or as the name of a party",
                needed=f"hosts of which each has one {who}",
                change=f"Leave them out: {who}s of one host are told apart by their names, as in "
                f"{who}-0@HOST:7000, {who}-1@HOST:7001.",
            )


def _check_days(days: int) -> None:
    if count("days", days, least=1) > _MOST_DAYS:
        raise InvalidArgument(
            "days",
            given=str(days),
            needed=f"at most {_MOST_DAYS}",
            change="These certificates are for a trial: lower it.",
        )
