"""Whom somebody connects to: addresses of which each is another party."""

from __future__ import annotations

from collections.abc import Sequence

from anyk.checks import shown
from anyk.connections.tls import Address, is_loopback, normal, parse_address
from anyk.errors import InvalidArgument

__all__ = ["peers"]


def peers(addresses: Sequence[str], who: str, *, secure: bool) -> tuple[Address, ...]:
    """The addresses, if each is a party of its own that can be told from the others.

    Args:
        addresses: [NAME@]HOST:PORT of each.
        who: what they are, in one word: "worker".
        secure: whether each shows a certificate.

    Raises:
        InvalidArgument: if not.

    Example:
        >>> from anyk.connections.peers import peers
        >>> [str(each) for each in peers(["10.0.0.5:7000"], "worker", secure=True)]
        ['10.0.0.5:7000']
    """
    if not isinstance(addresses, (list, tuple)) or not addresses:
        raise InvalidArgument(
            "addresses",
            given=shown(addresses),
            needed=f"a list of addresses, one for each {who}",
            change=f'Pass ["{who}-0@10.0.0.5:7000", "{who}-1@10.0.0.6:7000"], say.',
        )
    parsed = tuple(parse_address(each, "addresses") for each in addresses)
    for address in parsed:
        _check(address, who, secure=secure)
    same = [
        normal(address.name) if secure else f"{address.host} {address.port}" for address in parsed
    ]
    for place, (address, name) in enumerate(zip(parsed, same, strict=True)):
        if name in same[:place]:
            raise InvalidArgument(
                "addresses",
                given=f"{parsed[same.index(name)]} and {address}",
                needed="another name for each, which its certificate shows",
                change=f"Name each once. {who.capitalize()}s of one host need names of their own: "
                f'"{who}-0@HOST:7000", "{who}-1@HOST:7001".',
            )
    return parsed


def _check(address: Address, who: str, *, secure: bool) -> None:
    """Refuse one that can't be reached, or not without certificates."""
    if not address.port:
        raise InvalidArgument(
            "addresses",
            given=str(address),
            needed=f"the port on which the {who} listens",
            change=f"A {who} told to listen on port 0 says which one it took.",
        )
    if not secure and not is_loopback(address.host):
        raise InvalidArgument(
            "tls",
            given=f"None, with a {who} at {address}",
            needed=f"certificates, for {who}s on other machines",
            change="Anybody on the way could read and change everything. "
            f"Make certificates for a trial: anyk certificates DIR --{who}s 3.",
        )
    if not secure and address.name != address.host:
        raise InvalidArgument(
            "addresses",
            given=f"{address}, with tls=None",
            needed="no name, as no certificate could show it",
            change="Leave the name out, or use certificates.",
        )
