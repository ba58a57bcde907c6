"""A worker that shares no line with anyk: written from docs/protocol.md, for one function, `gram`.

    python another_worker.py certificates/worker-0 7000

It says on which port it listens, and serves one master after the other. A worker in earnest also
has limits: those of the page, and its own.
"""

import json
import socket
import ssl
import struct
import sys
import time
from pathlib import Path

TYPES = {"|u1": "B", "<u2": "H", "<u4": "I"}  # in which residues travel, and as `struct` says them


def exactly(link: ssl.SSLSocket, size: int) -> bytes:
    """So many bytes of the master's."""
    data = b""
    while len(data) < size:
        got = link.recv(size - len(data))
        if not got:
            raise EOFError
        data += got
    return data


def received(link: ssl.SSLSocket) -> tuple[dict, list[list]]:
    """A header, and the numbers of the arrays after it, each in C order."""
    (length,) = struct.unpack(">I", exactly(link, 4))
    if length > 1 << 22:
        raise ValueError("too long a header")
    header = json.loads(exactly(link, length))
    arrays = []
    for dtype, shape in header.get("arrays", []):
        size = 1
        for axis in shape:
            size *= axis
        if dtype not in TYPES or size > 1 << 20:
            raise ValueError("not what this worker takes")
        code = TYPES[dtype]
        numbers = struct.unpack(f"<{size}{code}", exactly(link, size * struct.calcsize(code)))
        arrays.append([dtype, shape, numbers])
    return header, arrays


def check_residues(kind: str, share: tuple[int, ...], prime: int) -> None:
    """Refuse other numbers than residues, in the shortest type that holds all of them."""
    fit = [dtype for dtype, code in TYPES.items() if prime <= 256 ** struct.calcsize(code)]
    if kind != fit[0] or max(share) >= prime:
        raise ValueError("no residues of this prime, as they travel")


def gram(share: tuple[int, ...], rows: int, columns: int, prime: int) -> list[int]:
    """X^T X modulo a prime."""
    x = [share[columns * row : columns * (row + 1)] for row in range(rows)]
    return [
        sum(row[i] * row[j] for row in x) % prime for i in range(columns) for j in range(columns)
    ]


def check(asked: dict, known: dict) -> None:
    """Refuse what this worker does not do."""
    if asked != known:
        raise ValueError("this worker knows gram alone")


def answer(header: dict, held: dict) -> bytes:
    """What comes of a request, as bytes."""
    begun, failure, dtype, shape, body = time.perf_counter(), None, None, None, b""
    try:
        known = {"function": "gram", "work": ["plain"], "arguments": []}
        check({name: header[name] for name in known}, known)
        (kind, (_, rows, columns), numbers), piece = held[header["key"]], header["piece"]
        share, prime = (
            numbers[rows * columns * piece :][: rows * columns],
            header["domain"]["field"],
        )
        check_residues(kind, share, prime)
        values = gram(share, rows, columns, prime)
        body = struct.pack(f"<{len(values)}{TYPES[kind]}", *values)
        dtype, shape = kind, [columns, columns]
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer says it
        failure = repr(error)[:300]
    seconds = time.perf_counter() - begun  # a float: it is written with a point or an exponent
    told = {"serial": header["serial"], "seconds": seconds, "failure": failure}
    text = json.dumps(told | {"dtype": dtype, "shape": shape}).encode()
    return struct.pack(">I", len(text)) + text + body


def serve(link: ssl.SSLSocket) -> None:
    """One session, until the master ends it or says what it should not."""
    names = {name for kind, name in link.getpeercert()["subjectAltName"] if kind == "DNS"}
    if link.selected_alpn_protocol() != "anyk/1" or "master" not in names:
        raise ValueError("not the master")
    held = {}
    while True:
        header, arrays = received(link)
        if header["verb"] == "hold":
            (held[header["key"]],) = arrays
        elif header["verb"] == "forget":
            held.pop(header["key"], None)
        elif header["verb"] == "run":
            link.sendall(answer(header, held))
        else:
            raise ValueError("no such verb")


def main() -> None:
    """Listen, for ever."""
    party, port = Path(sys.argv[1]), int(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", port))
    print(listener.getsockname()[1], flush=True)
    while True:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # anew: files may have changed
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode, context.num_tickets = ssl.CERT_REQUIRED, 0
        context.load_verify_locations(party / "authority.pem")
        context.load_cert_chain(party / "certificate.pem", party / "key.pem")
        context.set_alpn_protocols(["anyk/1"])
        connection, _ = listener.accept()
        connection.settimeout(10)
        try:
            with context.wrap_socket(connection, server_side=True) as link:
                link.settimeout(None)
                serve(link)
        except (OSError, EOFError, ValueError, KeyError):
            connection.close()


if __name__ == "__main__":
    main()
