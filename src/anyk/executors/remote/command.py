"""The command `anyk worker`: its options checked, and a server with them."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from anyk.checks import count
from anyk.connections.tls import Address, is_loopback, parse_address, server_context
from anyk.errors import InvalidArgument
from anyk.executors.remote.budget import Budget
from anyk.executors.remote.frames import PROTOCOL
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.server import Server

__all__ = ["serve_worker"]


def serve_worker(
    listen: str,
    tasks: str,
    tls: Path | None,
    *,
    master: str,
    budget: Budget,
    sessions: int,
    write: Callable[[str], None],
) -> None:
    """The command `anyk worker`: listen and serve until it is stopped.

    Args:
        listen: HOST:PORT.
        tasks: module whose functions are served; it is looked for in the working directory too.
        tls: the worker's directory of certificates; None to serve this machine without any.
        master: name that a master's certificate must be for.
        budget: what one session may take.
        sessions: how many masters at once.
        write: takes the line that says where it listens and what it offers.

    Raises:
        InvalidArgument: if an argument can't be used.
        OSError: if it can't listen there.
    """
    address = parse_address(listen, "--listen")
    if tls is None and not is_loopback(address.host):
        raise InvalidArgument(
            "--no-tls",
            given=f"with --listen {listen}",
            needed="certificates, where other machines can connect",
            change="Pass --tls DIR; anyk certificates makes some for a trial.",
        )
    sys.path.insert(0, str(Path.cwd()))
    logging.basicConfig(format="anyk worker: %(message)s", level=logging.INFO)
    if tls is not None:
        tls = tls.absolute()  # a module of tasks may change the working directory
        server_context(tls, PROTOCOL)  # says now what is wrong; each connection reads it anew
    offer = Offer(tasks)
    server = Server(
        address,
        offer,
        tls,
        master=master,
        budget=budget,
        sessions=count("--sessions", sessions, least=1),
    )
    signal.signal(signal.SIGTERM, _stop)
    try:
        at = Address(address.host, address.host, server.port)
        write(f"anyk worker: listens on {at}, offers {', '.join(offer.names)}")
        server.serve()
    finally:
        server.close()


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
