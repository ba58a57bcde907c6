"""The command `anyk aggregator`: its files read and checked, and a service with them."""

from __future__ import annotations

import logging
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from anyk.aggregation.aggregator import Aggregator
from anyk.aggregation.identity import Identity
from anyk.aggregation.journal import FileJournal
from anyk.aggregation.plan_file import read_plan
from anyk.aggregation.remote.founding import IDENTITY, ROSTER
from anyk.aggregation.remote.letters import PROTOCOL
from anyk.aggregation.remote.limits import ServiceLimits
from anyk.aggregation.remote.service import Service
from anyk.aggregation.roster import Roster
from anyk.connections.tls import Address, parse_address, server_context

__all__ = ["JOURNAL", "serve_aggregator"]

JOURNAL = "signed"
"""The file of a party's directory with the rounds that it signed, unless another one is named."""


def serve_aggregator(
    listen: str,
    party: Path,
    plan: Path,
    *,
    journal: Path | None,
    least_clients: int | None,
    rounds: int,
    server: str,
    limits: ServiceLimits,
    write: Callable[[str], None],
) -> None:
    """The command `anyk aggregator`: listen and serve until it is stopped.

    Args:
        listen: HOST:PORT.
        party: directory of certificates, identity and roster.
        plan: file of the plan.
        journal: file of signed rounds; None for the one in the party's directory.
        least_clients: the fewest clients of a set that it signs; None for the plan's.
        rounds: how many it has open at once.
        server: name that a server's certificate must be for.
        limits: what servers may take.
        write: takes the line that says where it listens and for whom.

    Raises:
        InvalidArgument: if an argument or a file can't be used.
        OSError: if a file can't be read, or it can't listen there.
    """
    address = parse_address(listen, "--listen")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # keys and pieces are not for the disk
    logging.basicConfig(format="anyk aggregator: %(message)s", level=logging.INFO)
    server_context(party, PROTOCOL)  # says now what is wrong; each connection reads it anew
    with FileJournal(party / JOURNAL if journal is None else journal) as signed:
        aggregator = Aggregator(
            read_plan(plan),
            Identity.load(party / IDENTITY),
            Roster.load(party / ROSTER),
            least_clients=least_clients,
            journal=signed,
            rounds=rounds,
        )
        service = Service(
            address,
            aggregator,
            party.absolute(),
            server=server,
            longest=aggregator.most_request,
            limits=limits,
        )
        signal.signal(signal.SIGTERM, _stop)
        try:
            at = Address(address.host, address.host, service.port)
            write(f"anyk aggregator: listens on {at}, for the server {server!r}")
            service.serve()
        finally:
            service.close()


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
