"""Servers that send back what they get, by other people's protocols.

    python _echo_servers.py KIND DIR LIMIT

DIR holds a worker's files of `anyk certificates`; LIMIT is in bytes of a message. Each prints its
port, and serves until its standard input is closed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def pems(directory: Path) -> tuple[bytes, bytes, bytes]:
    """The key, the certificate and the authority's certificate of a party."""
    key, certificate, authority = (
        (directory / f"{name}.pem").read_bytes() for name in ("key", "certificate", "authority")
    )
    return key, certificate, authority


def grpc_server(directory: Path, limit: int) -> Callable[[], None]:
    """Bytes for bytes, by gRPC over mutual TLS."""
    import grpc  # noqa: PLC0415 - one of three

    server = grpc.server(
        ThreadPoolExecutor(4),
        options=[
            ("grpc.max_receive_message_length", limit),
            ("grpc.max_send_message_length", limit),
        ],
    )
    handler = grpc.unary_unary_rpc_method_handler(lambda request, _: request)
    services = grpc.method_handlers_generic_handler("echo", {"Same": handler})
    server.add_generic_rpc_handlers((services,))
    key, certificate, authority = pems(directory)
    credentials = grpc.ssl_server_credentials(
        [(key, certificate)], root_certificates=authority, require_client_auth=True
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    print(port, flush=True)
    return lambda: server.stop(None)


def flight_server(directory: Path, _limit: int) -> Callable[[], None]:
    """Columns for columns, by Arrow Flight over mutual TLS."""
    from pyarrow import flight  # noqa: PLC0415 - one of three

    class Echo(flight.FlightServerBase):
        def do_exchange(self, _context, _descriptor, reader, writer):
            begun = False
            for chunk in reader:
                if not begun:
                    writer.begin(chunk.data.schema)
                    begun = True
                writer.write_batch(chunk.data)

    key, certificate, authority = pems(directory)
    server = Echo(
        "grpc+tls://127.0.0.1:0",
        tls_certificates=[(certificate, key)],
        verify_client=True,
        root_certificates=authority,
    )
    print(server.port, flush=True)
    threading.Thread(target=server.serve, daemon=True).start()
    return server.shutdown


def zmq_server(directory: Path, limit: int) -> Callable[[], None]:
    """Frames for frames, by ZeroMQ with CURVE keys."""
    import zmq  # noqa: PLC0415 - one of three
    from zmq.auth.thread import ThreadAuthenticator  # noqa: PLC0415 - as above

    context = zmq.Context()
    guard = ThreadAuthenticator(context)
    guard.start()
    guard.configure_curve(domain="*", location=str(directory / "curve"))
    socket = context.socket(zmq.REP)
    socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(
        directory / "server.key_secret"
    )
    socket.curve_server = True
    socket.maxmsgsize = limit
    print(socket.bind_to_random_port("tcp://127.0.0.1"), flush=True)

    def serve() -> None:
        while True:
            socket.send(socket.recv(copy=False), copy=False)

    threading.Thread(target=serve, daemon=True).start()
    return lambda: None


SERVERS = {"grpc": grpc_server, "flight": flight_server, "zmq": zmq_server}

if __name__ == "__main__":
    stop = SERVERS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
    sys.stdin.read()
    stop()
