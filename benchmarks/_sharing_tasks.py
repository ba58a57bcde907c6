"""What workers do where only the way to them is measured; and the process behind a bare pipe."""

from __future__ import annotations

import functools
import mmap
import os
import socket
import ssl
import subprocess
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["first", "full"]

TEXT = 16  # bytes of what is asked of `behind_a_socket`


@functools.cache
def ones(numbers: int) -> np.ndarray:
    """As many ones, made once."""
    return np.ones(numbers, np.uint32)


def first(share: Any) -> Any:
    """The first number of a share."""
    return share[:1]


def full(_: Any, numbers: int) -> Any:
    """An answer of so many numbers."""
    return ones(numbers)


def behind_a_pipe(end: Connection) -> None:
    """Take bytes, and send the first number of them back; or as many as a text asks for."""
    while True:
        got = end.recv_bytes()
        if not got:
            return
        if len(got) < 32:
            end.send_bytes(ones(int(got)))
        else:
            end.send_bytes(np.frombuffer(got, np.uint32)[:1].tobytes())


def to_memory_file(array: np.ndarray, end: socket.socket) -> None:
    """Write an array to a file in memory that has no name, and send its descriptor."""
    file = os.memfd_create("share")
    rest = memoryview(array).cast("B")
    while rest:
        rest = rest[os.write(file, rest) :]
    socket.send_fds(end, [b"f"], [file])
    os.close(file)


def from_memory_file(end: socket.socket) -> np.ndarray:
    """The other end: the array, mapped so that writing in it changes nobody else's."""
    _, (file,), _, _ = socket.recv_fds(end, 1, 1)
    mapped = mmap.mmap(file, os.fstat(file).st_size, access=mmap.ACCESS_COPY)
    os.close(file)
    return np.frombuffer(mapped, np.uint32)


def behind_a_socket(end: socket.socket) -> None:
    """Take files in memory and work on a copy, as tasks do; or send one, if asked for numbers."""
    while text := end.recv(TEXT):
        if text.strip() == b"take":
            end.sendall(np.array(from_memory_file(end))[:1].tobytes())
        else:
            to_memory_file(ones(int(text)), end)


def certificate(folder: Path) -> tuple[str, str]:
    """A certificate of an elliptic curve, as workers have, and its key: their files."""
    files = str(folder / "certificate.pem"), str(folder / "key.pem")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    command += f" -subj /CN=bare -addext subjectAltName=DNS:bare -out {files[0]} -keyout {files[1]}"
    subprocess.run(command.split(), check=True, capture_output=True)  # noqa: S603 - our own words
    return files


def secured(connection: socket.socket, files: tuple[str, str], *, server: bool) -> ssl.SSLSocket:
    """One end under TLS."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        return context.wrap_socket(connection, server_side=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(files[0])
    return context.wrap_socket(connection, server_hostname="bare")


def send_bytes(end: ssl.SSLSocket, data: Any) -> None:
    """Their number, and the bytes."""
    rest = memoryview(data).cast("B")
    end.sendall(len(rest).to_bytes(8, "big"))
    for start in range(0, len(rest), 1 << 20):
        end.sendall(rest[start : start + (1 << 20)])


def receive_bytes(end: ssl.SSLSocket) -> np.ndarray:
    """What `send_bytes` has sent."""
    size = np.empty(8, np.uint8)
    filled(end, memoryview(size))
    got = np.empty(int.from_bytes(size.tobytes(), "big"), np.uint8)
    if got.size:
        filled(end, memoryview(got))
    return got


def filled(end: ssl.SSLSocket, room: memoryview) -> None:
    """Receive as many bytes as there is room for."""
    while room:
        room = room[end.recv_into(room) :]


def behind_tls(port: int, files: tuple[str, str]) -> None:
    """As behind a pipe."""
    end = secured(socket.create_connection(("127.0.0.1", port)), files, server=False)
    while (got := receive_bytes(end)).size:
        if got.size < 32:
            send_bytes(end, ones(int(got.tobytes())))
        else:
            send_bytes(end, got[:4])
