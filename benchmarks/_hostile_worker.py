"""A worker that does whatever it can to its master: the other end of `remote_under_attack.py`.

It listens on as many ports as it is told, reads what a master asks as an honest worker would, and
answers with a frame that no honest one sends. Run as a process of its own; it prints its ports.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

LENGTH = struct.Struct(">I")
MODULUS = 2**31 - 1
Frame = tuple[bytes, bool]
"""What to send, and whether to close the connection after it."""


class Bomb:
    """Whoever unpickles it makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.path, "w")


class Asked:
    """What one master asked last, and what this worker remembers to use against it."""

    def __init__(self, bomb: str, serials: dict[int, int], place: int) -> None:
        self.bomb = pickle.dumps(Bomb(bomb))
        self.serials = serials
        self.place = place
        self.serial = 0
        self.earlier = 1
        self.shape = (2, 2)

    def note(self, serial: int) -> None:
        """A request came."""
        self.earlier, self.serial = self.serial, serial
        self.serials[self.place] = serial


def header(serial: int, /, **change: object) -> bytes:
    """A header as an honest worker sends it, but for what is changed."""
    plain = {"serial": serial, "seconds": 0.0, "failure": None, "dtype": "<u4", "shape": [2, 2]}
    text = json.dumps(plain | change).encode()
    return LENGTH.pack(len(text)) + text


def body(asked: Asked, rng: random.Random) -> bytes:
    """Residues of the right shape: a lie, where it gets through."""
    size = asked.shape[0] * asked.shape[1]
    return np.array([rng.randrange(MODULUS) for _ in range(size)], np.uint32).tobytes()


def random_bytes(_: Asked, rng: random.Random) -> Frame:
    return rng.randbytes(rng.choice([1, 3, 4, 5, 64, 5000])), True


def huge_header(asked: Asked, rng: random.Random) -> Frame:
    length = rng.choice([0xFFFFFFFF, 1 << 31, (1 << 13) + 1])
    return LENGTH.pack(length) + header(asked.serial)[4:], rng.random() < 0.5


def huge_array(asked: Asked, rng: random.Random) -> Frame:
    shape = rng.choice([[1 << 40], [1 << 31, 1 << 31], [1 << 18, 2], [1 << 47, 1 << 47], [2**70]])
    return header(asked.serial, shape=shape) + body(asked, rng), rng.random() < 0.5


def truncated(asked: Asked, rng: random.Random) -> Frame:
    whole = header(asked.serial) + body(asked, rng)
    return whole[: rng.randrange(len(whole))], True


def truncated_at_the_limit(asked: Asked, rng: random.Random) -> Frame:
    return header(asked.serial, shape=[1 << 18]) + body(asked, rng), True


def wrong_dtype(asked: Asked, rng: random.Random) -> Frame:
    names = ["<f8", "<i8", "<i4", "<u8", "<u2", "|O", "<U5", "|V8", "<f16", "<c16", ">i8", "|b1",
             "<M8", "i8", "", "object", 8, None, ["<i8"], "<i8\n", "<i8,<i8"]  # fmt: skip
    return header(asked.serial, dtype=rng.choice(names)) + body(asked, rng), False


def wrong_shape(asked: Asked, rng: random.Random) -> Frame:
    shapes = [[-1], [2.0, 2], ["2", 2], [True, 2], None, "22", {"2": 2}, [None], [[2], 2],
              [1] * 70, 4, [10**40]]  # fmt: skip
    return header(asked.serial, shape=rng.choice(shapes)) + body(asked, rng), False


def wrong_header(asked: Asked, rng: random.Random) -> Frame:
    texts = [
        b"[" * 8000, b'{"a":' * 1600, b"null", b"", b"\xff\xfe{}", b"{}", b'"', b"9" * 8000,
        header(asked.serial, more=1)[4:], header(asked.serial)[4:-1],
        header(asked.serial, seconds="0")[4:], header(asked.serial, seconds=float("nan"))[4:],
        header(asked.serial, seconds=-1.0)[4:], header(asked.serial, seconds=1e999)[4:],
        header(asked.serial, failure=5)[4:], header(asked.serial, failure=["x"])[4:],
        header(asked.serial, serial=True)[4:], header(asked.serial, serial=str(asked.serial))[4:],
        header(asked.serial, serial=float(asked.serial))[4:],
    ]  # fmt: skip
    text = rng.choice(texts)
    return LENGTH.pack(len(text)) + text + body(asked, rng), False


