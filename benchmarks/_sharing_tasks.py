"""What workers do where only the way to them is measured; and the process behind a bare pipe."""

from __future__ import annotations

import functools
import mmap
import os
import socket
from multiprocessing.connection import Connection
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
