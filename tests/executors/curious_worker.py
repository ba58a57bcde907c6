"""A worker process that wants to know more than it is sent: the other end of `test_curious`.

It speaks as a worker, on a port of its own and with its own certificate, keeps every byte that its
master sends, and answers with whatever might make the master say more. When its standard input
says so, it turns to the other workers, with all it has, and prints what it got of them.
"""

import json
import random
import socket
import ssl
import struct
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

LENGTH = struct.Struct(">I")
PARTY, *_PORTS = map(Path, sys.argv[1:] if __name__ == "__main__" else ["."])
OTHERS = [int(str(port)) for port in _PORTS]
heard: list[bytes] = []  # of each connection
back: list[tuple[str, int]] = []  # where the master spoke from


def message(*arrays: bytes, **header: object) -> bytes:
    text = json.dumps(header).encode()
    return LENGTH.pack(len(text)) + text + b"".join(arrays)


def odd(asked: dict[str, Any], rng: random.Random) -> bytes:
    """What might make a master say more than it should."""
    plain = {"serial": asked["serial"], "seconds": 0.0, "failure": None, "dtype": "<i8"}
    key = asked["key"]
    return rng.choice([
        message(**plain, shape=[1 << 14]),  # says more than it sends, as in Heartbleed
        message(**plain, shape=[0]),
        message(**plain, shape=[-1]),
        message(**plain, shape=[2, 2]) + message(verb="run", key=key, serial=1),
        message(
            verb="run", key=key, serial=1, function="gram", arguments=[], arrays=[], per_worker=[]
        ),
        message(verb="hold", key=key + 1, arrays=[]),
        message(verb="list", key=0),
        message(verb="resend", key=key + 1, worker=0),
        message(**(plain | {"failure": "{share} %(share)s ${key} {0.__class__}"}), shape=None),
        message(**(plain | {"serial": 0}), shape=[2, 2]),
        LENGTH.pack(0), LENGTH.pack(0xFFFFFFFF), b"GET /shares HTTP/1.1\r\n\r\n",
        b"\x18\3\3\0\3\1@\0", b"",
    ])  # fmt: skip


def context(side: int) -> ssl.SSLContext:
    made = ssl.SSLContext(side)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.load_cert_chain(PARTY / "certificate.pem", PARTY / "key.pem")
    made.set_alpn_protocols(["anyk/1"])
    return made


def take(connection: ssl.SSLSocket, size: int, into: bytearray) -> bytes:
    data = bytearray()
    while len(data) < size:
        got = connection.recv(size - len(data))
        if not got:
            raise EOFError
        data += got
        into += got
    return bytes(data)


def serve(connection: ssl.SSLSocket, rng: random.Random, into: bytearray) -> None:
    while True:
        (length,) = LENGTH.unpack(take(connection, 4, into))
        asked = json.loads(take(connection, length, into))
        for name, shape in asked.get("arrays", ()):
            take(connection, int(np.prod(shape)) * np.dtype(name).itemsize, into)
        if asked["verb"] == "run":
            connection.sendall(odd(asked, rng))
            connection.settimeout(0.1)
            while got := connection.recv(1 << 16):  # whatever it may say to that
                into += got
            raise EOFError


def listen(listener: socket.socket) -> None:
    rng = random.Random(0)  # noqa: S311 - nothing here is secret
    theirs = context(ssl.PROTOCOL_TLS_SERVER)
    while True:
        plain, peer = listener.accept()
        back.append(peer)
        into = bytearray()
        try:
            with plain, theirs.wrap_socket(plain, server_side=True) as connection:
                serve(connection, rng, into)
        except (OSError, EOFError, ValueError):
            pass
        heard.append(bytes(into))


def ask_another(port: int, mine: bytes, *, certificate: bool) -> bytes:
    """Be a master to another worker: with its own certificate or none, say what it knows."""
    got = b""
    ours = context(ssl.PROTOCOL_TLS_CLIENT)
    if not certificate:
        ours = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ours.check_hostname, ours.verify_mode = False, ssl.CERT_NONE
        ours.set_alpn_protocols(["anyk/1"])
    try:
        with socket.create_connection(("127.0.0.1", port), 10.0) as plain:
            with ours.wrap_socket(plain, server_hostname="master") as secure:
                secure.sendall(mine)
                secure.settimeout(1.0)
                while data := secure.recv(1 << 16):
                    got += data
    except OSError:
        pass
    return got


def ask_plainly(port: int, mine: bytes) -> bytes:
    """The same without TLS."""
    got = b""
    try:
        with socket.create_connection(("127.0.0.1", port), 10.0) as plain:
            plain.sendall(mine)
            plain.settimeout(1.0)
            while data := plain.recv(1 << 16):
                got += data
    except OSError:
        pass
    return b"" if got[:1] == b"\x15" else got  # an alert of TLS is no answer


def pry() -> dict[str, Any]:
    """Turn to the other workers, and to where the master spoke from."""
    replayed = max(heard, key=len, default=b"")  # what the master sent here, word for word
    guesses = b"".join(
        message(verb="run", key=key, serial=1, function="same", module=None, domain=None,
                per_worker=[], arguments=[], arrays=[])
        for key in range(5)
    )  # fmt: skip
    got = []
    for port in OTHERS:
        for mine in (replayed, guesses, replayed + guesses):
            got += [ask_another(port, mine, certificate=True)]
            got += [ask_another(port, mine, certificate=False), ask_plainly(port, mine)]
    reached = 0
    for peer in back[:3]:
        with socket.socket() as end:
            end.settimeout(5.0)
            reached += end.connect_ex(peer) == 0
    return {
        "heard": [each.hex() for each in heard],
        "got": [each.hex() for each in got],
        "reached": reached,
    }


if __name__ == "__main__":
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=listen, args=(server,), daemon=True).start()
    print(server.getsockname()[1], flush=True)  # noqa: T201 - to the test
    for _ in sys.stdin:
        print(json.dumps(pry()), flush=True)  # noqa: T201 - as above
