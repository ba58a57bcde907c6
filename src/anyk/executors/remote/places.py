"""Which workers stand in one place: addresses of one machine, whatever it is called."""

from __future__ import annotations

import collections
import ipaddress
import socket
from collections.abc import Callable, Sequence

from anyk.checks import shown
from anyk.errors import InvalidArgument

__all__ = ["check_places", "most_in_one_place", "resolved"]

Resolve = Callable[[str], frozenset[str]]


def resolved(host: str) -> frozenset[str]:
    """The IP addresses of a host; its name alone where nobody knows any.

    Example:
        >>> from anyk.executors.remote.places import resolved
        >>> resolved("0:0::7") == resolved("::7"), resolved("::ffff:10.0.0.5")
        (True, frozenset({'10.0.0.5'}))
    """
    try:
        return frozenset({_normal(host)})
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return frozenset({host.lower()})
    return frozenset(_normal(str(each[4][0])) for each in found)


def most_in_one_place(hosts: Sequence[str], resolve: Resolve = resolved) -> int:
    """How many of these hosts are one machine, at most: those that share an IP address.

    Loopback addresses count as machines of their own: behind them is a trial on this machine, as
    in a local cluster of Dask, or a tunnel to anywhere.

    Args:
        hosts: one a worker; names or IP addresses.
        resolve: the IP addresses of a host.

    Example:
        >>> from anyk.executors.remote.places import most_in_one_place
        >>> most_in_one_place(["10.0.0.5", "::ffff:10.0.0.5", "10.0.0.6"])
        2
        >>> most_in_one_place(["127.0.0.1", "127.0.0.1"])
        1
    """
    addresses = {host: resolve(host) for host in set(hosts)}
    machine: dict[str, int] = {}  # of an address, by a number
    members: dict[int, set[str]] = {}  # the addresses of a machine
    for number, (_, found) in enumerate(sorted(addresses.items())):
        same = {machine[each] for each in found if each in machine}
        members[number] = set(found).union(*(members.pop(other) for other in same))
        machine.update(dict.fromkeys(members[number], number))
    counts = collections.Counter(
        machine[min(addresses[host])] for host in hosts if not _all_loopback(addresses[host])
    )
    return max(counts.values(), default=1)


def check_places(places: Sequence[str], workers: int) -> tuple[str, ...]:
    """The places that a user names, if there is one for each worker.

    Raises:
        InvalidArgument: if not.
    """
    fine = isinstance(places, (list, tuple)) and len(places) == workers
    if not fine or not all(isinstance(place, str) for place in places):
        raise InvalidArgument(
            "places",
            given=shown(places),
            needed=f"{workers} texts, one a worker: the same for workers who may collude together",
            change='Pass the names of their owners, say, as in ["anna", "anna", "ben"]; or None '
            "for the hosts of their addresses.",
        )
    return tuple(places)


def _normal(address: str) -> str:
    """An IP address in the one way of writing it; of IPv6, without its zone."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _all_loopback(addresses: frozenset[str]) -> bool:
    try:
        return all(ipaddress.ip_address(each).is_loopback for each in addresses)
    except ValueError:  # a name that nobody knows
        return False
