"""Parties that listen in this process, and others who only look like it."""

import contextlib
import socket
import threading
import time
from pathlib import Path

from anyk.aggregation import AbstractParty
from anyk.aggregation.remote.letters import PROTOCOL
from anyk.aggregation.remote.limits import ServiceLimits
from anyk.aggregation.remote.service import Service
from anyk.connections.handshake import admit, reach
from anyk.connections.tls import Address

LONG = 20.0  # seconds that nothing here should take


class Echo(AbstractParty):
    """Says what it was asked, in brackets."""

    def answer(self, request: bytes) -> bytes:
        return b"<" + request + b">"


@contextlib.contextmanager
def serving(party: AbstractParty, directory: Path, **limits: int):
    """The port of a service of this party, with a party's directory."""
    place = Address("127.0.0.1", "127.0.0.1", 0)
    service = Service(place, party, directory, limits=ServiceLimits(**limits))
    thread = threading.Thread(target=service.serve)
    thread.start()
    try:
        yield service.port
    finally:
        service.close()
        thread.join()


@contextlib.contextmanager
def pretending(behave, directory: Path | None):
    """The port of one who does this with each connection; after TLS, if there is a directory."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def receive(connection: socket.socket) -> None:
        with contextlib.suppress(Exception), connection:
            if directory is None:
                behave(connection, over)
                return
            until = time.monotonic() + LONG
            behave(admit(connection, directory, "server", until, protocol=PROTOCOL), over)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=receive, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@contextlib.contextmanager
def knocking(port: int, directory: Path, name: str = "aggregator-0", protocol: str = PROTOCOL):
    """A connection to a service, as who has this directory."""
    with socket.create_connection(("127.0.0.1", port), LONG) as plain:
        yield reach(plain, directory, name, time.monotonic() + LONG, protocol=protocol)


def ended(stream) -> bool:
    """Whether the other end closes the connection before long."""
    try:
        while True:
            stream.receive(memoryview(bytearray(1)), time.monotonic() + LONG)
    except TimeoutError:
        return False
    except (EOFError, OSError):
        return True