def pickled(asked: Asked, rng: random.Random) -> Frame:
    bomb = asked.bomb
    return rng.choice([
        (LENGTH.pack(len(bomb)) + bomb, False),
        (bomb, True),
        (header(asked.serial, dtype="|O", shape=[1]) + bomb, False),
        (header(asked.serial, failure=bomb.decode("latin-1")), False),
        (header(asked.serial, shape=[len(bomb)], dtype="|u1") + bomb, False),
    ])  # fmt: skip


def replayed(asked: Asked, rng: random.Random) -> Frame:
    return header(asked.earlier) + body(asked, rng), False


def another_share(asked: Asked, rng: random.Random) -> Frame:
    others = [serial for place, serial in asked.serials.items() if place != asked.place]
    return header(rng.choice(others) if others else 0) + body(asked, rng), False


def foul_language(asked: Asked, rng: random.Random) -> Frame:
    texts = ["\x1b[2J\x1b]0;owned\x07", "\r\n\r\nTraceback", "a" * 8000, "\u202e\u0000", ""]
    return header(asked.serial, failure=rng.choice(texts)), False


def gone(_: Asked, __: random.Random) -> Frame:
    return b"", True


def mutated(asked: Asked, rng: random.Random) -> Frame:
    whole = bytearray(header(asked.serial) + body(asked, rng))
    for _ in range(rng.randint(1, 8)):
        whole[rng.randrange(len(whole))] = rng.randrange(256)
    return bytes(whole), True


def chatty(asked: Asked, rng: random.Random) -> Frame:
    """A lie, and the answer to the next call before it is asked."""
    lie = header(asked.serial) + body(asked, rng)
    return lie + header(asked.serial + 1) + body(asked, rng), False


Kind = Callable[[Asked, random.Random], Frame]
REFUSED: tuple[Kind, ...] = (
    random_bytes, huge_header, huge_array, truncated, truncated_at_the_limit, wrong_dtype,
    wrong_shape, wrong_header, pickled, replayed, another_share, foul_language, gone,
)  # fmt: skip
"""Frames that can't be an answer: each is a failure, whatever else it is."""

ANYTHING = (*REFUSED, mutated, chatty)
"""And those that may be one: a wrong one, which is for the decoder to find."""


def exactly(connection: socket.socket, size: int) -> bytes:
    """So many bytes; EOFError where there are fewer."""
    data = bytearray()
    while len(data) < size:
        got = connection.recv(size - len(data))
        if not got:
            raise EOFError
        data += got
    return bytes(data)


def serve(connection: socket.socket, asked: Asked, kinds: list[Kind], rng: random.Random) -> None:
    """Read requests, and answer each with one hostile frame."""
    while True:
        (length,) = LENGTH.unpack(exactly(connection, 4))
        request = json.loads(exactly(connection, length))
        for name, shape in request.get("arrays", ()):
            exactly(connection, int(np.prod(shape)) * np.dtype(name).itemsize)
        if request["verb"] != "run":
            continue
        asked.note(request["serial"])
        data, over = rng.choice(kinds)(asked, rng)
        connection.sendall(data)
        if over:
            return


def listen(listener: socket.socket, place: int, shared: argparse.Namespace) -> None:
    """Serve one connection after the other, for ever."""
    rng = random.Random(shared.seed * 1000 + place)  # noqa: S311 - nothing here is secret
    asked = Asked(shared.bomb, shared.serials, place)
    context = None
    if shared.tls is not None:
        directory = shared.tls / f"worker-{place}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "certificate.pem", directory / "key.pem")
        context.set_alpn_protocols(["anyk/1"])
    kinds = [kind for kind in ANYTHING if kind.__name__ in shared.kinds]
    while True:
        connection, _ = listener.accept()
        try:
            with connection:
                if context is not None:
                    with context.wrap_socket(connection, server_side=True) as secure:
                        serve(secure, asked, kinds, rng)
                else:
                    serve(connection, asked, kinds, rng)
        except (OSError, EOFError, ValueError):
            continue


def main() -> int:
    """Listen until the standard input is closed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first worker")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bomb", required=True, help="file that unpickling would make")
    parser.add_argument("--tls", type=Path, help="directory with worker-0 and so on")
    parser.add_argument("--kinds", nargs="+", default=[kind.__name__ for kind in REFUSED])
    shared = parser.parse_args()
    shared.serials = {}
    ports = []
    for place in range(shared.first, shared.first + shared.workers):
        listener = socket.create_server(("127.0.0.1", 0))
        ports.append(listener.getsockname()[1])
        threading.Thread(target=listen, args=(listener, place, shared), daemon=True).start()
    print(*ports, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
