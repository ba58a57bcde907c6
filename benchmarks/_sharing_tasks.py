"""What workers do where only the way to them is measured; and the process behind a bare pipe."""

from __future__ import annotations

import functools
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

__all__ = ["first", "full"]


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
